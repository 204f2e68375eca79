//! Runs whose last slot is settled.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::model::{MissedReason, Origin};
use crate::store::db::{Tx, fetch_all, fetch_optional};
use crate::store::sql::array;
use crate::time::Time;

/// Summary of a run.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RunSummary {
    /// Its number.
    pub run_id: i64,
    /// Its job; `None`: a manual run.
    pub job: Option<String>,
    /// What started it.
    pub origin: Origin,
    /// When it was due.
    pub due_at: Time,
    /// When its slots were planned.
    pub decided_at: Time,
    /// When the last of them was settled.
    pub settled_at: Time,
    /// Slots.
    pub due: i64,
    /// Observed slots.
    pub observed: i64,
    /// Missed slots.
    pub missed: i64,
    /// Calls for them.
    pub calls: i64,
    /// Billed calls.
    pub billed: i64,
    /// Calls whose billing is unknown.
    pub unknown: i64,
    /// Price of the billed calls, in millionths of a yuan.
    pub cost_micros: i64,
}

#[derive(sqlx::FromRow, Serialize)]
struct RunId {
    run_id: i64,
}

#[derive(sqlx::FromRow)]
struct ReasonRow {
    run_id: i64,
    reason: MissedReason,
    slots: i64,
}

#[derive(sqlx::FromRow)]
struct Flag {
    flag: bool,
}

impl Tx {
    /// Whether a run without open slots is not closed yet.
    pub async fn has_settled_runs(&mut self) -> Result<bool> {
        let row = fetch_optional!(
            self,
            Flag,
            "select exists (
                 select 1 from job_runs where closed_at is null and not exists (
                     select 1 from slots s where s.run_id = job_runs.run_id and s.outcome is null)
             ) as flag"
        );
        Ok(row.is_some_and(|row| row.flag))
    }

    /// Closes the runs without open slots. Each is returned once, to the process that closes it;
    /// runs that were settled when they were planned are not returned.
    pub async fn close_runs(&mut self, now: Time) -> Result<Vec<RunSummary>> {
        let closed = fetch_all!(
            self,
            RunId,
            "update job_runs set closed_at = $1
             where closed_at is null and not exists (
                 select 1 from slots s where s.run_id = job_runs.run_id and s.outcome is null)
             returning run_id",
            now
        );
        if closed.is_empty() {
            return Ok(Vec::new());
        }
        let sql = self.over_rows(
            "run_id int",
            "select jr.run_id, j.name as job, jr.origin, jr.due_at, jr.decided_at,
                    max(s.closed_at) as settled_at, count(*) as due,
                    count(case when s.outcome = 'observed' then 1 end) as observed,
                    count(case when s.outcome = 'missed' then 1 end) as missed,
                    cast(coalesce(sum(c.calls), 0) as bigint) as calls,
                    cast(coalesce(sum(c.billed), 0) as bigint) as billed,
                    cast(coalesce(sum(c.unknown), 0) as bigint) as unknown,
                    cast(coalesce(sum(c.cost_micros), 0) as bigint) as cost_micros
             from {rows}
             join job_runs jr on jr.run_id = r.run_id
             left join jobs j on j.job_id = jr.job_id
             join slots s on s.run_id = jr.run_id
             left join (select s.target_id, s.due_at, count(*) as calls,
                               count(case when c.billed = 'yes' then 1 end) as billed,
                               count(case when c.billed = 'unknown' then 1 end) as unknown,
                               sum(case when c.billed = 'yes' then c.price_micros end) as cost_micros
                        from {rows}
                        join slots s on s.run_id = r.run_id
                        join calls c on c.target_id = s.target_id and c.due_at = s.due_at
                        group by s.target_id, s.due_at) as c
                    on c.target_id = s.target_id and c.due_at = s.due_at
             group by jr.run_id, j.name, jr.origin, jr.due_at, jr.decided_at
             having max(s.closed_at) > jr.decided_at or sum(c.calls) > 0
             order by jr.run_id",
        );
        Ok(fetch_all!(self, RunSummary, sql, array(&closed)?))
    }

    /// Missed slots of these runs by reason.
    pub async fn missed_by_reason(
        &mut self,
        runs: &[RunSummary],
    ) -> Result<BTreeMap<i64, BTreeMap<MissedReason, i64>>> {
        let runs: Vec<_> = runs.iter().map(|run| RunId { run_id: run.run_id }).collect();
        let sql = self.over_rows(
            "run_id int",
            "select s.run_id, s.reason, count(*) as slots
             from {rows} join slots s on s.run_id = r.run_id
             where s.outcome = 'missed' and s.reason is not null group by s.run_id, s.reason",
        );
        let mut reasons: BTreeMap<i64, BTreeMap<MissedReason, i64>> = BTreeMap::new();
        for row in fetch_all!(self, ReasonRow, sql, array(&runs)?) {
            reasons.entry(row.run_id).or_default().insert(row.reason, row.slots);
        }
        Ok(reasons)
    }
}
