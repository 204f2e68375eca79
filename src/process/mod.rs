//! One process at work on an archive: announced while it lives, on record for ever.

mod account;
mod heartbeat;
mod seen;

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

pub(crate) use account::{lift_refusals, taken_over};
use heartbeat::Heartbeat;
pub use seen::{Seen, State, daemons};

/// How long to wait for another process on the same SQLite file: a look by hand is soon done.
const PATIENCE: Duration = Duration::from_secs(3);

/// The number under which somebody is announced who needs the archive for themselves: one at a time.
const ALONE: i64 = 0;

/// How often to try meanwhile.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// Beats that a process has missed when it is dead, if its lock is free as well.
const SILENT_BEATS: u32 = 3;

/// After this long whoever lives has said so, also where its connection was cut or the server was
/// restarted. Several beats, and the time that connecting may take.
const SILENT: Duration = Duration::from_secs(60);

/// This process, for as long as it is at work.
pub struct Process {
    heartbeat: Heartbeat,
    lease: watch::Sender<Duration>,
    // Beats until this is dropped.
    heart: JoinSet<Infallible>,
}

impl Process {
    /// Announces this process as `verb`, puts it on record with the addresses it asks, ends the pauses
    /// of another account, and frees what dead ones left behind. From then on it keeps the looks that
    /// it is at. `None` when another process keeps this SQLite file to itself for longer than a look by
    /// hand takes.
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
        let Some(presence) = announced(store, owner).await? else { return Ok(None) };
        Self::at_work(store, config, verb, clock, (owner, presence)).await.map(Some)
    }

    /// The same for who has something else to do meanwhile: `None` at once.
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
        let Some(presence) = store.lock_process(owner).await? else { return Ok(None) };
        Self::at_work(store, config, verb, clock, (owner, presence)).await.map(Some)
    }

    async fn at_work(
        store: &Store,
        config: &Config,
        verb: &'static str,
        clock: &Clock,
        (owner, presence): (i64, ProcessLock),
    ) -> Result<Self> {
        let now = clock.now();
        let mut tx = store.begin().await?;
        put_on_record(&mut tx, config, owner, verb, now).await?;
        // An erasure refuses from here on, or is waited for here. Where it has taken this process
        // for dead, saving tells.
        tx.tombstone_version().await?;
        account::lift_refusals_of_others(&mut tx, config, now).await?;
        tx.put_config_load(owner, taken_over(config), now).await?;
        tx.heartbeat(owner, now, now.plus(config.lease), true).await?;
        tx.commit().await?;
        let (lease, lasts) = watch::channel(config.lease);
        let heartbeat = Heartbeat {
            owner,
            store: store.clone(),
            clock: clock.clone(),
            lease: lasts,
            renewed_at: Arc::new(Mutex::new(now)),
        };
        // What has just lost its lock while the server went on is dead: nobody waits for it here.
        heartbeat.reap_expired(now).await?;
        let mut heart = JoinSet::new();
        heart.spawn(heartbeat.clone().beat_on(presence));
        Ok(Self { heartbeat, lease, heart })
    }

    /// Keeps its looks for as long as this after each sign of life, from now on: the heart beats at
    /// once, and as often as that takes.
    pub fn set_lease(&self, lease: Duration) {
        self.lease.send_replace(lease);
    }

    /// Its number.
    pub fn owner(&self) -> i64 {
        self.heartbeat.owner
    }

    /// Ends when it no longer says that it is there, and with the reason: then it must not go on.
    /// May be dropped at any time.
    pub async fn died(&mut self) -> anyhow::Error {
        let died = self.heart.join_next().await.and_then(Result::err);
        let died = died.map_or_else(|| "it ended".to_owned(), |error| error.to_string());
        anyhow!("the heartbeat died: {died}")
    }

    /// Makes sure that its looks are still its own, after a time in which nothing could be said:
    /// before anybody decides about looks whose leases have ended.
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

    /// Frees what other processes left behind that have died since.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reap_expired(&self) -> Result<()> {
        // On SQLite there is nobody else.
        if self.heartbeat.store.is_sqlite() {
            return Ok(());
        }
        let silence = self.heartbeat.every() * SILENT_BEATS;
        self.heartbeat.reap_expired(self.heartbeat.clock.now().minus(silence)).await
    }

    /// Puts on record that it ended of its own accord.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(self, store: &Store, now: Time) -> Result<()> {
        let mut tx = store.begin().await?;
        tx.end_process(self.owner(), now).await?;
        tx.commit().await
    }
}

