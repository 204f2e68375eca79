//! The derivation of an entity's rows, step by step, beside others who write.

use std::time::Duration;

use serde_json::json;
use tidewatch::erasure::{Erasure, Subject};
use tidewatch::model::{Entity, Kind, Platform, Target};
use tidewatch::replay::{Pass, derive_waiting, replay};
use tidewatch::store::{Store, Tombstone, is_conflict};
use tidewatch::time::Time;

use super::ledger::run;
use super::stale::{NOTE, REFUSE, import, line, waiting};
use crate::databases::{Database, count, on_both, postgres, rows, table_rows};
use crate::env::{Env, hours, world};

const OTHER: &str = "64a0000000000000000000a2";

const NOTES_WAIT: &str = "select count(*) from stale where kind = 'note'";

/// Old answers of one note: more than a step reads.
const OLD: i64 = 450;

/// The newest answer, then the older ones but for one.
async fn import_backwards(store: &Store, but: i64) {
    import(store, &[line(NOTE, OLD)]).await;
    let old: Vec<_> =
        (0..OLD).rev().filter(|it| *it != but).map(|minute| line(NOTE, minute)).collect();
    import(store, &old).await;
    assert_eq!(count(store, NOTES_WAIT).await, 1);
}

/// Derives the note. Returns how many documents were read.
async fn derive_note(store: &Store, pass: &mut Pass) -> usize {
    let mut documents = 0;
    while count(store, NOTES_WAIT).await > 0 {
        let read = pass.step(store).await.unwrap().expect("the note waits");
        assert!(read <= 200, "{read} documents in one step");
        documents += read;
    }
    documents
}

on_both!(an_item_is_read_in_steps_and_again_only_where_answers_came_between);
async fn an_item_is_read_in_steps_and_again_only_where_answers_came_between(database: Database) {
    let store = database.open().await;
    let between = 7;
    import_backwards(&store, between).await;
    let mut pass = Pass::default();
    assert_eq!(pass.step(&store).await.unwrap(), Some(200));
    import(&store, &[line(NOTE, OLD + 1)]).await;
    let all = usize::try_from(OLD + 1).unwrap();
    assert_eq!(derive_note(&store, &mut pass).await + 200, all, "the newest beside the others");
    import(&store, &[line(NOTE, -1)]).await;
    let mut pass = Pass::default();
    assert_eq!(pass.step(&store).await.unwrap(), Some(200));
    import(&store, &[line(NOTE, between)]).await;
    assert_eq!(derive_note(&store, &mut pass).await + 200, all + 1 + all + 2);
    assert_eq!(count(&store, "select count(*) from snapshots").await, OLD + 3);
    derive_waiting(&store).await.unwrap();
    let mut derived = Vec::new();
    for table in ["notes", "authors", "changes", "snapshots", "latest", "days"] {
        derived.push((table, table_rows(&store, table).await));
    }
    replay(&store, |_, _| {}).await.unwrap();
    for (table, rows) in derived {
        assert_eq!(table_rows(&store, table).await, rows, "{table}");
    }
}

on_both!(a_document_that_is_refused_meanwhile_makes_no_rows);
async fn a_document_that_is_refused_meanwhile_makes_no_rows(database: Database) {
    let store = database.open().await;
    import_backwards(&store, OLD).await;
    let mut pass = Pass::default();
    pass.step(&store).await.unwrap();
    let sql = "update documents set body = '\"no\"', cleaned = 'refused by the database'
               where document_id in (select max(document_id) from documents)";
    run(&store, sql, sql).await;
    derive_note(&store, &mut pass).await;
    assert_eq!(count(&store, "select count(*) from snapshots").await, OLD);
}

