//! Cold answers: they move into files, and everything reads them as before.

mod daemon;
mod damage;
mod export;
mod kills;
mod races;
mod size;

use std::time::Duration;

use sqlx::AssertSqlSafe;
use tidewatch::cold::{Packing, pack, thaw, verify};
use tidewatch::cold_file::{Row, Writer, Written};
use tidewatch::replay::replay;
use tidewatch::store::{Due, Store, TombstoneVersion, is_conflict};
use tidewatch::time::Time;

use crate::databases::{Database, count, on_both, rows};
use crate::parity::Dump;
use crate::replay::{assert_same, dump};
use crate::store::stale::{NOTE, import, line};

pub(crate) const OTHER: &str = "64a0000000000000000000a2";
const FEW: &str = "64a0000000000000000000a3";

/// Tables that say whether an answer is cold.
const ITS_OWN: [&str; 4] = ["documents", "document_texts", "cold_files", "cold_contents"];

/// When the answers of the tests are packed, and after how long.
pub(crate) fn packing() -> Packing {
    let now = "2026-03-09 12:00:00".parse().unwrap();
    Packing { cold_after: Duration::from_hours(30 * 24), now }
}

/// Packs until nothing is due. Returns how many answers went cold, and in how many files.
pub(crate) async fn pack_all(store: &Store, packing: Packing) -> (usize, usize) {
    let (mut documents, mut files) = (0, 0);
    while let Some(packed) = pack(store, packing).await.unwrap() {
        documents += packed.documents;
        files += 1;
    }
    (documents, files)
}

/// A change from outside the store, with a text for each database.
pub(crate) async fn change(store: &Store, sqlite: &str, postgres: &str) {
    match store {
        Store::Sqlite { writer, .. } => {
            let sql = AssertSqlSafe(sqlite.to_owned());
            sqlx::raw_sql(sql).execute(writer).await.map(drop).unwrap();
        }
        Store::Postgres(pool) => {
            let sql = AssertSqlSafe(postgres.to_owned());
            sqlx::raw_sql(sql).execute(pool).await.map(drop).unwrap();
        }
    }
}

/// Two notes with many answers, one with few, and an answer that JSONB does not hold faithfully.
pub(crate) async fn archive(store: &Store) -> Vec<String> {
    let mut lines: Vec<_> = (0..150).map(|minute| line(NOTE, minute)).collect();
    lines.extend((0..70).map(|minute| line(OTHER, minute)));
    lines.extend((0..9).map(|minute| line(FEW, minute)));
    lines[20] = lines[20].replace("正文", "正\\u0000文");
    assert_eq!(import(store, &lines).await.imported, 229);
    lines
}

/// Every text, as the views have it: id and body.
async fn texts(store: &Store) -> Vec<(i64, Option<String>)> {
    rows(store, "select document_id, body from document_texts order by document_id").await
}

/// The same as the program reads them, and what was received.
pub(crate) async fn read(store: &Store) -> Vec<(i64, Option<String>)> {
    let mut tx = store.read().await.unwrap();
    let places = tx.documents_after(None, 10_000).await.unwrap();
    let kept = tx.kept(&places).await.unwrap();
    let mut all: Vec<_> =
        kept.iter().map(|it| (it.document_id, Some(it.stored().to_owned()))).collect();
    all.sort();
    all
}

fn without_its_own(mut dump: Dump) -> Dump {
    dump.retain(|table, _| !ITS_OWN.contains(&table.as_str()));
    dump
}

/// What holds of every archive at any time. Returns its cold answers.
pub(crate) async fn assert_sound(store: &Store) -> i64 {
    let files = store.read().await.unwrap().cold_files().await.unwrap();
    for file in &files {
        assert_eq!(verify(store, file, packing().now).await.unwrap(), None);
    }
    let in_files: i64 = files.iter().map(|file| file.documents).sum();
    let cold = count(store, "select count(*) from documents where cold_file_id is not null").await;
    assert_eq!(in_files, cold, "each row of a file belongs to one document");
    let both = "select count(*) from documents where (body is null) <> (cold_file_id is not null)";
    assert_eq!(count(store, both).await, 0, "a text is in one place");
    let contents = "select count(*) from cold_contents where cold_file_id not in (
                        select cold_file_id from cold_files)";
    assert_eq!(count(store, contents).await, 0, "bytes without a row");
    let newest = "select count(*) from documents d where cold_file_id is not null
                  and not exists (select 1 from documents n where n.endpoint = d.endpoint
                      and n.target_id = d.target_id and n.page = d.page
                      and n.fetched_at >= d.fetched_at and n.cold_file_id is null)";
    assert_eq!(count(store, newest).await, 0, "the newest of a target is hot");
    cold
}

