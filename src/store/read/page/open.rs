//! Opening an archive read-only, beside any writer.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use sqlx::SqliteConnection;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::store::db::{Address, Header, NEWER, Schema, Store, require_own_log};
use crate::text::things;

/// Concurrent queries; further ones wait.
const READERS: u32 = 4;

/// Timeout for a connection and for reaching the database.
const PATIENCE: Duration = Duration::from_secs(10);

/// PostgreSQL refuses writes, and cancels slow statements.
const READ_ONLY: &str = "select set_config('default_transaction_read_only', 'on', false),
    set_config('statement_timeout', '10s', false), set_config('lock_timeout', '5s', false),
    set_config('idle_in_transaction_session_timeout', '30s', false)";

/// SQLite virtual machine steps between two calls of the progress handler.
const STEPS: i32 = 100_000;

/// Calls of the progress handler before a request's queries are cancelled: some ten seconds.
const MOST_STRETCHES: u32 = 5_000;

impl Store {
    /// Opens an existing archive read-only. Its schema must be the one of this program: nothing is
    /// migrated here.
    ///
    /// # Errors
    /// When it cannot be opened, or its schema is another one. No error contains the password of
    /// the URL.
    #[expect(clippy::disallowed_methods, reason = "the settings of a session")]
    pub async fn open_to_read(url: &str) -> Result<Self> {
        let store = match Address::of(url)? {
            Address::Sqlite(path) => read_sqlite(&path)?,
            Address::Postgres(options) => {
                let pool = PgPoolOptions::new().max_connections(READERS).acquire_timeout(PATIENCE);
                let pool = pool.after_connect(|session, _| {
                    Box::pin(async move { sqlx::query(READ_ONLY).execute(session).await.map(drop) })
                });
                Self::Postgres(pool.connect_lazy_with(options.application_name("tidewatch serve")))
            }
        };
        let schema = store.schema_beside_work().await;
        match schema.context("cannot read the archive's schema")? {
            Schema::Current => Ok(store),
            Schema::Behind(missing) => bail!(
                "the archive's schema is older than this program ({} missing), and the page \
                 changes nothing: run `tidewatch migrate` once, with no other tidewatch running",
                things(missing, "migration")
            ),
            Schema::Newer => bail!(NEWER),
        }
    }
}

fn read_sqlite(path: &Path) -> Result<Store> {
    ensure!(path.exists(), "there is no archive {}", path.display());
    require_own_log(path)?;
    let header = Header::of(path)?;
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(PATIENCE);
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| Box::pin(async move { limit(connection).await }))
        .before_acquire(|connection, _| {
            Box::pin(async move { limit(connection).await.map(|()| true) })
        })
        .connect_lazy_with(options);
    // The writer is a read-only connection, too.
    let path = path.canonicalize()?;
    let identity = None;
    Ok(Store::Sqlite { writer: readers.clone(), readers, path, identity, header })
}

/// Limits the steps of the following queries. SQLite itself has no statement timeout.
async fn limit(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let mut stretches = 0;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || {
        stretches += 1;
        stretches < MOST_STRETCHES
    });
    Ok(())
}