/// Announces the process `owner`, once others have ended for whom it is worth waiting.
async fn announced(store: &Store, owner: i64) -> Result<Option<ProcessLock>> {
    let mut tries = PATIENCE.as_millis() / TRY_EVERY.as_millis();
    loop {
        match store.lock_process(owner).await? {
            None if tries > 0 => tries -= 1,
            announced => return Ok(announced),
        }
        tokio::time::sleep(TRY_EVERY).await;
    }
}

/// Takes the archive for oneself, which lasts until this is dropped.
///
/// # Errors
/// When another process is at work, which only SQLite and others of this kind tell; or the database
/// fails.
pub(crate) async fn alone(store: &Store) -> Result<ProcessLock> {
    let presence = announced(store, ALONE).await?;
    presence.context("another tidewatch is at work on this archive: stop it first")
}

/// From when on a process is taken for dead by whoever needs the archive for themselves.
pub(crate) fn silence(now: Time) -> LivenessTimeout {
    let since = now.minus(SILENT);
    LivenessTimeout { since, restarted_since: since, uptime: SILENT }
}

/// Puts a process on record that makes no calls, so that it needs no archive for itself; its number.
///
/// # Errors
/// When the database fails.
pub async fn without_calls(
    store: &Store,
    config: &Config,
    verb: &'static str,
    now: Time,
) -> Result<i64> {
    let owner = new_owner();
    let mut tx = store.begin().await?;
    put_on_record(&mut tx, config, owner, verb, now).await?;
    tx.commit().await?;
    Ok(owner)
}

async fn put_on_record(
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
    };
    let providers = Provider::ALL.map(|it| (it.name(), config.provider(it).base_url.as_str()));
    tx.put_process(&process, &providers).await
}

/// A number for this process, different from any other's.
fn new_owner() -> i64 {
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

    async fn last_beat(store: &Store, since: Time) -> Option<Time> {
        let mut tx = store.read().await.expect("the database answers");
        let processes = tx.unfinished_processes("run", since).await.expect("it can say");
        processes.first().and_then(|row| row.beat_at)
    }

    #[tokio::test]
    async fn a_process_whose_heart_dies_learns_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::system();
        let (_store, mut process) = process(folder.path(), &clock).await;
        let living = tokio::time::timeout(Duration::from_millis(50), process.died()).await;
        assert!(living.is_err(), "it lives");
        process.heart.abort_all();
        assert!(process.died().await.to_string().contains("the heartbeat died"));
    }

    #[tokio::test]
    async fn leases_that_nobody_could_renew_are_renewed_before_anybody_decides() {
        let folder = tempfile::tempdir().expect("a folder");
        let start: Time = "2026-03-09 09:00:00".parse().expect("a time");
        let clock = Clock::standing(start);
        let (store, mut process) = process(folder.path(), &clock).await;
        process.heart.shutdown().await;
        clock.jump_to(start.plus(Duration::from_secs(20)));
        process.keep().await.expect("the database answers");
        assert_eq!(last_beat(&store, start).await, Some(start), "not yet");
        clock.jump_to(start.plus(Duration::from_secs(40)));
        process.keep().await.expect("the database answers");
        assert_eq!(last_beat(&store, start).await, Some(clock.now()));
    }
}
