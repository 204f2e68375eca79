//! Jobs that want claimed slots, and claims that have to wait.

use anyhow::Result;
use serde::Serialize;

use super::claim::Claim;
use crate::model::MissedReason;
use crate::store::db::{Tx, execute, fetch_all};
use crate::store::sql::array;
use crate::time::Time;

/// A claimed slot and a job that wants it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SlotJob {
    /// The target.
    pub target_id: i64,
    /// When the slot is due.
    pub due_at: Time,
    /// The job's name; `None` in a manual run.
    pub job: Option<String>,
}

#[derive(Serialize)]
struct SlotKey {
    target_id: i64,
    due_at: Time,
    run_id: i64,
}

impl Tx {
    /// The jobs that want claimed slots: each slot with every job that fired then, or with none if
    /// the run is manual.
    pub async fn jobs_of_claims(&mut self, claims: &[Claim]) -> Result<Vec<SlotJob>> {
        let sql = self.over_rows(
            "target_id int, due_at time, run_id int",
            "select r.target_id as target_id, r.due_at as due_at, j.name as job
             from {rows}
             join job_runs jr on jr.due_at = r.due_at
             join jobs j on j.job_id = jr.job_id
             join job_targets jt on jt.job_id = j.job_id and jt.target_id = r.target_id
             union
             select r.target_id, r.due_at, null
             from {rows} join job_runs jr on jr.run_id = r.run_id
             where jr.job_id is null",
        );
        Ok(fetch_all!(self, SlotJob, sql, slot_keys(claims)?))
    }

    /// Releases claims until `until`, for `reason` if they have none yet. It does not count as an
    /// attempt.
    pub async fn postpone(
        &mut self,
        claims: &[Claim],
        until: Time,
        reason: Option<MissedReason>,
    ) -> Result<u64> {
        let sql = self.over_rows(
            "target_id int, due_at time, run_id int",
            "update slots set lease_owner = null, lease_until = null, attempts = attempts - 1,
                              retry_at = $2,
                              reason = coalesce(slots.reason, case when $3 <> '' then $3 end)
             from {rows}
             where slots.target_id = r.target_id and slots.due_at = r.due_at
               and coalesce(slots.outcome, 'open') = 'open'",
        );
        Ok(execute!(self, sql, slot_keys(claims)?, until, reason.map_or("", MissedReason::as_str)))
    }
}

fn slot_keys(claims: &[Claim]) -> Result<String> {
    let keys: Vec<_> = claims
        .iter()
        .map(|claim| SlotKey {
            target_id: claim.target_id,
            due_at: claim.due_at,
            run_id: claim.run_id,
        })
        .collect();
    array(&keys)
}
