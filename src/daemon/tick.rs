//! One tick of the loop: what has come is saved, what is due is made, what may be sent is sent.

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
    /// Go on at once.
    Again,
    /// Wait: for a call that ends, an alarm, or this time, if anything is expected.
    Wait(Option<Time>),
}

impl Daemon {
    /// One tick: saves what has come, makes slots due, and sends what may be sent. Each part may be
    /// given up at any time, and loses nothing by it.
    pub(super) async fn tick(&mut self, stop: &CancellationToken) -> Result<Tick> {
        in_time(self.crawler.save()).await?;
        self.health.beat(self.clock.now());
        // Also when there is so much to do that it never rests.
        if let Some(reload) = self.watch.as_mut().and_then(Watch::heard) {
            self.heard(reload);
        }
        self.reload(stop).await?;
        self.health.beat(self.clock.now());
        in_time(self.look()).await
    }

    /// Makes slots due, and sends what may be sent.
    async fn look(&mut self) -> Result<Tick> {
        if !self.crawler.is_idle() {
            self.process.keep().await?;
        }
        let now = self.clock.now();
        if self.latest.since(now) > CLOCK_SLIP {
            self.clock_was_put_back(now).await?;
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

    /// Goes on under a clock that was ahead and is right now.
    async fn clock_was_put_back(&mut self, now: Time) -> Result<()> {
        tracing::warn!(was = %self.latest, %now, "the clock was put back");
        plan::clock_was_put_back(&self.store, now).await?;
        self.next_fire = None;
        self.latest = now;
        self.started = self.started.min(now);
        // It waits for a time that is far away now.
        self.silence().await;
        Ok(())
    }

    /// Says what came of the looks, once all that could be made have been.
    pub(super) fn report(&mut self) {
        let Tally { calls, observed, missed, retrying } = self.crawler.take_tally();
        if calls > 0 {
            tracing::debug!(observed, missed, retrying, calls, "looked");
        }
    }
}
