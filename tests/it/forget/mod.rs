//! Erasure: what is erased is gone from every answer and row, and does not come back.

mod arguments;
mod cold;
mod leaks;
mod people;
mod races;
mod remains;
mod tombstones;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tidewatch::erasure::{Erasure, Subject, Summary};
use tidewatch::model::{Kind, Platform, Target};
use tidewatch::replay::replay;
use tidewatch::store::Store;
use tidewatch::time::Time;

use self::people::{ANNA, ANNAS, BO, BOS, HERS, QIU, QIU_SEC, QIUS, WORK};
use self::remains::remains;
use crate::databases::{Database, count, on_both, rows};
use crate::env::{Env, beginning, hours, world};
use crate::parity::jobs;
use crate::program::Place;
use crate::replay::{assert_same, dump};

/// An archive in which Anna and Qiu stand in every way there is.
async fn archive(database: &Database) -> (Place, Store) {
    let store = database.open().await;
    let place = Place::new(database, "");
    let lines = [
        people::annas(1),
        people::annas(2),
        people::bos(1, false),
        people::bos(2, true),
        people::bos(3, true),
        people::kols(1),
        people::kols(2),
        people::together(1),
        people::together(2),
        people::qius(1),
    ];
    // Each by itself, so that edits show.
    for line in lines {
        place.write("answers.jsonl", &line);
        let import = ["backfill", "--from-jsonl", "answers.jsonl"];
        assert_eq!(place.run(&import).await, 0, "{}", place.said());
    }
    (place, store)
}

async fn erase(store: &Store, subjects: &[Subject], now: Time) -> Summary {
    let erasure = Erasure { store, subjects, note: None, now };
    loop {
        match erasure.run(None).await {
            // The server may not have noticed yet that a daemon's connection is gone.
            Err(error) if error.to_string().contains("at work") => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            done => return done.unwrap().0,
        }
    }
}

/// All values of a query's one text column.
async fn ask(store: &Store, sql: &'static str) -> Vec<String> {
    rows::<(String,)>(store, sql).await.into_iter().map(|row| row.0).collect()
}

/// Changes the archive in ways that nobody else does.
#[expect(clippy::disallowed_methods, reason = "from outside the store")]
async fn change(store: &Store, sql: &'static str) {
    match store {
        Store::Sqlite { writer, .. } => drop(sqlx::query(sql).execute(writer).await.unwrap()),
        Store::Postgres(pool) => drop(sqlx::query(sql).execute(pool).await.unwrap()),
    }
}

/// The rows are those that the documents would make.
async fn assert_rows_follow_from_documents(store: &Store) {
    let kept = dump(store).await;
    replay(store, |_, _| {}).await.unwrap();
    assert_same(&kept, &dump(store).await, "replayed");
}

on_both!(erased_person_leaves_nothing_but_tombstones);
async fn erased_person_leaves_nothing_but_tombstones(database: Database) {
    let (place, store) = archive(&database).await;
    for text in HERS {
        assert!(!remains(&store, &[text], "").await.is_empty(), "{text} is there to be found");
    }
    let why = ["forget", "author", "xiaohongshu", ANNA, "--yes", "--note", "request 7"];
    assert_eq!(place.run(&why).await, 0, "{}", place.said());
    let left = remains(&store, &HERS, "forgotten").await;
    // A tombstone is found by its id, and in a file its bytes are.
    let file = store.is_sqlite().then(|| [ANNA, ANNAS].map(|id| format!("test.db: {id}")));
    assert_eq!(left, file.map_or(Vec::new(), Vec::from));
    let tombstones = ask(
        &store,
        "select kind || ' ' || id || ' ' || coalesce(because, '-') || ' ' || note from forgotten
         order by kind",
    );
    let expected = [format!("author {ANNA} - request 7"), format!("note {ANNAS} {ANNA} request 7")];
    assert_eq!(tombstones.await, expected);
    // Without the tombstones there is nothing.
    assert_eq!(place.run(&["forget", "author", "xiaohongshu", ANNA, "--undo"]).await, 0);
    assert_eq!(place.run(&["forget", "clean"]).await, 0, "{}", place.said());
    assert_eq!(remains(&store, &HERS, "").await, Vec::<String>::new());
}

