//! Transactions that meet on PostgreSQL, where several write at once.

use tidewatch::store::{Store, is_conflict};

use crate::databases::postgres;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "makes two transactions wait for each other")]
async fn a_deadlock_is_told_from_a_database_that_fails() {
    let database = postgres().await;
    let Store::Postgres(pool) = database.open().await else { unreachable!("it is PostgreSQL") };
    let lock = "select pg_advisory_xact_lock($1)";
    let (mut one, mut other) = (pool.begin().await.unwrap(), pool.begin().await.unwrap());
    sqlx::query(lock).bind(1_i64).execute(&mut *one).await.unwrap();
    sqlx::query(lock).bind(2_i64).execute(&mut *other).await.unwrap();
    let (first, second) = tokio::join!(sqlx::query(lock).bind(2_i64).execute(&mut *one), async {
        let waited = sqlx::query(lock).bind(1_i64).execute(&mut *other).await;
        // Lets the other one go on, whichever was undone.
        other.rollback().await.unwrap();
        waited
    });
    let errors: Vec<_> = [first, second].into_iter().filter_map(Result::err).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors.into_iter().all(|error| is_conflict(&error.into())));
    let fails = sqlx::query("select 1 / 0").execute(&pool).await.unwrap_err();
    assert!(!is_conflict(&fails.into()));
}
