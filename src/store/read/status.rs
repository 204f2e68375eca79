//! Figures for `tidewatch status`.

use anyhow::Result;

use crate::model::ProblemKind;
use crate::store::db::{Tx, fetch_all, fetch_optional};
use crate::time::Time;

/// Slots by state.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct SlotTotals {
    /// Due.
    pub due: i64,
    /// Observed.
    pub observed: i64,
    /// Missed, each with a reason.
    pub missed: i64,
    /// Open.
    pub open: i64,
}

/// Status of a job.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct JobReport {
    /// Its name.
    pub name: String,
    /// Kind of its targets: note, keyword, `kol_search` or work.
    pub kind: String,
    /// Its cron pattern, as a daemon loaded it last.
    pub schedule: String,
    /// Time zone of the pattern.
    pub timezone: String,
    /// Active windows; `None`: always active.
    pub active: Option<String>,
    /// Whether `jobs.toml` had it when the daemon last read it.
    pub is_active: bool,
    /// Targets on its watchlist.
    pub targets: i64,
    /// Its last fire.
    pub last_due_at: Option<Time>,
    /// Slots due since the day began.
    pub due: i64,
    /// Observed slots.
    pub observed: i64,
    /// Missed slots.
    pub missed: i64,
    /// Open slots.
    pub open: i64,
}

/// A problem and how often it occurred.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// The reason, the outcome or the drift.
    pub detail: String,
    /// Number of occurrences.
    pub count: i64,
    /// The last occurrence.
    pub last_at: Option<Time>,
}

/// A point of a time series.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct Point {
    /// `xiaohongshu` or `douyin`.
    pub platform: String,
    /// The platform's id.
    pub item_id: String,
    /// Its title, or the beginning of its body.
    pub title: Option<String>,
    /// When it was observed.
    pub observed_at: Time,
    /// Its likes.
    pub likes: i64,
}

impl Tx {
    /// Slots planned since `since`, by state.
    pub async fn slot_totals(&mut self, since: Time) -> Result<SlotTotals> {
        let totals = fetch_optional!(
            self,
            SlotTotals,
            "select count(*) as due,
                    count(case when outcome = 'observed' then 1 end) as observed,
                    count(case when outcome = 'missed' then 1 end) as missed,
                    count(*) - count(outcome) as open
             from job_runs jr cross join slots s
             where jr.due_at >= $1 and s.run_id = jr.run_id",
            since
        );
        Ok(totals.unwrap_or_default())
    }

    /// Status of every job, with its slots planned since `since`.
    pub async fn job_reports(&mut self, since: Time) -> Result<Vec<JobReport>> {
        Ok(fetch_all!(
            self,
            JobReport,
            "select j.name, j.kind, j.schedule, j.timezone, j.active, j.is_active,
                    (select count(*) from job_targets jt
                     where jt.job_id = j.job_id and jt.removed_at is null) as targets,
                    (select max(due_at) from job_runs jr where jr.job_id = j.job_id) as last_due_at,
                    count(s.due_at) as due,
                    count(case when s.outcome = 'observed' then 1 end) as observed,
                    count(case when s.outcome = 'missed' then 1 end) as missed,
                    count(s.due_at) - count(s.outcome) as open
             from jobs j
             left join job_runs r on r.job_id = j.job_id and r.due_at >= $1
             left join job_targets jt on jt.job_id = j.job_id
                  and (jt.removed_at is null or r.due_at <= jt.removed_at)
             left join slots s on s.target_id = jt.target_id and s.due_at = r.due_at
             group by j.job_id, j.name, j.kind, j.schedule, j.timezone, j.active, j.is_active
             order by j.name",
            since
        ))
    }

    /// Problems since `since`, and open slots that were due before `overdue`; the most frequent
    /// first.
    pub async fn problems(&mut self, since: Time, overdue: Time) -> Result<Vec<Problem>> {
        Ok(fetch_all!(
            self,
            Problem,
            "select 'missed' as kind, reason as detail, count(*) as count, max(s.closed_at) as last_at
             from job_runs jr cross join slots s
             where jr.due_at >= $1 and s.run_id = jr.run_id and s.outcome = 'missed' group by reason
             union all
             select 'retrying', reason, count(*), max(due_at)
             from slots where outcome is null and reason is not null group by reason
             union all
             select 'overdue', 'no daemon claimed the slot', count(*), max(due_at)
             from slots where outcome is null and reason is null and lease_owner is null
                          and priority = 0 and retry_at < $2 having count(*) > 0
             union all
             select 'unknown call', outcome, count(*), max(opened_at)
             from calls where outcome = 'interrupted' and opened_at >= $1 group by outcome
             union all
             select 'drift', drift, count(*), max(fetched_at)
             from documents where drift is not null and fetched_at >= $1 group by drift
             union all
             select 'alert not sent', name || ': ' || last_error, count(*), max(since)
             from alerts where last_error is not null group by name, last_error
             order by count desc, kind, detail",
            since,
            overdue
        ))
    }

    /// Likes of every item since `since`, by item and time.
    pub async fn likes_since(&mut self, since: Time) -> Result<Vec<Point>> {
        Ok(fetch_all!(
            self,
            Point,
            "select e.platform, e.item_id,
                    coalesce(nullif(n.title, ''), n.body, nullif(w.title, ''), w.body) as title,
                    e.observed_at, e.likes
             from engagement e
             left join notes n on n.note_id = e.item_id and e.platform = 'xiaohongshu'
             left join works w on w.work_id = e.item_id and e.platform = 'douyin'
             where e.likes is not null and e.observed_at >= $1
             order by e.platform, e.item_id, e.observed_at",
            since
        ))
    }
}
