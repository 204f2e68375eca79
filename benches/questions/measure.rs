//! Times the queries in turn, ours and the best, and the cost of the trigger-maintained tables.

use std::fmt;
use std::time::Instant;

use anyhow::{Result, ensure};

use super::archive::{END, HOUR, Size};
use super::database::Database;
use super::queries::Question;

/// Snapshots saved in one statement, as by the daemon.
const BATCH: i64 = 500;

/// Seconds of the two variants.
pub(crate) struct Row {
    database: &'static str,
    what: &'static str,
    ours: f64,
    best: f64,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, what, ours, best } = self;
        let (ratio, ours, best) = (ours / best, ours * 1e3, best * 1e3);
        write!(f, "| {database} | {what} | {ours:.2} | {best:.2} | {ratio:.2} |")
    }
}

/// Runs each query both ways. Fails if the results differ.
pub(crate) async fn questions(database: &Database, size: Size, runs: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for Question { what, ours, best } in super::queries::questions(database, size) {
        let (mut of_ours, mut of_best) = (Vec::new(), Vec::new());
        for _ in 0..=runs {
            let (one, took) = timed(database, &ours).await?;
            of_ours.push(took);
            let (other, took) = timed(database, &best).await?;
            of_best.push(took);
            ensure!(one == other, "{what}: {one:?} through the views, {other:?} by hand");
            ensure!(one.0 > 0, "{what}: no rows");
        }
        let (ours, best) = (median(of_ours), median(of_best));
        rows.push(Row { database: database.name(), what, ours, best });
    }
    Ok(rows)
}

async fn timed(database: &Database, sql: &str) -> Result<((usize, i64), f64)> {
    let started = now();
    let gave = database.ask(sql).await?;
    Ok(((gave.rows, gave.likes), started.elapsed().as_secs_f64()))
}

/// Saves batches of snapshots with and without the trigger-maintained tables.
pub(crate) async fn saving(database: &Database, size: Size, runs: usize) -> Result<Row> {
    let ours = saved(database, size, runs, 1).await?;
    database.drop_trigger().await?;
    let best = saved(database, size, runs, 2).await?;
    let what = "saving 500 snapshots, with and without these tables";
    Ok(Row { database: database.name(), what, ours, best })
}

/// Adds a snapshot of each note, `hours` after the last one.
async fn saved(database: &Database, size: Size, runs: usize, hours: i64) -> Result<f64> {
    let mut took = Vec::new();
    let batches = i64::try_from(runs)?.max(size.notes / BATCH / 4);
    for batch in 0..batches {
        let from = batch * BATCH % size.notes;
        let at = END + hours * HOUR;
        let at =
            database.pick(format!("{at} + item_key"), format!("to_timestamp({at} / 1000000.0)"));
        let sql = format!(
            "insert into snapshots (item_key, observed_at, document_id, likes, comments, collects,
                                    shares)
             select item_key, {at}, item_key, item_key, item_key, item_key, item_key
             from notes where item_key > {from} and item_key <= {from} + {BATCH}
             on conflict do nothing"
        );
        let started = now();
        database.run(&[sql]).await?;
        took.push(started.elapsed().as_secs_f64());
    }
    Ok(median(took))
}

/// The median without the first run, which warms up.
fn median(mut took: Vec<f64>) -> f64 {
    took.remove(0);
    took.sort_by(f64::total_cmp);
    took.get(took.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}
