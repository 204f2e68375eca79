//! Packing beside erasures.

use tidewatch::model::Platform;
use tidewatch::replay::replay;
use tidewatch::store::{Store, Tombstone, is_conflict};

use super::{NOTE, archive, assert_sound, pack_all, packing, written};
use crate::databases::{Database, count, on_both};

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

/// Erases cold answers from the 210th on, as the daemon does when another answer shows that it must.
async fn erase_late_ones(store: &Store) {
    let mut tx = store.begin_to_delete().await.unwrap();
    let places = tx.documents_after(None, 1_000).await.unwrap();
    let cold = tx.cold_among(&places[210..]).await.unwrap();
    let gone: Vec<_> = cold.iter().flatten().map(|it| it.document_id).collect();
    assert!(gone.len() > 9, "{}", gone.len());
    tx.erase_documents(&gone, &[], packing().now).await.unwrap();
    let erased = Tombstone::new("note", Platform::Xiaohongshu, NOTE, packing().now);
    tx.put_tombstones(&[erased]).await.unwrap();
    tx.commit().await.unwrap();
}

on_both!(a_replay_makes_no_rows_of_what_is_erased_beside_it);
async fn a_replay_makes_no_rows_of_what_is_erased_beside_it(database: Database) {
    let store = database.open().await;
    archive(&store).await;
    pack_all(&store, packing()).await;
    let url = database.url().to_owned();
    let progress = |done, _| {
        // All cold ones are read, and the first 200 saved.
        if done == 200 {
            let url = url.clone();
            let erasing = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(async {
                    erase_late_ones(&Store::connect(&url).await.unwrap()).await;
                });
            });
            erasing.join().unwrap();
        }
    };
    replay(&store, progress).await.unwrap();
    let orphans = "select count(*) from snapshots s where not exists (
                       select 1 from documents d where d.document_id = s.document_id)";
    assert_eq!(count(&store, orphans).await, 0);
    assert!(count(&store, "select count(*) from snapshots").await >= 200);
}
