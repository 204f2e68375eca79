//! A large archive in either database, and its queries.

use anyhow::Result;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, PgPool, Row as _, SqlitePool};
use tidewatch::store::Store;

use super::archive::Size;
use super::best;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// The last schema version without the trigger-maintained tables: its snapshots are aggregated by
/// the next one.
const BEFORE: i64 = 14;

/// A filled archive.
pub(crate) enum Database {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A query's result, as far as two of them can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gave {
    pub(crate) rows: usize,
    pub(crate) likes: i64,
}

impl Database {
    /// Fills the empty database at `url` with an older schema, migrates it, and creates the best
    /// tables.
    pub(crate) async fn open(url: &str, size: Size) -> Result<Self> {
        let store = Store::connect(url).await?;
        let database = match &store {
            Store::Sqlite { writer, .. } => {
                SQLITE.run_to(BEFORE, writer).await?;
                Self::Sqlite(writer.clone())
            }
            Store::Postgres(pool) => {
                POSTGRES.run_to(BEFORE, pool).await?;
                Self::Postgres(pool.clone())
            }
        };
        database.run(&database.pick(size.sqlite(), size.postgres())).await?;
        store.migrate().await?;
        database.run(&database.pick(best::sqlite(), best::postgres())).await?;
        Ok(database)
    }

    pub(crate) fn name(&self) -> &'static str {
        self.pick("SQLite", "PostgreSQL")
    }

    /// The value for this database.
    pub(crate) fn pick<T>(&self, sqlite: T, postgres: T) -> T {
        match self {
            Self::Sqlite(_) => sqlite,
            Self::Postgres(_) => postgres,
        }
    }

    /// Runs statements one by one.
    pub(crate) async fn run(&self, statements: &[String]) -> Result<()> {
        for sql in statements {
            let sql = sqlx::raw_sql(AssertSqlSafe(&**sql));
            match self {
                Self::Sqlite(pool) => sql.execute(pool).await.map(|done| done.rows_affected())?,
                Self::Postgres(pool) => sql.execute(pool).await.map(|done| done.rows_affected())?,
            };
        }
        Ok(())
    }

    /// Runs a query and reads every row.
    #[expect(clippy::disallowed_methods, reason = "outside the store: a benchmark's own")]
    pub(crate) async fn ask(&self, sql: &str) -> Result<Gave> {
        let likes: Vec<Option<i64>> = match self {
            Self::Sqlite(pool) => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await?;
                rows.iter().map(|row| row.try_get("likes")).collect::<Result<_, _>>()?
            }
            Self::Postgres(pool) => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await?;
                rows.iter().map(|row| row.try_get("likes")).collect::<Result<_, _>>()?
            }
        };
        Ok(Gave { rows: likes.len(), likes: likes.into_iter().flatten().sum() })
    }
}
