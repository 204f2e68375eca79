//! Making the looks of a `fetch`, here or beside the process that has the SQLite file to itself.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::crawl::run::{Ended, OneShotRun, Tick, say_who_works};
use crate::model::Kind;
use crate::ops::run_log;
use crate::pause::{self, Reason, Scope, Standing};
use crate::process::Process;
use crate::store::Store;
use crate::time::{Clock, Time};

/// How long somebody waits for looks that fail again and again, or that nobody makes; a daemon has
/// more patience.
const PATIENCE: Duration = Duration::from_secs(90);

/// How often a look that another process makes is asked for: somebody waits.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Waits shorter than this are not worth a word.
const SHORT_WAIT: Duration = Duration::from_millis(500);

/// The looks of a run by hand, all of one kind.
pub(super) struct Look<'a> {
    pub(super) config: Arc<Config>,
    pub(super) store: &'a Store,
    pub(super) clock: &'a Clock,
    pub(super) run: i64,
    pub(super) kind: Kind,
    /// When it was asked for.
    pub(super) began: Time,
    /// Cancelled when it is to stop: what is in flight ends and is saved, the rest is given up.
    pub(super) stop: &'a CancellationToken,
}

impl Look<'_> {
    /// Makes the looks, or waits until the one that has the SQLite file to itself has made them.
    /// Those that are not made in time are given up.
    pub(super) async fn make(&self) -> Result<()> {
        let mut told = false;
        loop {
            let begun = Process::begin_at_once(self.store, &self.config, "fetch", self.clock);
            if let Some(process) = begun.await? {
                self.work_off(&process).await?;
                run_log::report(self.store, self.clock).await?;
                return process.end(self.store, self.clock.now()).await;
            }
            if !std::mem::replace(&mut told, true) {
                say_who_works(self.store).await?;
            }
            if self.are_over().await? {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = self.stop.cancelled() => return self.stopped().await,
            }
        }
    }

    /// Whether there is nothing to wait for: the looks have been made by another process, or are
    /// given up.
    async fn are_over(&self) -> Result<bool> {
        let mut tx = self.store.read().await?;
        if tx.slot_results(self.run).await?.iter().all(|look| look.outcome.is_some()) {
            return Ok(true);
        }
        let now = self.clock.now();
        let pauses = tx.pauses(now).await?;
        drop(tx);
        let budget = pauses.iter().find(|pause| pause.scope == Scope::Budget.as_str());
        let held = match pause::standing(&pauses, self.config.endpoint(self.kind), now) {
            Standing::Paused(until, reason) => Some((until, reason)),
            Standing::Open | Standing::Probe(_) => {
                budget.map(|pause| (pause.until, Reason::Budget))
            }
        };
        if let Some((until, reason)) = held {
            self.is_paused(reason, until).await?;
        } else if now > self.began.plus(PATIENCE) {
            tracing::warn!("nobody has made the looks for {} s: given up", PATIENCE.as_secs());
            self.give_up("cancelled").await?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Makes the looks here.
    async fn work_off(&self, process: &Process) -> Result<()> {
        let config = self.config.clone();
        let one_shot =
            OneShotRun::new(config, self.store, self.clock, process, self.run, self.stop)?;
        let mut told = None;
        let ended = one_shot.run(async |tick: Tick<'_>| {
            let now = self.clock.now();
            let mut tx = self.store.read().await?;
            let Some(next) = tx.next_try(Some(self.run), now).await? else { return Ok(true) };
            drop(tx);
            if !tick.is_idle {
                return Ok(false);
            }
            if let Some(reason) = tick.started.paused() {
                self.is_paused(reason, tick.started.again_at()).await?;
                return Ok(true);
            }
            if next > self.began.plus(PATIENCE) {
                tracing::warn!("upstream goes on failing: given up");
                self.give_up("cancelled").await?;
                return Ok(true);
            }
            if next > now.plus(SHORT_WAIT) && told != Some(next) {
                told = Some(next);
                let wait_s = next.since(now).as_secs();
                tracing::info!(wait_s, "waiting to try again; Ctrl-C gives up");
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
            "stopped; the looks that were not made are missed, for their last failure or as cancelled"
        );
        self.give_up("cancelled").await
    }

    /// Nobody waits for the end of a pause.
    async fn is_paused(&self, reason: Reason, until: Option<Time>) -> Result<()> {
        let until = until.map_or("it is resumed".to_owned(), |at| format!("{at} UTC"));
        tracing::warn!(reason = reason.as_str(), "paused: no calls until {until}");
        self.give_up(reason.of_slot()).await
    }

    /// The looks that were not made are missed, for this reason.
    async fn give_up(&self, reason: &str) -> Result<()> {
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
    use crate::model::Target;

    #[tokio::test]
    async fn beside_another_process_nobody_waits_for_ever() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let store = Store::connect(&url).await.expect("the database opens");
        store.migrate().await.expect("the migrations run");
        let config = Config::parse("", Path::new("jobs.toml"), &Environment::default());
        let config = Arc::new(config.expect("an empty file is good"));
        let began: Time = "2026-03-09 09:00:00".parse().expect("a time");
        let clock = Clock::standing(began);
        let other = Process::begin(&store, &config, "backfill", &clock).await;
        let _other = other.expect("the database answers").expect("nobody else is here");
        let keyword = Target { kind: Kind::Keyword, key: "露营".to_owned() };
        let mut tx = store.begin().await.expect("the database answers");
        let run = tx.run_by_hand(&[keyword], "fetch", began).await.expect("it takes the look");
        tx.commit().await.expect("it is kept");
        let stop = CancellationToken::new();
        let look = Look {
            config,
            store: &store,
            clock: &clock,
            run,
            kind: Kind::Keyword,
            began,
            stop: &stop,
        };
        assert!(!look.are_over().await.expect("the database answers"), "not yet");
        clock.jump_to(began.plus(PATIENCE + Duration::from_secs(1)));
        tokio::time::timeout(PATIENCE, look.make()).await.expect("it ends").expect("and well");
        let mut tx = store.read().await.expect("the database answers");
        let looks = tx.slot_results(run).await.expect("it can say");
        assert_eq!(looks[0].reason.as_deref(), Some("cancelled"));
    }
}
