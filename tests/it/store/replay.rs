//! Statements that make the rows anew.

use tidewatch::model::{Facts, Field};
use tidewatch::store::{Disposition, Store};
use tidewatch::time::Time;

use super::{answer, at, call, campaign, claim_as, look, note, open_at};
use crate::databases::{Database, on_both, rows as found};
use crate::rows;

#[expect(clippy::disallowed_methods, reason = "plays a program of another version")]
async fn outdate(store: &Store) {
    let sql = "update documents set normaliser = 0, drift = 'not known then' where drift is null";
    match store {
        Store::Sqlite { writer, .. } => sqlx::query(sql).execute(writer).await.map(|_| ()),
        Store::Postgres(pool) => sqlx::query(sql).execute(pool).await.map(|_| ()),
    }
    .unwrap();
}

on_both!(documents_are_read_again_in_their_order_but_for_those_that_came_late);
async fn documents_are_read_again_in_their_order_but_for_those_that_came_late(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let slow = claim_as(&mut tx, 8, "09:00:00").await.remove(0);
    let slow_call = tx.open_calls(&[call(&slow, "09:00:00")]).await.unwrap()[0];
    tx.commit().await.unwrap();
    let (_, first) = look(&store, "09:30:00", Disposition::Observed, rows::one_of_each("a")).await;
    let mut tx = store.begin().await.unwrap();
    let mut late =
        answer(&slow, slow_call, "09:31:00", Disposition::Observed, rows::one_of_each("a"));
    late.document.as_mut().unwrap().drift = Some("odd".into());
    assert_eq!(tx.save(&[late]).await.unwrap().late, 1);
    tx.fire(job, &open_at("10:00:00"), None, at("10:00:00")).await.unwrap();
    tx.commit().await.unwrap();
    let (_, second) = look(&store, "10:00:00", Disposition::Observed, rows::one_of_each("a")).await;
    outdate(&store).await;
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.count_documents().await.unwrap(), 2);
    let places = tx.documents_after(None, 10).await.unwrap();
    let ids: Vec<_> = places.iter().map(|place| place.document_id).collect();
    assert_eq!(ids, [first, second]);
    assert_eq!(tx.documents_after(Some(places[0]), 10).await.unwrap(), places[1..]);
    tx.drop_rows().await.unwrap();
    let kept = tx.kept(&places).await.unwrap();
    assert!(kept[0].text().contains("\\ufffd"), "as it was read: {}", kept[0].text());
    let replayed: Vec<_> = kept.iter().map(|it| it.read_again(Facts::default(), None)).collect();
    tx.put_replayed(&replayed).await.unwrap();
    tx.commit().await.unwrap();
    let drift: Vec<(Option<String>, i64)> =
        found(&store, "select drift, normaliser from documents order by fetched_at").await;
    assert_eq!((&drift[0], &drift[2]), (&(None, 1), &(None, 1)), "read anew");
    assert!(drift[1].0.as_ref().is_some_and(|it| it.starts_with("late")), "{drift:?}");
}

on_both!(answers_that_are_saved_together_show_the_edits_between_them);
async fn answers_that_are_saved_together_show_the_edits_between_them(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.commit().await.unwrap();
    let titles = ["one", "one", "two", "two", "three", "one"];
    for (title, minute) in titles.iter().zip(10..) {
        let now = format!("09:{minute}:00");
        let mut tx = store.begin().await.unwrap();
        tx.fire(job, &open_at(&now), None, at(&now)).await.unwrap();
        tx.commit().await.unwrap();
        let mut facts = rows::one_of_each("a");
        facts.notes[0].row.title = Field::Value((*title).to_owned());
        look(&store, &now, Disposition::Observed, facts).await;
    }
    let edits = "select seen_at, document_id, previous_document_id from edits order by seen_at";
    let singly: Vec<(Time, i64, i64)> = found(&store, edits).await;
    assert_eq!(
        singly.iter().map(|row| row.0).collect::<Vec<_>>(),
        ["09:12:00", "09:14:00", "09:15:00"].map(at)
    );
    let mut tx = store.begin().await.unwrap();
    let places = tx.documents_after(None, 10).await.unwrap();
    tx.drop_rows().await.unwrap();
    let kept = tx.kept(&places).await.unwrap();
    let together = kept.into_iter().zip(titles).map(|(kept, title)| {
        let mut facts = rows::one_of_each("a");
        facts.notes[0].row.title = Field::Value(title.to_owned());
        kept.read_again(facts, None)
    });
    tx.put_replayed(&together.collect::<Vec<_>>()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(found::<(Time, i64, i64)>(&store, edits).await, singly);
    let seen: Vec<(Time,)> = found(&store, "select last_seen_at from notes").await;
    assert_eq!(seen, [(at("09:15:00"),)]);
}
