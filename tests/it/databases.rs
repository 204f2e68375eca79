//! A fresh database of either kind for a test.

use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, SqlSafeStr};
use tempfile::TempDir;
use tidewatch::store::Store;

/// One fresh database; gone with the test.
pub(crate) struct Database {
    url: String,
    directory: TempDir,
}

impl Database {
    /// The database at this address, which somebody else keeps.
    pub(crate) fn at(url: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary folder");
        Self { url: url.to_owned(), directory }
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A folder that lives as long as the database.
    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Opens it, with the schema up to date.
    pub(crate) async fn open(&self) -> Store {
        let store = Store::connect(&self.url).await.expect("the database opens");
        store.migrate().await.expect("the migrations run");
        store
    }
}

/// The address of the PostgreSQL server that the tests use.
#[expect(clippy::disallowed_methods, reason = "tests/run.sh says where its server is")]
fn server() -> String {
    std::env::var("TEST_DATABASE_URL").expect(
        "TEST_DATABASE_URL names no PostgreSQL server: run the tests with `bash tests/run.sh`",
    )
}

/// A fresh SQLite file.
pub(crate) fn sqlite() -> Database {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", directory.path().join("test.db").display());
    Database { url, directory }
}

/// A fresh PostgreSQL database.
pub(crate) async fn postgres() -> Database {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let server = server();
    let (base, _) = server.rsplit_once('/').expect("the URL names a database");
    create_database(&server, &name).await;
    let directory = tempfile::tempdir().expect("a temporary folder");
    Database { url: format!("{base}/{name}"), directory }
}

#[expect(clippy::disallowed_methods, reason = "outside the store: the tests' own database")]
async fn create_database(server: &str, name: &str) {
    use sqlx::Connection as _;
    let mut connection = sqlx::PgConnection::connect(server)
        .await
        .expect("the PostgreSQL of TEST_DATABASE_URL answers: run `bash tests/run.sh`");
    sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}")))
        .execute(&mut connection)
        .await
        .expect("a database for the test");
}

/// The rows of a query that is the same on both databases.
#[expect(clippy::disallowed_methods, reason = "looks at the archive from outside the store")]
pub(crate) async fn rows<T>(store: &Store, sql: impl SqlSafeStr) -> Vec<T>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    match store {
        Store::Sqlite { readers, .. } => sqlx::query_as(sql).fetch_all(readers).await.unwrap(),
        Store::Postgres(pool) => sqlx::query_as(sql).fetch_all(pool).await.unwrap(),
    }
}

/// The number that a query counts.
pub(crate) async fn count(store: &Store, sql: &'static str) -> i64 {
    let counts: Vec<(i64,)> = rows(store, sql).await;
    counts[0].0
}

/// Makes two tests of an `async fn(Database)`: one on SQLite, one on PostgreSQL.
macro_rules! on_both {
    ($test:ident) => {
        mod $test {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$test($crate::databases::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                super::$test($crate::databases::postgres().await).await;
            }
        }
    };
}

pub(crate) use on_both;

/// All rows of a table as JSON text, sorted.
pub(crate) async fn table_rows(store: &Store, table: &str) -> Vec<String> {
    let columns = match store {
        Store::Sqlite { .. } => {
            let sql = format!("select name from pragma_table_info('{table}')");
            let names: Vec<(String,)> = rows(store, sqlx::AssertSqlSafe(sql)).await;
            names
                .into_iter()
                .map(|(name,)| format!("'{name}', {name}"))
                .collect::<Vec<_>>()
                .join(", ")
        }
        Store::Postgres(_) => String::new(),
    };
    let sql = match store {
        Store::Sqlite { .. } => format!("select json_object({columns}) from {table} order by 1"),
        Store::Postgres(_) => format!("select to_jsonb(t)::text from {table} t order by 1"),
    };
    let found: Vec<(String,)> = rows(store, sqlx::AssertSqlSafe(sql)).await;
    found.into_iter().map(|(row,)| row).collect()
}

/// Deletes every row of every table but for the zone.
#[expect(clippy::disallowed_methods, reason = "outside the store: the tests' own database")]
pub(crate) async fn empty(store: &Store) {
    match store {
        Store::Sqlite { writer, .. } => {
            let sql =
                "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'
                       and name not in ('archive', 'archive_zone', '_sqlx_migrations')";
            let names: Vec<(String,)> = sqlx::query_as(sql).fetch_all(writer).await.unwrap();
            let deletes: String =
                names.iter().map(|(name,)| format!("delete from {name};")).collect();
            let sql = format!("pragma foreign_keys = off; {deletes} pragma foreign_keys = on");
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(writer).await.unwrap();
        }
        Store::Postgres(pool) => {
            let sql = "select tablename::text from pg_tables where schemaname = 'public'
                       and tablename not in ('archive', 'archive_zone', '_sqlx_migrations')";
            let names: Vec<(String,)> = sqlx::query_as(sql).fetch_all(pool).await.unwrap();
            let names: Vec<_> = names.into_iter().map(|(name,)| name).collect();
            let sql = format!("truncate {} restart identity", names.join(", "));
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(pool).await.unwrap();
        }
    }
}
