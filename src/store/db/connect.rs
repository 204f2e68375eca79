//! Opening a database, and beginning transactions in it.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, PgConnection, PgPool, SqlitePool};

use super::tx::Tx;

/// How long a writer waits for another process to finish its transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections to PostgreSQL at once. The step writes through one; the others read.
const POSTGRES_CONNECTIONS: u32 = 5;

/// Readers of a SQLite file at once.
const SQLITE_READERS: u32 = 4;

/// What the writer of an SQLite file keeps of it in memory, in KiB below zero: the upper pages of
/// every index.
const WRITER_CACHE: &str = "-8192";

/// Pages in the journal before it is moved into the SQLite file: a page of an index that many
/// answers touch is moved once for all of them.
const CHECKPOINT_PAGES: &str = "4000";

/// How long to wait for a connection before calling the database unreachable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a statement in PostgreSQL waits for what another one has locked, and how long it may
/// take in all.
const LIMITS: [(&str, &str); 2] = [("lock_timeout", "30s"), ("statement_timeout", "60s")];

/// How long a daemon waits for the database to do a piece of its work, before it says that the
/// database fails: longer than a lock is waited for, and shorter than a loop may stand still.
const IN_TIME: Duration = Duration::from_secs(45);

/// Begins a transaction in SQLite that may write: a deferred one fails at once when another one wrote
/// before it does, an immediate one waits its turn. It may touch all targets at once.
const IMMEDIATE: &str = "pragma temp_store = file; begin immediate";

/// The same for few rows: what undoes half a statement is kept in memory, and not written to a file
/// page by page.
const IMMEDIATE_OF_FEW: &str = "pragma temp_store = memory; begin immediate";

/// Begins a transaction in PostgreSQL that keeps its planner from going through whole tables.
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
    },
    /// A PostgreSQL database.
    Postgres(PgPool),
}

impl Store {
    /// Opens the database at `url` (`sqlite:PATH` or `postgres://…`); creates a missing SQLite
    /// file, readable by its owner alone. The schema is left as it is.
    ///
    /// # Errors
    /// When the URL is of another kind, or the database cannot be reached. The password of the
    /// URL is in no error.
    pub async fn connect(url: &str) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            ensure!(
                !path.contains('?'),
                "a SQLite URL is sqlite:PATH and takes no parameters: what follows the ? would \
                 become part of the file's name"
            );
            let path = Path::new(path);
            return Self::open_sqlite(path)
                .await
                .with_context(|| format!("cannot open the SQLite file {}", path.display()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url)
                .map_err(|_| anyhow::anyhow!("the database URL is not a valid postgres:// URL"))?;
            return Self::open_postgres(options.application_name("tidewatch").options(LIMITS))
                .await;
        }
        bail!(
            "the database URL must begin with sqlite: or postgres://, for example sqlite:tidewatch.db"
        )
    }

    async fn open_postgres(options: PgConnectOptions) -> Result<Self> {
        let place = format!("{}:{}", options.get_host(), options.get_port());
        // A pool tries until its time is up; one connection says at once what is wrong.
        let first = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options));
        first
            .await
            .context("no answer in time")
            .and_then(|connected| Ok(connected?))
            .with_context(|| format!("cannot reach PostgreSQL at {place}"))?
            .close()
            .await?;
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(CONNECT_TIMEOUT)
            .connect_lazy_with(options);
        Ok(Self::Postgres(pool))
    }

    async fn open_sqlite(path: &Path) -> Result<Self> {
        create_private(path)?;
        super::file::warn(path);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A power loss takes nothing that was acknowledged; the write rate is small.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        // Where the disk fails, SQLite may end a transaction of which the connection then believes
        // for ever that it is still open.
        let pool = SqlitePoolOptions::new().acquire_timeout(BUSY_TIMEOUT).before_acquire(
            |connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }),
        );
        let writer = options
            .clone()
            .pragma("cache_size", WRITER_CACHE)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES);
        let writer = pool.clone().max_connections(1).connect_with(writer).await?;
        let readers =
            pool.max_connections(SQLITE_READERS).connect_lazy_with(options.read_only(true));
        Ok(Self::Sqlite { writer, readers })
    }

    /// Whether this is SQLite: one daemon, and migrations run by themselves.
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    /// Begins a transaction that may write.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with(IMMEDIATE).await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Begins a transaction that may write, and whose statements find few rows of large tables by
    /// their keys: whatever the statistics say, they go by indexes, and are planned once.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin_by_keys(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with(IMMEDIATE_OF_FEW).await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin_with(BY_KEYS).await?),
        })
    }

    /// Begins a transaction that only reads, beside any writer.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn read(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// The same, by keys as in [`begin_by_keys`](Self::begin_by_keys).
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn read_by_keys(&self) -> Result<Tx> {
        match self {
            Self::Sqlite { .. } => self.read().await,
            Self::Postgres(_) => self.begin_by_keys().await,
        }
    }

    /// Connections that are open: those in use, and those at rest.
    pub fn connections(&self) -> (u32, u32) {
        let pools = match self {
            Self::Sqlite { writer, readers } => {
                vec![(writer.size(), writer.num_idle()), (readers.size(), readers.num_idle())]
            }
            Self::Postgres(pool) => vec![(pool.size(), pool.num_idle())],
        };
        pools.into_iter().fold((0, 0), |(used, idle), (size, resting)| {
            let resting = u32::try_from(resting).unwrap_or(size).min(size);
            (used + size - resting, idle + resting)
        })
    }

    /// A number that changes when another process writes to this SQLite file, and is cheap to ask for;
    /// `None` on PostgreSQL.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn data_version(&self) -> Result<Option<i64>> {
        let Self::Sqlite { writer, .. } = self else { return Ok(None) };
        // What this process writes goes through this one connection, whose own writes do not count.
        #[expect(clippy::disallowed_methods, reason = "in SQLite alone")]
        let version = sqlx::query_scalar("pragma data_version");
        Ok(Some(version.fetch_one(writer).await?))
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Waits for a piece of work on the database, but not for ever: a server whose machine is gone never
/// answers, and nothing says so. What was begun may have been done all the same.
///
/// # Errors
/// When the work fails, or is not done in time.
pub async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(IN_TIME, work).await.context("the database does not answer in time")?
}

/// Creates the file for its owner alone before SQLite sees it: its journal inherits the mode.
fn create_private(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}
