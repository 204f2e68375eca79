//! One process at work on an archive: its lock, its record, its heartbeat and its leases.

mod account;
mod daemons;
mod heartbeat;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::api::Provider;
use crate::config::Config;
use crate::store::{LivenessTimeout, ProcessLock, ProcessRow, Store, Tx};
use crate::time::{Clock, Time};

pub(crate) use account::{applied, lift_refusals};
pub use daemons::{DaemonStatus, State, daemons};
use heartbeat::Heartbeat;

/// How long to wait for the lock of a SQLite file: a manual fetch is done within seconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// The lock number of a process that needs the archive exclusively.
const EXCLUSIVE_OWNER: i64 = 0;

/// Interval between two attempts to take the lock.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// A process whose lock is free and that missed this many heartbeats is expired.
const MISSED_HEARTBEATS: u32 = 3;

/// Liveness timeout of exclusive work: every live process has sent a heartbeat within this time,
/// even after its connection was cut or the server restarted.
const EXCLUSIVE_TIMEOUT: Duration = Duration::from_secs(60);

/// This process while it works.
pub struct Process {
    heartbeat: Heartbeat,
    lease: watch::Sender<Duration>,
    /// Sends heartbeats until dropped.
    heartbeats: JoinSet<Infallible>,
}

impl Process {
    /// Takes the process lock, records this process as `verb` with its provider addresses, lifts the
    /// pauses of another account, reaps expired workers and starts the heartbeat, which renews the
    /// leases. `None` when another process holds the lock of this SQLite file longer than a manual
    /// fetch takes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(
        store: &Store,
        config: &Config,
        verb: &'static str,
        clock: &Clock,
    ) -> Result<Option<Self>> {
        let owner = new_owner();
        let Some(lock) = locked(store, owner).await? else { return Ok(None) };
        Self::at_work(store, config, verb, clock, (owner, lock)).await.map(Some)
    }

    /// Like [`Process::begin`], but returns `None` at once when the lock is taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_at_once(
        store: &Store,
        config: &Config,
        verb: &'static str,
        clock: &Clock,
    ) -> Result<Option<Self>> {
        let owner = new_owner();
        let Some(lock) = store.lock_process(owner).await? else { return Ok(None) };
        Self::at_work(store, config, verb, clock, (owner, lock)).await.map(Some)
    }

    async fn at_work(
        store: &Store,
        config: &Config,
        verb: &'static str,
        clock: &Clock,
        (owner, lock): (i64, ProcessLock),
    ) -> Result<Self> {
        store.require_sound().await?;
        let now = clock.now();
        let mut tx = store.begin().await?;
        tx.reconsider_unreadable(env!("CARGO_PKG_VERSION"), now).await?;
        record(&mut tx, config, owner, verb, now).await?;
        // Waits for an erasure in progress; later ones refuse to run while this process lives. Saving
        // checks the tombstones once more in case one took this process for dead.
        tx.tombstone_version().await?;
        account::lift_refusals_of_others(&mut tx, config, now).await?;
        tx.put_config_load(owner, applied(config), now).await?;
        tx.heartbeat(owner, now, now.plus(config.lease), true).await?;
        let uncleared_since = tx.uncleared_since().await?;
        tx.commit().await?;
        if let Some(since) = uncleared_since {
            finish_erasure(store, since).await;
        }
        let (lease, lasts) = watch::channel(config.lease);
        let heartbeat = Heartbeat {
            owner,
            store: store.clone(),
            clock: clock.clone(),
            lease: lasts,
            // The daemon's loop decides itself when to follow a step, and a clock of our own is right.
            sets_clock: verb != "run" && clock.is_steady(),
            renewed_at: Arc::new(Mutex::new(now)),
        };
        // A process that has just lost its lock while the server kept running is dead: no timeout.
        heartbeat.reap_expired(now).await?;
        let mut heartbeats = JoinSet::new();
        heartbeats.spawn(heartbeat.clone().run(lock));
        Ok(Self { heartbeat, lease, heartbeats })
    }

    /// Changes the lease length. A heartbeat follows at once, and then as often as the lease needs.
    pub fn set_lease(&self, lease: Duration) {
        self.lease.send_replace(lease);
    }

    /// Its owner number.
    pub fn owner(&self) -> i64 {
        self.heartbeat.owner
    }

    /// Waits until the heartbeat task dies; the process must not go on without it. Cancel safe.
    pub async fn died(&mut self) -> anyhow::Error {
        let died = self.heartbeats.join_next().await.and_then(Result::err);
        let died = died.map_or_else(|| "it ended".to_owned(), |error| error.to_string());
        anyhow!("the heartbeat task died: {died}")
    }

    /// Renews the leases if half of their time has passed without a heartbeat. Called before anything
    /// decides about expired leases.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep(&self) -> Result<()> {
        let now = self.heartbeat.clock.now();
        if now.since(self.heartbeat.renewed_at()) > self.heartbeat.lease() / 2 {
            self.heartbeat.renew(false).await?;
        }
        Ok(())
    }

    /// Reaps expired workers: closes their calls and releases their slots.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reap_expired(&self) -> Result<()> {
        // On SQLite no other process can be at work.
        if self.heartbeat.store.is_sqlite() {
            return Ok(());
        }
        let timeout = self.heartbeat.every() * MISSED_HEARTBEATS;
        self.heartbeat.reap_expired(self.heartbeat.clock.now().minus(timeout)).await
    }

    /// Records that it ended in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(self, store: &Store, now: Time) -> Result<()> {
        let mut tx = store.begin().await?;
        tx.end_process(self.owner(), now).await?;
        tx.commit().await
    }
}

