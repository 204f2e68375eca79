//! Which processes are at work on a database: so that a dead one's leases end at once.

use std::fs::{File, TryLockError};

use anyhow::{Context as _, Result};
use sqlx::PgConnection;

use super::Store;

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
