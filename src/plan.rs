//! Which looks are due: turns the passing of time into slots in the database.

use std::time::Duration;

use anyhow::Result;
use chrono_tz::Tz;

use crate::api::Endpoint;
use crate::config::Config;
use crate::model::Kind;
use crate::schedule::Schedule;
use crate::store::{Asked, Fires, JobRow, Store};
use crate::time::Time;

/// A mark further ahead than this was set by a clock that was wrong.
const CLOCK_SLIP: Duration = Duration::from_secs(60);

/// Fires decided in one transaction at the most.
const FIRES_AT_ONCE: usize = 1000;

/// Brings the database's jobs and watchlists up to date with `jobs.toml`. What was planned under
/// a schedule that has changed or left since is settled first, as missed.
///
/// # Errors
/// When the database fails.
pub async fn sync(store: &Store, config: &Config, now: Time) -> Result<()> {
    let mut tx = store.read().await?;
    let known = tx.jobs().await?;
    drop(tx);
    // Before the watchlists change: what was due meanwhile was due for the old ones.
    for row in known.iter().filter(|row| row.is_active) {
        let kept = config.jobs.iter().find(|job| job.name == row.name).is_some_and(|job| {
            job.schedule.pattern == row.schedule && job.schedule.zone.name() == row.timezone
        });
        let zone: Tz = row.timezone.parse().unwrap_or(Tz::UTC);
        let late = if kept { Late::Since(now) } else { Late::Past };
        if let Ok(old) = Schedule::parse(&row.schedule, zone) {
            decide(store, row, &old, late, now).await?;
        }
    }
    let mut tx = store.begin().await?;
    for job in &config.jobs {
        let (pattern, zone) = (job.schedule.pattern.as_str(), job.schedule.zone.name());
        let job_id = tx.put_job(&job.name, job.kind, pattern, zone, now).await?;
        tx.put_targets(&job.targets, now).await?;
        tx.set_watchlist(job_id, &job.targets, now).await?;
    }
    tx.retire_jobs_except(&config.jobs.iter().map(|job| job.name.as_str()).collect()).await?;
    tx.reconsider(&asked(config), now).await?;
    tx.close_unwatched(now).await?;
    tx.commit().await
}

/// Whom all questions go to.
fn asked(config: &Config) -> Vec<Asked> {
    let endpoints = Kind::ALL.map(|kind| config.endpoint(kind));
    let resolvers = endpoints.into_iter().filter_map(Endpoint::resolver);
    let asked = |endpoint: Endpoint| Asked {
        endpoint: endpoint.name(),
        server: config.provider(endpoint.provider()).base_url.to_string(),
    };
    endpoints.into_iter().chain(resolvers).map(asked).collect()
}

/// Makes the slots that have become due: for each job the latest is to be looked at, older ones
/// are missed, because the daemon was down (since before `started`) or could not keep up.
///
/// # Errors
/// When the database fails.
pub async fn materialise(store: &Store, config: &Config, started: Time, now: Time) -> Result<()> {
    let mut tx = store.read().await?;
    let rows = tx.jobs().await?;
    drop(tx);
    for row in rows {
        let Some(job) = config.jobs.iter().find(|job| job.name == row.name) else { continue };
        decide(store, &row, &job.schedule, Late::Since(started), now).await?;
    }
    Ok(())
}

/// What becomes of fires that nobody decided in time.
#[derive(Clone, Copy)]
enum Late {
    /// Of a schedule that is no more: all are missed.
    Past,
    /// Of one that still is: the latest is looked at. Before this time no daemon was there.
    Since(Time),
}

/// Decides the fires of a job up to `now`, a bounded number in each transaction.
async fn decide(
    store: &Store,
    row: &JobRow,
    schedule: &Schedule,
    late: Late,
    now: Time,
) -> Result<()> {
    let mut from = row.fired_through;
    if from.since(now) > CLOCK_SLIP {
        // Decided under a clock that was ahead: the same fires come again and find their slots.
        let mut tx = store.begin().await?;
        tx.advance_job(row.job_id, from, now).await?;
        return tx.commit().await;
    }
    loop {
        let mut due: Vec<_> = schedule.fires(from, now).take(FIRES_AT_ONCE).collect();
        let Some(&through) = due.last() else { return Ok(()) };
        let latest = schedule.next_after(through).is_none_or(|next| next > now);
        let open = if latest && matches!(late, Late::Since(_)) { due.pop() } else { None };
        let why = |at| match late {
            Late::Since(started) if at >= started => "superseded",
            Late::Since(_) | Late::Past => "daemon_down",
        };
        let missed = due.into_iter().map(|at| (at, why(at))).collect();
        let mut tx = store.begin().await?;
        if !tx.advance_job(row.job_id, from, through).await? {
            return Ok(());
        }
        let fires = Fires { missed, open };
        tx.fire(row.job_id, &fires, now).await?;
        tx.commit().await?;
        if !fires.missed.is_empty() {
            let fires = fires.missed.len();
            tracing::warn!(job = row.name, fires, "missed fires: nobody decided them in time");
        }
        if let Some(due_at) = fires.open {
            tracing::info!(job = row.name, %due_at, "due");
        }
        from = through;
    }
}

/// When the next job fires after `now`.
pub fn next_fire(config: &Config, now: Time) -> Option<Time> {
    config.jobs.iter().filter_map(|job| job.schedule.next_after(now)).min()
}