on_both!(answers_of_others_are_redacted_and_the_rest_stays);
async fn answers_of_others_are_redacted_and_the_rest_stays(database: Database) {
    let (place, store) = archive(&database).await;
    let counts = "select string_agg(observed_at || ' ' || likes, ', ') from (
                      select cast(observed_at as text) as observed_at, likes from note_metrics
                      where note_id = '6b0000000000000000b00001' order by 1) m";
    let before = ask(&store, counts).await;
    assert_eq!(place.run(&["forget", "kol", ANNA, "--yes"]).await, 0, "{}", place.said());
    assert_eq!(ask(&store, counts).await, before, "Bo's counts");
    assert_eq!(ask(&store, "select body from notes").await, ["和 @** 一起去, 还有 @小满"]);
    assert_eq!(
        ask(&store, "select position || nickname from mentions where platform = 'xiaohongshu'")
            .await,
        ["1小满"]
    );
    assert_eq!(ask(&store, "select nickname from kols").await, ["阿波"]);
    assert_eq!(ask(&store, "select position || note_id from kol_notes").await, [format!("1{BOS}")]);
    let places = "select position || kol_id from kol_search_results";
    assert_eq!(ask(&store, places).await, [format!("1{BO}"), format!("1{BO}")]);
    assert_eq!(
        ask(&store, "select name from hashtags where platform = 'xiaohongshu'").await,
        ["露营"]
    );
    assert_eq!(ask(&store, "select changed from edits").await, ["body"]);
    let cut = "select endpoint from documents where redacted_at is not null order by document_id";
    let note = "xiaohongshu/get-note-detail/v7".to_owned();
    let search = "xiaohongshu-pgy/kol-search/v1".to_owned();
    assert_eq!(ask(&store, cut).await, [note.clone(), note, search.clone(), search]);
    let follows =
        "select count(*) from kol_metrics where document_id in (select document_id from documents)";
    assert_eq!(count(&store, follows).await, 2);
    assert_rows_follow_from_documents(&store).await;
}

on_both!(short_id_in_a_count_stays_and_an_object_about_it_goes);
async fn short_id_in_a_count_stays_and_an_object_about_it_goes(database: Database) {
    let (place, store) = archive(&database).await;
    assert_eq!(
        place.run(&["forget", "author", "douyin", QIU, "--yes"]).await,
        0,
        "{}",
        place.said()
    );
    assert_eq!(ask(&store, "select work_id || body from works").await, [format!("{WORK}@** 你看")]);
    assert_eq!(ask(&store, "select nickname from creators").await, ["老杜"]);
    assert_eq!(count(&store, "select count(*) from mentions where platform = 'douyin'").await, 0);
    assert_eq!(count(&store, "select count(*) from music").await, 0);
    // She has as many followers as the other work has likes.
    assert_eq!(ask(&store, "select distinct '' || likes from work_metrics").await, [QIU]);
    let because = "select id from forgotten where because is not null order by kind desc";
    assert_eq!(ask(&store, because).await, [QIUS, QIU_SEC]);
    let bodies = ask(&store, "select body from document_texts").await.join("\n").replace(' ', "");
    let count = format!("\"digg_count\":{QIU}");
    assert!(bodies.contains(&count) && !bodies.replace(&count, "").contains(QIU), "{bodies}");
    let left = remains(&store, &["秋秋", QIU_SEC], "forgotten").await;
    let file = store.is_sqlite().then(|| format!("test.db: {QIU_SEC}"));
    assert_eq!(left, Vec::from_iter(file), "her tombstone");
    assert_rows_follow_from_documents(&store).await;
}

