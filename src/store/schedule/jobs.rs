//! Jobs, and up to when their fires are decided.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::model::Kind;
use crate::store::db::{Id, Tx, execute, fetch_all, fetch_optional};
use crate::time::Time;

/// A job in the database.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct JobRow {
    /// Its number.
    pub job_id: i64,
    /// Its name in `jobs.toml`.
    pub name: String,
    /// The schedule it had last.
    pub schedule: String,
    /// The time zone it had last.
    pub timezone: String,
    /// The active windows it had last; `None`: always active.
    pub active: Option<String>,
    /// Every fire up to here is decided.
    pub fired_through: Time,
    /// Whether `jobs.toml` still has it.
    pub is_active: bool,
}

/// A job as `jobs.toml` defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobEntry<'a> {
    /// Its name.
    pub name: &'a str,
    /// Kind of its targets.
    pub kind: Kind,
    /// Its cron pattern.
    pub schedule: &'a str,
    /// Time zone of the pattern.
    pub timezone: &'a str,
    /// Active windows; `None`: always active.
    pub active: Option<&'a str>,
    /// `skip` or `queue`: what happens to a fire while an older slot is open.
    pub overlap: &'static str,
    /// Seconds over which the slots of one fire are spread.
    pub spread_seconds: i64,
}

impl Tx {
    /// Every job, active or not.
    pub async fn jobs(&mut self) -> Result<Vec<JobRow>> {
        Ok(fetch_all!(
            self,
            JobRow,
            "select job_id, name, schedule, timezone, active, fired_through, is_active
             from jobs order by job_id"
        ))
    }

    /// Inserts or updates a job; returns its id. A job that is new, returns, or has a new schedule
    /// begins with the first fire after `now`.
    pub async fn put_job(&mut self, job: &JobEntry<'_>, now: Time) -> Result<i64> {
        let row = fetch_optional!(
            self,
            Id,
            "insert into jobs (name, kind, schedule, timezone, active, overlap, spread_seconds,
                               fired_through, is_active)
             values ($1, $2, $3, $4, $5, $6, $7, $8, true)
             on conflict (name) do update set
                 kind = excluded.kind, schedule = excluded.schedule, timezone = excluded.timezone,
                 active = excluded.active, overlap = excluded.overlap,
                 spread_seconds = excluded.spread_seconds,
                 fired_through = case when jobs.is_active and jobs.schedule = excluded.schedule
                                           and jobs.timezone = excluded.timezone
                                           and jobs.active is not distinct from excluded.active
                                      then jobs.fired_through else excluded.fired_through end,
                 is_active = true
             returning job_id as id",
            job.name,
            job.kind.as_str(),
            job.schedule,
            job.timezone,
            job.active,
            job.overlap,
            job.spread_seconds,
            now
        );
        Ok(row.map_or(0, |row| row.id))
    }

    /// Marks jobs other than `names` as inactive and empties their watchlists; their history stays.
    pub async fn retire_jobs_except(&mut self, names: &BTreeSet<&str>, now: Time) -> Result<u64> {
        let names = serde_json::to_string(names)?;
        let sql = format!(
            "update jobs set is_active = false where is_active and name not in {}",
            self.listed(1)
        );
        let retired = execute!(self, sqlx::AssertSqlSafe(sql), names.as_str());
        execute!(
            self,
            "update job_targets set removed_at = $1
             where removed_at is null and job_id in (select job_id from jobs where not is_active)",
            now
        );
        Ok(retired)
    }

    /// Advances a job's decided-through mark. False when another daemon was first, and decides
    /// these fires.
    pub async fn advance_job(&mut self, job_id: i64, from: Time, through: Time) -> Result<bool> {
        let moved = execute!(
            self,
            "update jobs set fired_through = $3 where job_id = $1 and fired_through = $2",
            job_id,
            from,
            through
        );
        Ok(moved == 1)
    }

    /// Deletes slots of a job due after `after` up to `through`, which a fast clock has planned.
    /// Slots with attempts stay.
    pub async fn unplan(&mut self, job_id: i64, after: Time, through: Time) -> Result<u64> {
        let slots = execute!(
            self,
            "delete from slots
             where run_id in (select run_id from job_runs
                              where job_id = $1 and due_at > $2 and due_at <= $3)
               and attempts = 0 and call_id is null and lease_owner is null
               and (outcome is null or outcome = 'missed')",
            job_id,
            after,
            through
        );
        execute!(
            self,
            "delete from job_runs
             where job_id = $1 and due_at > $2 and due_at <= $3
               and not exists (select 1 from slots s where s.run_id = job_runs.run_id)",
            job_id,
            after,
            through
        );
        Ok(slots)
    }

    /// Repairs open slots that a fast clock has delayed: those retrying after `tries` become due at
    /// `now`, and no lease lasts beyond `leases`.
    pub async fn clamp_future_slots(
        &mut self,
        now: Time,
        tries: Time,
        leases: Time,
    ) -> Result<u64> {
        Ok(execute!(
            self,
            "update slots set
                 retry_at = case when retry_at > $2 and (attempts > 0 or call_id is not null)
                                 then $1 else retry_at end,
                 lease_until = case when lease_until > $3 then $3 else lease_until end
             where outcome is null
               and ((retry_at > $2 and (attempts > 0 or call_id is not null))
                    or lease_until > $3)",
            now,
            tries,
            leases
        ))
    }
}
