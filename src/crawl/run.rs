//! A one-shot run: this process fetches the slots of one run until they are done. `fetch` and `backfill`
//! use it; they differ in when the run is over.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::crawl::{Crawler, ShutdownGrace, Started};
use crate::process::Process;
use crate::store::{FileGone, Store, in_time};
use crate::time::Clock;

/// Polling interval: another process may settle slots, or release them.
const POLL: Duration = Duration::from_millis(500);

/// The loop over the slots of one run.
pub struct OneShotRun<'a> {
    crawler: Crawler,
    store: &'a Store,
    process: &'a Process,
    clock: &'a Clock,
    stop: &'a CancellationToken,
}

/// How a one-shot run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// `is_over` said so.
    Over,
    /// It was stopped; the calls in flight have ended and are saved.
    Stopped,
}

/// The state after a tick.
#[derive(Debug)]
pub struct Tick<'a> {
    /// The result of starting calls.
    pub started: &'a Started,
    /// Whether no call is in flight and no answer waits to be saved.
    pub is_idle: bool,
}

impl<'a> OneShotRun<'a> {
    /// Fetches the slots of `run` as `process` until `stop` is cancelled.
    ///
    /// # Errors
    /// When the HTTP client cannot be created.
    pub fn new(
        config: Arc<Config>,
        store: &'a Store,
        clock: &'a Clock,
        process: &'a Process,
        run: i64,
        stop: &'a CancellationToken,
    ) -> Result<Self> {
        let crawler = Crawler::new(config, store.clone(), clock.clone(), process, Some(run))?;
        Ok(Self { crawler, store, process, clock, stop })
    }

    /// Ticks until `is_over` or stopped. Retries a failing database while answers that may have been
    /// billed are not saved.
    ///
    /// # Errors
    /// When the database fails, its file is gone, or the task of a call panics.
    pub async fn run(
        mut self,
        mut is_over: impl AsyncFnMut(Tick<'_>) -> Result<bool>,
    ) -> Result<Ended> {
        let mut failing = false;
        while !self.stop.is_cancelled() {
            let tick = self.tick(&mut is_over).await;
            if let Some(error) = self.crawler.died() {
                self.drain().await?;
                return Err(error);
            }
            match tick {
                Ok((_, true)) => {
                    self.drain().await?;
                    while !self.stop.is_cancelled() && self.crawler.derive_waiting().await {
                        in_time(self.process.keep()).await?;
                    }
                    return Ok(Ended::Over);
                }
                Ok((started, false)) => {
                    failing = false;
                    self.rest(&started).await;
                }
                Err(error) if self.crawler.is_idle() || error.is::<FileGone>() => {
                    return Err(error);
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(error, "the database fails; trying again");
                    }
                    tokio::select! {
                        () = tokio::time::sleep(POLL) => {}
                        () = self.stop.cancelled() => {}
                    }
                }
            }
        }
        if !self.crawler.is_idle() {
            let calls = self.crawler.in_flight();
            tracing::info!(calls, "stopping: draining the calls in flight");
        }
        self.drain().await?;
        Ok(Ended::Stopped)
    }

    /// One tick: saves answers, sends calls, and asks `is_over`.
    async fn tick(
        &mut self,
        is_over: &mut impl AsyncFnMut(Tick<'_>) -> Result<bool>,
    ) -> Result<(Started, bool)> {
        self.store.require_file()?;
        in_time(self.process.keep()).await?;
        in_time(self.process.reap_expired()).await?;
        in_time(self.crawler.save()).await?;
        let started = in_time(self.crawler.start_due()).await?;
        let is_idle = self.crawler.is_idle();
        let over = in_time(is_over(Tick { started: &started, is_idle })).await?;
        Ok((started, over))
    }

    /// Waits for an event.
    async fn rest(&mut self, started: &Started) {
        if started.calls > 0 && started.throttled.is_empty() {
            return;
        }
        // Polls even before the next retry: another process may settle its slots sooner.
        let poll = self.clock.now().plus(POLL);
        let again = started.again_at().map_or(poll, |at| at.min(poll));
        let polls = self.crawler.in_flight() == 0 || !started.throttled.is_empty();
        tokio::select! {
            () = self.crawler.wait() => {}
            () = self.clock.sleep_until(again), if polls => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Drains the calls in flight and saves their answers, retrying a failing database for a while.
    async fn drain(&mut self) -> Result<()> {
        while self.crawler.in_flight() > 0 {
            self.crawler.wait().await;
        }
        let grace = ShutdownGrace::start();
        while let Err(error) = in_time(self.crawler.save_all()).await {
            grace.after(error).await?;
        }
        // What was just written may have gone with the file.
        Ok(self.store.require_file()?)
    }
}

/// Logs which process holds the lock of a SQLite file, and what that means for the slots to fetch.
///
/// # Errors
/// When the database fails.
pub async fn log_lock_holder(store: &Store) -> Result<()> {
    let mut tx = store.read().await?;
    let verb = tx.active_verb().await?;
    let who = match verb.as_deref() {
        Some("run") => "a daemon, which fetches the slots; waiting for it".to_owned(),
        Some(verb) => format!("a {verb}; waiting for it to end"),
        None => "waiting for it to end".to_owned(),
    };
    tracing::info!("another tidewatch process uses this file: {who}");
    Ok(())
}
