//! Decides a job's fires, a bounded number in each transaction.

use std::time::Duration;

use anyhow::Result;

use super::CLOCK_SLIP;
use super::misfire::{FirePolicy, MisfireDecision};
use crate::api::Endpoint;
use crate::model::MissedReason;
use crate::pause;
use crate::schedule::Schedule;
use crate::store::{Fires, JobRow, Store, Tx};
use crate::time::Time;

/// Most fires decided in one transaction.
const MAX_FIRES: usize = 1000;

/// Most slots created in one transaction, unless a single fire creates more.
const MAX_SLOTS: usize = 20_000;

/// Whether fires are left to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// All fires up to now are decided.
    Nothing,
    /// Some are left: call again after other work.
    More,
}

/// Decides the oldest undecided fires of a job, up to `now`.
pub(super) async fn decide(
    store: &Store,
    row: &mut JobRow,
    schedule: &Schedule,
    policy: Option<(FirePolicy, Endpoint)>,
    started: Time,
    now: Time,
) -> Result<Left> {
    let from = row.fired_through;
    if from.since(now) > CLOCK_SLIP {
        return revert_fires(store, row, schedule, now).await;
    }
    let mut due: Vec<_> = schedule.fires(from, now).take(MAX_FIRES).collect();
    if due.len() > 1 {
        let watched = store.read().await?.count_watched(row.job_id).await?;
        due.truncate((MAX_SLOTS / watched.max(1)).max(1));
    }
    let Some(&through) = due.last() else { return Ok(Left::Nothing) };
    let decision =
        MisfireDecision::new(schedule, policy.map(|(policy, _)| policy), from, started, now);
    let mut fires = Fires::default();
    for at in due {
        match decision.reason(at) {
            Some(reason) => fires.missed.push((at, reason)),
            None => fires.open.push(at),
        }
    }
    let mut tx = store.begin().await?;
    if !tx.advance_job(row.job_id, from, through).await? {
        // Another daemon decides them.
        return Ok(Left::Nothing);
    }
    let blocked = match (policy, fires.open.first()) {
        (Some((_, endpoint)), Some(first)) => blocked(&mut tx, endpoint, *first).await?,
        _ => None,
    };
    tx.fire(row.job_id, &fires, blocked, now).await?;
    tx.end_expired(now).await?;
    tx.commit().await?;
    row.fired_through = through;
    log(row, &fires);
    let is_last = schedule.next_after(through).is_none_or(|next| next > now);
    Ok(if is_last { Left::Nothing } else { Left::More })
}

/// What has blocked the endpoint until `due_at`: the missed reason of older slots that newer ones
/// supersede.
async fn blocked(tx: &mut Tx, endpoint: Endpoint, due_at: Time) -> Result<Option<MissedReason>> {
    let until = due_at.minus(Duration::from_millis(1));
    let pauses = tx.pauses(until).await?;
    let began = pauses.into_iter().filter(|pause| pause.since <= until).collect::<Vec<_>>();
    Ok(pause::blocking(&began, endpoint).map(MissedReason::from))
}

/// Reverts fires decided under a clock that was ahead, newest first, and deletes their slots.
async fn revert_fires(
    store: &Store,
    row: &mut JobRow,
    schedule: &Schedule,
    now: Time,
) -> Result<Left> {
    let from = row.fired_through;
    let mut tx = store.begin().await?;
    let watched = tx.count_watched(row.job_id).await?;
    let most = (MAX_SLOTS / watched.max(1)).clamp(1, MAX_FIRES);
    // Fires before the earliest of these are left for the next call.
    let to = match schedule.latest(now, from, most + 1).as_slice() {
        [before, rest @ ..] if rest.len() == most => *before,
        _ => now,
    };
    if !tx.advance_job(row.job_id, from, to).await? {
        return Ok(Left::Nothing);
    }
    let slots = tx.unplan(row.job_id, to, from).await?;
    tx.commit().await?;
    row.fired_through = to;
    tracing::warn!(job = row.name, slots, back_to = %to, "reverted the slots planned under a clock that was ahead");
    Ok(if to == now { Left::Nothing } else { Left::More })
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
