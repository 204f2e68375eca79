//! Entities whose rows wait to be derived, because older answers came.

use serde_json::{Value, json};
use tidewatch::backfill::{ImportOptions, ImportSummary, read_answers};
use tidewatch::replay::{derive_waiting, replay};
use tidewatch::store::Store;
use tidewatch::time::Time;

use super::ledger::run;
use crate::databases::{Database, count, on_both, table_rows};
use crate::env::{Env, hours, world};
use crate::program::Place;

pub(crate) const NOTE: &str = "64a0000000000000000000a1";

/// Old answers in one import: several batches.
const OLD: i64 = 250;

/// A line with an answer about a note, of this minute.
pub(crate) fn line(note: &str, minute: i64) -> String {
    let body: Value = json!({ "code": 0, "data": [{ "note_list": [{
        "id": note, "type": "normal", "title": format!("title {}", minute % 7), "desc": "正文",
        "user": { "userid": "u1", "nickname": format!("小满{}", minute % 5) },
        "time": 1_772_300_000, "liked_count": minute, "collected_count": 2, "comments_count": 1,
        "shared_count": 0, "images_list": [], "hash_tag": [], "ats": [],
    }] }] });
    let fetched_at = 1_767_225_600 + 60 * minute;
    let endpoint = "xiaohongshu/get-note-detail/v1";
    json!({ "endpoint": endpoint, "fetched_at": fetched_at, "asked": note, "body": body })
        .to_string()
}

/// Imports lines, and derives nothing that waits.
pub(crate) async fn import(store: &Store, lines: &[String]) -> ImportSummary {
    let now: Time = "2026-03-09 12:00:00".parse().unwrap();
    let options = ImportOptions::default();
    let text = lines.join("\n");
    let each = |_, why: &str| anyhow::bail!("{why}");
    read_answers(text.as_bytes(), &options, Some((store, 7)), now, each).await.unwrap()
}

pub(super) async fn waiting(store: &Store) -> i64 {
    store.read().await.unwrap().count_stale().await.unwrap()
}

const ROWS: [&str; 6] = ["notes", "authors", "changes", "snapshots", "latest", "days"];

on_both!(older_answers_of_an_item_are_read_once_however_many_batches_bring_them);
async fn older_answers_of_an_item_are_read_once_however_many_batches_bring_them(
    database: Database,
) {
    let store = database.open().await;
    import(&store, &[line(NOTE, OLD)]).await;
    assert_eq!(waiting(&store).await, 0);
    let old: Vec<_> = (0..OLD).rev().map(|minute| line(NOTE, minute)).collect();
    assert_eq!(import(&store, &old).await.imported, 250);
    let waiting_now = waiting(&store).await;
    assert!((1..=2).contains(&waiting_now), "the note, perhaps its author: {waiting_now}");
    assert_eq!(count(&store, "select count(*) from snapshots").await, 1, "not derived yet");
    let read = i64::try_from(derive_waiting(&store).await.unwrap()).unwrap();
    assert_eq!(read, waiting_now * (OLD + 1), "each document once for each entity");
    assert_eq!(waiting(&store).await, 0);
    assert_eq!(count(&store, "select count(*) from snapshots").await, OLD + 1);
    let mut derived = Vec::new();
    for table in ROWS {
        derived.push(table_rows(&store, table).await);
    }
    replay(&store, |_, _| {}).await.unwrap();
    for (table, rows) in ROWS.iter().zip(derived) {
        assert_eq!(table_rows(&store, table).await, rows, "{table}");
    }
}

