//! Runs a backfill in this process, or follows it while a daemon runs it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::crawl::run::{Ended, OneShotRun, Tick, log_lock_holder};
use crate::model::{BackfillState, PauseReason};
use crate::pause::{self, Standing};
use crate::process::Process;
use crate::store::{BackfillRow, CallTotals, SlotCounts, Store};
use crate::time::{Clock, Time};

/// Interval of progress reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Progress of a backfill.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Progress {
    /// The backfill.
    #[serde(flatten)]
    pub backfill: BackfillRow,
    /// Its slots.
    pub slots: SlotCounts,
    /// Its calls by endpoint.
    pub calls: Vec<CallTotals>,
}

impl Progress {
    /// Current progress of the backfill called `name`.
    pub async fn of(store: &Store, name: &str) -> Result<Option<Self>> {
        let mut tx = store.read().await?;
        let Some(backfill) = tx.backfill_named(name).await? else { return Ok(None) };
        let slots = tx.slots_of_backfill(backfill.run_id).await?;
        let calls = tx.call_totals_of_backfill(backfill.run_id).await?;
        Ok(Some(Self { backfill, slots, calls }))
    }
}

/// A running backfill.
pub struct BackfillRunner<'a, F> {
    /// The settings.
    pub config: Arc<Config>,
    /// The archive.
    pub store: &'a Store,
    /// The clock.
    pub clock: &'a Clock,
    /// The backfill's name.
    pub name: &'a str,
    /// When cancelled, calls in flight finish and are saved.
    pub stop: &'a CancellationToken,
    /// Called with the progress about once a second.
    pub report: F,
}

impl<F: FnMut(&Progress)> BackfillRunner<'_, F> {
    /// Fetches the slots until none is open, a limit is reached, the backfill is cancelled, or
    /// `stop` is cancelled. If another tidewatch process holds the SQLite file, that process
    /// fetches the slots and this one reports the progress.
    pub async fn run(mut self) -> Result<()> {
        let (mut told, mut paused) = (false, None);
        loop {
            let started = Process::begin_at_once(self.store, &self.config, "backfill", self.clock);
            if let Some(process) = started.await? {
                self.fetch_here(&process).await?;
                return process.end(self.store, self.clock.now()).await;
            }
            if !std::mem::replace(&mut told, true) {
                log_lock_holder(self.store).await?;
            }
            if self.has_ended().await? {
                return Ok(());
            }
            let held = self.held().await?;
            if held != std::mem::replace(&mut paused, held)
                && let Some((reason, until)) = held
            {
                say_paused(reason, until);
            }
            tokio::select! {
                () = tokio::time::sleep(REPORT_INTERVAL) => {}
                () = self.stop.cancelled() => return self.halt().await,
            }
        }
    }

    /// Fetches the slots in this process.
    async fn fetch_here(&mut self, process: &Process) -> Result<()> {
        let Some(progress) = Progress::of(self.store, self.name).await? else { return Ok(()) };
        let (config, run) = (self.config.clone(), progress.backfill.run_id);
        let one_shot = OneShotRun::new(config, self.store, self.clock, process, run, self.stop)?;
        let mut reported_at: Option<Time> = None;
        let mut paused = None;
        let ended = one_shot.run(async |tick: Tick<'_>| {
            let now = self.clock.now();
            let stale = reported_at.is_none_or(|at| now.since(at) >= REPORT_INTERVAL);
            if tick.is_idle || stale {
                reported_at = Some(now);
                if self.has_ended().await? && tick.is_idle {
                    return Ok(true);
                }
            }
            if !tick.is_idle || tick.started.paused() == paused {
                return Ok(false);
            }
            paused = tick.started.paused();
            let Some(reason) = paused else { return Ok(false) };
            let until = tick.started.again_at();
            say_paused(reason, until);
            if until.is_none() {
                self.halt().await?;
            }
            Ok(until.is_none())
        });
        match ended.await? {
            Ended::Over => Ok(()),
            Ended::Stopped => self.halt().await,
        }
    }

    /// The pause that holds back all open slots, and its end.
    async fn held(&self) -> Result<Option<(PauseReason, Option<Time>)>> {
        let (now, mut tx) = (self.clock.now(), self.store.read().await?);
        let Some(row) = tx.backfill_named(self.name).await? else { return Ok(None) };
        let pauses = tx.pauses(now).await?;
        let mut held = None;
        for target in tx.remaining_kinds(row.run_id).await? {
            match pause::standing(&pauses, self.config.endpoint(target.kind), now) {
                Standing::Paused(until, reason) => held = Some((reason, until)),
                Standing::Open | Standing::Probe(_) => return Ok(None),
            }
        }
        Ok(held)
    }

    /// Reports the progress; true if no slot can be fetched any more.
    async fn has_ended(&mut self) -> Result<bool> {
        let Some(progress) = Progress::of(self.store, self.name).await? else { return Ok(true) };
        (self.report)(&progress);
        Ok(progress.backfill.ended_at.is_some()
            || !matches!(
                progress.backfill.state,
                BackfillState::Running | BackfillState::Cancelled
            ))
    }

    /// Halts the backfill until it is resumed.
    async fn halt(&mut self) -> Result<()> {
        let mut tx = self.store.begin().await?;
        if let Some(row) = tx.backfill_named(self.name).await? {
            tx.halt_backfill(row.run_id).await?;
            tx.finish_backfills(self.clock.now()).await?;
        }
        tx.commit().await
    }
}

fn say_paused(reason: PauseReason, until: Option<Time>) {
    let until = until.map_or("a manual resume".to_owned(), |until| format!("{until} UTC"));
    tracing::warn!(reason = reason.as_str(), "paused: no calls until {until}");
}
