//! One tick of the loop: saves answers, makes slots due, sends calls, derives rows that wait.

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use super::watch::Watch;
use super::{Daemon, RECONCILE};
use crate::crawl::Tally;
use crate::plan::{self, CLOCK_SLIP, Left};
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
        in_time(self.crawler.save()).await?;
        self.health.beat(self.clock.now());
        // Also when the loop is too busy to ever wait.
        if let Some(reload) = self.watch.as_mut().and_then(Watch::try_next) {
            self.put_reload(reload);
        }
        self.reload(stop).await?;
        self.health.beat(self.clock.now());
        let next = in_time(self.plan_and_send()).await?;
        self.health.beat(self.clock.now());
        Ok(if self.crawler.derive_waiting().await { Tick::Again } else { next })
    }

    /// Makes slots due and sends calls.
    async fn plan_and_send(&mut self) -> Result<Tick> {
        if !self.crawler.is_idle() {
            self.process.keep().await?;
        }
        let now = self.clock.now();
        if self.latest.since(now) > CLOCK_SLIP {
            self.clock_set_back(now).await?;
        }
        self.latest = self.latest.max(now);
        let mut left = Left::Nothing;
        if self.next_fire.is_none_or(|at| at <= now) {
            left = plan::materialise(&self.store, &self.config, self.started, now).await?;
            self.next_fire = match left {
                Left::Nothing => plan::next_fire(&self.config, now),
                Left::More => None,
            };
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
        if left == Left::More || started.more {
            return Ok(Tick::Again);
        }
        let events = [started.again_at(), self.crawler.retry_at(), self.next_fire];
        Ok(Tick::Wait(events.into_iter().flatten().min()))
    }

    /// Recovers from a clock that was ahead and has been corrected.
    async fn clock_set_back(&mut self, now: Time) -> Result<()> {
        tracing::warn!(was = %self.latest, %now, "the clock was set back");
        plan::clock_set_back(&self.store, now).await?;
        self.next_fire = None;
        self.latest = now;
        self.started = self.started.min(now);
        // The alarm waits for a time that is far away now.
        self.stop_alarm().await;
        Ok(())
    }

    /// Logs the outcomes once the crawler is idle.
    pub(super) fn report(&mut self) {
        let Tally { calls, observed, missed, retrying } = self.crawler.take_tally();
        if calls > 0 {
            tracing::debug!(observed, missed, retrying, calls, "calls saved");
        }
    }
}
