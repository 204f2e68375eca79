//! The lock that a running process holds: a lock file for SQLite, an advisory lock in PostgreSQL.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Context as _, Result};
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};

use super::connect::Store;

/// How long the server may take to answer on the connection that holds the lock.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes the server notice within a minute that a client machine is gone: by default it would keep
/// the lock for hours.
const KEEPALIVE: &str = "select set_config('tcp_keepalives_idle', '30', false),
                                set_config('tcp_keepalives_interval', '10', false),
                                set_config('tcp_keepalives_count', '3', false)";

/// The lock of a running process. It lasts until it is dropped or the process ends, however it
/// ends.
#[derive(Debug)]
pub enum ProcessLock {
    /// An exclusive lock on a file beside the database, by its real path: a symbolic link is the same
    /// archive.
    Sqlite(File),
    /// An advisory lock, held by a dedicated connection.
    Postgres(Lock),
}

/// An advisory lock and the connection that holds it.
#[derive(Debug)]
pub struct Lock {
    owner: i64,
    pool: PgPool,
    // Subscribed to nothing; but only a listener notices at once that its connection was cut.
    connection: Option<PgListener>,
}

impl Store {
    /// Takes the lock of the process `owner`. `None` when the number is locked already, or on
    /// SQLite when another process is running.
    ///
    /// # Errors
    /// When the lock cannot be taken for another reason.
    pub async fn lock_process(&self, owner: i64) -> Result<Option<ProcessLock>> {
        match self {
            Self::Sqlite { path, writer, header, .. } => {
                super::file::require_usable(path)?;
                let lock = path.with_added_extension("lock");
                let mut options = File::options();
                options.create(true).write(true).truncate(false);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let file = options.read(true).open(&lock);
                let mut file = file.with_context(|| format!("cannot open {}", lock.display()))?;
                match file.try_lock() {
                    Ok(()) => {
                        let mut writer = writer.acquire().await?;
                        header.renew(&mut writer, path, &mut file).await?;
                        Ok(Some(ProcessLock::Sqlite(file)))
                    }
                    Err(TryLockError::WouldBlock) => Ok(None),
                    Err(TryLockError::Error(error)) => {
                        Err(error).with_context(|| format!("cannot lock {}", lock.display()))
                    }
                }
            }
            Self::Postgres(pool) => {
                let mut lock = Lock { owner, pool: pool.clone(), connection: None };
                Ok(lock.hold().await?.then_some(ProcessLock::Postgres(lock)))
            }
        }
    }
}

impl Store {
    /// Whether a process is running on this SQLite file; false on PostgreSQL, where
    /// [`Tx::is_alive`](crate::store::Tx::is_alive) asks by number. Creates no lock file.
    ///
    /// # Errors
    /// When the lock file cannot be opened.
    pub fn is_locked(&self) -> Result<bool> {
        let Self::Sqlite { path, .. } = self else { return Ok(false) };
        let path = path.with_added_extension("lock");
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened.with_context(|| format!("cannot open {}", path.display()))?,
        };
        Ok(matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

impl ProcessLock {
    /// Makes sure that the lock is held, and takes it again where its connection was cut. False
    /// while the server has not noticed the end of the former connection.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn hold(&mut self) -> Result<bool> {
        match self {
            Self::Sqlite(_) => Ok(true),
            Self::Postgres(lock) => lock.hold().await,
        }
    }

    /// Completes when the lock is lost because its connection was cut; never on SQLite.
    /// Cancel-safe.
    pub async fn lost(&mut self) {
        match self {
            Self::Sqlite(_) => std::future::pending().await,
            Self::Postgres(lock) => lock.lost().await,
        }
    }
}

impl Lock {
    async fn hold(&mut self) -> Result<bool> {
        let asked = tokio::time::timeout(ANSWER_TIMEOUT, self.ask()).await;
        let held = asked.context("the server does not answer").flatten();
        if held.is_err() {
            self.connection = None;
        }
        held
    }

    /// Takes the lock. A session may take it repeatedly.
    #[expect(clippy::disallowed_methods, reason = "outside any transaction")]
    async fn ask(&mut self) -> Result<bool> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(connect(&self.pool).await?),
        };
        let sql = "select pg_try_advisory_lock($1)";
        Ok(sqlx::query_scalar(sql).bind(self.owner).fetch_one(connection).await?)
    }

    async fn lost(&mut self) {
        match &mut self.connection {
            None => std::future::pending().await,
            // Nothing notifies it, so whatever arrives is its end.
            Some(connection) => {
                let _ = connection.try_recv().await;
                self.connection = None;
            }
        }
    }
}

/// A dedicated connection, not one of the pool: a pooled one would keep the lock after its return,
/// and closing the pool would wait for it for ever.
#[expect(clippy::disallowed_methods, reason = "outside any transaction")]
async fn connect(pool: &PgPool) -> Result<PgListener> {
    let own = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(ANSWER_TIMEOUT)
        .connect_lazy_with((*pool.connect_options()).clone());
    let mut connection = PgListener::connect_with(&own).await?;
    connection.eager_reconnect(false);
    sqlx::query(KEEPALIVE).execute(&mut connection).await?;
    Ok(connection)
}