on_both!(erasure_keeps_the_ledger_and_the_rows_of_others);
async fn erasure_keeps_the_ledger_and_the_rows_of_others(database: Database) {
    let mut env = Env::new(database, &jobs()).await;
    env.advance(hours(7)).await;
    env.fails("note=301:0.2,empty:0.1");
    env.advance(hours(7)).await;
    env.down_for(hours(1));
    let note = world().notes(1).remove(0);
    let work = world().works(1).remove(0);
    let kol = env.ask("select min(kol_id) from kols").await.remove(0);
    let before = dump(&env.store).await;
    let item = |kind, key: &String| Subject::Item(Target { kind, key: key.clone() });
    let subjects = [
        item(Kind::Note, &note),
        item(Kind::Work, &work),
        Subject::Author(Platform::Xiaohongshu, kol.clone()),
    ];
    let summary = erase(&env.store, &subjects, env.clock.now()).await;
    let gone = |table| summary.rows.get(table).copied().unwrap_or(0);
    assert_eq!((gone("notes"), gone("works"), gone("kols")), (1, 1, 1), "{summary:?}");
    assert!(summary.documents_deleted > 20 && summary.documents_redacted > 0, "{summary:?}");
    let after = dump(&env.store).await;
    assert_ledger_stands(&before, &after);
    let names = [note, work, kol];
    let speaks = |row: &&String| names.iter().any(|name| row.contains(name.as_str()));
    let views = [
        "note_metrics",
        "work_metrics",
        "kol_metrics",
        "engagement",
        "engagement_daily",
        "engagement_latest",
        "engagement_growth",
        "engagement_velocity",
        "kol_value",
        "kol_tags",
        "kol_notes",
        "kol_search_results",
        "keyword_suggestions",
        "images",
        "item_hashtags",
        "edits",
        "notes",
        "works",
        "kols",
    ];
    for view in views {
        let others = |row: &&String| !speaks(row);
        let kept: Vec<_> = before[view].iter().filter(others).collect();
        assert_eq!(kept, after[view].iter().collect::<Vec<_>>(), "{view}");
        let gone = before[view].iter().filter(speaks).count();
        assert!(gone > 0 || ["edits", "keyword_suggestions", "images"].contains(&view), "{view}");
    }
    assert_rows_follow_from_documents(&env.store).await;
}

/// What was planned and paid is as it was, without what it was about.
fn assert_ledger_stands(before: &crate::parity::Dump, after: &crate::parity::Dump) {
    let without = |dump: &crate::parity::Dump, table: &str, columns: &[&str]| {
        let row = |row: &String| {
            let mut row: BTreeMap<String, Value> = serde_json::from_str(row).unwrap();
            columns.iter().for_each(|column| drop(row.remove(*column)));
            json!(row).to_string()
        };
        let mut rows: Vec<_> = dump[table].iter().map(row).collect();
        rows.sort();
        rows
    };
    for (table, columns) in [
        ("slots", [].as_slice()),
        ("job_runs", &[]),
        ("spend", &[]),
        ("calls", &["message"]),
        ("targets", &["key", "item_id"]),
        ("coverage", &["key", "item_id"]),
        ("coverage_reasons", &["key", "item_id"]),
    ] {
        let (one, other) = (without(before, table, columns), without(after, table, columns));
        assert_eq!(one, other, "{table}");
    }
}

on_both!(dry_run_leaves_the_archive_as_it_was);
async fn dry_run_leaves_the_archive_as_it_was(database: Database) {
    let (place, store) = archive(&database).await;
    let before = dump(&store).await;
    let (code, said, _) =
        place.hear(&["forget", "author", "xiaohongshu", ANNA, "--dry-run", "--json"]).await;
    assert_eq!(code, 0, "{}", place.said());
    let shown: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(shown["rows"]["notes"], 1, "{said}");
    assert_eq!((&shown["documents_deleted"], &shown["documents_redacted"]), (&json!(2), &json!(4)));
    let (code, _, why) = place.hear(&["forget", "author", "xiaohongshu", ANNA]).await;
    assert_eq!(code, 2);
    assert!(why.contains("--dry-run shows what would go, --yes forgets it"), "{why}");
    assert_same(&before, &dump(&store).await, "it was not done");
}

on_both!(items_not_seen_for_long_are_erased_by_age);
async fn items_not_seen_for_long_are_erased_by_age(database: Database) {
    let (place, store) = archive(&database).await;
    let (code, said, _) =
        place.hear(&["forget", "--not-seen-since", "2026-02-01T01:30:00Z", "--yes"]).await;
    assert_eq!(code, 0, "{}", place.said());
    assert!(said.contains(&format!("douyin work {QIUS}")) && !said.contains(WORK), "{said}");
    assert_eq!(ask(&store, "select work_id from works").await, [WORK]);
    assert_eq!(ask(&store, "select id from forgotten").await, [QIUS]);
    let (code, said, _) =
        place.hear(&["forget", "--not-seen-since", "2026-02-01T01:30:00Z", "--yes"]).await;
    assert_eq!((code, said.as_str()), (0, "there is nothing to forget\n"));
    assert_rows_follow_from_documents(&store).await;
}

