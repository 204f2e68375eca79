//! Working a backfill off, here or while a daemon does.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::errand::{Ended, Errand, Turn, say_who_works};
use crate::pause::{self, Reason, Standing};
use crate::process::Process;
use crate::store::{BackfillRow, CallTotals, Looks, Store};
use crate::time::{Clock, Time};

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
        let (mut told, mut paused) = (false, None);
        loop {
            let begun = Process::begin_at_once(self.store, &self.config, "backfill", self.clock);
            if let Some(process) = begun.await? {
                self.make(&process).await?;
                return process.end(self.store, self.clock.now()).await;
            }
            if !std::mem::replace(&mut told, true) {
                say_who_works(self.store).await?;
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
                () = tokio::time::sleep(TELL_EVERY) => {}
                () = self.stop.cancelled() => return self.halt().await,
            }
        }
    }

    /// Makes the looks here.
    async fn make(&mut self, process: &Process) -> Result<()> {
        let Some(progress) = Progress::of(self.store, self.name).await? else { return Ok(()) };
        let (config, run) = (self.config.clone(), progress.backfill.run_id);
        let errand = Errand::new(config, self.store, self.clock, process, run, self.stop)?;
        let mut told_at: Option<Time> = None;
        let mut paused = None;
        let ended = errand.run(async |turn: Turn<'_>| {
            let now = self.clock.now();
            let stale = told_at.is_none_or(|at| now.since(at) >= TELL_EVERY);
            if turn.is_idle || stale {
                told_at = Some(now);
                if self.has_ended().await? && turn.is_idle {
                    return Ok(true);
                }
            }
            if !turn.is_idle || turn.started.paused() == paused {
                return Ok(false);
            }
            paused = turn.started.paused();
            let Some(reason) = paused else { return Ok(false) };
            let until = turn.started.again_at();
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

    /// What holds back all that is left, and until when.
    async fn held(&self) -> Result<Option<(Reason, Option<Time>)>> {
        let (now, mut tx) = (self.clock.now(), self.store.read().await?);
        let Some(row) = tx.backfill_named(self.name).await? else { return Ok(None) };
        let pauses = tx.pauses(now).await?;
        let mut held = None;
        for target in tx.kinds_left(row.run_id).await? {
            match pause::standing(&pauses, self.config.endpoint(target.kind), now) {
                Standing::Held(until, reason) => held = Some((reason, until)),
                Standing::Open | Standing::Probe(_) => return Ok(None),
            }
        }
        Ok(held)
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
            tx.halt_backfill(row.run_id).await?;
            tx.finish_backfills(self.clock.now()).await?;
        }
        tx.commit().await
    }
}

fn say_paused(reason: Reason, until: Option<Time>) {
    let until = until.map_or("it is resumed by hand".to_owned(), |until| format!("{until} UTC"));
    tracing::warn!(reason = reason.as_str(), "paused: nothing is asked until {until}");
}
