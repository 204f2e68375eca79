//! Which processes are at work on a database: so that a dead one's leases end at once.

use std::fs::{File, TryLockError};

use anyhow::{Context as _, Result};
use sqlx::PgConnection;

use super::{Store, Tx, execute, fetch_all};
use crate::time::Time;

/// A process's announcement that it is at work. Lasts until it is dropped, or the process ends,
/// however it ends.
#[derive(Debug)]
pub enum Presence {
    /// An exclusive lock on a file beside the database.
    Sqlite(File),
    /// An advisory lock, held by a connection of its own.
    Postgres(PgConnection),
}

impl Store {
    /// Announces the process `owner`. `None` on SQLite when another process is at work already.
    ///
    /// # Errors
    /// When the lock cannot be taken for another reason.
    pub async fn announce(&self, owner: i64) -> Result<Option<Presence>> {
        match self {
            Self::Sqlite { writer, .. } => {
                let path = writer.connect_options().get_filename().with_added_extension("lock");
                let mut options = File::options();
                options.create(true).write(true).truncate(false);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let file = options.open(&path);
                let file = file.with_context(|| format!("cannot open {}", path.display()))?;
                match file.try_lock() {
                    Ok(()) => Ok(Some(Presence::Sqlite(file))),
                    Err(TryLockError::WouldBlock) => Ok(None),
                    Err(TryLockError::Error(error)) => {
                        Err(error).with_context(|| format!("cannot lock {}", path.display()))
                    }
                }
            }
            Self::Postgres(pool) => {
                // Not the pool's any more: given back to it the connection would keep the lock, and
                // closing the pool would wait for it for ever.
                let mut connection = pool.acquire().await?.detach();
                #[expect(clippy::disallowed_methods, reason = "outside any transaction")]
                sqlx::query("select pg_advisory_lock($1)")
                    .bind(owner)
                    .execute(&mut connection)
                    .await?;
                Ok(Some(Presence::Postgres(connection)))
            }
        }
    }
}

/// A process that made calls, and whom it asked.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct ProcessRow {
    /// Its number, as on the ledger.
    pub owner: i64,
    /// What it was started as.
    pub verb: String,
    /// Of tidewatch.
    pub version: String,
    /// Where its calls to JustOneAPI went.
    pub justoneapi_url: String,
    /// Where its calls to amagi went.
    pub amagi_url: String,
    /// When it began.
    pub started_at: Time,
}

impl Tx {
    /// Puts a process on record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_process(&mut self, process: &ProcessRow) -> Result<()> {
        execute!(
            self,
            "insert into processes (owner, verb, version, justoneapi_url, amagi_url, started_at)
             values ($1, $2, $3, $4, $5, $6)",
            process.owner,
            process.verb.as_str(),
            process.version.as_str(),
            process.justoneapi_url.as_str(),
            process.amagi_url.as_str(),
            process.started_at
        );
        Ok(())
    }

    /// Puts on record that a process ended of its own accord.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_process(&mut self, owner: i64, now: Time) -> Result<()> {
        execute!(self, "update processes set stopped_at = $2 where owner = $1", owner, now);
        Ok(())
    }

    /// The processes started as `verb` that have not ended of their own accord, the latest first:
    /// at work, or dead.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unfinished_processes(&mut self, verb: &str) -> Result<Vec<ProcessRow>> {
        Ok(fetch_all!(
            self,
            ProcessRow,
            "select owner, verb, version, justoneapi_url, amagi_url, started_at from processes
             where verb = $1 and stopped_at is null order by started_at desc",
            verb
        ))
    }
}
