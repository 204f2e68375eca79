//! The daemons of an archive, as others see them.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::store::{ProcessRow, Store};
use crate::time::Time;

/// A daemon as others see it.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// What it put on record.
    #[serde(flatten)]
    pub row: ProcessRow,
    /// How it is.
    pub state: State,
}

/// How a daemon is, as far as others can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It works.
    AtWork,
    /// It is there and says nothing: suspended, or cut off from the database.
    Silent,
    /// It ended, and not of its own accord.
    Dead,
}

/// The daemons at work on an archive, and those that were found dead from `since` on, the latest
/// first. One that is there is silent if it has said nothing for a `lease`.
///
/// # Errors
/// When the database fails.
pub async fn daemons(store: &Store, now: Time, since: Time, lease: Duration) -> Result<Vec<Seen>> {
    let mut tx = store.read().await?;
    // One process at most on SQLite; the lock of the file tells whether there is any.
    let mut taken = store.is_locked()?;
    let mut daemons = Vec::new();
    for row in tx.unfinished_processes("run", since).await? {
        let lives =
            row.died_at.is_none() && (std::mem::take(&mut taken) || tx.is_alive(row.owner).await?);
        let state = match row.beat_at {
            _ if !lives => State::Dead,
            Some(beat_at) if now.since(beat_at) > lease => State::Silent,
            _ => State::AtWork,
        };
        daemons.push(Seen { row, state });
    }
    Ok(daemons)
}
