//! Timeouts of statements and locks in PostgreSQL.

use tidewatch::store::Tx;

use crate::databases::postgres;

#[expect(clippy::disallowed_methods, reason = "asks the server itself")]
async fn limits(tx: &mut Tx) -> (String, String) {
    let Tx::Postgres(tx) = tx else { panic!("only PostgreSQL limits statements") };
    let sql = "select current_setting('lock_timeout'), current_setting('statement_timeout')";
    sqlx::query_as(sql).fetch_one(&mut **tx).await.unwrap()
}

#[tokio::test]
async fn no_statement_waits_for_ever_and_reports_take_their_time() {
    let store = postgres().await.open().await;
    let mut tx = store.read().await.unwrap();
    assert_eq!(limits(&mut tx).await, ("30s".into(), "1min".into()));
    tx.disable_timeout().await.unwrap();
    assert_eq!(limits(&mut tx).await, ("30s".into(), "0".into()));
    drop(tx);
    assert_eq!(limits(&mut store.begin().await.unwrap()).await, ("30s".into(), "1min".into()));
}
