//! `tidewatch run`: the daemon, and the signals that end it.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio_util::sync::CancellationToken;

use super::{Cli, SOME_FAILED, load, open};
use crate::config::Environment;
use crate::daemon::{Daemon, Watch};
use crate::time::Clock;

pub(super) async fn run(cli: &Cli) -> Result<ExitCode> {
    let config = Arc::new(load(cli)?);
    let watch = Watch::begin(&config, Environment::read())?;
    config.require_token()?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    super::say_whom(&config);
    let store = open(cli).await?;
    let stop = CancellationToken::new();
    let mut daemon = Daemon::open(config, store.clone(), Clock::system(), "run").await?;
    daemon.listen_to(watch);
    let signals = Signals::new()?;
    let first = stop.clone();
    tokio::select! {
        done = daemon.run(&stop) => done?,
        () = signals.twice(&first) => {
            tracing::warn!("stopped at once; calls in flight stand open on the ledger");
            return Ok(ExitCode::from(SOME_FAILED));
        }
    }
    daemon.close().await?;
    store.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// The signals that ask a daemon to stop.
pub(super) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let cannot = "cannot listen for signals";
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context(cannot)?,
            interrupt: signal(SignalKind::interrupt()).context(cannot)?,
        })
    }

    /// Waits for one of them.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Cancels `stop` at the first; ends at the second.
    async fn twice(mut self, stop: &CancellationToken) {
        self.next().await;
        stop.cancel();
        self.next().await;
    }
}
