//! The daemons of an archive, as other processes see them.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::store::{ProcessRow, Store};
use crate::time::Time;

/// A daemon and its state.
#[derive(Clone, Debug, Serialize)]
pub struct DaemonStatus {
    /// Its record.
    #[serde(flatten)]
    pub row: ProcessRow,
    /// Its state.
    pub state: State,
}

/// The state of a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Alive, with a recent heartbeat.
    AtWork,
    /// Alive without a recent heartbeat: suspended, or cut off from the database.
    Silent,
    /// Ended without recording so: crashed or killed.
    Dead,
}

/// The live daemons of an archive, and those that died since `since`, newest first. A live one
/// without a heartbeat for a `lease` is silent.
///
/// # Errors
/// When the database fails.
pub async fn daemons(
    store: &Store,
    now: Time,
    since: Time,
    lease: Duration,
) -> Result<Vec<DaemonStatus>> {
    let mut tx = store.read().await?;
    // On SQLite at most one process runs; the lock of the file says whether it does.
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
        daemons.push(DaemonStatus { row, state });
    }
    Ok(daemons)
}