on_both!(cold_answers_are_read_replayed_and_thawed_as_they_were);
async fn cold_answers_are_read_replayed_and_thawed_as_they_were(database: Database) {
    let store = database.open().await;
    let lines = archive(&store).await;
    tidewatch::replay::derive_waiting(&store).await.unwrap();
    let (before, all) = (texts(&store).await, read(&store).await);
    let exact = "select count(*) from documents where exact is not null";
    assert_eq!((count(&store, exact).await, &all), (1, &before));
    let tables = without_its_own(dump(&store).await);
    assert_eq!(pack_all(&store, packing()).await, (149 + 69, 1), "but the newest, and too few");
    assert_eq!(assert_sound(&store).await, 149 + 69);
    assert_eq!(count(&store, exact).await, 0, "it is in the file");
    let left = texts(&store).await.into_iter().filter(|(_, body)| body.is_some()).count();
    assert_eq!(left, 1 + 1 + 9);
    assert_eq!(read(&store).await, before);
    let mut tx = store.read().await.unwrap();
    for (id, body) in [&before[3], &before[228]] {
        let page = tx.stored_document(*id, 100_000).await.unwrap().unwrap();
        let length = i64::try_from(page.body.chars().count()).unwrap();
        assert_eq!((Some(&page.body), page.length), (body.as_ref(), length));
        assert_eq!(tx.stored_document(*id, 7).await.unwrap().unwrap().body.len(), 7);
    }
    drop(tx);
    assert_same(&tables, &without_its_own(dump(&store).await), "packed");
    for _ in 0..2 {
        replay(&store, |_, _| {}).await.unwrap();
        assert_same(&tables, &without_its_own(dump(&store).await), "replayed");
    }
    let again = import(&store, &lines).await;
    assert_eq!((again.imported, again.already_there), (0, 229), "known though they are cold");
    // An answer between those that are cold.
    import(&store, &[line(OTHER, 500).replace("title 3", "between")]).await;
    for file in store.read().await.unwrap().cold_files().await.unwrap() {
        assert_eq!(thaw(&store, &file).await.unwrap(), 149 + 69);
    }
    assert_eq!(assert_sound(&store).await, 0);
    assert_eq!(texts(&store).await[..229], before);
    assert_eq!(count(&store, exact).await, 1);
}

on_both!(entities_that_wait_are_derived_from_cold_answers);
async fn entities_that_wait_are_derived_from_cold_answers(database: Database) {
    let store = database.open().await;
    archive(&store).await;
    pack_all(&store, packing()).await;
    // Older than all others, and the author of both notes.
    import(&store, &[line(NOTE, -1), line(OTHER, -1)]).await;
    tidewatch::replay::derive_waiting(&store).await.unwrap();
    let tables = without_its_own(dump(&store).await);
    assert_eq!(count(&store, "select count(*) from snapshots").await, 231);
    replay(&store, |_, _| {}).await.unwrap();
    assert_same(&tables, &without_its_own(dump(&store).await), "replayed");
}

on_both!(a_target_with_few_answers_waits_for_three_months);
async fn a_target_with_few_answers_waits_for_three_months(database: Database) {
    let store = database.open().await;
    archive(&store).await;
    pack_all(&store, packing()).await;
    let day = |days: u64| Packing {
        now: packing().now.plus(Duration::from_hours(24 * days)),
        ..packing()
    };
    assert_eq!(pack_all(&store, day(40)).await, (0, 0));
    assert_eq!(pack_all(&store, day(60)).await, (8, 1));
    assert_eq!(assert_sound(&store).await, 149 + 69 + 8);
}

/// A file of answers that are due, before it is put, with its rows and what was erased before.
async fn written(store: &Store) -> (Written, Vec<Row>, TombstoneVersion) {
    let endpoint = "xiaohongshu/get-note-detail/v1";
    let before = packing().now.minus(packing().cold_after);
    let due = Due { endpoint, before, waited_since: before };
    let mut tx = store.read().await.unwrap();
    let version = tx.tombstone_version().await.unwrap();
    let chosen = tx.due_documents(due, 100).await.unwrap();
    let documents = tx.hot_documents(&chosen).await.unwrap();
    let rows: Vec<_> = documents.into_iter().map(|it| it.into_row()).collect();
    let mut writer = Writer::new(endpoint).unwrap();
    writer.group(&rows).unwrap();
    (writer.finish().unwrap(), rows, version)
}

