//! `tidewatch simulate`: a local upstream for rehearsals and tests.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum};
use tokio::net::TcpListener;

use super::print;
use super::signals::Signals;
use crate::api::Provider;
use crate::simulator::{self, Amagi, Faults, Options, Replay, Simulator};
use crate::time::{Clock, Time};

/// Examples per kind in the start message.
const EXAMPLES: usize = 3;

#[derive(Args, Debug)]
#[command(after_help = "\
Run `tidewatch simulate` in one terminal, and the commands it prints in another.
Example: --faults 'note=301:0.1,drop:0.01; work@2-4=503; suggestions@1#美食=empty'
A rule is ENDPOINT[@CALLS][#KEY]=FAULT[:RATE][,…], with the endpoints note, suggestions, kols,
work, amagi, note-link, work-link, balance or *, and the faults: any upstream code, empty,
gone, wrong-id, not-json, cut, drop (or transport), slow:MS, huge, nul, surrogate, dup, echo-token,
redirect, risk, dead-cookie, http:STATUS (a gateway's page), none.")]
pub(super) struct Simulate {
    /// Port on 127.0.0.1; 0 chooses a free one
    #[arg(long, default_value_t = 4567)]
    port: u16,
    /// Seed of the simulated world
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Token required by JustOneAPI's paths
    #[arg(long, default_value = "rehearsal")]
    accept_token: String,
    /// Advance each item by this many seconds per answer about it instead of with the clock, so
    /// that runs of any speed see the same
    #[arg(long, value_name = "SECONDS")]
    step: Option<u64>,
    /// With --step: time of the first answers (UTC)
    #[arg(long, value_name = "TIME", requires = "step")]
    start: Option<Time>,
    /// Fault rules
    #[arg(long, default_value = "", value_name = "RULES")]
    faults: Faults,
    /// Latency of each answer in milliseconds
    #[arg(long, default_value_t = 0, value_name = "MS")]
    latency: u64,
    /// Append every answered call to this file as JSON lines
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Version of amagi to imitate
    #[arg(long, value_enum, default_value_t = AmagiForm::Current)]
    amagi: AmagiForm,
    /// Answer a path with a file: PATH=FILE or PATH=STATUS:FILE; repeatable
    #[arg(long, value_name = "PATH=FILE")]
    replay: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AmagiForm {
    /// 4.5 to 6.x: by id, in an envelope
    Current,
    /// 4.1 to 4.4: by id, the bare answer
    Bare,
    /// 3.2 to 4.0: by link
    Old,
}

impl Simulate {
    pub(super) async fn run(&self) -> Result<ExitCode> {
        let mut signals = Signals::new()?;
        let address = (std::net::Ipv4Addr::LOCALHOST, self.port);
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on 127.0.0.1:{}", self.port))?;
        let simulator = simulator::start(self.options()?, listener).await?;
        print(&self.introduction(&simulator))?;
        signals.next().await;
        simulator.stop().await;
        Ok(ExitCode::SUCCESS)
    }

    fn options(&self) -> Result<Options> {
        let clock = match self.start {
            Some(start) => Clock::standing(start),
            None => Clock::system(),
        };
        let mut options = Options::new(self.seed, self.accept_token.clone(), clock);
        options.step = self.step.map(Duration::from_secs);
        options.faults = self.faults.clone();
        options.latency = Duration::from_millis(self.latency);
        options.truth = self.truth.clone();
        options.amagi = match self.amagi {
            AmagiForm::Current => Amagi::Current,
            AmagiForm::Bare => Amagi::Bare,
            AmagiForm::Old => Amagi::Old,
        };
        options.replay = self.replay.iter().map(|rule| replay(rule)).collect::<Result<_>>()?;
        Ok(options)
    }

    /// How to use it, and examples of items.
    fn introduction(&self, simulator: &Simulator) -> String {
        let world = simulator.world();
        format!(
            "listening; Ctrl-C stops it. To rehearse with it, in another terminal:\n\
             \n  export JUSTONEAPI_BASE_URL={} JUSTONEAPI_TOKEN={} DATABASE_URL=sqlite:rehearsal.db\n\
             \n  tidewatch fetch note {}\n\
             \n  amagi: base_url = \"{}\"\
             \n  notes: {}\n  works: {}\n  links: {} {}\n  keywords: {}\n",
            simulator.base_url(Provider::JustOneApi),
            self.accept_token,
            world.notes(1).join(" "),
            simulator.base_url(Provider::Amagi),
            world.notes(EXAMPLES).join(" "),
            world.works(EXAMPLES).join(" "),
            world.note_links(1).join(" "),
            world.work_links(1).join(" "),
            world.keywords().join(" "),
        )
    }
}

/// Parses `PATH=FILE` or `PATH=STATUS:FILE`.
fn replay(rule: &str) -> Result<Replay> {
    let (path, file) = rule
        .split_once('=')
        .with_context(|| format!("--replay expects PATH=FILE or PATH=STATUS:FILE, not {rule}"))?;
    ensure!(path.starts_with('/'), "the path in --replay {rule} must start with /");
    let with_status =
        file.split_once(':').and_then(|(status, file)| Some((status.parse().ok()?, file)));
    let (status, file) = with_status.unwrap_or((200, file));
    let body = std::fs::read(file).with_context(|| format!("cannot read {file}"))?;
    Ok(Replay { path: path.to_owned(), status, body })
}
