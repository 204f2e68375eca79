//! Availability of targets: unavailable on evidence from the ledger, probed rarely, available again
//! with the first answer that shows it.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::save::Answer;
use crate::model::{Billed, NORMALISER, Outcome, SlotOutcome, Unavailability};
use crate::store::db::{Tx, execute, fetch_all};
use crate::store::sql::{array, reason_of_state};
use crate::time::Time;

/// Consecutive empty answers that make a target gone, any of which may be a failure in disguise; and
/// consecutive possibly paid answers that are not understood which make it unreadable.
const ANSWERS: i64 = 3;

/// Minimum time between the first and the last of the empty ones.
const EMPTY_FOR: Duration = Duration::from_secs(24 * 3600);

/// Minimum time between the first and the last of those not understood, unless [`ANSWERS`] of them
/// were surely paid: a gateway in trouble answers all targets in a shape of its own.
const UNREADABLE_FOR: Duration = Duration::from_secs(6 * 3600);

/// Probes of a gone or unreadable target, in days after each slot that found it so; the last interval
/// repeats.
const PROBE_AFTER_DAYS: [u32; 4] = [1, 2, 4, 7];

/// Probe of a target whose request was refused without a code of the provider: a gateway may have
/// refused it. A refusal with the provider's code is not probed.
const REFUSED_PROBE_AFTER_DAYS: u32 = 7;

/// A day.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The provider of an endpoint, by the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The endpoint's name.
    pub endpoint: &'static str,
    /// The base URL.
    pub server: String,
}

/// An unavailable watched target.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, Serialize)]
pub struct Unavailable {
    /// Gone, refused or unreadable.
    pub state: Unavailability,
    /// What kind of target.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// When the first answer as evidence came.
    pub since: Time,
    /// The last evidence.
    pub evidence: String,
    /// Answers as evidence.
    pub confirmations: i64,
    /// The next scheduled probe; `None`: there is none.
    pub probe_at: Option<Time>,
}

/// An answer as evidence that its target is unavailable.
#[derive(Serialize)]
struct EvidenceRow<'a> {
    target_id: i64,
    call_id: i64,
    at: Time,
    state: Unavailability,
    reason: Outcome,
    evidence: String,
    server: &'a str,
    first_by: Time,
    probe_1: Option<Time>,
    probe_2: Option<Time>,
    probe_3: Option<Time>,
    probe_4: Option<Time>,
}

const EVIDENCE: &str = "target_id int, call_id int, at time, state text, reason text, \
                        evidence text, server text, first_by time, \
                        probe_1 time, probe_2 time, probe_3 time, probe_4 time";

impl<'a> EvidenceRow<'a> {
    /// The evidence in an answer; `None` if there is none.
    fn of(answer: &'a Answer) -> Option<Self> {
        let end = &answer.end;
        let state = match end.outcome {
            Outcome::Gone | Outcome::Empty => Unavailability::Gone,
            Outcome::BadRequest => Unavailability::Refused,
            Outcome::Unreadable if end.billed != Billed::No => Unavailability::Unreadable,
            _ => return None,
        };
        let code = end.code.as_ref().map(|code| format!(", code {code}")).unwrap_or_default();
        let drift = answer.document.as_ref().and_then(|document| document.drift.as_ref());
        let said = end.message.as_ref().filter(|said| !said.is_empty()).or(drift);
        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
        // From the due time of the slot, so that the probe falls on a slot at the same time of a
        // later day.
        let due_at = answer.settlement.due_at;
        let [probe_1, probe_2, probe_3, probe_4] = PROBE_AFTER_DAYS.map(|days| match state {
            Unavailability::Gone | Unavailability::Unreadable => Some(due_at.plus(DAY * days)),
            Unavailability::Refused if end.code.is_none() => {
                Some(due_at.plus(DAY * REFUSED_PROBE_AFTER_DAYS))
            }
            Unavailability::Refused => None,
        });
        Some(Self {
            target_id: answer.settlement.target_id,
            call_id: end.call_id,
            at: end.finished_at,
            state,
            reason: end.outcome,
            evidence: format!("{}{code}{said}", end.outcome),
            server: &answer.server,
            first_by: end.finished_at.minus(match end.outcome {
                Outcome::Unreadable => UNREADABLE_FOR,
                _ => EMPTY_FOR,
            }),
            probe_1,
            probe_2,
            probe_3,
            probe_4,
        })
    }
}

