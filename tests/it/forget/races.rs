//! Erasure beside processes that do not know of it yet.

use std::time::Duration;

use tidewatch::erasure::{Erasure, Subject};
use tidewatch::model::{Kind, Platform, Target};
use tidewatch::replay::replay;
use tidewatch::store::{ProcessRow, Tombstone};

use super::people::{self, ANNA, ANNAS, BOS};
use super::{ask, assert_rows_follow_from_documents, change, erase};
use crate::databases::{Database, count, on_both};
use crate::env::{Env, beginning, hours, minutes, world};
use crate::program::Place;

const KOLS: &str = "[[job]]\nname = \"k\"\nkind = \"kols\"\nschedule = \"@hourly\"\n\
                    filter = { keyword = \"阅读\" }\n";

fn works(urls: &[String]) -> String {
    format!("[[job]]\nname = \"w\"\nkind = \"works\"\nschedule = \"@hourly\"\nurls = {urls:?}\n")
}

fn anna() -> [Subject; 1] {
    [Subject::Author(Platform::Xiaohongshu, ANNA.to_owned())]
}

on_both!(process_that_just_lost_its_lock_blocks_an_erasure);
async fn process_that_just_lost_its_lock_blocks_an_erasure(database: Database) {
    let store = database.open().await;
    for (owner, announced) in [(7, true), (8, false)] {
        let mut tx = store.begin().await.unwrap();
        let process = ProcessRow {
            owner,
            verb: "run".to_owned(),
            version: String::new(),
            started_at: beginning(),
            beat_at: None,
            died_at: None,
            clock: None,
        };
        tx.put_process(&process, &[]).await.unwrap();
        let at = beginning().plus(minutes(1));
        tx.heartbeat(owner, at, at, announced).await.unwrap();
        tx.commit().await.unwrap();
        let soon = at.plus(Duration::from_secs(30));
        let subjects = anna();
        let erasure = |now| Erasure { store: &store, subjects: &subjects, note: None, now };
        let begun = erasure(soon).preview().await;
        // A lock on a file is not lost.
        assert_eq!(begun.is_ok(), store.is_sqlite());
        if announced {
            let later = at.plus(minutes(1));
            erasure(later).preview().await.unwrap();
        }
        let mut tx = store.begin().await.unwrap();
        tx.end_process(owner, at).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// As if somebody had erased it who took everybody else for dead.
async fn erase_behind_its_back(env: &Env, kind: &str, platform: Platform, id: &str) {
    let tombstone = Tombstone::new(kind, platform, id, env.clock.now());
    let mut tx = env.store.begin().await.unwrap();
    tx.retire_targets(std::slice::from_ref(&tombstone), &[]).await.unwrap();
    tx.put_tombstones(&[tombstone]).await.unwrap();
    tx.commit().await.unwrap();
}

on_both!(partitioned_daemon_redacts_what_it_saves);
async fn partitioned_daemon_redacts_what_it_saves(database: Database) {
    let mut env = Env::new(database, KOLS).await;
    env.advance(minutes(61)).await;
    let kol = env.ask("select kol_id from kol_search_results where position = 0").await.remove(0);
    erase_behind_its_back(&env, "author", Platform::Xiaohongshu, &kol).await;
    env.advance(hours(1)).await;
    let latest = "select count(*) from documents where redacted_at is not null
                  and document_id = (select max(document_id) from documents)";
    assert_eq!(count(&env.store, latest).await, 1, "the answer that came next");
    let listed = "select count(*) from kol_search_results where position = 0
                  and document_id = (select max(document_id) from documents)";
    assert_eq!(count(&env.store, listed).await, 0);
    assert_eq!(env.ask("select distinct outcome from slots").await, ["observed"]);
}

on_both!(answer_in_flight_about_the_erased_is_dropped);
async fn answer_in_flight_about_the_erased_is_dropped(database: Database) {
    let note = world().notes(1).remove(0);
    let job = format!(
        "[[job]]\nname = \"n\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = [\"{note}\"]\n"
    );
    let mut env = Env::new(database, &job).await;
    env.advance(minutes(61)).await;
    let author = env.ask("select author_id from notes").await.remove(0);
    erase_behind_its_back(&env, "author", Platform::Xiaohongshu, &author).await;
    env.advance(hours(2)).await;
    for table in ["notes", "snapshots", "documents"] {
        let sql = format!("select '' || count(*) from {table}");
        assert_eq!(env.ask(Box::leak(sql.into_boxed_str())).await, ["0"], "{table}");
    }
    let looks = "select reason from slots where outcome = 'missed'";
    assert_eq!(env.ask(looks).await, ["forgotten"], "and the next is not planned");
    assert_eq!(env.ask("select id from forgotten where because is not null").await, [note]);
}

on_both!(short_link_to_a_work_of_an_erased_author_is_paid_for_once);
async fn short_link_to_a_work_of_an_erased_author_is_paid_for_once(database: Database) {
    let (work, link) = (world().works(1).remove(0), world().work_links(1));
    let mut env = Env::new(database, &works(std::slice::from_ref(&work))).await;
    env.advance(minutes(61)).await;
    let author = env.ask("select author_id from works").await.remove(0);
    env.down_for(minutes(1));
    let subjects = [Subject::Author(Platform::Douyin, author.clone())];
    erase(&env.store, &subjects, env.clock.now()).await;
    // As if the work had never been seen.
    change(&env.store, "delete from forgotten where because is not null").await;
    env.restart(&works(&link)).await;
    env.advance(hours(1)).await;
    let calls = "select count(*) from calls";
    let paid = count(&env.store, calls).await;
    env.reload("").await;
    env.reload(&works(&link)).await;
    env.advance(hours(3)).await;
    assert_eq!(count(&env.store, calls).await, paid, "nobody asked again");
    assert_eq!(count(&env.store, "select count(*) from documents").await, 0);
    assert_eq!(count(&env.store, "select count(*) from links").await, 0);
    let tombstones = "select id from forgotten where because is not null order by id";
    assert_eq!(env.ask(tombstones).await, [work, link[0].clone()]);
}

on_both!(import_redacts_by_what_another_of_its_answers_shows);
async fn import_redacts_by_what_another_of_its_answers_shows(database: Database) {
    let store = database.open().await;
    let place = Place::new(&database, "");
    assert_eq!(place.run(&["forget", "author", "xiaohongshu", ANNA, "--yes"]).await, 0);
    place.write("answers.jsonl", &[people::bo_with_annas(1), people::annas(1)].join("\n"));
    assert_eq!(place.run(&["backfill", "--from-jsonl", "answers.jsonl"]).await, 0);
    assert_eq!(ask(&store, "select note_id from kol_notes").await, [BOS]);
    let held = "select count(*) from document_texts where body like '%6a0000000000000000a00001%'";
    assert_eq!(count(&store, held).await, 0);
    assert_rows_follow_from_documents(&store).await;
}

on_both!(note_known_only_from_a_late_answer_is_redacted_everywhere);
async fn note_known_only_from_a_late_answer_is_redacted_everywhere(database: Database) {
    let store = database.open().await;
    let place = Place::new(&database, "");
    place.write("answers.jsonl", &[people::bo_with_annas(1), people::annas(1)].join("\n"));
    assert_eq!(place.run(&["backfill", "--from-jsonl", "answers.jsonl"]).await, 0);
    // Of a late answer there are no rows.
    change(
        &store,
        "update documents set drift = 'late: its slot was settled without it'
         where asked = '6a0000000000000000a00001'",
    )
    .await;
    change(&store, "update calls set message = 'upstream says: 6a0000000000000000a00001'").await;
    replay(&store, |_, _| {}).await.unwrap();
    assert_eq!(count(&store, "select count(*) from notes").await, 0);
    let summary = erase(&store, &anna(), beginning()).await;
    let ids: Vec<_> = summary.forgotten.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, [ANNA, ANNAS]);
    assert_eq!((summary.documents_deleted, summary.documents_redacted), (1, 1));
    assert_eq!(ask(&store, "select note_id from kol_notes").await, [BOS]);
    let held = "select count(*) from document_texts where body like '%6a0000000000000000a00001%'";
    assert_eq!(count(&store, held).await, 0);
    assert_eq!(count(&store, "select count(*) from calls where message is not null").await, 0);
    assert_rows_follow_from_documents(&store).await;
}

on_both!(preview_holds_nothing_and_erasure_must_match_it);
async fn preview_holds_nothing_and_erasure_must_match_it(database: Database) {
    let store = database.open().await;
    let place = Place::new(&database, "");
    let import = async |line: String| {
        place.write("answers.jsonl", &line);
        assert_eq!(place.run(&["backfill", "--from-jsonl", "answers.jsonl"]).await, 0);
    };
    import(people::annas(1)).await;
    let subjects = anna();
    for more in [true, false] {
        let erasure = Erasure { store: &store, subjects: &subjects, note: None, now: beginning() };
        let expected = erasure.preview().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.tombstones().await.unwrap(), [], "the page would not wait either");
        drop(tx);
        if more {
            import(people::annas(2)).await;
            let why = erasure.run(Some(&expected)).await.unwrap_err().to_string();
            assert!(why.contains("something else would go by now"), "{why}");
            assert_eq!(count(&store, "select count(*) from snapshots").await, 2);
            continue;
        }
        let (summary, lock) = erasure.run(Some(&expected)).await.unwrap();
        assert_eq!(summary.documents_deleted, 2);
        assert_eq!(count(&store, "select count(*) from snapshots").await, 0);
        // Nobody begins to work on the file until it is cleared away.
        let begins = async || store.lock_process(7).await.unwrap().is_some();
        assert_eq!(begins().await, !store.is_sqlite());
        drop(lock);
        assert!(begins().await);
    }
}

