//! One tick of the loop: saves answers, makes slots due, sends calls, derives rows that wait.

use anyhow::{Context as _, Result};
use tokio_util::sync::CancellationToken;

use super::clock_watch::Held;
use super::reload::RELOAD_TIMEOUT;
use super::watch::Watch;
use super::{Daemon, RECONCILE};
use crate::crawl::Tally;
use crate::plan;
use crate::store::in_time;
use crate::time::Time;

/// What the loop should do next.
pub(super) enum Tick {
    /// Tick again at once.
    Again,
    /// Wait for an event, until this time if one is known.
    Wait(Option<Time>),
}

impl Daemon {
    /// One tick. Every part is cancel safe.
    pub(super) async fn tick(&mut self, stop: &CancellationToken) -> Result<Tick> {
        self.store.require_file()?;
        in_time(self.crawler.save()).await?;
        self.health.beat(self.clock.now());
        // Also when the loop is too busy to ever wait.
        if let Some(reload) = self.watch.as_mut().and_then(Watch::try_next) {
            self.put_reload(reload);
        }
        match in_time(self.check_clock()).await? {
            Held::No => {}
            Held::Until(at) => return Ok(Tick::Wait(at)),
            Held::Begin => {
                let begun = tokio::time::timeout(RELOAD_TIMEOUT, self.begin(stop)).await;
                begun.context("beginning the work timed out")??;
                return Ok(Tick::Again);
            }
        }
        self.reload(stop).await?;
        self.health.beat(self.clock.now());
        let next = in_time(self.plan_and_send()).await?;
        self.health.beat(self.clock.now());
        if self.crawler.derive_waiting().await {
            return Ok(Tick::Again);
        }
        if matches!(next, Tick::Wait(_)) {
            self.keep_cold();
        }
        Ok(next)
    }

    /// Makes slots due and sends calls.
    async fn plan_and_send(&mut self) -> Result<Tick> {
        self.process.keep().await?;
        let now = self.clock.now();
        let mut backlog = None;
        if self.next_fire.is_none_or(|at| at <= now) {
            backlog = plan::materialise(&self.store, &self.config, self.started, now).await?;
            let next = plan::next_fire(&self.config, now);
            self.next_fire = [next, backlog].into_iter().flatten().min();
        }
        if let Some(after) = self.ahead {
            // What has become due since is not ahead any more.
            self.ahead = plan::take_back_some(&self.store, after.max(now)).await?;
        }
        if now < self.reaped_at || now.since(self.reaped_at) >= RECONCILE {
            self.process.reap_expired().await?;
            self.reaped_at = now;
        }
        let started = self.crawler.start_due().await?;
        self.calls += i64::try_from(started.calls).unwrap_or(0);
        if self.crawler.is_idle() {
            self.report();
        }
        let has_more = backlog.is_some_and(|at| at <= now) || self.ahead.is_some();
        if has_more || started.more {
            return Ok(Tick::Again);
        }
        let clock = self.clock_watch.settles_at(now);
        let events = [started.again_at(), self.crawler.retry_at(), self.next_fire, clock];
        Ok(Tick::Wait(events.into_iter().flatten().min()))
    }

    /// Logs the outcomes once the crawler is idle.
    pub(super) fn report(&mut self) {
        let Tally { calls, observed, missed, retrying } = self.crawler.take_tally();
        if calls > 0 {
            tracing::debug!(observed, missed, retrying, calls, "calls saved");
        }
    }
}
