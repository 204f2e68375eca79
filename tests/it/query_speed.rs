//! The benchmark of query speed in a large archive, on a small one: both forms of a query give the
//! same rows.

#[path = "../../benches/questions/archive.rs"]
mod archive;
#[path = "../../benches/questions/best.rs"]
mod best;
#[path = "../../benches/questions/database.rs"]
mod database;
#[path = "../../benches/questions/measure.rs"]
mod measure;
#[path = "../../benches/questions/queries.rs"]
mod queries;

use std::process::Command;

use crate::databases::{Database, on_both};

/// Days that do not know the one before them.
const UNLINKED: &str = "select count(*) as likes from (
    select previous_day, lag(day) over (partition by item_key order by day) as before
    from days) as days where previous_day is distinct from before";

/// Small, and large enough that every question has rows.
const SIZE: archive::Size = archive::Size { notes: 60, hours: 40, campaign: 3, days: 3 };

on_both!(the_views_and_the_best_queries_by_hand_give_the_same_answers);
async fn the_views_and_the_best_queries_by_hand_give_the_same_answers(database: Database) {
    let archive = database::Database::open(database.url(), SIZE).await.unwrap();
    let all = archive.ask("select likes from note_metrics").await.unwrap();
    assert_eq!(i64::try_from(all.rows).unwrap(), SIZE.snapshots());
    assert_eq!(archive.ask(UNLINKED).await.unwrap().likes, 0);
    let rows = measure::questions(&archive, SIZE, 1).await.unwrap();
    assert_eq!(rows.len(), 5);
    measure::saving(&archive, SIZE, 2).await.unwrap();
    let all = archive.ask("select likes from note_metrics").await.unwrap();
    assert_eq!(
        i64::try_from(all.rows).unwrap(),
        SIZE.snapshots() + 2 * (SIZE.notes + SIZE.campaign)
    );
}

#[test]
fn the_scripts_of_the_benchmarks_are_scripts() {
    for script in ["run.sh", "questions.sh"] {
        let path = format!("{}/benches/{script}", env!("CARGO_MANIFEST_DIR"));
        assert!(Command::new("bash").args(["-n", &path]).status().unwrap().success(), "{script}");
    }
}
