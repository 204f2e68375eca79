//! Planning: turns the fires of schedules into slots in the database.

mod decide;
mod misfire;

use std::time::Duration;

use anyhow::Result;
use chrono_tz::Tz;
use tokio_util::sync::CancellationToken;

use crate::api::Endpoint;
use crate::config::{Config, Job};
use crate::erasure::Tombstones;
use crate::model::Kind;
use crate::pause;
use crate::schedule::{Active, Schedule};
use crate::store::{Asked, JobEntry, JobRow, Store, Tx};
use crate::time::Time;
use crate::zone;

pub use decide::Left;
use decide::{catch_up, decide};
use misfire::FirePolicy;

/// A recorded time further ahead than this was written under a wrong clock.
pub const CLOCK_SLIP: Duration = Duration::from_secs(60);

/// How long after its start a daemon begins with a backlog.
const BACKLOG_WAIT: Duration = Duration::from_secs(60);

/// No backoff is longer than this.
const MAX_WAIT: Duration = Duration::from_secs(600);

/// No lease is longer than this: the maximum of `lease_seconds`, with a margin.
const MAX_LEASE: Duration = Duration::from_secs(900);

/// Synchronises jobs and watchlists in the database with `jobs.toml`, for a daemon started at
/// `started`. The undecided fires of a changed or removed schedule are decided first.
/// [`Left::More`] when `stop` is cancelled before that.
///
/// # Errors
/// When the database fails.
pub async fn sync(
    store: &Store,
    config: &Config,
    started: Time,
    now: Time,
    stop: &CancellationToken,
) -> Result<Left> {
    loop {
        if decide_all(store, config, started, now, stop).await? == Left::More {
            return Ok(Left::More);
        }
        set_zone(store, config.timezone).await?;
        if put(store, config, now).await? == Left::Nothing {
            return Ok(Left::Nothing);
        }
    }
}

/// Decides the fires due until now, which belong to the old watchlists, and the backlogs of changed
/// and removed schedules, which belong to these.
async fn decide_all(
    store: &Store,
    config: &Config,
    started: Time,
    now: Time,
    stop: &CancellationToken,
) -> Result<Left> {
    let known = store.read().await?.jobs().await?;
    for mut row in known.into_iter().filter(|row| row.is_active) {
        let job = config.jobs.iter().find(|job| job.name == row.name && is_unchanged(job, &row));
        let Ok(schedule) = recorded(&row) else {
            // Another version has written it: nobody can tell its fires.
            if let Some(until) = row.backlog_until {
                let mut tx = store.begin().await?;
                tx.advance_backlog(row.job_id, until, None, 0).await?;
                tx.commit().await?;
            }
            continue;
        };
        let asked = job.map(|job| (policy(job), config.endpoint(job.kind)));
        decide(store, &mut row, &schedule, asked, started, now).await?;
        while job.is_none()
            && catch_up(store, &mut row, &schedule, None, started, now).await? == Left::More
        {
            if stop.is_cancelled() {
                return Ok(Left::More);
            }
        }
    }
    Ok(Left::Nothing)
}

/// Puts the jobs and watchlists in the database; [`Left::More`] where a changed or removed schedule
/// has a backlog again, because another daemon has decided its fires.
async fn put(store: &Store, config: &Config, now: Time) -> Result<Left> {
    let mut tx = store.begin().await?;
    for job in &config.jobs {
        let active = job.schedule.active.text();
        let Some(job_id) = tx.put_job(&entry(job, active.as_deref()), now).await? else {
            return Ok(Left::More);
        };
        tx.put_targets(&job.targets, now).await?;
        tx.set_watchlist(job_id, &job.targets, now).await?;
    }
    let tombstones = Tombstones::of(tx.tombstones().await?);
    let names = config.jobs.iter().map(|job| job.name.as_str()).collect();
    if !tx.retire_jobs_except(&names, now).await? {
        return Ok(Left::More);
    }
    tx.reconsider(&servers(config), now).await?;
    tx.close_unwatched(now).await?;
    correct_clock(&mut tx, now, MAX_WAIT).await?;
    tx.commit().await?;
    for warning in tombstones.warnings(config) {
        tracing::warn!("{warning}");
    }
    Ok(Left::Nothing)
}

/// Sets the time zone of the archive. In a transaction of its own: it may wait for saving transactions,
/// which must not wait for it in turn.
async fn set_zone(store: &Store, zone: Tz) -> Result<()> {
    let mut tx = store.begin().await?;
    if tx.set_zone(zone.name(), &zone::offsets(zone)).await? {
        tracing::info!(zone = zone.name(), "the time zone of the archive has changed");
    }
    tx.commit().await
}

/// Every endpoint in use, with its server.
fn servers(config: &Config) -> Vec<Asked> {
    let endpoints = Kind::ALL.map(|kind| config.endpoint(kind));
    let resolvers = endpoints.into_iter().filter_map(Endpoint::resolver);
    let asked = |endpoint: Endpoint| Asked {
        endpoint: endpoint.as_str(),
        server: config.provider(endpoint.provider()).base_url.to_string(),
    };
    endpoints.into_iter().chain(resolvers).map(asked).collect()
}

