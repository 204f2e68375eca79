//! Packing beside erasures.

use tidewatch::store::{Tombstone, is_conflict};

use super::{NOTE, archive, assert_sound, packing, written};
use crate::databases::{Database, count, on_both};
use tidewatch::model::Platform;

on_both!(an_erasure_waits_for_a_packer_and_finds_its_file);
async fn an_erasure_waits_for_a_packer_and_finds_its_file(database: Database) {
    let store = database.open().await;
    archive(&store).await;
    let (file, rows, version) = written(&store).await;
    let (gone, now) = (rows[3].document_id, packing().now);
    let mut packer = store.begin().await.unwrap();
    packer.put_cold_file(&file, &rows, version, now).await.unwrap();
    let erasing = tokio::spawn({
        let store = store.clone();
        async move {
            let mut tx = store.begin_to_delete().await.unwrap();
            tx.erase_documents(&[gone], &[], now).await.unwrap();
            tx.commit().await.unwrap();
        }
    });
    let waiting = "select count(*) from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock'";
    while !store.is_sqlite() && count(&store, waiting).await == 0 {
        tokio::task::yield_now().await;
    }
    packer.commit().await.unwrap();
    erasing.await.unwrap();
    assert_eq!(assert_sound(&store).await, i64::try_from(rows.len()).unwrap() - 1);
}

on_both!(a_file_of_answers_read_before_an_erasure_is_not_kept);
async fn a_file_of_answers_read_before_an_erasure_is_not_kept(database: Database) {
    let store = database.open().await;
    archive(&store).await;
    let (file, rows, version) = written(&store).await;
    let mut tx = store.begin().await.unwrap();
    let erased = Tombstone::new("note", Platform::Xiaohongshu, NOTE, packing().now);
    tx.put_tombstones(&[erased]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let error = tx.put_cold_file(&file, &rows, version, packing().now).await.unwrap_err();
    assert!(is_conflict(&error), "{error:#}");
    drop(tx);
    assert_eq!(assert_sound(&store).await, 0);
}
