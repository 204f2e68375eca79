//! Figures for `/metrics`: each query reads only new rows, or uses an index, however large the
//! archive is.

use anyhow::Result;
use serde::Serialize;

use crate::model::{Billed, MissedReason, SlotOutcome, Unavailability};
use crate::store::db::{Id, Tx, fetch_all, fetch_optional};
use crate::store::sql::array;
use crate::time::Time;

/// Fires of a job that are searched for the last observation.
pub const FIRES_SEARCHED: i64 = 20;

/// Closed calls with the same endpoint, outcome and billing.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CallCount {
    /// The endpoint's name.
    pub endpoint: String,
    /// Their outcome.
    pub outcome: String,
    /// Whether they were paid for.
    pub billed: Billed,
    /// How many.
    pub calls: i64,
    /// Their price, in millionths of a yuan.
    pub cost_micros: i64,
    /// Those whose answers drifted.
    pub adrift: i64,
}

/// A run, and whether its last slot is settled.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RunState {
    /// Its number.
    pub run_id: i64,
    /// Its job; the origin of a manual run.
    pub job: String,
    /// When its slots were planned.
    pub decided_at: Time,
    /// Whether all of them are settled.
    pub is_closed: bool,
    /// Whether it is a backfill.
    pub is_backfill: bool,
}

/// Settled slots of one run with the same outcome and reason.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OutcomeCount {
    /// The run.
    pub run_id: i64,
    /// Their outcome.
    pub outcome: SlotOutcome,
    /// Why they were missed.
    pub reason: Option<MissedReason>,
    /// How many.
    pub slots: i64,
}

/// The last observation of a job.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct JobObservation {
    /// Its name.
    pub job: String,
    /// When the last fire with an observation had one; `None`: none of the searched fires has.
    pub observed_at: Option<Time>,
    /// Settled fires without observations since then, at most as many as are searched.
    pub unobserved_fires: i64,
}

/// Watched targets in one state.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StateCount {
    /// The state.
    pub state: Unavailability,
    /// Targets.
    pub targets: i64,
}

#[derive(sqlx::FromRow)]
struct Newest {
    id: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct At {
    at: Option<Time>,
}

#[derive(Serialize)]
struct RunId {
    run_id: i64,
}

impl Tx {
    /// The last call before the first open one. Adding 0 keeps the databases from searching for it
    /// through all closed calls.
    pub async fn last_settled_call(&mut self) -> Result<i64> {
        let row = fetch_optional!(
            self,
            Id,
            "select coalesce((select min(call_id + 0) - 1 from calls where outcome is null),
                             (select max(call_id) from calls), 0) as id"
        );
        Ok(row.map_or(0, |row| row.id))
    }