on_both!(an_entity_that_fails_each_time_keeps_no_other_waiting);
async fn an_entity_that_fails_each_time_keeps_no_other_waiting(database: Database) {
    let note = world().notes(1).remove(0);
    let job = format!(
        "[[job]]\nname = \"n\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = [\"{note}\"]\n"
    );
    let mut env = Env::new(database, &job).await;
    env.down_for(hours(1));
    for minute in [5, 3] {
        import(&env.store, &[line(NOTE, minute), line(OTHER, minute)]).await;
    }
    assert_eq!(count(&env.store, NOTES_WAIT).await, 2);
    // An error that is not the fault of the data.
    run(
        &env.store,
        "create table fails (n integer primary key);
         create trigger fails before insert on notes when new.note_id like '%a1'
         begin insert into fails values ('x'); end",
        "create function fails() returns trigger language plpgsql as $$ begin
             raise exception 'not now'; end $$;
         create trigger fails before insert on notes for each row
             when (new.note_id like '%a1') execute function fails()",
    )
    .await;
    env.restart(&job).await;
    env.advance(hours(3)).await;
    let left: Vec<(String,)> = rows(&env.store, "select id from stale where kind = 'note'").await;
    assert_eq!(left, [(NOTE.to_owned(),)]);
    run(&env.store, "drop trigger fails", "drop trigger fails on notes").await;
    env.advance(hours(3)).await;
    assert_eq!(waiting(&env.store).await, 0);
}

/// Nineteen answers, of which the database refuses the rows with the newest.
async fn import_with_a_refused_one(store: &Store) {
    for minute in (0..=18).rev() {
        import(store, &[line(NOTE, minute)]).await;
    }
    run(store, REFUSE[0], REFUSE[1]).await;
}

async fn assert_that_one_is_refused(store: &Store) {
    assert_eq!(waiting(store).await, 0);
    let refused = "select count(*) from documents where cleaned = 'refused by the database'";
    assert_eq!(count(store, refused).await, 1);
    assert_eq!(count(store, "select count(*) from snapshots").await, 18);
    let seen: Vec<(String, Time)> = rows(store, "select title, last_seen_at from notes").await;
    assert_eq!(seen, [("title 3".to_owned(), "2026-01-01 00:17:00".parse().unwrap())]);
    let seen: Vec<(Time,)> = rows(store, "select last_seen_at from authors").await;
    assert_eq!(seen, [("2026-01-01 00:17:00".parse().unwrap(),)]);
    run(store, "drop trigger refuse", "drop trigger refuse on notes").await;
    replay(store, |_, _| {}).await.unwrap();
    assert_eq!(count(store, refused).await, 0);
    assert_eq!(count(store, "select count(*) from snapshots").await, 19);
}

on_both!(a_document_whose_rows_are_refused_is_kept_as_text_and_the_rest_derived);
async fn a_document_whose_rows_are_refused_is_kept_as_text_and_the_rest_derived(
    database: Database,
) {
    let store = database.open().await;
    import_with_a_refused_one(&store).await;
    derive_waiting(&store).await.unwrap();
    assert_that_one_is_refused(&store).await;
}

on_both!(an_erasure_goes_through_beside_a_document_whose_rows_are_refused);
async fn an_erasure_goes_through_beside_a_document_whose_rows_are_refused(database: Database) {
    let store = database.open().await;
    import_with_a_refused_one(&store).await;
    let subjects = [Subject::Item(Target { kind: Kind::Note, key: OTHER.to_owned() })];
    let now = "2026-03-09 12:00:00".parse().unwrap();
    Erasure { store: &store, subjects: &subjects, note: None, now }.run(None).await.unwrap();
    assert_that_one_is_refused(&store).await;
}

/// A line with an answer about a work, of this minute.
fn work(id: &str, author: &str, minute: i64) -> String {
    let body = json!({ "code": 0, "data": { "aweme_detail": {
        "aweme_id": id, "desc": "海", "author": { "uid": author, "nickname": "阿岚" },
        "music": { "id_str": "88001", "title": "@阿岚的原声" }, "create_time": 1_767_000_000,
        "statistics": { "digg_count": minute, "comment_count": 1, "share_count": 1 },
    } } });
    json!({
        "endpoint": "douyin/get-video-detail/v2", "fetched_at": 1_767_225_600 + 60 * minute,
        "asked": id, "body": body,
    })
    .to_string()
}

