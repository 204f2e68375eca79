//! Connections and transactions.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, PgConnection, PgPool, SqlitePool};

use super::errors::failed;
use super::file::Identity;
use super::session;
use super::stamp::{Header, require_own_log};
use super::tx::Tx;
use super::url::Address;

/// How long a writer waits for another process to finish its transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections to PostgreSQL at once. The crawl writes through one; the others read.
const POSTGRES_CONNECTIONS: u32 = 5;

/// Readers of a SQLite file at once.
const SQLITE_READERS: u32 = 4;

/// Page cache of the SQLite writer, in KiB as a negative number: the upper pages of every index.
const WRITER_CACHE: &str = "-8192";

/// Pages in the write-ahead log before a checkpoint: an index page that many answers touch is
/// written back once.
const CHECKPOINT_PAGES: &str = "4000";

/// How long to wait for a connection before calling the database unreachable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Deadline of one unit of database work in a daemon: longer than a lock wait, shorter than the
/// watchdog allows the loop to stall.
const IN_TIME: Duration = Duration::from_secs(45);

/// Begins a write transaction in SQLite. A deferred one fails when another writer commits first; an
/// immediate one waits for the lock. For statements that may touch every target.
const IMMEDIATE: &str = "pragma temp_store = file; begin immediate";

/// The same for few rows: the statement journal stays in memory instead of a temporary file.
const IMMEDIATE_OF_FEW: &str = "pragma temp_store = memory; begin immediate";

/// Begins a transaction in PostgreSQL whose plans use indexes only.
const BY_KEYS: &str = "begin; set local enable_seqscan = off; set local enable_hashjoin = off; \
                       set local enable_mergejoin = off; set local jit = off; \
                       set local work_mem = '32MB'; \
                       set local plan_cache_mode = force_generic_plan";

/// An open archive.
#[derive(Clone, Debug)]
pub enum Store {
    /// An SQLite file: one writer, several readers.
    Sqlite {
        /// One connection, since SQLite has one writer at a time.
        writer: SqlitePool,
        /// Read-only connections.
        readers: SqlitePool,
        /// Its real path.
        path: PathBuf,
        /// The file that was at the path when it was opened.
        identity: Option<Identity>,
        /// Its header.
        header: Arc<Header>,
    },
    /// A PostgreSQL database.
    Postgres(PgPool),
}

impl Store {
    /// Opens the database at `url` (`sqlite:PATH` or `postgres://…`). Creates a missing SQLite
    /// file, readable by its owner only. Does not migrate.
    ///
    /// # Errors
    /// When the URL has another scheme, or the database cannot be reached. No error contains the
    /// password of the URL.
    pub async fn connect(url: &str) -> Result<Self> {
        match Address::of(url)? {
            Address::Sqlite(path) => Self::open_sqlite(&path)
                .await
                .with_context(|| format!("cannot open the SQLite file {}", path.display())),
            Address::Postgres(options) => {
                Self::open_postgres(options.application_name("tidewatch")).await
            }
        }
    }

    async fn open_postgres(options: PgConnectOptions) -> Result<Self> {
        let place = format!("{}:{}", options.get_host(), options.get_port());
        // A pool retries until its timeout; a single connection reports the cause at once.
        let first = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options));
        let mut first = first
            .await
            .context("no answer in time")
            .and_then(|connected| connected.map_err(|error| failed(error, "connect")))
            .with_context(|| format!("cannot reach PostgreSQL at {place}"))?;
        session::require(&mut first, &options).await?;
        first.close().await?;
        let pool = session::pool()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(CONNECT_TIMEOUT)
            .connect_lazy_with(options);
        Ok(Self::Postgres(pool))
    }

    async fn open_sqlite(path: &Path) -> Result<Self> {
        require_own_log(path)?;
        create_private(path)?;
        // Before SQLite has locks on it.
        let header = Header::of(path)?;
        super::file::warn(path);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A power loss loses nothing that was committed; the write rate is low.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        // After a disk error SQLite may end a transaction while the connection still believes it is
        // open.
        let pool = SqlitePoolOptions::new().acquire_timeout(BUSY_TIMEOUT).before_acquire(
            |connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }),
        );
        let writer_options = options
            .clone()
            .pragma("cache_size", WRITER_CACHE)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES);
        // It stays open, so that the write-ahead log stays the same file.
        let writer = pool.clone().max_connections(1).max_lifetime(None).idle_timeout(None);
        let writer = writer.connect_with(writer_options).await?;
        let readers =
            pool.max_connections(SQLITE_READERS).connect_lazy_with(options.read_only(true));
        let path = path.canonicalize()?;
        let identity = Identity::of(&path);
        Ok(Self::Sqlite { writer, readers, path, identity, header })
    }

    /// Whether this is SQLite: one daemon, automatic migrations.
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    /// Begins a write transaction.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with(IMMEDIATE).await?),
            Self::Postgres(pool) => begun(pool, "begin").await?,
        })
    }

    /// Begins a write transaction whose statements touch few rows of large tables: their plans use
    /// indexes whatever the statistics say, and are made once.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin_by_keys(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with(IMMEDIATE_OF_FEW).await?),
            Self::Postgres(pool) => begun(pool, BY_KEYS).await?,
        })
    }

    /// Begins a read transaction; it does not block a writer.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn read(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
            Self::Postgres(pool) => begun(pool, "begin").await?,
        })
    }

    /// Begins a read transaction with the plans of [`begin_by_keys`](Self::begin_by_keys).
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn read_by_keys(&self) -> Result<Tx> {
        match self {
            Self::Sqlite { .. } => self.read().await,
            Self::Postgres(_) => self.begin_by_keys().await,
        }
    }

    /// Open connections: used and idle.
    pub fn connections(&self) -> (u32, u32) {
        let pools = match self {
            Self::Sqlite { writer, readers, .. } => {
                vec![(writer.size(), writer.num_idle()), (readers.size(), readers.num_idle())]
            }
            Self::Postgres(pool) => vec![(pool.size(), pool.num_idle())],
        };
        pools.into_iter().fold((0, 0), |(used, idle), (size, resting)| {
            let resting = u32::try_from(resting).unwrap_or(size).min(size);
            (used + size - resting, idle + resting)
        })
    }

    /// A number that changes when another process writes to this SQLite file; cheap to read. `None`
    /// on PostgreSQL.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn data_version(&self) -> Result<Option<i64>> {
        let Self::Sqlite { writer, .. } = self else { return Ok(None) };
        // This process writes through this one connection, whose own writes do not count.
        #[expect(clippy::disallowed_methods, reason = "in SQLite alone")]
        let version = sqlx::query_scalar("pragma data_version");
        Ok(Some(version.fetch_one(writer).await?))
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Begins a transaction in PostgreSQL, in a task of its own: where the caller gives up in the middle
/// of it, the connection would go back to the pool with an open transaction that nobody ends.
async fn begun(pool: &PgPool, sql: &'static str) -> Result<Tx> {
    let pool = pool.clone();
    Ok(Tx::Postgres(tokio::spawn(async move { pool.begin_with(sql).await }).await??))
}

/// Runs database work with a deadline: a server whose machine is gone never answers, and no error
/// reports it. The work may have been committed all the same.
///
/// # Errors
/// When the work fails, or misses the deadline.
pub async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(IN_TIME, work).await.context("the database does not answer in time")?
}

/// Creates the file with mode 0600 before SQLite opens it: the journal inherits the mode.
fn create_private(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.into()),
        Err(_) => super::file::require_usable(path),
        Ok(_) => Ok(()),
    }
}
