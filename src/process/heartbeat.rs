//! The heartbeat: records that a process is alive, and renews the leases of its slots.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::sync::watch;

use super::TRY_EVERY;
use crate::store::{LivenessTimeout, ProcessLock, Store, in_time};
use crate::time::{Clock, Time};

/// Longest interval between two heartbeats.
const INTERVAL: Duration = Duration::from_secs(5);

/// Heartbeats within one lease, at least: a few may fail.
const PER_LEASE: u32 = 12;

/// What a process needs for its heartbeats.
#[derive(Clone)]
pub(super) struct Heartbeat {
    pub(super) owner: i64,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) lease: watch::Receiver<Duration>,
    /// Whether each heartbeat sets the clock: a one-shot process follows every step at once.
    pub(super) sets_clock: bool,
    pub(super) renewed_at: Arc<Mutex<Time>>,
}

impl Heartbeat {
    /// Sends heartbeats until aborted. A failure is logged for debugging only: the work of the
    /// process meets and reports it as well.
    pub(super) async fn run(self, mut lock: ProcessLock) -> Infallible {
        let mut lease = self.lease.clone();
        loop {
            let locked = self.locked(&mut lock).await;
            if let Err(error) = in_time(self.renew(locked)).await {
                tracing::debug!(error = format!("{error:#}"), "cannot send the heartbeat");
            }
            tokio::select! {
                () = tokio::time::sleep(self.every()) => {}
                Ok(()) = lease.changed() => {}
                () = lock.lost() => {
                    tracing::warn!(
                        "the connection that holds the process lock was cut; taking the lock again"
                    );
                    tokio::time::sleep(TRY_EVERY).await;
                }
            }
        }
    }

    /// Makes sure that the process holds its lock; whether it does.
    async fn locked(&self, lock: &mut ProcessLock) -> bool {
        match lock.hold().await {
            Ok(held) => held,
            Err(error) => {
                tracing::debug!(error = format!("{error:#}"), "cannot take the process lock");
                false
            }
        }
    }

    pub(super) async fn renew(&self, locked: bool) -> Result<()> {
        let mut tx = self.store.begin().await?;
        let reading = tx.read_clock(&self.clock).await?;
        if self.sets_clock {
            self.clock.set(reading.at);
        }
        // By the server's time in any case: others compare leases with it.
        let now = if self.store.is_sqlite() { self.clock.now() } else { reading.at };
        tx.heartbeat(self.owner, now, now.plus(self.lease()), locked).await?;
        tx.commit().await?;
        *self.renewed_at.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }

    pub(super) fn renewed_at(&self) -> Time {
        *self.renewed_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long its slots stay leased after a heartbeat.
    pub(super) fn lease(&self) -> Duration {
        *self.lease.borrow()
    }

    /// Interval between two heartbeats.
    pub(super) fn every(&self) -> Duration {
        INTERVAL.min(self.lease() / PER_LEASE)
    }

    /// Reaps the workers that are dead and sent no heartbeat since `since`.
    pub(super) async fn reap_expired(&self, since: Time) -> Result<()> {
        let now = self.clock.now();
        // A process without a heartbeat for a whole lease has lost its slots anyway.
        let lease = self.lease();
        let timeout = LivenessTimeout { since, restarted_since: now.minus(lease), uptime: lease };
        let mut tx = self.store.begin().await?;
        for owner in tx.expired_processes(self.owner, timeout).await? {
            let calls = tx.reap(owner, now).await?;
            tracing::warn!(calls, "reaped an expired worker; its slots are released");
        }
        tx.commit().await
    }
}