on_both!(a_save_that_finds_erased_items_leaves_the_rest_to_be_derived);
async fn a_save_that_finds_erased_items_leaves_the_rest_to_be_derived(database: Database) {
    let store = database.open().await;
    let (erased, other) = ("7300000000000000001", "7300000000000000002");
    import(&store, &[work(erased, "700010001", 1), work(other, "700020002", 2)]).await;
    // As if somebody had erased the author who took everybody else for dead.
    let mut tx = store.begin().await.unwrap();
    let now = "2026-03-09 11:00:00".parse().unwrap();
    let author = Tombstone::new("author", Platform::Douyin, "700010001", now);
    tx.put_tombstones(&[author]).await.unwrap();
    tx.commit().await.unwrap();
    import(&store, &[work(erased, "700010001", 3)]).await;
    let waiting: Vec<(String, String)> = rows(&store, "select kind, id from stale").await;
    assert_eq!(waiting, [("music".to_owned(), "88001".to_owned())]);
    let left = "select (select count(*) from works where work_id = '7300000000000000001')
                     + (select count(*) from authors where author_id = '700010001')
                     + (select count(*) from music) as count";
    assert_eq!(count(&store, left).await, 0, "what may hold the erased");
    derive_waiting(&store).await.unwrap();
    let kept = "select count(*) from music m join works w on w.music_id = m.music_id";
    assert_eq!(count(&store, kept).await, 1);
}

/// Whether a statement waits for a lock.
async fn lock_is_awaited(store: &Store) {
    let sql = "select count(*) from pg_locks l join pg_database d on d.oid = l.database
               where not l.granted and d.datname = current_database()";
    // A transaction that waits for another has no database of its own.
    let other = "select count(*) from pg_stat_activity
                 where datname = current_database() and wait_event_type = 'Lock'";
    for _ in 0..600 {
        if count(store, sql).await + count(store, other).await > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody waits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_replaced_under_a_waiting_lock_is_a_conflict() {
    let store = postgres().await.open().await;
    import(&store, &[line(NOTE, 1), line(OTHER, 1)]).await;
    let Store::Postgres(pool) = &store else { panic!("PostgreSQL") };
    for replaces in [false, true] {
        let mut other = pool.begin().await.unwrap();
        let lock = "create temp table kept on commit drop as
                    select * from notes where note_id like '%a1';
                    select 1 from notes where note_id like '%a1' for update";
        sqlx::raw_sql(lock).execute(&mut *other).await.unwrap();
        let waits = async {
            let mut tx = store.begin_by_keys().await.unwrap();
            tx.lock_entity(&Entity::note(NOTE)).await
        };
        let replaced = async {
            lock_is_awaited(&store).await;
            let replace = "delete from notes where note_id like '%a1';
                           insert into notes select * from kept";
            if replaces {
                sqlx::raw_sql(replace).execute(&mut *other).await.unwrap();
            }
            other.commit().await.unwrap();
        };
        let (locked, ()) = tokio::join!(waits, replaced);
        assert_eq!(locked.err().map(|error| is_conflict(&error)), replaces.then_some(true));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_given_up_while_it_begins_is_ended() {
    let store = postgres().await.open().await;
    for tenths in 0..200 {
        let span = Duration::from_micros(10 * tenths);
        let _ = tokio::time::timeout(span, store.begin_by_keys()).await;
    }
    let open = "select count(*) from pg_stat_activity
                where datname = current_database() and state like 'idle in transaction%'";
    for _ in 0..600 {
        if count(&store, open).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a transaction stays open");
}
