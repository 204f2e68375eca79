//! An errand: the looks of one run, made by this process until they are done. `fetch` and
//! `backfill` go on such; they differ in when one is over.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::crawl::{Crawler, ShutdownGrace, Started};
use crate::process::Process;
use crate::store::{Store, in_time};
use crate::time::Clock;

/// How often the looks are asked whether they have been made, or may be made here.
const POLL: Duration = Duration::from_millis(500);

/// The looks of a run, and who is to make them.
pub struct OneShotRun<'a> {
    crawler: Crawler,
    process: &'a Process,
    clock: &'a Clock,
    stop: &'a CancellationToken,
}

/// How an errand ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was over.
    Over,
    /// It was to stop; what was in flight has ended and is saved.
    Stopped,
}

/// What is known after a tick.
#[derive(Debug)]
pub struct Tick<'a> {
    /// What starting calls came to.
    pub started: &'a Started,
    /// Whether nothing is in flight and nothing waits to be saved.
    pub is_idle: bool,
}

impl<'a> OneShotRun<'a> {
    /// The looks of `run`, made by `process` until `stop` is cancelled.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(
        config: Arc<Config>,
        store: &Store,
        clock: &'a Clock,
        process: &'a Process,
        run: i64,
        stop: &'a CancellationToken,
    ) -> Result<Self> {
        let crawler = Crawler::new(config, store.clone(), clock.clone(), process, Some(run))?;
        Ok(Self { crawler, process, clock, stop })
    }

    /// Makes the looks until `is_over` says so after a tick, or it is to stop. A database that
    /// fails is waited for while calls that may be paid for are not saved.
    ///
    /// # Errors
    /// When the database fails, or something died that this cannot do without.
    pub async fn run(
        mut self,
        mut is_over: impl AsyncFnMut(Tick<'_>) -> Result<bool>,
    ) -> Result<Ended> {
        let mut failing = false;
        while !self.stop.is_cancelled() {
            let tick = self.tick(&mut is_over).await;
            if let Some(error) = self.crawler.died() {
                self.save_the_rest().await?;
                return Err(error);
            }
            match tick {
                Ok((_, true)) => return Ok(Ended::Over),
                Ok((started, false)) => {
                    failing = false;
                    self.rest(&started).await;
                }
                Err(error) if self.crawler.is_idle() => return Err(error),
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
        self.save_the_rest().await?;
        Ok(Ended::Stopped)
    }

    /// Saves what has come, sends what may be sent, and asks whether that was all.
    async fn tick(
        &mut self,
        is_over: &mut impl AsyncFnMut(Tick<'_>) -> Result<bool>,
    ) -> Result<(Started, bool)> {
        in_time(self.process.keep()).await?;
        in_time(self.process.reap_expired()).await?;
        in_time(self.crawler.save()).await?;
        let started = in_time(self.crawler.start_due()).await?;
        let is_idle = self.crawler.is_idle();
        let over = in_time(is_over(Tick { started: &started, is_idle })).await?;
        Ok((started, over))
    }

    /// Waits until there may be something to do.
    async fn rest(&mut self, started: &Started) {
        if started.calls > 0 && started.held.is_empty() {
            return;
        }
        // Not until the next may be tried: another process may be at one, and end before.
        let poll = self.clock.now().plus(POLL);
        let again = started.again_at().map_or(poll, |at| at.min(poll));
        let looks_again = self.crawler.is_idle() || !started.held.is_empty();
        tokio::select! {
            () = self.crawler.wait() => {}
            () = self.clock.sleep_until(again), if looks_again => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Lets the calls in flight end, and saves what has come: for a while even to a database that
    /// fails.
    async fn save_the_rest(&mut self) -> Result<()> {
        while self.crawler.in_flight() > 0 {
            self.crawler.wait().await;
        }
        let patience = ShutdownGrace::begins();
        while let Err(error) = in_time(self.crawler.save()).await {
            patience.after(error).await?;
        }
        Ok(())
    }
}

/// Says who keeps a SQLite file to itself, and what that means for looks that are to be made.
///
/// # Errors
/// When the database fails.
pub async fn say_who_works(store: &Store) -> Result<()> {
    let mut tx = store.read().await?;
    let verb = tx.active_verb().await?;
    let who = match verb.as_deref() {
        Some("run") => "a daemon, which makes the looks; waiting for them".to_owned(),
        Some(verb) => format!("a {verb}; waiting for it to end"),
        None => "waiting for it to end".to_owned(),
    };
    tracing::info!("another tidewatch is at work on this file: {who}");
    Ok(())
}