/// Creates the slots that have become due, and records a bounded part of the backlog. `started` is
/// when this daemon started. Returns when to call again for the rest of the backlog.
///
/// # Errors
/// When the database fails.
pub async fn materialise(
    store: &Store,
    config: &Config,
    started: Time,
    now: Time,
) -> Result<Option<Time>> {
    let mut tx = store.read().await?;
    let rows = tx.jobs().await?;
    drop(tx);
    let mut backlogs = Vec::new();
    for mut row in rows {
        let Some(job) = config.jobs.iter().find(|job| job.name == row.name) else { continue };
        let asked = Some((policy(job), config.endpoint(job.kind)));
        decide(store, &mut row, &job.schedule, asked, started, now).await?;
        // The backlog of another schedule is recorded by the daemon that changes it, and one that is
        // ahead of the time may not have happened.
        let is_past = row.backlog_until.is_some_and(|until| until <= now.plus(CLOCK_SLIP));
        let has_backlog = is_past && is_unchanged(job, &row);
        backlogs.extend(has_backlog.then_some((row, job)));
    }
    let Some((row, job)) = backlogs.first_mut() else { return Ok(None) };
    // The clock may be wrong: what is due goes first, and a jump that is corrected soon leaves little.
    let wait = started.plus(BACKLOG_WAIT);
    if now < wait {
        return Ok(Some(wait));
    }
    let left = catch_up(store, row, &job.schedule, Some(policy(job)), started, now).await?;
    Ok((left == Left::More || backlogs.len() > 1).then_some(now))
}

/// Puts right the waits and processes that are ahead of `now`. `takes_back`: so is what the jobs have
/// decided, which has not happened; [`take_back_some`] deletes its slots.
///
/// # Errors
/// When the database fails.
pub async fn clock_set_back(store: &Store, now: Time, takes_back: bool) -> Result<()> {
    let mut tx = store.begin().await?;
    tx.end_waits_ahead(now).await?;
    if takes_back {
        tx.take_back(now, now.plus(CLOCK_SLIP)).await?;
    }
    correct_clock(&mut tx, now, CLOCK_SLIP).await?;
    tx.commit().await
}

/// Deletes a bounded number of slots that are due after `after`, in the future, and ahead of what
/// their jobs have decided. Returns after which time to go on; `None`: none is left.
///
/// # Errors
/// When the database fails.
pub async fn take_back_some(store: &Store, after: Time) -> Result<Option<Time>> {
    let Some((through, slots)) = decide::unplan(store, after).await? else { return Ok(None) };
    tracing::warn!(slots, %after, %through, "took back slots planned under a clock that was ahead");
    Ok(Some(through))
}

/// Lets what a clock that was behind began from `since` to `until` begin at `now`: the fires between
/// never happened.
///
/// # Errors
/// When the database fails.
pub async fn clock_set_forward(store: &Store, since: Time, until: Time, now: Time) -> Result<()> {
    let mut tx = store.begin().await?;
    tx.begin_anew(since, until, now).await?;
    tx.commit().await
}

/// Brings forward slots that wait longer than `wait`, and leases and pauses longer than any valid one.
async fn correct_clock(tx: &mut Tx, now: Time, wait: Duration) -> Result<()> {
    tx.clamp_future_slots(now, now.plus(wait), now.plus(MAX_LEASE)).await?;
    tx.clamp_future_pauses(now, now.plus(CLOCK_SLIP), now.plus(pause::MAX_PROBE_WAIT)).await
}

/// When the next job fires after `now`.
pub fn next_fire(config: &Config, now: Time) -> Option<Time> {
    config.jobs.iter().filter_map(|job| job.schedule.next_after(now)).min()
}

/// The schedule of a job in the database.
fn recorded(row: &JobRow) -> Result<Schedule, String> {
    let zone: Tz = row.timezone.parse().unwrap_or(Tz::UTC);
    let schedule = Schedule::parse(&row.schedule, zone)?;
    match &row.active {
        Some(active) => schedule.within(Active::parse(active)?),
        None => Ok(schedule),
    }
}

/// Whether a job still has the schedule in the database.
fn is_unchanged(job: &Job, row: &JobRow) -> bool {
    let active = job.schedule.active.text();
    let entry = entry(job, active.as_deref());
    (entry.schedule, entry.timezone, entry.active)
        == (row.schedule.as_str(), row.timezone.as_str(), row.active.as_deref())
}

fn entry<'a>(job: &'a Job, active: Option<&'a str>) -> JobEntry<'a> {
    JobEntry {
        name: &job.name,
        kind: job.kind,
        schedule: &job.schedule.pattern,
        timezone: job.schedule.zone.name(),
        active,
        overlap: job.overlap.as_str(),
        spread_seconds: i64::try_from(job.spread.as_secs()).unwrap_or(i64::MAX),
    }
}

fn policy(job: &Job) -> FirePolicy {
    FirePolicy { misfire: job.misfire, overlap: job.overlap }
}
