//! Signals that stop the program.

use std::future::Future;

use anyhow::{Context as _, Result};
use tokio_util::sync::CancellationToken;

/// SIGTERM and SIGINT from now on; an early signal is not lost.
///
/// A verb that stops gracefully creates this first: until then these signals kill the program.
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

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// The result of `work`, or `None` when a signal arrives first.
    pub(super) async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.next() => None,
        }
    }

    /// Cancels `stop` at the first signal; returns at the second.
    pub(super) async fn twice(mut self, stop: &CancellationToken) {
        self.next().await;
        stop.cancel();
        self.next().await;
    }
}
