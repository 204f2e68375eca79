//! Packs old answers and checks cold files while no call is in flight, beside the loop.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::task::{JoinError, JoinSet};

use super::Daemon;
use crate::cold::{self, Packed, Packing};
use crate::store::{ColdFileRow, ProcessLock, Store};
use crate::time::Time;

/// When to look again for answers that are due.
const LOOK_AGAIN: Duration = Duration::from_hours(1);

/// Age at which a file's bytes are compared again with their SHA-256.
const VERIFY_AFTER: Duration = Duration::from_hours(30 * 24);

/// Wait after a failure; doubles with each, up to `MAX_RETRY_WAIT`.
const FIRST_RETRY_WAIT: Duration = Duration::from_mins(10);

/// Longest wait after a failure.
const MAX_RETRY_WAIT: Duration = Duration::from_hours(6);

/// Longest time for one piece of work: a file is made within minutes.
const LONGEST: Duration = Duration::from_hours(1);

/// What one piece of work came to.
enum Done {
    Packed(Packed),
    Verified(ColdFileRow, Option<String>),
    /// Nothing is due, or another daemon is at it.
    Nothing,
}

/// The packer's lock, where it is held on, and what was done.
type Ended = (Option<ProcessLock>, Result<Done>);

/// The piece of work under way, and when the next one begins.
#[derive(Default)]
pub(super) struct Cold {
    task: JoinSet<Ended>,
    /// The end of the last piece, until the loop takes note of it.
    ended: Option<Result<Ended, JoinError>>,
    /// On PostgreSQL, while there is work.
    lock: Option<ProcessLock>,
    /// `None`: at once.
    next_at: Option<Time>,
    retry_wait: Option<Duration>,
    /// Files that have failed and were told of.
    bad: BTreeSet<i64>,
}

impl Cold {
    /// Waits for the end of the work under way. Cancel safe.
    pub(super) async fn wait(&mut self) {
        if let Some(ended) = self.task.join_next().await {
            self.ended = Some(ended);
        }
    }

    pub(super) fn is_at_work(&self) -> bool {
        !self.task.is_empty()
    }
}

impl Daemon {
    /// Begins the next piece of work where it is time for one, and notes the end of the last one.
    /// Returns whether one is under way. A failure is logged: fetching goes on.
    pub(super) fn keep_cold(&mut self) -> bool {
        let now = self.clock.now();
        let ended = self.cold.ended.take().or_else(|| self.cold.task.try_join_next());
        if let Some(done) = ended {
            let (lock, done) = done.unwrap_or_else(|error| (None, Err(error.into())));
            self.cold.lock = lock;
            self.note(done, now);
        }
        if self.cold.is_at_work() {
            return true;
        }
        // After a step back of the clock it lies further ahead than any wait.
        let is_later = |at: Time| now < at && at <= now.plus(MAX_RETRY_WAIT);
        // Another daemon may pack while this one does not.
        let lock = self.cold.lock.take();
        if !self.cold.next_at.is_some_and(is_later) && self.crawler.is_idle() {
            let (store, bad) = (self.store.clone(), self.cold.bad.clone());
            let cold_after = self.config.cold_after;
            self.cold.task.spawn(async move { work(&store, lock, cold_after, now, &bad).await });
        }
        self.cold.is_at_work()
    }

    fn note(&mut self, done: Result<Done>, now: Time) {
        let cold = &mut self.cold;
        if done.is_ok() {
            cold.retry_wait = None;
        }
        cold.next_at = None;
        match done {
            Ok(Done::Packed(Packed { endpoint, documents, text_bytes, bytes })) => {
                tracing::info!(endpoint, documents, text_bytes, bytes, "old answers went cold");
            }
            Ok(Done::Verified(_, None)) => {}
            Ok(Done::Verified(file, Some(fault))) => {
                let cold_file_id = file.cold_file_id;
                tracing::error!(cold_file_id, fault, "a cold file is damaged: restore a backup");
                cold.bad.insert(cold_file_id);
            }
            Ok(Done::Nothing) => {
                cold.next_at = Some(now.plus(LOOK_AGAIN));
            }
            Err(error) => {
                let wait = cold.retry_wait.map_or(FIRST_RETRY_WAIT, |wait| wait * 2);
                let wait = wait.min(MAX_RETRY_WAIT);
                (cold.retry_wait, cold.next_at) = (Some(wait), Some(now.plus(wait)));
                let (error, retry_in_s) = (format!("{error:#}"), wait.as_secs());
                tracing::warn!(error, retry_in_s, "answers cannot go cold");
            }
        }
    }
}

/// One piece of work, under the lock of the packer. Files are checked also where nothing goes cold any
/// more.
async fn work(
    store: &Store,
    mut lock: Option<ProcessLock>,
    cold_after: Option<Duration>,
    now: Time,
    bad: &BTreeSet<i64>,
) -> Ended {
    let done = async {
        if !store.is_sqlite() {
            if lock.is_none() {
                lock = cold::packer(store).await?;
            }
            let is_held = match &mut lock {
                Some(lock) => lock.hold().await?,
                None => false,
            };
            if !is_held {
                return Ok(Done::Nothing);
            }
        }
        // Before packing, whose failures are to stop no check.
        let files = store.read().await?.cold_files().await?;
        let files = files.into_iter().filter(|it| !bad.contains(&it.cold_file_id));
        let oldest = files.min_by_key(|it| it.verified_at);
        let is_old = |it: &ColdFileRow| it.verified_at.plus(VERIFY_AFTER) <= now;
        if let Some(file) = oldest.filter(is_old) {
            let fault = cold::verify(store, &file, now).await?;
            return Ok(Done::Verified(file, fault));
        }
        let Some(cold_after) = cold_after else { return Ok(Done::Nothing) };
        let packed = cold::pack(store, Packing { cold_after, now }).await?;
        Ok(packed.map_or(Done::Nothing, Done::Packed))
    };
    // A server that falls silent does not end packing for ever.
    let done = tokio::time::timeout(LONGEST, done).await;
    let done = done.unwrap_or_else(|_| Err(anyhow!("no end after {} s", LONGEST.as_secs())));
    (lock.filter(|_| done.is_ok()), done)
}
