//! The heartbeat: a process says that it is there, and keeps its looks as it does.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::sync::watch;

use super::TRY_EVERY;
use crate::store::{LivenessTimeout, ProcessLock, Store, in_time};
use crate::time::{Clock, Time};

/// How often a process says that it is there, at least.
const BEAT: Duration = Duration::from_secs(5);

/// And how often while a lease lasts, at least: a few may fail.
const BEATS_A_LEASE: u32 = 12;

/// What a process needs to say that it is there.
#[derive(Clone)]
pub(super) struct Heartbeat {
    pub(super) owner: i64,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) lease: watch::Receiver<Duration>,
    pub(super) renewed_at: Arc<Mutex<Time>>,
}

impl Heartbeat {
    /// Says for ever that the process is there. Failures are not told here: whatever the process
    /// is doing meets them as well.
    pub(super) async fn beat_on(self, mut presence: ProcessLock) -> Infallible {
        let mut lease = self.lease.clone();
        loop {
            let announced = self.announced(&mut presence).await;
            if let Err(error) = in_time(self.renew(announced)).await {
                tracing::debug!(error = format!("{error:#}"), "cannot say that this process lives");
            }
            tokio::select! {
                () = tokio::time::sleep(self.every()) => {}
                Ok(()) = lease.changed() => {}
                () = presence.lost() => {
                    tracing::warn!(
                        "the connection that announces this process was cut; announcing it anew"
                    );
                    tokio::time::sleep(TRY_EVERY).await;
                }
            }
        }
    }

    /// Makes sure that the process stands announced; whether it does.
    async fn announced(&self, presence: &mut ProcessLock) -> bool {
        match presence.hold().await {
            Ok(held) => held,
            Err(error) => {
                tracing::debug!(error = format!("{error:#}"), "cannot announce this process");
                false
            }
        }
    }

    pub(super) async fn renew(&self, announced: bool) -> Result<()> {
        let mut tx = self.store.begin().await?;
        let now = self.clock.now();
        tx.heartbeat(self.owner, now, now.plus(self.lease()), announced).await?;
        tx.commit().await?;
        *self.renewed_at.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }

    pub(super) fn renewed_at(&self) -> Time {
        *self.renewed_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long its looks stay its own after a beat.
    pub(super) fn lease(&self) -> Duration {
        *self.lease.borrow()
    }

    /// How often it beats.
    pub(super) fn every(&self) -> Duration {
        BEAT.min(self.lease() / BEATS_A_LEASE)
    }

    /// Frees what processes left behind that are dead, and silent since `since`.
    pub(super) async fn reap_expired(&self, since: Time) -> Result<()> {
        let now = self.clock.now();
        // A process that has said nothing for as long as a lease lasts has lost its looks anyway.
        let lease = self.lease();
        let silence = LivenessTimeout { since, restarted_since: now.minus(lease), uptime: lease };
        let mut tx = self.store.begin().await?;
        for owner in tx.expired_processes(self.owner, silence).await? {
            let calls = tx.reap(owner, now).await?;
            tracing::warn!(calls, "a process died at work; its looks may be made again");
        }
        tx.commit().await
    }
}
