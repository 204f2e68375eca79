//! The rows are a function of the documents: dropped and made anew they are the same.

use serde_json::{Value, json};
use tidewatch::replay::replay;
use tidewatch::store::Store;

use crate::databases::{Database, on_both};
use crate::env::{Env, hours, minutes, world};
use crate::parity::{Dump, dump_but, jobs};
use crate::program::Place;

pub(crate) async fn dump(store: &Store) -> Dump {
    dump_but(store, &[]).await
}

pub(crate) fn assert_same(before: &Dump, after: &Dump, why: &str) {
    for (table, rows) in before {
        let other = &after[table];
        let differs = rows.iter().zip(other).find(|(one, another)| one != another);
        assert_eq!(differs, None, "{why}: in {table}");
        assert_eq!(rows.len(), other.len(), "{why}: rows of {table}");
    }
}

/// A line with the second answer about a note, as if somebody had fetched it long before.
async fn older(env: &Env) -> String {
    let body = env
        .ask(
            "select body from document_texts where target_id = 1 and outcome = 'ok'
             order by document_id limit 1 offset 1",
        )
        .await
        .remove(0);
    let body: Value = serde_json::from_str(&body).unwrap();
    let asked = world().notes(1).remove(0);
    let endpoint = "xiaohongshu/get-note-detail/v7";
    json!({ "endpoint": endpoint, "fetched_at": "2026-01-02T03:04:05Z", "asked": asked, "body": body })
        .to_string()
}

/// Half a day of failures and poisoned answers, and an answer from elsewhere that came late.
async fn half_a_day(database: Database) -> (Env, Place) {
    let place = Place::new(&database, "");
    let mut env = Env::new(database, &jobs()).await;
    env.advance(minutes(1)).await;
    env.fails(
        "note=301:0.1,drop:0.05,nul:0.05,surrogate:0.05,dup:0.05,empty:0.05,wrong-id:0.05; \
         amagi=risk:0.2; suggestions@2=not-json; kols@2=503",
    );
    env.advance(hours(12)).await;
    place.write("answers.jsonl", &older(&env).await);
    let import = ["backfill", "--from-jsonl", "answers.jsonl"];
    assert_eq!(place.run(&import).await, 0, "{}", place.said());
    (env, place)
}

on_both!(rows_that_are_dropped_and_made_anew_are_the_same);
async fn rows_that_are_dropped_and_made_anew_are_the_same(database: Database) {
    let (mut env, place) = half_a_day(database).await;
    if matches!(env.store, Store::Sqlite { .. }) {
        let refused = replay(&env.store, |_, _| {}).await.unwrap_err();
        assert!(refused.to_string().contains("stop it first"), "{refused}");
    }
    env.down_for(std::time::Duration::ZERO);
    let before = dump(&env.store).await;
    let late = before["notes"].iter().filter(|row| row.contains("2026-01-02 03:04:05"));
    assert_eq!(late.count(), 1, "the import is the beginning of its note");
    let mut told = (0, 0);
    let done = replay(&env.store, |done, total| told = (done, total)).await.unwrap();
    assert!(done > 100 && told == (done, done), "{done} {told:?}");
    assert_same(&before, &dump(&env.store).await, "once");
    // Interrupted after it had dropped the rows.
    let mut tx = env.store.begin().await.unwrap();
    tx.drop_rows().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(env.ask("select '' || count(*) from engagement").await, ["0"]);
    assert_eq!(place.run(&["replay"]).await, 0, "{}", place.said());
    assert_same(&before, &dump(&env.store).await, "twice");
}
