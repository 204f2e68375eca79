//! A large archive in either database, and its queries.

use anyhow::Result;
use sqlx::{AssertSqlSafe, PgPool, Row as _, SqlitePool};
use tidewatch::store::Store;

use super::archive::{self, Size};
use super::best;

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
    /// Fills the empty database at `url`, aggregates its snapshots at once instead of one by one,
    /// and creates the best tables.
    pub(crate) async fn open(url: &str, size: Size) -> Result<Self> {
        let store = Store::connect(url).await?;
        store.migrate().await?;
        let database = match &store {
            Store::Sqlite { writer, .. } => Self::Sqlite(writer.clone()),
            Store::Postgres(pool) => Self::Postgres(pool.clone()),
        };
        let trigger = database.drop_trigger().await?;
        database.run(&database.pick(size.sqlite(), size.postgres())).await?;
        let day = database.pick(
            "strftime('%Y-%m-%d', observed_at / 1000000 + 28800, 'unixepoch')",
            "to_char(observed_at at time zone 'UTC' + interval '8 hours', 'YYYY-MM-DD')",
        );
        database.run(&archive::sums(day)).await?;
        database.run(&[trigger]).await?;
        database.run(&database.pick(best::sqlite(day), best::postgres(day))).await?;
        Ok(database)
    }

    /// Drops the trigger that aggregates snapshots; returns the statement that creates it again.
    #[expect(clippy::disallowed_methods, reason = "outside the store: a benchmark's own")]
    pub(crate) async fn drop_trigger(&self) -> Result<String> {
        let (is, drop) = self.pick(
            (
                "select sql from sqlite_master where name = 'snapshots_added'",
                "drop trigger snapshots_added",
            ),
            (
                "select pg_get_triggerdef(oid) from pg_trigger where tgname = 'snapshots_added'",
                "drop trigger snapshots_added on snapshots",
            ),
        );
        let made = match self {
            Self::Sqlite(pool) => sqlx::query_scalar(is).fetch_one(pool).await?,
            Self::Postgres(pool) => sqlx::query_scalar(is).fetch_one(pool).await?,
        };
        self.run(&[drop.to_owned()]).await?;
        Ok(made)
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
