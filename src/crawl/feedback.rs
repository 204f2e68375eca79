//! Endpoint feedback: what answers say about their endpoints begins and ends pauses, cuts rates and
//! counts the targets that fail in a row.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use tokio::sync::OwnedSemaphorePermit;

use super::rate_limiter;
use super::retry::Effect;
use crate::api::Endpoint;
use crate::drift::Outline;
use crate::model::{Pause, PauseReason, PauseScope, ResumedBy};
use crate::pause;
use crate::store::Tx;
use crate::time::Time;

/// Targets that fail in a row and pause an endpoint as failing, or all that it has if those are fewer: a
/// few that keep failing say nothing about the others.
const FAILING_AFTER: i64 = 6;

/// Never fewer than this: one target that fails says nothing about its endpoint.
const FAILING_AFTER_AT_LEAST: i64 = 2;

/// What one call says about its endpoint.
#[derive(Debug)]
pub(super) struct Feedback {
    pub(super) endpoint: Endpoint,
    pub(super) effect: Effect,
    pub(super) call_id: i64,
    pub(super) sent_at: Time,
    pub(super) at: Time,
    pub(super) target_id: i64,
    /// The message of upstream, for people.
    pub(super) note: Option<String>,
    /// The paths of the answer, if it was read.
    pub(super) outline: Option<Outline>,
    /// The turn of a large answer, until it is saved.
    pub(super) turn: Option<OwnedSemaphorePermit>,
}

/// Applies the feedback of calls, in the transaction that saves their answers.
pub(super) async fn apply(tx: &mut Tx, all: &[&Feedback]) -> Result<()> {
    let mut by_endpoint: BTreeMap<Endpoint, Vec<&Feedback>> = BTreeMap::new();
    for feedback in all {
        by_endpoint.entry(feedback.endpoint).or_default().push(feedback);
    }
    // Locks endpoints before pauses, in order, as admission does: no deadlock.
    for (endpoint, feedback) in &by_endpoint {
        if let Some(first) = feedback.first() {
            tx.endpoint(endpoint.as_str(), first.at).await?;
        }
    }
    for (endpoint, mut calls) in by_endpoint {
        calls.sort_by_key(|call| call.at);
        for call in &calls {
            match call.effect {
                Effect::Works => works(tx, call).await?,
                Effect::TooFast => too_fast(tx, call).await?,
                Effect::Pause(scope, reason) => pause_after(tx, call, scope, reason).await?,
                Effect::Fails | Effect::Nothing => {}
            }
        }
        count_failures(tx, endpoint, &calls).await?;
    }
    Ok(())
}

/// An answer ends the pauses that began before its call was sent, except those by hand.
async fn works(tx: &mut Tx, call: &Feedback) -> Result<()> {
    for pause in pause::of_endpoint(&tx.pauses(call.at).await?, call.endpoint) {
        let by_itself = pause.reason != PauseReason::ByHand;
        if by_itself && pause.since <= call.sent_at {
            let reason = Some(pause.reason);
            tx.resume(pause.scope, &pause.name, reason, call.sent_at, call.at, ResumedBy::Answer)
                .await?;
            tracing::info!(
                name = pause.name,
                reason = pause.reason.as_str(),
                "pause ended: upstream answers again"
            );
        }
    }
    Ok(())
}

/// Cuts the rate once for all the calls sent before the cut.
async fn too_fast(tx: &mut Tx, call: &Feedback) -> Result<()> {
    let endpoint = call.endpoint.as_str();
    let row = tx.endpoint(endpoint, call.at).await?;
    if row.slowed_at.is_some_and(|at| call.sent_at < at) {
        return Ok(());
    }
    let permille = rate_limiter::slower(&row, call.at);
    tx.slow_down(endpoint, permille, call.at).await?;
    let percent = permille / 10;
    tracing::warn!(endpoint, percent, "rate limited by upstream: speed cut, recovers in steps");
    Ok(())
}

async fn count_failures(tx: &mut Tx, endpoint: Endpoint, calls: &[&Feedback]) -> Result<()> {
    let answered = calls.iter().rposition(|call| call.effect == Effect::Works);
    let since = calls.iter().skip(answered.map_or(0, |last| last + 1));
    let failed: Vec<_> = since.filter(|call| call.effect == Effect::Fails).collect();
    if failed.is_empty() && answered.is_none() {
        return Ok(());
    }
    let targets: BTreeSet<_> = failed.iter().map(|call| call.target_id).collect();
    let failures = tx.count_failures(endpoint.as_str(), &targets, answered.is_some()).await?;
    match failed.last() {
        Some(last) if is_failing(tx, endpoint, failures).await? => {
            pause_after(tx, last, PauseScope::Endpoint, PauseReason::Failing).await
        }
        _ => Ok(()),
    }
}

/// Whether that many targets that failed in a row are enough to pause their endpoint.
async fn is_failing(tx: &mut Tx, endpoint: Endpoint, failures: i64) -> Result<bool> {
    if !(FAILING_AFTER_AT_LEAST..FAILING_AFTER).contains(&failures) {
        return Ok(failures >= FAILING_AFTER);
    }
    let resolves = endpoint.is_resolver();
    Ok(failures >= tx.targets_to_fetch(endpoint.kind(), resolves, FAILING_AFTER).await?)
}

/// Begins a pause, or prolongs it after a failed probe.
async fn pause_after(
    tx: &mut Tx,
    call: &Feedback,
    scope: PauseScope,
    reason: PauseReason,
) -> Result<()> {
    let name = match scope {
        PauseScope::Provider => call.endpoint.provider().as_str(),
        _ => call.endpoint.as_str(),
    };
    let known =
        tx.pauses(call.at).await?.into_iter().find(|pause| {
            (pause.scope, pause.name.as_str(), pause.reason) == (scope, name, reason)
        });
    // Sent before the pause began: the same trouble, no new evidence.
    if known.as_ref().is_some_and(|pause| call.sent_at < pause.since) {
        return Ok(());
    }
    let failures = known.as_ref().map_or(0, |pause| pause.failures + 1);
    let probe_at = reason.probe_wait(failures).map(|wait| call.at.plus(wait));
    let until = reason.until(call.at);
    if known.is_none() {
        let reason = reason.as_str();
        let upstream_message = call.note.as_deref().unwrap_or_default();
        let until = until.map(|at| at.to_string());
        tracing::warn!(name, reason, upstream_message, until, "paused: upstream refuses or fails");
    }
    tx.pause(&Pause {
        scope,
        name: name.to_owned(),
        reason,
        note: call.note.clone(),
        since: known.map_or(call.at, |pause| pause.since),
        until,
        probe_at,
        failures,
        call_id: Some(call.call_id),
    })
    .await
}