on_both!(file_is_not_cleared_away_under_a_daemon);
async fn file_is_not_cleared_away_under_a_daemon(database: Database) {
    let place = Place::new(&database, "");
    let mut env = Env::new(database, KOLS).await;
    let (code, _, why) = place.hear(&["forget", "clean"]).await;
    assert_eq!(code == 0, !env.store.is_sqlite(), "{why}");
    env.down_for(minutes(1));
    assert_eq!(place.run(&["forget", "clean"]).await, 0, "{}", place.said());
}

on_both!(free_texts_that_hold_an_erased_id_are_blanked);
async fn free_texts_that_hold_an_erased_id_are_blanked(database: Database) {
    let store = database.open().await;
    for sql in [
        "insert into config_loads (owner, read_at, error) values
         (1, '2026-03-02 00:00:00', 'list.txt:2: A_1234567890 twice'),
         (2, '2026-03-02 00:00:00', 'list.txt:2: b_1234567890 and ab1234567890')",
        "insert into pauses (scope, name, reason, since, failures, note) values
         ('job', 'n', 'by_hand', '2026-03-02 00:00:00', 0, 'because of a_1234567890')",
        "insert into alerts (name, condition, subject, detail, since, attempts, next_try_at,
                             last_error) values
         ('a', 'gone', 'note a_1234567890', '', '2026-03-02 00:00:00', 0, '2026-03-02 00:00:00', null),
         ('a', 'gone', 'note b', '', '2026-03-02 00:00:00', 1, '2026-03-02 00:00:00',
          'cannot send a_1234567890')",
        "insert into job_runs (run_id, due_at, origin, decided_at) values
         (7, '2026-03-02 00:00:00', 'backfill', '2026-03-02 00:00:00')",
        "insert into backfills (run_id, name, source, digest, created_at, state) values
         (7, '2026-03-02-a_1234567890.txt', 'a_1234567890.txt', '', '2026-03-02 00:00:00', 'done')",
    ] {
        change(&store, sql).await;
    }
    let subjects = [Subject::Item(Target { kind: Kind::Note, key: "a_1234567890".to_owned() })];
    erase(&store, &subjects, beginning()).await;
    let mut left = Vec::new();
    for sql in [
        "select coalesce(error, '-') from config_loads order by owner",
        "select coalesce(note, '-') from pauses",
        "select subject || coalesce(last_error, '-') from alerts",
        "select name || ' ' || source from backfills",
    ] {
        left.extend(ask(&store, sql).await);
    }
    let like = "list.txt:2: b_1234567890 and ab1234567890";
    let expected = ["it named what is forgotten", like, "-", "note b-", "forgotten-7 forgotten"];
    assert_eq!(left, expected);
}

on_both!(erased_short_link_is_reported_as_erased);
async fn erased_short_link_is_reported_as_erased(database: Database) {
    let link = world().work_links(1);
    let place = Place::new(&database, "");
    let mut env = Env::new(database, &works(&link)).await;
    let (code, _, why) = place.hear(&["forget", "work", &link[0], "--dry-run"]).await;
    assert!(code != 0 && !why.contains("forgotten on"), "{why}");
    env.advance(minutes(61)).await;
    env.down_for(minutes(1));
    for forgets in [true, false] {
        let (code, _, why) = place.hear(&["forget", "work", &link[0], "--yes"]).await;
        assert_eq!(code == 0, forgets, "{why}");
        assert_eq!(why.contains("is forgotten already: it was forgotten on 20"), !forgets, "{why}");
    }
}