    /// The end of the closed calls after `call_id` that were opened up to `recent`; `call_id` if
    /// there are none.
    pub async fn settled_calls_after(&mut self, call_id: i64, recent: Time) -> Result<i64> {
        let row = fetch_optional!(
            self,
            Newest,
            "select coalesce(min(case when outcome is null or opened_at > $2 then call_id end) - 1,
                             max(call_id)) as id
             from calls where call_id > $1",
            call_id,
            recent
        );
        Ok(row.and_then(|row| row.id).unwrap_or(call_id))
    }

    /// Closed calls after one up to another, except imported ones.
    pub async fn count_calls(&mut self, after: i64, through: i64) -> Result<Vec<CallCount>> {
        Ok(fetch_all!(
            self,
            CallCount,
            "select c.endpoint, c.outcome, c.billed, count(*) as calls,
                    cast(coalesce(sum(c.price_micros), 0) as bigint) as cost_micros,
                    count(d.drift) as adrift
             from calls c left join documents d on d.document_id = c.call_id
             where c.call_id > $1 and c.call_id <= $2
               and c.outcome is not null and c.imported_at is null
             group by c.endpoint, c.outcome, c.billed",
            after,
            through
        ))
    }

    /// The last run before the first one that is not closed.
    pub async fn last_settled_run(&mut self) -> Result<i64> {
        let row = fetch_optional!(
            self,
            Id,
            "select coalesce((select min(run_id + 0) - 1 from job_runs where closed_at is null),
                             (select max(run_id) from job_runs), 0) as id"
        );
        Ok(row.map_or(0, |row| row.id))
    }

    /// The runs after `run_id`, in order.
    pub async fn runs_after(&mut self, run_id: i64) -> Result<Vec<RunState>> {
        Ok(fetch_all!(
            self,
            RunState,
            "select jr.run_id, coalesce(j.name, jr.origin) as job, jr.decided_at,
                    jr.closed_at is not null as is_closed, jr.origin = 'backfill' as is_backfill
             from job_runs jr left join jobs j on j.job_id = jr.job_id
             where jr.run_id > $1 order by jr.run_id",
            run_id
        ))
    }

    /// Settled slots of these runs by outcome and reason.
    pub async fn count_outcomes(&mut self, runs: &[RunState]) -> Result<Vec<OutcomeCount>> {
        // Backfills may have very many slots, which are counted in an index of their own.
        let (backfills, others): (Vec<&RunState>, Vec<_>) =
            runs.iter().partition(|run| run.is_backfill);
        let mut counted = Vec::new();
        for (runs, which) in [(others, ""), (backfills, "and s.priority > 0")] {
            if runs.is_empty() {
                continue;
            }
            let runs: Vec<_> = runs.iter().map(|run| RunId { run_id: run.run_id }).collect();
            let template = format!(
                "select s.run_id, s.outcome, s.reason, count(*) as slots
                 from {{rows}} join slots s on s.run_id = r.run_id {which}
                 where s.outcome is not null group by s.run_id, s.outcome, s.reason"
            );
            let sql = self.over_rows("run_id int", &template);
            counted.extend(fetch_all!(self, OutcomeCount, sql, array(&runs)?));
        }
        Ok(counted)
    }

    /// The last observation of each active job. A slot that several jobs want counts for each.
    pub async fn job_observations(&mut self) -> Result<Vec<JobObservation>> {
        Ok(fetch_all!(
            self,
            JobObservation,
            "select f.name as job,
                    (select s.closed_at from job_targets jt cross join slots s
                     where jt.job_id = f.job_id and s.target_id = jt.target_id
                       and s.due_at = f.observed_due_at and s.outcome = 'observed' limit 1) as observed_at,
                    (select count(*) from job_runs jr
                     where jr.job_id = f.job_id and jr.closed_at is not null
                       and jr.due_at > coalesce(f.observed_due_at, f.searched_from)) as unobserved_fires
             from (select e.job_id, e.name, e.searched_from,
                          (select jr.due_at from job_runs jr cross join job_targets jt cross join slots s
                           where jr.job_id = e.job_id and jr.due_at > e.searched_from
                             and jt.job_id = e.job_id and s.target_id = jt.target_id
                             and s.due_at = jr.due_at and s.outcome = 'observed'
                           order by jr.due_at desc limit 1) as observed_due_at
                   from (select j.job_id, j.name,
                                coalesce((select jr.due_at from job_runs jr
                                          where jr.job_id = j.job_id
                                          order by jr.due_at desc limit 1 offset $1), $2)
                                    as searched_from
                         from jobs j where j.is_active) as e) as f
             order by f.name",
            FIRES_SEARCHED,
            Time::EPOCH
        ))
    }

    /// Since when the oldest due scheduled slot waits for a process; `None`: none waits.
    pub async fn oldest_claimable(&mut self, now: Time) -> Result<Option<Time>> {
        let row = fetch_optional!(
            self,
            At,
            "select min(k.at) as at
             from (select (select min(s.retry_at) from slots s
                           where s.outcome is null and s.kind = j.kind and s.priority = 0
                             and s.lease_owner is null) as at
                   from (select distinct kind from jobs) as j) as k
             where k.at <= $1",
            now
        );
        Ok(row.and_then(|row| row.at))
    }

    /// Due time of the oldest fire of a job with an open slot.
    pub async fn oldest_open_fire(&mut self) -> Result<Option<Time>> {
        let row = fetch_optional!(
            self,
            At,
            "select min(jr.due_at) as at from job_runs jr
             where jr.closed_at is null and jr.job_id is not null and exists (
                 select 1 from slots s where s.run_id = jr.run_id and s.outcome is null)"
        );
        Ok(row.and_then(|row| row.at))
    }

    /// Last observation of each available watched target after `searched_from`, or when it was put
    /// on a watchlist.
    pub async fn last_observations(&mut self, searched_from: Time) -> Result<Vec<Time>> {
        let rows = fetch_all!(
            self,
            At,
            "select coalesce((select s.closed_at from slots s
                              where s.target_id = w.target_id and s.due_at > $1
                                and s.outcome = 'observed'
                              order by s.due_at desc limit 1), w.added_at) as at
             from (select jt.target_id, min(jt.added_at) as added_at
                   from job_targets jt join jobs j on j.job_id = jt.job_id
                   where j.is_active and jt.removed_at is null group by jt.target_id) as w
             where not exists (select 1 from availability a
                               where a.target_id = w.target_id and a.until is null)",
            searched_from
        );
        Ok(rows.into_iter().filter_map(|row| row.at).collect())
    }

    /// Unavailable watched targets by state.
    pub async fn count_unavailable(&mut self) -> Result<Vec<StateCount>> {
        Ok(fetch_all!(
            self,
            StateCount,
            "select a.state, count(*) as targets from availability a
             where a.until is null and exists (
                 select 1 from job_targets jt join jobs j on j.job_id = jt.job_id
                 where jt.target_id = a.target_id and jt.removed_at is null and j.is_active)
             group by a.state order by a.state"
        ))
    }
}
