//! Sessions of PostgreSQL: what they ask of the server, and which are thrown away.

use tidewatch::store::{Store, Tx};

use crate::databases::postgres;

/// Sets a default of the sessions to come.
#[expect(clippy::disallowed_methods, reason = "the server's own settings")]
async fn set_default(store: &Store, setting: &str) {
    let Store::Postgres(pool) = store else { unreachable!("it is PostgreSQL") };
    let name: String =
        sqlx::query_scalar("select current_database()::text").fetch_one(pool).await.unwrap();
    let sql = format!("set transaction_read_only = off; alter database {name} {setting}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(pool).await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "asks the server itself")]
async fn asked(tx: &mut Tx, sql: &'static str) -> sqlx::Result<String> {
    let Tx::Postgres(tx) = tx else { unreachable!("it is PostgreSQL") };
    sqlx::query_scalar(sql).fetch_one(&mut **tx).await
}

#[tokio::test]
async fn commits_are_durable_whatever_the_server_does_by_default() {
    let database = postgres().await;
    set_default(&database.open().await, "set synchronous_commit = off").await;
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let shown = asked(&mut tx, "select current_setting('synchronous_commit')").await;
    assert_eq!(shown.unwrap(), "on");
    assert!(!tx.may_lose_commits().await.unwrap());
    asked(&mut tx, "select set_config('synchronous_commit', 'off', false)").await.unwrap();
    assert!(tx.may_lose_commits().await.unwrap());
}

#[tokio::test]
async fn a_session_that_may_not_write_is_left_once_others_may() {
    let database = postgres().await;
    let before = database.open().await;
    set_default(&before, "set default_transaction_read_only = on").await;
    let store = Store::connect(database.url()).await.unwrap();
    let write = "insert into stale values ('note', 'xiaohongshu', 'a') returning id";
    let failed = asked(&mut store.begin().await.unwrap(), write).await.unwrap_err();
    assert_eq!(failed.as_database_error().unwrap().code().unwrap(), "25006");
    set_default(&before, "reset default_transaction_read_only").await;
    assert_eq!(asked(&mut store.begin().await.unwrap(), write).await.unwrap(), "a");
}

#[tokio::test]
async fn an_error_names_the_statement_and_not_the_servers_source() {
    let store = postgres().await.open().await;
    let mut tx = store.begin().await.unwrap();
    asked(&mut tx, "select set_config('search_path', 'nowhere', true)").await.unwrap();
    let told = format!("{:#}", tx.count_stale().await.unwrap_err());
    let expected = "relation \"stale\" does not exist, in `select count(*) as count from stale`";
    assert_eq!(told, expected);
}