on_both!(an_answer_that_is_changed_or_gone_meanwhile_is_not_packed_as_it_was);
async fn an_answer_that_is_changed_or_gone_meanwhile_is_not_packed_as_it_was(database: Database) {
    let store = database.open().await;
    archive(&store).await;
    for sql in [
        "update documents set redacted_at = '2026-03-01 00:00:00' where document_id in (
             select min(document_id) from documents)",
        "update documents set cleaned = 'refused by the database' where document_id in (
             select min(document_id) + 1 from documents)",
        "delete from documents where document_id in (select min(document_id) + 2 from documents)",
    ] {
        let (file, found, version) = written(&store).await;
        change(&store, sql, sql).await;
        let mut tx = store.begin().await.unwrap();
        let error = tx.put_cold_file(&file, &found, version, packing().now).await.unwrap_err();
        assert!(is_conflict(&error), "{error:#}");
        drop(tx);
        assert_eq!(assert_sound(&store).await, 0);
    }
    let refused = pack_all(&store, packing()).await;
    assert_eq!(refused, (149 + 69 - 2, 1), "what the database refuses stays");
}

on_both!(a_document_whose_rows_are_refused_stays_in_its_file_and_comes_back);
async fn a_document_whose_rows_are_refused_stays_in_its_file_and_comes_back(database: Database) {
    let store = database.open().await;
    archive(&store).await;
    pack_all(&store, packing()).await;
    let before = read(&store).await;
    let [refuse, drop] = [
        [
            "create trigger refuse before insert on snapshots when new.likes = 77
          begin select raise(abort, 'not this one'); end",
            "create function refuse() returns trigger language plpgsql as $$ begin
              raise exception 'not this one' using errcode = 'check_violation'; end $$;
          create trigger refuse before insert on snapshots for each row
              when (new.likes = 77) execute function refuse()",
        ],
        ["drop trigger refuse", "drop trigger refuse on snapshots"],
    ];
    change(&store, refuse[0], refuse[1]).await;
    import(&store, &[line(NOTE, -1)]).await;
    tidewatch::replay::derive_waiting(&store).await.unwrap();
    let refused = "select count(*) from documents where cleaned = 'refused by the database'";
    assert_eq!(count(&store, refused).await, 1);
    assert_eq!(count(&store, "select count(*) from snapshots").await, 229);
    assert_eq!(assert_sound(&store).await, 149 + 69);
    replay(&store, |_, _| {}).await.unwrap();
    assert_eq!(count(&store, "select count(*) from snapshots").await, 229);
    change(&store, drop[0], drop[1]).await;
    replay(&store, |_, _| {}).await.unwrap();
    assert_eq!(count(&store, refused).await, 0);
    assert_eq!(count(&store, "select count(*) from snapshots").await, 230);
    assert_eq!(read(&store).await[..229], before);
}

on_both!(damage_in_a_file_or_in_its_documents_is_found_and_named);
async fn damage_in_a_file_or_in_its_documents_is_found_and_named(database: Database) {
    let store = database.open().await;
    archive(&store).await;
    pack_all(&store, packing()).await;
    let fault = async || {
        let mut tx = store.read().await.unwrap();
        let file = tx.cold_files().await.unwrap().remove(0);
        std::mem::drop(tx);
        verify(&store, &file, packing().now).await.unwrap().expect("a fault")
    };
    let moved = "update documents set cold_row = cold_row + 1 where document_id in (
                     select max(document_id) from documents where cold_file_id is not null)";
    change(&store, moved, moved).await;
    assert_eq!(fault().await, "217 of its 218 answers are where their documents say");
    let mut tx = store.read().await.unwrap();
    let places = tx.documents_after(None, 10_000).await.unwrap();
    let error = tx.kept(&places).await.expect_err("a document that is not in its row");
    assert!(format!("{error:#}").contains("cold file 1"), "{error:#}");
    drop(tx);
    change(
        &store,
        "update cold_contents set content = cast(substr(content, 1, 998) || x'00FF'
             || substr(content, 1001) as blob)",
        "update cold_contents set content = set_byte(content, 999, get_byte(content, 999) # 1)",
    )
    .await;
    assert_eq!(fault().await, "its bytes are not those that were written");
    let cut = "update cold_contents set content = substr(content, 1, 900)";
    change(&store, cut, cut).await;
    assert!(fault().await.starts_with("it cannot be read"), "{}", fault().await);
    change(&store, "delete from cold_contents", "delete from cold_contents").await;
    assert_eq!(fault().await, "its bytes are missing");
    let lost: Time = packing().now;
    assert!(store.read().await.unwrap().cold_files().await.unwrap()[0].verified_at <= lost);
}
