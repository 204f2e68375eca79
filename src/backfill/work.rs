//! Working a backfill off, here or while a daemon does.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::crawl::{Crawler, Started};
use crate::process::Process;
use crate::store::{BackfillRow, CallTotals, Looks, Store};
use crate::time::{Clock, Time};

/// How often the looks are asked whether they have been made, or may be made here.
const POLL: Duration = Duration::from_millis(500);

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// How far a backfill has come.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Progress {
    /// The backfill itself.
    #[serde(flatten)]
    pub backfill: BackfillRow,
    /// Its looks.
    pub looks: Looks,
    /// What its calls came to, by endpoint.
    pub calls: Vec<CallTotals>,
}

impl Progress {
    /// How the backfill of that name stands now; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(store: &Store, name: &str) -> Result<Option<Self>> {
        let mut tx = store.read().await?;
        let Some(backfill) = tx.backfill_named(name).await? else { return Ok(None) };
        let looks = tx.looks_of_backfill(backfill.run_id).await?;
        let calls = tx.call_totals_of_backfill(backfill.run_id).await?;
        Ok(Some(Self { backfill, looks, calls }))
    }
}

/// A backfill at work.
pub struct Work<'a, F> {
    /// Who is asked, and how fast.
    pub config: Arc<Config>,
    /// The archive.
    pub store: &'a Store,
    /// What tells the time.
    pub clock: &'a Clock,
    /// The backfill's name.
    pub name: &'a str,
    /// Cancelled when it is to stop: what is in flight ends and is saved.
    pub stop: &'a CancellationToken,
    /// Is told how far it has come, now and then.
    pub tell: F,
}

impl<F: FnMut(&Progress)> Work<'_, F> {
    /// Makes the looks until none is open, a limit is reached, somebody gives it up, or it is to
    /// stop. On a SQLite file that another tidewatch is at work on, that one makes the looks.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run(mut self) -> Result<()> {
        let mut told = false;
        loop {
            let begun = Process::begin(self.store, &self.config, "backfill", self.clock);
            let process = tokio::select! {
                begun = begun => begun?,
                () = self.stop.cancelled() => return self.halt().await,
            };
            if let Some(process) = process {
                self.make(&process).await?;
                return process.end(self.store, self.clock.now()).await;
            }
            if !std::mem::replace(&mut told, true) {
                tracing::info!("another tidewatch is at work on this file: it makes the looks");
            }
            if self.has_ended().await? {
                return Ok(());
            }
        }
    }

    /// Makes the looks here.
    async fn make(&mut self, process: &Process) -> Result<()> {
        let Some(progress) = Progress::of(self.store, self.name).await? else { return Ok(()) };
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let run = Some(progress.backfill.run_id);
        let mut crawler = Crawler::new(self.config.clone(), store, clock, process.owner(), run)?;
        let mut told_at: Option<Time> = None;
        let mut paused = None;
        while !self.stop.is_cancelled() {
            let started = match step(&mut crawler, process).await {
                Ok(started) => started,
                Err(error) if crawler.is_idle() => return Err(error),
                // What has been paid for waits until the database takes it.
                Err(error) => {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "the database fails; trying again"
                    );
                    tokio::select! {
                        () = tokio::time::sleep(POLL) => continue,
                        () = self.stop.cancelled() => return Err(error),
                    }
                }
            };
            if let Some(error) = crawler.died() {
                save_the_rest(&mut crawler).await?;
                return Err(error);
            }
            let now = self.clock.now();
            let stale = told_at.is_none_or(|at| now.since(at) >= TELL_EVERY);
            if crawler.is_idle() || stale {
                told_at = Some(now);
                if self.has_ended().await? && crawler.is_idle() {
                    return Ok(());
                }
            }
            if started.calls > 0 && started.held.is_empty() {
                continue;
            }
            if crawler.is_idle() && started.paused() != paused {
                paused = started.paused();
                if let Some(reason) = paused {
                    let Some(until) = started.again_at() else {
                        tracing::warn!(
                            reason = reason.as_str(),
                            "paused until it is resumed by hand"
                        );
                        return self.halt().await;
                    };
                    tracing::warn!(reason = reason.as_str(), %until, "paused; waiting");
                }
            }
            // Not until the next may be tried: another process may be at one, and end before.
            let poll = now.plus(POLL);
            let again = started.again_at().map_or(poll, |at| at.min(poll));
            tokio::select! {
                () = crawler.wait() => {}
                () = self.clock.sleep_until(again), if crawler.is_idle() || !started.held.is_empty() => {}
                () = self.stop.cancelled() => {}
            }
        }
        save_the_rest(&mut crawler).await?;
        self.halt().await
    }

    /// Tells how far it has come; whether nothing is left to be made now.
    async fn has_ended(&mut self) -> Result<bool> {
        let Some(progress) = Progress::of(self.store, self.name).await? else { return Ok(true) };
        (self.tell)(&progress);
        Ok(progress.backfill.ended_at.is_some()
            || !matches!(progress.backfill.state.as_str(), "running" | "cancelled"))
    }

    /// Lets it stand still until it is resumed.
    async fn halt(&mut self) -> Result<()> {
        let mut tx = self.store.begin().await?;
        if let Some(row) = tx.backfill_named(self.name).await? {
            tx.halt_backfill(row.run_id, "stopped").await?;
            tx.finish_backfills(self.clock.now()).await?;
        }
        tx.commit().await
    }
}

/// Saves what has come and sends what may be sent.
async fn step(crawler: &mut Crawler, process: &Process) -> Result<Started> {
    process.keep().await?;
    process.bury_the_dead().await?;
    crawler.save().await?;
    crawler.start_due().await
}

/// Lets the calls in flight end, and saves their answers.
async fn save_the_rest(crawler: &mut Crawler) -> Result<()> {
    while crawler.in_flight() > 0 {
        crawler.wait().await;
    }
    crawler.save().await
}