/// Clears away what an erasure left that did not come to its end.
async fn finish_erasure(store: &Store, since: Time) {
    tracing::info!(%since, "clearing away what an unfinished erasure left in the database");
    match store.clear_away().await {
        Ok(true) => tracing::info!("what was deleted is cleared away"),
        Ok(false) => tracing::warn!(
            "somebody reads the archive: what was deleted is not cleared away yet; \
             `tidewatch forget clean` tries it again"
        ),
        Err(error) => tracing::warn!(
            "what was deleted could not be cleared away; `tidewatch forget clean` tries it again: \
             {error:#}"
        ),
    }
}

/// Takes the process lock for `owner`, waiting up to [`PATIENCE`] for another process.
pub(crate) async fn locked(store: &Store, owner: i64) -> Result<Option<ProcessLock>> {
    let mut tries = PATIENCE.as_millis() / TRY_EVERY.as_millis();
    loop {
        match store.lock_process(owner).await? {
            None if tries > 0 => tries -= 1,
            announced => return Ok(announced),
        }
        tokio::time::sleep(TRY_EVERY).await;
    }
}

/// Takes the archive exclusively until the lock is dropped.
///
/// # Errors
/// When another process holds the lock (on PostgreSQL: another exclusive one), or the database
/// fails.
pub(crate) async fn exclusive(store: &Store) -> Result<ProcessLock> {
    let lock = locked(store, EXCLUSIVE_OWNER).await?;
    lock.context("another tidewatch process uses this archive: stop it first")
}

/// The liveness timeout that exclusive work applies to other processes.
pub(crate) fn liveness_timeout(now: Time) -> LivenessTimeout {
    let since = now.minus(EXCLUSIVE_TIMEOUT);
    LivenessTimeout { since, restarted_since: since, uptime: EXCLUSIVE_TIMEOUT }
}

/// Records a process that makes no calls and so needs no lock; returns its owner number.
///
/// # Errors
/// When the database fails.
pub async fn record_without_lock(
    store: &Store,
    config: &Config,
    verb: &'static str,
    now: Time,
) -> Result<i64> {
    let owner = new_owner();
    let mut tx = store.begin().await?;
    record(&mut tx, config, owner, verb, now).await?;
    tx.commit().await?;
    Ok(owner)
}

async fn record(
    tx: &mut Tx,
    config: &Config,
    owner: i64,
    verb: &'static str,
    now: Time,
) -> Result<()> {
    let process = ProcessRow {
        owner,
        verb: verb.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: now,
        beat_at: None,
        died_at: None,
        clock: None,
    };
    let providers = Provider::ALL.map(|it| (it.as_str(), config.provider(it).base_url.as_str()));
    tx.put_process(&process, &providers).await
}

/// A random owner number, unique to this process.
pub(crate) fn new_owner() -> i64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    i64::try_from(random >> 1).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Environment;

    async fn process(folder: &Path, clock: &Clock) -> (Store, Process) {
        let config = Config::parse("", Path::new("jobs.toml"), &Environment::default());
        let config = config.expect("an empty file is good");
        let url = format!("sqlite:{}", folder.join("test.db").display());
        let store = Store::connect(&url).await.expect("the database opens");
        store.migrate().await.expect("the migrations run");
        let process = Process::begin(&store, &config, "run", clock).await;
        (store, process.expect("the database answers").expect("nobody else is here"))
    }

    async fn last_heartbeat(store: &Store, since: Time) -> Option<Time> {
        let mut tx = store.read().await.expect("the database answers");
        let processes = tx.unfinished_processes("run", since).await.expect("it can say");
        processes.first().and_then(|row| row.beat_at)
    }

    #[tokio::test]
    async fn dead_heartbeat_task_is_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::system();
        let (_store, mut process) = process(folder.path(), &clock).await;
        let living = tokio::time::timeout(Duration::from_millis(50), process.died()).await;
        assert!(living.is_err(), "the task runs");
        process.heartbeats.abort_all();
        assert!(process.died().await.to_string().contains("the heartbeat task died"));
    }

    #[tokio::test]
    async fn leases_are_renewed_after_half_their_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let start: Time = "2026-03-09 09:00:00".parse().expect("a time");
        let clock = Clock::standing(start);
        let (store, mut process) = process(folder.path(), &clock).await;
        process.heartbeats.shutdown().await;
        clock.jump_to(start.plus(Duration::from_secs(20)));
        process.keep().await.expect("the database answers");
        assert_eq!(last_heartbeat(&store, start).await, Some(start), "not yet");
        clock.jump_to(start.plus(Duration::from_secs(40)));
        process.keep().await.expect("the database answers");
        assert_eq!(last_heartbeat(&store, start).await, Some(clock.now()));
    }
}
