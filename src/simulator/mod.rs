//! A local server that imitates the upstream APIs, to try, test and measure the program without a
//! token and without cost.
//!
//! A [`World`] of notes, works, KOLs and suggestions is derived from a seed; its counts grow along
//! plausible curves with the simulator's clock. The answers have the shapes and quirks of the real
//! APIs and, on demand ([`Faults`]), their failures. Every answer is recorded ([`TruthRow`]), so
//! that an archive can be compared with it.
//!
//! `catalogue`, `items`, `notes`, `works`, `vocabulary` and `curves` make the world; `xiaohongshu`,
//! `pugongying`, `douyin` and `amagi` render it in the upstream's shapes (`shapes`); `route`,
//! `content`, `reply` and `server` answer calls; `fault`, `faults`, `truth` and `wire` are for
//! testing.

mod amagi;
mod catalogue;
mod content;
mod curves;
mod douyin;
mod fault;
mod faults;
mod items;
mod notes;
mod pugongying;
mod reply;
mod rng;
mod route;
mod server;
mod shapes;
#[cfg(test)]
mod tests;
mod truth;
mod vocabulary;
mod wire;
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

use crate::api::Provider;
use crate::time::{Clock, Time};

pub use amagi::Amagi;
pub use curves::Counts;
pub use fault::Fault;
pub use faults::Faults;
pub use items::{Fate, Fates};
pub use truth::TruthRow;
pub use world::World;

/// How long a stop waits for calls in flight.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

const DAY_MICROS: i64 = 86_400_000_000;

/// Settings of a simulator.
#[derive(Clone)]
pub struct Options {
    /// Seed of the world.
    pub seed: u64,
    /// The token JustOneAPI's paths require. No truth row and no log contains it.
    pub token: String,
    /// The world's clock.
    pub clock: Clock,
    /// With a step, an item advances with each complete answer about it instead of the clock: the
    /// first shows the start time, the next one step later. A run is then independent of its speed.
    /// Pages of a listing advance separately.
    pub step: Option<Duration>,
    /// The initial faults.
    pub faults: Faults,
    /// Minimum latency of an answer.
    pub latency: Duration,
    /// File to which each answer's [`TruthRow`] is appended as a line of JSON.
    pub truth: Option<PathBuf>,
    /// The amagi versions to imitate.
    pub amagi: Amagi,
    /// The day before which the world's example items were published; by default the day of the
    /// start.
    pub around: Option<Time>,
    /// Share of items that are edited, deleted or go viral.
    pub fates: Fates,
    /// Fixed answers by path.
    pub replay: Vec<Replay>,
}

impl Options {
    /// A simulator without faults that follows `clock`.
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

/// A fixed answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The path without the query.
    pub path: String,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A running simulator. It stops when dropped, or with [`Simulator::stop`].
pub struct Simulator {
    address: SocketAddr,
    server: Arc<server::Server>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Starts a simulator on `listener`.
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
    let service = router.into_make_service_with_connect_info::<wire::Cutter>();
    let serving = axum::serve(wire::CuttableListener(listener), service)
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    let task = tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "the simulator stopped");
        }
    });
    Ok(Simulator { address, server, stop, task })
}

impl Simulator {
    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Base URL of a provider's paths: below its name, if its real address has a path.
    pub fn base_url(&self, provider: Provider) -> String {
        let address = format!("http://{}", self.address);
        let real = provider.profile().base_url.parse::<url::Url>();
        match real.as_ref().map_or("/", |real| real.path()) {
            "/" => address,
            path => format!("{address}/{provider}{path}"),
        }
    }

    /// The simulated world.
    pub fn world(&self) -> &World {
        &self.server.world
    }

    /// Every call so far.
    pub fn truth(&self) -> Vec<TruthRow> {
        self.server.truth()
    }

    /// Replaces the faults. The numbering of calls continues.
    pub fn set_faults(&self, faults: Faults) {
        self.server.set_faults(faults);
    }

    /// Stops listening and waits briefly for the calls in flight.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(SHUTDOWN_GRACE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
