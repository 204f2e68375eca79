//! What answers say about the endpoints that gave them, and what follows: pauses begin and end,
//! rates are cut, failures in a row are counted.

use std::collections::BTreeMap;

use anyhow::Result;

use super::pace;
use crate::api::Endpoint;
use crate::pause::{self, Reason, Scope};
use crate::retry::Effect;
use crate::store::{PauseRow, Tx};
use crate::time::Time;

/// Looks in a row that failed at the first try, after which an endpoint is left alone but for single
/// calls.
const FAILING_AFTER: i64 = 6;

/// What one call said.
#[derive(Clone, Debug)]
pub(super) struct Sign {
    pub(super) endpoint: Endpoint,
    pub(super) effect: Effect,
    pub(super) call_id: i64,
    pub(super) sent_at: Time,
    pub(super) at: Time,
    /// Whether it was the first try of its look: one item that fails again and again says nothing of
    /// the others.
    pub(super) first: bool,
    /// What upstream said, for people.
    pub(super) note: Option<String>,
}

/// Acts on what calls said, in the transaction that saves their answers.
pub(super) async fn heed(tx: &mut Tx, signs: &[&Sign]) -> Result<()> {
    let mut by_endpoint: BTreeMap<Endpoint, Vec<&Sign>> = BTreeMap::new();
    for sign in signs {
        by_endpoint.entry(sign.endpoint).or_default().push(sign);
    }
    // Endpoints before pauses, and in their order, as the gate does: two never wait for each other.
    for (endpoint, signs) in &by_endpoint {
        if let Some(sign) = signs.first() {
            tx.endpoint(endpoint.name(), sign.at).await?;
        }
    }
    for (endpoint, mut signs) in by_endpoint {
        signs.sort_by_key(|sign| sign.at);
        for sign in &signs {
            match sign.effect {
                Effect::Answers => answers(tx, sign).await?,
                Effect::TooFast => too_fast(tx, sign).await?,
                Effect::Pause(scope, reason) => stop(tx, sign, scope, reason).await?,
                Effect::Fails | Effect::Nothing => {}
            }
        }
        count_failures(tx, endpoint, &signs).await?;
    }
    Ok(())
}

/// An answer ends the pauses that began before it was asked for, but those made by hand.
async fn answers(tx: &mut Tx, sign: &Sign) -> Result<()> {
    for pause in pause::of_endpoint(&tx.pauses(sign.at).await?, sign.endpoint) {
        let by_itself = Reason::parse(&pause.reason) != Reason::ByHand;
        if by_itself && pause.since <= sign.sent_at {
            let reason = Some(pause.reason.as_str());
            tx.resume(&pause.scope, &pause.name, reason, sign.sent_at, sign.at, "answer").await?;
            tracing::info!(name = pause.name, reason, "answers again: the pause is over");
        }
    }
    Ok(())
}

/// One cut for all the calls that were sent before it.
async fn too_fast(tx: &mut Tx, sign: &Sign) -> Result<()> {
    let endpoint = sign.endpoint.name();
    let row = tx.endpoint(endpoint, sign.at).await?;
    if row.slowed_at.is_some_and(|at| sign.sent_at < at) {
        return Ok(());
    }
    let permille = pace::slower(&row, sign.at);
    tx.slow_down(endpoint, permille, sign.at).await?;
    let percent = permille / 10;
    tracing::warn!(endpoint, percent, "asked too fast: slowing down; the speed comes back");
    Ok(())
}

async fn count_failures(tx: &mut Tx, endpoint: Endpoint, signs: &[&Sign]) -> Result<()> {
    let answered = signs.iter().rposition(|sign| sign.effect == Effect::Answers);
    let since = signs.iter().skip(answered.map_or(0, |last| last + 1));
    let failed: Vec<_> = since.filter(|sign| sign.effect == Effect::Fails).collect();
    if failed.is_empty() && answered.is_none() {
        return Ok(());
    }
    let count = i64::try_from(failed.iter().filter(|sign| sign.first).count())?;
    let failures = tx.count_failures(endpoint.name(), count, answered.is_some()).await?;
    match failed.last() {
        Some(last) if failures >= FAILING_AFTER => {
            stop(tx, last, Scope::Endpoint, Reason::Failing).await
        }
        _ => Ok(()),
    }
}

/// Begins a pause, or, if the call was a try whether one is over, prolongs it.
async fn stop(tx: &mut Tx, sign: &Sign, scope: Scope, reason: Reason) -> Result<()> {
    let name = match scope {
        Scope::Provider => sign.endpoint.provider().name(),
        _ => sign.endpoint.name(),
    };
    let known = tx.pauses(sign.at).await?.into_iter().find(|pause| {
        (pause.scope.as_str(), pause.name.as_str(), pause.reason.as_str())
            == (scope.as_str(), name, reason.as_str())
    });
    // Sent before it began: the same trouble, not another sign of it.
    if known.as_ref().is_some_and(|pause| sign.sent_at < pause.since) {
        return Ok(());
    }
    let failures = known.as_ref().map_or(0, |pause| pause.failures + 1);
    let probe_at = reason.wait(failures).map(|wait| sign.at.plus(wait));
    let until = reason.until(sign.at);
    if known.is_none() {
        let reason = reason.as_str();
        let said = sign.note.as_deref().unwrap_or_default();
        let until = until.map(|at| at.to_string());
        tracing::warn!(name, reason, said, until, "upstream refuses or fails: asking it is paused");
    }
    tx.pause(&PauseRow {
        scope: scope.as_str().to_owned(),
        name: name.to_owned(),
        reason: reason.as_str().to_owned(),
        note: sign.note.clone(),
        since: known.map_or(sign.at, |pause| pause.since),
        until,
        probe_at,
        failures,
        call_id: Some(sign.call_id),
    })
    .await
}