on_both!(rows_that_wait_over_a_crash_are_told_and_derived_at_the_next_start);
async fn rows_that_wait_over_a_crash_are_told_and_derived_at_the_next_start(database: Database) {
    let note = world().notes(1).remove(0);
    let place = Place::new(&database, "");
    let job = format!(
        "[[job]]\nname = \"campaign\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = [\"{note}\"]\n"
    );
    let mut env = Env::new(database, &job).await;
    env.advance(hours(1)).await;
    env.down_for(hours(1));
    import(&env.store, &[line(&note, 3)]).await;
    assert_eq!(place.run(&["status"]).await, 0, "{}", place.said());
    let told = "older answers came: the rows of 1 entity wait to be derived";
    let said = std::fs::read_to_string(place.output("stdout")).unwrap();
    assert!(said.contains(told), "{said}");
    env.restart(&job).await;
    env.advance(hours(1)).await;
    assert_eq!(waiting(&env.store).await, 0);
    let first = env.ask("select '' || first_seen_at from notes").await.remove(0);
    assert!(first.starts_with("2026-01-01 00:03:00"), "{first}");
}

/// Refuses the rows of one note.
pub(super) const REFUSE: [&str; 2] = [
    "create trigger refuse before insert on notes when new.title = 'title 4'
     begin select raise(abort, 'not this one'); end",
    "create function refuse() returns trigger language plpgsql as $$ begin
         raise exception 'not this one' using errcode = 'check_violation'; end $$;
     create trigger refuse before insert on notes for each row
         when (new.title = 'title 4') execute function refuse()",
];

on_both!(an_answer_that_was_refused_once_makes_rows_when_it_is_taken);
async fn an_answer_that_was_refused_once_makes_rows_when_it_is_taken(database: Database) {
    let store = database.open().await;
    run(&store, REFUSE[0], REFUSE[1]).await;
    let other = "64a0000000000000000000a2";
    let done = import(&store, &[line(other, 3), line(NOTE, 4), line(other, 5)]).await;
    assert_eq!((done.imported, done.unreadable), (3, 1));
    let refused = "select count(*) from documents where cleaned = 'refused by the database'";
    for _ in 0..2 {
        assert_eq!(count(&store, "select count(*) from notes").await, 1);
        assert_eq!(count(&store, refused).await, 1);
        replay(&store, |_, _| {}).await.expect("one document does not end it");
    }
    run(&store, "drop trigger refuse", "drop trigger refuse on notes").await;
    replay(&store, |_, _| {}).await.unwrap();
    assert_eq!(count(&store, "select count(*) from notes").await, 2);
    assert_eq!(count(&store, refused).await, 0);
    let whole = "select count(*) from documents where drift is null and exact is null";
    assert_eq!(count(&store, whole).await, 3);
}

on_both!(a_replay_does_not_wait_for_those_who_read);
async fn a_replay_does_not_wait_for_those_who_read(database: Database) {
    let store = database.open().await;
    import(&store, &[line(NOTE, 1), line(NOTE, 2)]).await;
    let mut reader = store.read().await.unwrap();
    reader.unavailable(1).await.unwrap();
    reader.items_not_observed_since("2026-03-09 12:00:00".parse().unwrap()).await.unwrap();
    assert_eq!(replay(&store, |_, _| {}).await.unwrap(), 2);
    assert_eq!(count(&store, "select count(*) from snapshots").await, 2);
    drop(reader);
}

on_both!(imports_that_stand_in_each_others_way_both_end);
async fn imports_that_stand_in_each_others_way_both_end(database: Database) {
    let store = database.open().await;
    let notes: Vec<_> = (0..60).map(|nth| format!("64a0000000000000000000{nth:02}")).collect();
    for minute in [10, 20] {
        let there: Vec<_> = notes.iter().map(|note| line(note, minute)).collect();
        let back: Vec<_> = notes.iter().rev().map(|note| line(note, minute + 1)).collect();
        let both = tokio::join!(import(&store, &there), import(&store, &back));
        assert_eq!((both.0.imported, both.1.imported), (60, 60));
    }
    derive_waiting(&store).await.unwrap();
    assert_eq!(count(&store, "select count(*) from snapshots").await, 240);
    assert_eq!(count(&store, "select count(distinct item_key) from snapshots").await, 60);
}
