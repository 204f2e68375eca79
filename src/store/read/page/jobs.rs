//! One job.

use anyhow::Result;

use crate::model::{MissedReason, SlotOutcome, Unavailability};
use crate::store::db::{Count, Tx, fetch_all, fetch_optional};
use crate::store::sql::Micros;
use crate::time::Time;

/// A job and its schedule.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct JobFacts {
    /// Its number.
    pub job_id: i64,
    /// Its name.
    pub name: String,
    /// Kind of its targets: note, keyword, `kol_search` or work.
    pub kind: String,
    /// Its cron pattern.
    pub schedule: String,
    /// Time zone of the pattern.
    pub timezone: String,
    /// Active windows; `None`: always active.
    pub active: Option<String>,
    /// Whether `jobs.toml` has it.
    pub is_active: bool,
}

/// Slots of one fire with the same outcome and reason.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FireOutcome {
    /// When they were due.
    pub due_at: Time,
    /// `None`: they are open.
    pub outcome: Option<SlotOutcome>,
    /// Why they were missed.
    pub reason: Option<MissedReason>,
    /// Number of slots.
    pub slots: i64,
}

/// A target of a job, and its item as last observed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct JobTarget {
    /// What kind of target.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// The note or work behind the key, if it is known.
    pub item_id: Option<String>,
    /// The item's title, or the beginning of its body.
    pub title: Option<String>,
    /// Its likes at the latest observation.
    pub likes: Option<i64>,
    /// Whether no count of that observation is rounded.
    pub exact: Option<bool>,
    /// When that was.
    pub observed_at: Option<Micros>,
    /// `None`: it is available.
    pub state: Option<Unavailability>,
}

/// Select list of [`JobFacts`].
const FACTS: &str = "select job_id, name, kind, schedule, timezone, active, is_active ";

impl Tx {
    /// Every job, active ones first.
    pub async fn job_facts(&mut self) -> Result<Vec<JobFacts>> {
        let sql = format!("{FACTS} from jobs order by is_active desc, name limit 500");
        Ok(fetch_all!(self, JobFacts, sqlx::AssertSqlSafe(sql)))
    }

    /// The job of a name.
    pub async fn job_named(&mut self, name: &str) -> Result<Option<JobFacts>> {
        let sql = format!("{FACTS} from jobs where name = $1");
        Ok(fetch_optional!(self, JobFacts, sqlx::AssertSqlSafe(sql), name))
    }

    /// Slots of a job since `since`, by fire, outcome and reason. Visits them by target, in the
    /// order of the primary key.
    pub async fn fire_outcomes(&mut self, job_id: i64, since: Time) -> Result<Vec<FireOutcome>> {
        Ok(fetch_all!(
            self,
            FireOutcome,
            "select s.due_at, s.outcome,
                    case when s.outcome = 'missed' then s.reason end as reason, count(*) as slots
             from job_targets jt
             cross join slots s
             cross join job_runs jr
             where jt.job_id = $1 and s.target_id = jt.target_id and s.due_at >= $2
                   and jr.job_id = $1 and jr.due_at = s.due_at
             group by s.due_at, s.outcome,
                      case when s.outcome = 'missed' then s.reason end
             order by s.due_at",
            job_id,
            since
        ))
    }

    /// How many targets a job has.
    pub async fn count_job_targets(&mut self, job_id: i64) -> Result<i64> {
        let sql = "select count(*) as count from job_targets
                   where job_id = $1 and removed_at is null";
        Ok(fetch_optional!(self, Count, sql, job_id).map_or(0, |row| row.count))
    }

    /// Targets of a job, after the first `offset`.
    pub async fn job_targets(
        &mut self,
        job_id: i64,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<JobTarget>> {
        Ok(fetch_all!(
            self,
            JobTarget,
            "select t.kind, t.key, t.item_id,
                    coalesce(n.title, n.body, w.title, w.body) as title,
                    l.likes,
                    case when l.item_key is not null then l.granularity is null end as exact,
                    l.observed_at,
                    (select min(a.state) from availability a
                     where a.target_id = t.target_id and a.until is null) as state
             from (select target_id from job_targets where job_id = $1 and removed_at is null
                   order by target_id limit $2 offset $3) jt
             join targets t on t.target_id = jt.target_id
             left join notes n on t.kind = 'note' and n.note_id = t.item_id
             left join works w on t.kind = 'work' and w.work_id = t.item_id
             left join latest l on l.item_key = coalesce(n.item_key, w.item_key)
             order by t.target_id",
            job_id,
            limit,
            offset
        ))
    }
}
