//! Erasure from cold files.

use std::time::Duration;

use tidewatch::cold::thaw;
use tidewatch::cold_file::ColdFile;
use tidewatch::store::Store;

use super::people::{ANNA, ANNAS, HERS};
use super::remains::remains;
use super::{archive, assert_rows_follow_from_documents};
use crate::cold::{assert_sound, pack_all, packing, read};
use crate::databases::{Database, on_both};
use crate::replay::{assert_same, dump};

/// Tables whose rows follow from documents, and have no time of this run.
const DERIVED: [&str; 13] = [
    "notes",
    "works",
    "authors",
    "kols",
    "changes",
    "mentions",
    "creators",
    "kol_notes",
    "kol_search_results",
    "images",
    "item_hashtags",
    "note_metrics",
    "work_metrics",
];

/// The text of every answer in every file, and the bytes of the files.
async fn cold(store: &Store) -> (String, Vec<Vec<u8>>) {
    let mut tx = store.read().await.unwrap();
    let (mut texts, mut contents) = (String::new(), Vec::new());
    for file in tx.cold_files().await.unwrap() {
        let content = tx.cold_content(file.cold_file_id).await.unwrap().unwrap();
        let file = ColdFile::open(content.clone()).unwrap();
        for group in 0..file.groups() {
            texts += &format!("{:?}\n", file.rows_of_group(group).unwrap());
        }
        contents.push(content);
    }
    (texts, contents)
}

on_both!(erased_person_is_gone_from_cold_files);
async fn erased_person_is_gone_from_cold_files(database: Database) {
    let hot = match database.url().starts_with("sqlite") {
        true => crate::databases::sqlite(),
        false => crate::databases::postgres().await,
    };
    let (place, store) = archive(&hot).await;
    let forget = ["forget", "author", "xiaohongshu", ANNA, "--yes"];
    assert_eq!(place.run(&forget).await, 0, "{}", place.said());
    let mut expected = dump(&store).await;

    let (place, store) = archive(&database).await;
    let now = packing().now.plus(Duration::from_hours(365 * 24));
    // All but the newest of each target.
    assert_eq!(pack_all(&store, tidewatch::cold::Packing { now, ..packing() }).await.0, 5);
    let (texts, before) = cold(&store).await;
    for text in [ANNA, ANNAS, "安娜", "annas-handle"] {
        assert!(texts.contains(text), "{text} is there to be found");
    }
    assert_eq!(place.run(&forget).await, 0, "{}", place.said());
    assert_eq!(assert_sound(&store).await, 4);
    let (texts, after) = cold(&store).await;
    let found: Vec<_> = HERS.iter().filter(|text| texts.contains(**text)).collect();
    assert_eq!(found, Vec::<&&str>::new());
    let left = remains(&store, &HERS, "forgotten").await;
    let file = store.is_sqlite().then(|| [ANNA, ANNAS].map(|id| format!("test.db: {id}")));
    assert_eq!(left, file.map_or(Vec::new(), Vec::from));
    if store.is_sqlite() {
        let bytes = std::fs::read(database.directory().join("test.db")).unwrap();
        let is_in = |bytes: &[u8], part: &[u8]| memchr::memmem::find(bytes, part).is_some();
        let old: Vec<_> = before.iter().flat_map(|it| it.chunks_exact(48)).collect();
        let old = old.into_iter().filter(|part| !after.iter().any(|it| is_in(it, part)));
        let (old, left): (Vec<_>, Vec<_>) = old.partition(|part| !is_in(&bytes, part));
        assert!(old.len() > 5, "parts of the old files");
        assert_eq!(left, Vec::<&[u8]>::new(), "parts of the old files that are left");
    }
    let mut dump = dump(&store).await;
    for dump in [&mut expected, &mut dump] {
        dump.retain(|table, _| DERIVED.contains(&table.as_str()));
        assert_eq!(dump.len(), DERIVED.len());
    }
    assert_same(&expected, &dump, "as from hot answers");
    assert_rows_follow_from_documents(&store).await;
    let before = read(&store).await;
    for file in store.read().await.unwrap().cold_files().await.unwrap() {
        thaw(&store, &file).await.unwrap();
    }
    assert_eq!(read(&store).await, before, "a redacted text is that of the database");
}
