//! Statements about what jobs watch.

use super::{campaign, note};
use crate::databases::{Database, count, on_both};

/// More than are made known at once, twice.
const MANY: usize = 20_001;

on_both!(of_a_long_watchlist_each_target_is_known_once);
async fn of_a_long_watchlist_each_target_is_known_once(database: Database) {
    let store = database.open().await;
    let mut notes: Vec<_> = (0..MANY).map(|n| note(&format!("{n:024x}"))).collect();
    notes.push(notes[0].clone());
    let mut tx = store.begin().await.unwrap();
    campaign(&mut tx, &notes).await;
    tx.commit().await.unwrap();
    let known = i64::try_from(MANY).unwrap();
    for counted in ["select count(*) from targets", "select count(*) from job_targets"] {
        assert_eq!(count(&store, counted).await, known, "{counted}");
    }
}
