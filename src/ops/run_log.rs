//! The run log: one line for each run once its last slot is settled.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use crate::model::MissedReason;
use crate::store::{RunSummary, Store, in_time};
use crate::time::Clock;

/// How often to look for settled runs.
const EVERY: Duration = Duration::from_secs(5);

/// Reports settled runs until dropped. The daemon's loop reports a failing database, so this does
/// not.
///
/// # Errors
/// Never.
pub async fn report_all(store: Store, clock: Clock) -> Result<()> {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = in_time(report(&store, &clock)).await {
            tracing::debug!(error = format!("{error:#}"), "cannot report runs");
        }
    }
}

/// Closes the runs whose slots are all settled and logs each: only the process that closes a run
/// logs it.
///
/// # Errors
/// When the database fails.
pub async fn report(store: &Store, clock: &Clock) -> Result<()> {
    let mut tx = store.read().await?;
    let any = tx.has_settled_runs().await?;
    drop(tx);
    if !any {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    let runs = tx.close_runs(clock.now()).await?;
    let reasons = tx.missed_by_reason(&runs).await?;
    tx.commit().await?;
    for run in &runs {
        log(run, reasons.get(&run.run_id));
    }
    Ok(())
}

fn log(run: &RunSummary, reasons: Option<&BTreeMap<MissedReason, i64>>) {
    let reasons = reasons.into_iter().flatten();
    let missed_by: Vec<_> = reasons.map(|(reason, slots)| format!("{reason} {slots}")).collect();
    let duration = run.settled_at.since(run.decided_at);
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        run_id = run.run_id,
        job = run.job.as_deref().unwrap_or(run.origin.as_str()),
        due_at = run.due_at.to_string(),
        due = run.due,
        observed = run.observed,
        missed = run.missed,
        missed_by = missed_by.join(", "),
        calls = run.calls,
        billed = run.billed,
        unknown = run.unknown,
        cost_micros = run.cost_micros,
        duration_ms,
        "run finished"
    );
}
