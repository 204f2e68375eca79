//! One process at work on an archive: announced while it lives, on record for ever.

use std::time::Duration;

use anyhow::Result;

use crate::config::Config;
use crate::store::{Presence, ProcessRow, Store};
use crate::time::{Clock, Time};

/// How long to wait for another process on the same SQLite file: a look by hand is soon done.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often to try meanwhile.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// This process, for as long as it is at work.
pub struct Process {
    owner: i64,
    _presence: Presence,
}

impl Process {
    /// Announces this process as `verb`, puts it on record with the addresses it asks, and frees
    /// what dead ones left behind. `None` when another process keeps this SQLite file to itself.
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
        let mut tries = PATIENCE.as_millis() / TRY_EVERY.as_millis();
        let presence = loop {
            match store.announce(owner).await? {
                Some(presence) => break presence,
                None if tries == 0 => return Ok(None),
                None => tries -= 1,
            }
            tokio::time::sleep(TRY_EVERY).await;
        };
        put_on_record(store, config, owner, verb, clock.now()).await?;
        bury_the_dead(store, owner).await?;
        Ok(Some(Self { owner, _presence: presence }))
    }

    /// Its number.
    pub fn owner(&self) -> i64 {
        self.owner
    }

    /// Puts on record that it ended of its own accord.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(self, store: &Store, now: Time) -> Result<()> {
        let mut tx = store.begin().await?;
        tx.end_process(self.owner, now).await?;
        tx.commit().await
    }
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
    put_on_record(store, config, owner, verb, now).await?;
    Ok(owner)
}

async fn put_on_record(
    store: &Store,
    config: &Config,
    owner: i64,
    verb: &'static str,
    now: Time,
) -> Result<()> {
    let mut tx = store.begin().await?;
    tx.put_process(&ProcessRow {
        owner,
        verb: verb.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        justoneapi_url: config.justoneapi.base_url.to_string(),
        amagi_url: config.amagi.base_url.to_string(),
        started_at: now,
    })
    .await?;
    tx.commit().await
}

/// The daemons at work on an archive now.
///
/// # Errors
/// When the database fails.
pub async fn daemons(store: &Store) -> Result<Vec<ProcessRow>> {
    let mut tx = store.read().await?;
    let unfinished = tx.unfinished_processes("run").await?;
    if let Store::Sqlite { .. } = store {
        // One process at most; the lock of the file tells whether there is any.
        let free = store.announce(0).await?.is_some();
        return Ok(if free { Vec::new() } else { unfinished.into_iter().take(1).collect() });
    }
    let mut alive = Vec::new();
    for process in unfinished {
        if tx.is_alive(process.owner).await? {
            alive.push(process);
        }
    }
    Ok(alive)
}

/// Frees what processes that are no longer there had claimed.
async fn bury_the_dead(store: &Store, me: i64) -> Result<()> {
    let mut tx = store.begin().await?;
    for owner in tx.other_owners(me).await? {
        if tx.is_alive(owner).await? {
            continue;
        }
        let calls = tx.bury(owner).await?;
        tracing::warn!(calls, "a process died at work; its looks may be made again");
    }
    tx.commit().await
}

/// A number for this process, different from any other's.
fn new_owner() -> i64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    i64::try_from(random >> 1).unwrap_or(1).max(1)
}
