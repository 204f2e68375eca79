//! Opening an archive of which nothing can be changed, beside whoever writes.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use sqlx::SqliteConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::store::db::{NEWER, Schema, Store};
use crate::text::things;

/// Questions that are asked at once at the most; the others wait.
const READERS: u32 = 4;

/// How long one of them waits for its turn, and for a database to be reached.
const PATIENCE: Duration = Duration::from_secs(10);

/// PostgreSQL refuses to write, and ends what takes too long.
const READ_ONLY: [(&str, &str); 4] = [
    ("default_transaction_read_only", "on"),
    ("statement_timeout", "10s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "30s"),
];

/// Steps of SQLite's machine between two looks at how many there were.
const STEPS: i32 = 100_000;

/// How many such stretches the questions of one request may take: some ten seconds.
const MOST_STRETCHES: u32 = 5_000;

impl Store {
    /// Opens an archive that exists, to read alone. Its schema must be the one that this program
    /// knows: nothing is brought up to date here.
    ///
    /// # Errors
    /// When it cannot be opened, or its schema is another. The password of the URL is in no error.
    pub async fn open_to_read(url: &str) -> Result<Self> {
        let store = if let Some(path) = url.strip_prefix("sqlite:") {
            read_sqlite(Path::new(path.strip_prefix("//").unwrap_or(path)))?
        } else {
            let options = PgConnectOptions::from_str(url).map_err(|_| {
                anyhow::anyhow!("the database URL must begin with sqlite: or postgres://")
            })?;
            let options = options.application_name("tidewatch serve").options(READ_ONLY);
            let pool = PgPoolOptions::new().max_connections(READERS).acquire_timeout(PATIENCE);
            Self::Postgres(pool.connect_lazy_with(options))
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
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(PATIENCE);
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| Box::pin(async move { limit(connection).await }))
        .before_acquire(|connection, _| {
            Box::pin(async move { limit(connection).await.map(|()| true) })
        })
        .connect_lazy_with(options);
    // What would write goes through a connection that cannot.
    Ok(Store::Sqlite { writer: readers.clone(), readers })
}

/// Lets the questions that follow take so many steps. SQLite itself knows no limit of time.
async fn limit(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let mut stretches = 0;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || {
        stretches += 1;
        stretches < MOST_STRETCHES
    });
    Ok(())
}
