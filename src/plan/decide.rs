//! Decides a job's fires: the newest at once, older ones as a backlog, a bounded number in each
//! transaction.

use std::time::Duration;

use anyhow::Result;

use super::misfire::{FirePolicy, MisfireDecision, TICK};
use crate::api::Endpoint;
use crate::model::MissedReason;
use crate::pause;
use crate::schedule::Schedule;
use crate::store::{Fires, JobRow, Store, Tx, Watched};
use crate::time::Time;

/// Most fires decided in one transaction.
const MAX_FIRES: usize = 1000;

/// Most slots created in one transaction, unless a single fire creates more.
const MAX_SLOTS: usize = 20_000;

/// Most slots of one backlog of a job, and most fires; older fires are not recorded.
const MAX_BACKLOG: usize = 1_000_000;

/// Whether a part of the work is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// All of it is done.
    Nothing,
    /// Some is left: call again after other work.
    More,
}

/// How many fires are decided in one transaction for so many targets.
fn at_once(targets: i64) -> usize {
    let targets = usize::try_from(targets).unwrap_or(0);
    (MAX_SLOTS / targets.max(1)).clamp(1, MAX_FIRES)
}

/// Fires before the first target was watched have no slots.
fn begin(watched: Watched, from: Time) -> Time {
    watched.since.map_or(from, |since| from.max(since.minus(TICK)))
}

/// Decides the undecided fires of a job up to `now`: the newest, and those that get slots. Older ones
/// become its backlog.
pub(super) async fn decide(
    store: &Store,
    row: &mut JobRow,
    schedule: &Schedule,
    policy: Option<(FirePolicy, Endpoint)>,
    started: Time,
    now: Time,
) -> Result<()> {
    let from = row.fired_through;
    if schedule.next_after(from).is_none_or(|next| next > now) {
        return Ok(());
    }
    let watched = store.read().await?.watched(row.job_id, from).await?;
    let (begin, most) = (begin(watched, from), at_once(watched.targets));
    let decision =
        MisfireDecision::new(schedule, policy.map(|(policy, _)| policy), begin, started, now);
    let mut due = schedule.latest(begin, now, most + 1);
    let has_older = due.len() > most;
    if has_older {
        due.remove(0);
        if let Some(open) = decision.open_from().filter(|open| due.first() > Some(open)) {
            due = schedule.fires(open.minus(TICK), now).collect();
        }
    }
    let backlog = due.first().filter(|_| has_older).map(|first| (begin, first.minus(TICK)));
    let fires = sorted(&decision, &due);
    let through = due.last().copied().unwrap_or(now);
    let mut tx = store.begin().await?;
    if !tx.advance_job(row.job_id, from, through, backlog).await? {
        // Another daemon has decided them.
        drop(tx);
        return read_again(store, row).await;
    }
    let blocked = match (policy, fires.open.first()) {
        (Some((_, endpoint)), Some(first)) => blocked(&mut tx, endpoint, *first).await?,
        _ => None,
    };
    tx.fire(row.job_id, &fires, blocked, now).await?;
    tx.end_expired(now).await?;
    tx.commit().await?;
    row.fired_through = through;
    if let Some((since, until)) = backlog {
        row.backlog_fires = row.backlog_since.map_or(0, |_| row.backlog_fires);
        row.backlog_since = row.backlog_since.or(Some(since));
        row.backlog_until = Some(until);
    }
    log(row, &fires);
    Ok(())
}

/// Records the newest fires of a job's backlog as missed.
pub(super) async fn catch_up(
    store: &Store,
    row: &mut JobRow,
    schedule: &Schedule,
    policy: Option<FirePolicy>,
    started: Time,
    now: Time,
) -> Result<Left> {
    let Some((since, until)) = row.backlog_since.zip(row.backlog_until) else {
        return Ok(Left::Nothing);
    };
    let watched = store.read().await?.watched(row.job_id, since).await?;
    let (since, most) = (begin(watched, since), at_once(watched.targets));
    let mut due = schedule.latest(since, until, most + 1);
    let mut is_last = due.len() <= most;
    if !is_last {
        due.remove(0);
    }
    let recorded = usize::try_from(row.backlog_fires)? + due.len();
    let slots = recorded.saturating_mul(usize::try_from(watched.targets)?.max(1));
    if !is_last && slots >= MAX_BACKLOG {
        let before = due.first().map(Time::to_string);
        tracing::warn!(
            job = row.name,
            before,
            "too many missed fires: older ones are not recorded"
        );
        is_last = true;
    }
    // None of them gets slots.
    let decision = MisfireDecision::of_backlog(policy, started, now);
    let fires = sorted(&decision, &due);
    let to = due.first().filter(|_| !is_last).map(|first| first.minus(TICK));
    let mut tx = store.begin().await?;
    if !tx.advance_backlog(row.job_id, until, to, due.len()).await? {
        drop(tx);
        read_again(store, row).await?;
        return Ok(row.backlog_until.map_or(Left::Nothing, |_| Left::More));
    }
    tx.fire(row.job_id, &fires, None, now).await?;
    tx.commit().await?;
    row.backlog_until = to;
    row.backlog_fires = i64::try_from(recorded)?;
    log(row, &fires);
    Ok(if is_last { Left::Nothing } else { Left::More })
}

/// Reads a job again that another daemon has advanced.
async fn read_again(store: &Store, row: &mut JobRow) -> Result<()> {
    let rows = store.read().await?.jobs().await?;
    if let Some(now) = rows.into_iter().find(|now| now.job_id == row.job_id) {
        *row = now;
    }
    Ok(())
}

/// These fires by their decision.
fn sorted(decision: &MisfireDecision, due: &[Time]) -> Fires {
    let mut fires = Fires::default();
    for at in due {
        match decision.reason(*at) {
            Some(reason) => fires.missed.push((*at, reason)),
            None => fires.open.push(*at),
        }
    }
    fires
}

/// What has blocked the endpoint until `due_at`: the missed reason of older slots that newer ones
/// supersede.
async fn blocked(tx: &mut Tx, endpoint: Endpoint, due_at: Time) -> Result<Option<MissedReason>> {
    let until = due_at.minus(Duration::from_millis(1));
    let pauses = tx.pauses(until).await?;
    let began = pauses.into_iter().filter(|pause| pause.since <= until).collect::<Vec<_>>();
    Ok(pause::blocking(&began, endpoint).map(MissedReason::from))
}

/// Deletes some of the slots due after `after` that are ahead of what their jobs have decided; returns
/// after which time to go on, and how many were deleted.
pub(super) async fn unplan(store: &Store, after: Time) -> Result<Option<(Time, u64)>> {
    let mut tx = store.begin().await?;
    let most = at_once(tx.most_watched().await?);
    let Some(through) = tx.runs_ahead(after, most).await? else { return Ok(None) };
    let slots = tx.unplan(after, through).await?;
    tx.commit().await?;
    Ok(Some((through, slots)))
}

/// Logs the decision.
fn log(row: &JobRow, fires: &Fires) {
    if !fires.missed.is_empty() {
        let fires = fires.missed.len();
        tracing::warn!(job = row.name, fires, "missed fires: no daemon decided them in time");
    }
    for due_at in &fires.open {
        tracing::info!(job = row.name, %due_at, "due");
    }
}
