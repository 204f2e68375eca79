//! A server on this machine that imitates the upstream APIs, so that the program can be tried,
//! tested and measured without a token and without a price.
//!
//! A [`World`] of notes, works, KOLs and suggestions follows from a seed; its counts grow along
//! plausible curves with the simulator's clock. The answers have the shapes, the traps and, on
//! demand ([`Faults`]), the failures of the real ones, and every one is on record
//! ([`TruthRow`]), so that an archive can be held against what was answered.
//!
//! The parts: `catalogue`, `items`, `notes`, `works`, `words` and `curves` make the world; `xiaohongshu`,
//! `pugongying`, `douyin` and `amagi` put it into upstream's shapes (`shapes`); `route`,
//! `content`, `reply` and `server` answer a call; `fault`, `faults`, `truth` and `wire` are what no real
//! server offers.

mod amagi;
mod catalogue;
mod content;
mod curves;
mod dice;
mod douyin;
mod fault;
mod faults;
mod items;
mod notes;
mod pugongying;
mod reply;
mod route;
mod server;
mod shapes;
#[cfg(test)]
mod tests;
mod truth;
mod wire;
mod words;
mod works;
mod world;
mod xiaohongshu;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::time::{Clock, Time};

pub use amagi::Amagi;
pub use curves::Counts;
pub use fault::Fault;
pub use faults::Faults;
pub use items::{Fate, Fates};
pub use truth::TruthRow;
pub use world::World;

/// How long a stop waits for calls in flight.
const PATIENCE: Duration = Duration::from_secs(2);

const DAY_MICROS: i64 = 86_400_000_000;

/// How to simulate.
#[derive(Clone)]
pub struct Options {
    /// What the world follows from.
    pub seed: u64,
    /// The token that JustOneAPI's paths ask for. It is in no truth row and no log.
    pub token: String,
    /// What time it is in the world.
    pub clock: Clock,
    /// With a step, an item does not move with the clock but with each true answer about it:
    /// its first is about the time of the start, the next about one step later. So a run is the
    /// same whatever its speed. Pages of a listing count their answers separately.
    pub step: Option<Duration>,
    /// What goes wrong, from the start.
    pub faults: Faults,
    /// How long each answer takes, at least.
    pub latency: Duration,
    /// Where to append each answer's [`TruthRow`], as lines of JSON.
    pub truth: Option<PathBuf>,
    /// Which versions of amagi to imitate.
    pub amagi: Amagi,
    /// The day before which the world's examples were published; that of the start by default.
    pub around: Option<Time>,
    /// How many items are edited, deleted, go viral.
    pub fates: Fates,
    /// Answers to give as they are, whatever is asked of their paths.
    pub replay: Vec<Replay>,
}

impl Options {
    /// A simulator without faults that moves with `clock`.
    pub fn new(seed: u64, token: impl Into<String>, clock: Clock) -> Self {
        Self {
            seed,
            token: token.into(),
            clock,
            step: None,
            faults: Faults::default(),
            latency: Duration::ZERO,
            truth: None,
            amagi: Amagi::default(),
            around: None,
            fates: Fates::default(),
            replay: Vec::new(),
        }
    }
}

/// An answer to give as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The path, without a query.
    pub path: String,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A running simulator. It stops when it is dropped, or with [`Simulator::stop`].
pub struct Simulator {
    address: SocketAddr,
    server: Arc<server::Server>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Starts a simulator that answers on `listener`.
pub async fn start(options: Options, listener: TcpListener) -> Result<Simulator> {
    let address = listener.local_addr().context("the simulator has no address")?;
    let truth = truth::Truth::open(options.truth.as_deref())
        .with_context(|| format!("cannot open the truth file {:?}", options.truth))?;
    let now = options.clock.now();
    let midnight = Time::from_micros(now.micros() - now.micros().rem_euclid(DAY_MICROS));
    let around = options.around.or(midnight).unwrap_or(now);
    let world = World::new(options.seed, around, options.fates);
    let server = Arc::new(server::Server::new(options, world, now, address.port(), truth));
    let stop = CancellationToken::new();
    let router = Router::new().fallback_service(get(server::handle).with_state(server.clone()));
    let service = router.into_make_service_with_connect_info::<wire::Scissors>();
    let serving = axum::serve(wire::Lines(listener), service)
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    let task = tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "the simulator stopped");
        }
    });
    Ok(Simulator { address, server, stop, task })
}

impl Simulator {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What JustOneAPI's paths are appended to.
    pub fn justoneapi_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What amagi's paths are appended to.
    pub fn amagi_url(&self) -> String {
        format!("http://{}/amagi/api", self.address)
    }

    /// The simulated world, to find items in.
    pub fn world(&self) -> &World {
        &self.server.world
    }

    /// Every call so far.
    pub fn truth(&self) -> Vec<TruthRow> {
        self.server.truth()
    }

    /// Replaces what goes wrong. Calls are counted on.
    pub fn set_faults(&self, faults: Faults) {
        self.server.set_faults(faults);
    }

    /// Stops listening and waits a little for the calls in flight.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(PATIENCE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
