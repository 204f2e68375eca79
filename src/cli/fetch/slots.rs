//! Fetches the slots of a `fetch` run in this process, or waits for the process that holds the
//! SQLite file.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::crawl::run::{Ended, OneShotRun, Tick, log_lock_holder};
use crate::model::{Kind, MissedReason, PauseReason, PauseScope};
use crate::ops::run_log;
use crate::pause::{self, Standing};
use crate::process::Process;
use crate::store::Store;
use crate::time::{Clock, Time};

/// How long to wait for slots that keep failing or that no process fetches; a daemon waits longer.
const MAX_WAIT: Duration = Duration::from_secs(90);

/// Interval of checks while another process fetches the slots.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Shorter waits are not reported.
const SHORT_WAIT: Duration = Duration::from_millis(500);

/// The slots of a manual run, all of one kind.
pub(super) struct FetchRun<'a> {
    pub(super) config: Arc<Config>,
    pub(super) store: &'a Store,
    pub(super) clock: &'a Clock,
    pub(super) run: i64,
    pub(super) kind: Kind,
    /// When the run was requested.
    pub(super) requested_at: Time,
    /// When cancelled, calls in flight finish and are saved, and the other slots are given up.
    pub(super) stop: &'a CancellationToken,
}

impl FetchRun<'_> {
    /// Fetches the slots, or waits until the process with the SQLite file has fetched them. Slots
    /// that stay open too long are given up.
    pub(super) async fn run(&self) -> Result<()> {
        let mut reported = false;
        loop {
            let started = Process::begin_at_once(self.store, &self.config, "fetch", self.clock);
            if let Some(process) = started.await? {
                self.fetch_here(&process).await?;
                run_log::report(self.store, self.clock).await?;
                return process.end(self.store, self.clock.now()).await;
            }
            if !std::mem::replace(&mut reported, true) {
                log_lock_holder(self.store).await?;
            }
            if self.is_done().await? {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(POLL_INTERVAL) => {}
                () = self.stop.cancelled() => return self.stopped().await,
            }
        }
    }

    /// Whether no slot is open any more: fetched by another process, or given up.
    async fn is_done(&self) -> Result<bool> {
        let mut tx = self.store.read().await?;
        if tx.slot_results(self.run).await?.iter().all(|slot| slot.outcome.is_some()) {
            return Ok(true);
        }
        let now = self.clock.now();
        let pauses = tx.pauses(now).await?;
        drop(tx);
        let budget = pauses.iter().find(|pause| pause.scope == PauseScope::Budget);
        let held = match pause::standing(&pauses, self.config.endpoint(self.kind), now) {
            Standing::Paused(until, reason) => Some((until, reason)),
            Standing::Open | Standing::Probe(_) => {
                budget.map(|pause| (pause.until, PauseReason::Budget))
            }
        };
        if let Some((until, reason)) = held {
            self.give_up_paused(reason, until).await?;
        } else if now > self.requested_at.plus(MAX_WAIT) {
            tracing::warn!(
                "no process fetched the slots within {} s: given up",
                MAX_WAIT.as_secs()
            );
            self.give_up(MissedReason::Cancelled).await?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Fetches the slots in this process.
    async fn fetch_here(&self, process: &Process) -> Result<()> {
        let config = self.config.clone();
        let one_shot =
            OneShotRun::new(config, self.store, self.clock, process, self.run, self.stop)?;
        let mut reported = None;
        let ended = one_shot.run(async |tick: Tick<'_>| {
            let now = self.clock.now();
            let mut tx = self.store.read().await?;
            let Some(next) = tx.next_try(Some(self.run), now).await? else { return Ok(true) };
            drop(tx);
            if !tick.is_idle {
                return Ok(false);
            }
            if let Some(reason) = tick.started.paused() {
                self.give_up_paused(reason, tick.started.again_at()).await?;
                return Ok(true);
            }
            if next > self.requested_at.plus(MAX_WAIT) {
                tracing::warn!("upstream keeps failing: given up");
                self.give_up(MissedReason::Cancelled).await?;
                return Ok(true);
            }
            if next > now.plus(SHORT_WAIT) && reported != Some(next) {
                reported = Some(next);
                let wait_s = next.since(now).as_secs();
                tracing::info!(wait_s, "waiting to retry; Ctrl-C gives up");
            }
            Ok(false)
        });
        match ended.await? {
            Ended::Over => Ok(()),
            Ended::Stopped => self.stopped().await,
        }
    }

    async fn stopped(&self) -> Result<()> {
        tracing::warn!(
            "stopped; open slots are missed with the reason of their last failure, or cancelled"
        );
        self.give_up(MissedReason::Cancelled).await
    }

    /// A manual run does not wait for the end of a pause.
    async fn give_up_paused(&self, reason: PauseReason, until: Option<Time>) -> Result<()> {
        let until = until.map_or("a manual resume".to_owned(), |at| format!("{at} UTC"));
        tracing::warn!(reason = reason.as_str(), "paused: no calls until {until}");
        self.give_up(reason.into()).await
    }

    /// Records the open slots as missed for `reason`.
    async fn give_up(&self, reason: MissedReason) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.cancel_run(self.run, reason, self.clock.now()).await?;
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Environment;
    use crate::model::{Origin, Target};

    #[tokio::test]
    async fn wait_for_another_process_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let store = Store::connect(&url).await.expect("the database opens");
        store.migrate().await.expect("the migrations run");
        let config = Config::parse("", Path::new("jobs.toml"), &Environment::default());
        let config = Arc::new(config.expect("an empty file is good"));
        let requested_at: Time = "2026-03-09 09:00:00".parse().expect("a time");
        let clock = Clock::standing(requested_at);
        let other = Process::begin(&store, &config, "backfill", &clock).await;
        let _other = other.expect("the database answers").expect("nobody else is here");
        let keyword = Target { kind: Kind::Keyword, key: "露营".to_owned() };
        let mut tx = store.begin().await.expect("the database answers");
        let run = tx
            .run_by_hand(&[keyword], Origin::Fetch, requested_at)
            .await
            .expect("the run is created");
        tx.commit().await.expect("it is kept");
        let stop = CancellationToken::new();
        let fetch = FetchRun {
            config,
            store: &store,
            clock: &clock,
            run,
            kind: Kind::Keyword,
            requested_at,
            stop: &stop,
        };
        assert!(!fetch.is_done().await.expect("the database answers"), "not yet");
        clock.jump_to(requested_at.plus(MAX_WAIT + Duration::from_secs(1)));
        tokio::time::timeout(MAX_WAIT, fetch.run()).await.expect("it ends").expect("and well");
        let mut tx = store.read().await.expect("the database answers");
        let slots = tx.slot_results(run).await.expect("it can say");
        assert_eq!(slots[0].reason, Some(MissedReason::Cancelled));
    }
}