on_both!(erasure_statements_work_on_both_databases);
async fn erasure_statements_work_on_both_databases(database: Database) {
    use tidewatch::store::{LivenessTimeout, Tombstone};
    let (_place, store) = archive(&database).await;
    let now = beginning();
    let note = |key: &str| Target { kind: Kind::Note, key: key.to_owned() };
    let mut tx = store.begin_to_delete().await.unwrap();
    let silence = LivenessTimeout { since: now, restarted_since: now, uptime: Duration::ZERO };
    assert_eq!(tx.lock_out_writers(silence).await.unwrap(), None);
    assert_eq!(tx.items_of_author(Platform::Xiaohongshu, ANNA).await.unwrap(), [note(ANNAS)]);
    assert_eq!(tx.items_of_author(Platform::Douyin, ANNA).await.unwrap(), []);
    let called = tx.author_ids(Platform::Xiaohongshu, "annas-handle").await.unwrap();
    assert_eq!(called, [ANNA]);
    let old = tx.items_not_observed_since("2026-02-01 01:30:00".parse().unwrap()).await.unwrap();
    assert_eq!(old, [Target { kind: Kind::Work, key: QIUS.to_owned() }]);
    let hers = Tombstone::new("note", Platform::Xiaohongshu, ANNAS, now);
    assert_eq!(tx.links_with(std::slice::from_ref(&hers)).await.unwrap(), []);
    let places = tx.hot_documents_after(0, 100).await.unwrap();
    assert_eq!(places.len(), 10);
    let first = places[0].document_id;
    tx.erase_documents(&[first], &[], now).await.unwrap();
    let left = tx.hot_documents_after(0, 100).await.unwrap();
    assert_eq!((left.len(), left[0].document_id > first), (9, true));
    let counts = tx.count_rows().await.unwrap();
    assert_eq!((counts["notes"], counts["snapshots"], counts["latest"]), (2, 8, 4));
    let tombstone = Tombstone::new("note", Platform::Xiaohongshu, ANNAS, now);
    tx.put_tombstones(std::slice::from_ref(&tombstone)).await.unwrap();
    let targets = tx.targets_of(std::slice::from_ref(&tombstone)).await.unwrap();
    assert_eq!(targets.len(), 1);
    assert_eq!(tx.documents_of_targets(&targets).await.unwrap(), left[..1]);
    tx.retire_targets(std::slice::from_ref(&tombstone), &[]).await.unwrap();
    assert!(tx.targets_of(std::slice::from_ref(&tombstone)).await.unwrap().is_empty());
    assert_eq!(tx.tombstones().await.unwrap(), [tombstone]);
    let at = |tx: &str| (tx == ANNAS).then_some(now);
    for id in [ANNAS, BOS] {
        let known = tx.forgotten_at("note", Platform::Xiaohongshu, id).await.unwrap();
        assert_eq!(known, at(id));
    }
    tx.put_targets(&[note(ANNAS), note("a")], now).await.unwrap();
    let bos = Tombstone::new("note", Platform::Xiaohongshu, BOS, now);
    // A version never comes twice, though the tombstones are the same again.
    let mut versions = vec![tx.tombstone_version().await.unwrap()];
    for _ in 0..2 {
        tx.put_tombstones(std::slice::from_ref(&bos)).await.unwrap();
        versions.push(tx.tombstone_version().await.unwrap());
        assert_eq!(tx.permit("note", Platform::Xiaohongshu, BOS).await.unwrap(), 1);
        versions.push(tx.tombstone_version().await.unwrap());
    }
    let repeats = versions.iter().enumerate().any(|(at, it)| versions[..at].contains(it));
    assert!(!repeats, "{versions:?}");
    assert_eq!(tx.uncleared_since().await.unwrap(), None);
    for at in [now, now.plus(hours(1))] {
        tx.leave_uncleared(at).await.unwrap();
        assert_eq!(tx.uncleared_since().await.unwrap(), Some(now), "the first");
    }
    let known = tx.known_as(Platform::Xiaohongshu, &ANNA.to_uppercase()).await.unwrap();
    assert_eq!(Vec::from_iter(known.names), ["安娜"]);
    assert_eq!(Vec::from_iter(known.handles), [format!("{ANNA}-red"), "annas-handle".to_owned()]);
    let known = tx.known_as(Platform::Douyin, QIU).await.unwrap();
    assert_eq!(
        (Vec::from_iter(known.ids), Vec::from_iter(known.names)),
        (vec![QIU_SEC.to_owned()], vec!["秋秋".to_owned()])
    );
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.permit("note", Platform::Xiaohongshu, ANNAS).await.unwrap(), 1);
    assert_eq!(tx.permit("note", Platform::Xiaohongshu, ANNAS).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let keys = ask(&store, "select key from targets where kind = 'note' order by key").await;
    assert!(!keys.contains(&ANNAS.to_owned()) && keys.contains(&"a".to_owned()), "{keys:?}");
}