/// An answer as evidence that its target is available, or that requests for it are accepted.
#[derive(Serialize)]
struct RefutationRow {
    target_id: i64,
    call_id: i64,
    at: Time,
    is_seen: bool,
}

impl RefutationRow {
    fn of(answer: &Answer) -> Option<Self> {
        matches!(answer.end.outcome, Outcome::Ok | Outcome::Empty | Outcome::Gone).then(|| Self {
            target_id: answer.settlement.target_id,
            call_id: answer.end.call_id,
            at: answer.end.finished_at,
            is_seen: answer.end.outcome == Outcome::Ok,
        })
    }
}

/// A row that an answer has ended.
#[derive(sqlx::FromRow)]
struct Ended {
    state: Unavailability,
    endpoint: String,
    at: Time,
}

impl Tx {
    /// Records the evidence in answers. Their calls must be closed on the ledger.
    pub(in crate::store) async fn put_availability(&mut self, answers: &[&Answer]) -> Result<()> {
        let refutations: Vec<_> = answers.iter().filter_map(|a| RefutationRow::of(a)).collect();
        if !refutations.is_empty() {
            let sql = self.over_rows(
                "target_id int, call_id int, at time, is_seen bool",
                "update availability set until = r.at, ended_call_id = r.call_id, probe_at = null
                 from {rows}
                 where availability.target_id = r.target_id and availability.until is null
                   and (r.is_seen or availability.state <> 'gone')
                 returning state, endpoint, until as at",
            );
            let ended = fetch_all!(self, Ended, sql, array(&refutations)?);
            for it in ended.into_iter().filter(|it| it.state == Unavailability::Unreadable) {
                self.probe_unreadable(&it.endpoint, it.at).await?;
            }
        }
        let evidence: Vec<_> = answers.iter().filter_map(|a| EvidenceRow::of(a)).collect();
        if evidence.is_empty() {
            return Ok(());
        }
        let evidence = array(&evidence)?;
        self.confirm(&evidence).await?;
        self.mark(&evidence).await?;
        self.give_up(&evidence).await
    }

    /// An answer about an unreadable target was understood: upstream may have ceased to answer all of
    /// them in that shape, so the others are probed at once.
    async fn probe_unreadable(&mut self, endpoint: &str, now: Time) -> Result<()> {
        execute!(
            self,
            "update availability set probe_at = $2
             where until is null and state = 'unreadable' and endpoint = $1 and probe_at > $2",
            endpoint,
            now
        );
        Ok(())
    }

    /// Adds evidence to open rows.
    async fn confirm(&mut self, evidence: &str) -> Result<()> {
        let sql = self.over_rows(
            EVIDENCE,
            "update availability set
                 evidence = r.evidence, confirmations = confirmations + 1,
                 last_call_id = r.call_id, confirmed_at = r.at, server = r.server,
                 endpoint = (select endpoint from calls where call_id = r.call_id),
                 probe_at = case probes when 0 then r.probe_2 when 1 then r.probe_3 else r.probe_4 end,
                 probes = probes + 1
             from {rows}
             where availability.target_id = r.target_id and availability.state = r.state
               and availability.until is null and availability.last_call_id < r.call_id",
        );
        execute!(self, sql, evidence);
        Ok(())
    }

    /// Marks targets with enough evidence as unavailable: a deleted or hidden item, a refusal, or
    /// several answers of one endpoint over some time without an observation since the first of them:
    /// empty ones about one item, or possibly paid ones that are not understood, where as many paid
    /// ones need no time.
    async fn mark(&mut self, evidence: &str) -> Result<()> {
        let sql = self.over_rows(
            EVIDENCE,
            "insert into availability (target_id, state, since, evidence, confirmations,
                                       first_call_id, last_call_id, confirmed_at, endpoint, server,
                                       probes, probe_at)
             select r.target_id, r.state, min(c.finished_at), r.evidence, count(*),
                    min(c.call_id), r.call_id, r.at, last.endpoint, r.server, 0, r.probe_1
             from {rows}
             join calls last on last.call_id = r.call_id and last.page = 1
             join calls c on c.target_id = r.target_id
                  and (c.call_id = r.call_id
                       or (r.reason in ($4, $6) and c.outcome = r.reason
                           and (r.reason = $4 or c.billed <> $7) and c.endpoint = last.endpoint
                           and c.due_at > coalesce(
                               (select seen.due_at from calls seen
                                where seen.target_id = r.target_id and seen.outcome = $5
                                order by seen.due_at desc limit 1), $2)))
             where not exists (
                 select 1 from availability a
                 where a.target_id = r.target_id and a.state = r.state and a.until is null)
             group by r.target_id, r.state, r.evidence, r.call_id, r.at, r.reason, r.server,
                      r.first_by, r.probe_1, last.endpoint
             having r.reason not in ($4, $6)
                 or (r.reason = $6 and sum(case when c.billed = $8 then 1 else 0 end) >= $3)
                 or (count(*) >= $3 and min(c.finished_at) <= r.first_by
                     and (r.reason = $6 or exists (select 1 from targets t where t.target_id = r.target_id
                                                           and t.kind in ('note', 'work'))))
             on conflict do nothing",
        );
        let (empty, ok, unreadable) = (Outcome::Empty, Outcome::Ok, Outcome::Unreadable);
        let (free, paid) = (Billed::No, Billed::Yes);
        execute!(self, sql, evidence, Time::EPOCH, ANSWERS, empty, ok, unreadable, free, paid);
        Ok(())
    }

    /// Closes the scheduled slots of newly unavailable targets that no process holds and that are
    /// not probes: they were planned before the mark.
    async fn give_up(&mut self, evidence: &str) -> Result<()> {
        let reason = reason_of_state("r.state");
        let sql = self.over_rows(
            EVIDENCE,
            &"update slots set outcome = $2, closed_at = r.at, reason = {reason}
             from {rows}
             where slots.target_id = r.target_id and slots.outcome is null
               and slots.lease_owner is null
               and exists (select 1 from availability a
                           where a.target_id = r.target_id and a.state = r.state and a.until is null)
               and exists (select 1 from job_runs jr
                           where jr.run_id = slots.run_id and jr.job_id is not null)"
                .replace("{reason}", &reason),
        );
        execute!(self, sql, evidence, SlotOutcome::Missed);
        Ok(())
    }

    /// Makes targets probable at once whose watchlist entry has changed since the last evidence: it
    /// was added again, or the settings name another endpoint or base URL. Also repairs probe times
    /// that a fast clock has set. Returns how many.
    pub async fn reconsider(&mut self, asked: &[Asked], now: Time) -> Result<u64> {
        let sql = self.over_rows(
            "endpoint text, server text",
            "update availability set
                 until = case state when $4 then $2 end,
                 probe_at = case when state <> $4 then $2 end
             where until is null and (probe_at is null or probe_at > $2)
               and (probe_at > $3 or not exists (select 1 from {rows} where r.endpoint = availability.endpoint
                                                       and r.server = availability.server)
                    or exists (select 1 from job_targets jt join jobs j on j.job_id = jt.job_id
                               where jt.target_id = availability.target_id and j.is_active
                                 and jt.removed_at is null
                                 and jt.added_at > availability.confirmed_at))",
        );
        let [.., longest] = PROBE_AFTER_DAYS;
        let latest = now.plus(DAY * longest);
        Ok(execute!(self, sql, array(asked)?, now, latest, Unavailability::Refused))
    }

    /// Makes unreadable targets probable at once if the last process that makes calls was of another
    /// version or normaliser: this one may understand their answers. Called before
    /// [`Tx::put_process`].
    pub async fn reconsider_unreadable(&mut self, version: &str, now: Time) -> Result<()> {
        execute!(
            self,
            "update availability set probe_at = $1
             where until is null and state = $2 and probe_at > $1
               and not exists (
                   select 1 from (select version, normaliser from processes where verb <> 'import'
                                  order by started_at desc limit 1) as last
                   where last.version = $3 and last.normaliser = $4)",
            now,
            Unavailability::Unreadable,
            version,
            NORMALISER
        );
        Ok(())
    }

    /// Unavailable watched targets, latest first, at most `limit`.
    pub async fn unavailable(&mut self, limit: i64) -> Result<Vec<Unavailable>> {
        Ok(fetch_all!(
            self,
            Unavailable,
            "select a.state, t.kind, t.key, a.since, a.evidence, a.confirmations, a.probe_at
             from availability a join targets t on t.target_id = a.target_id
             where a.until is null and exists (
                 select 1 from job_targets jt join jobs j on j.job_id = jt.job_id
                 where jt.target_id = a.target_id and jt.removed_at is null and j.is_active)
             order by a.since desc, a.availability_id desc limit $1",
            limit
        ))
    }
}
