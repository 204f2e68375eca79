//! Statements about the jobs, and how far their fires have been decided.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::model::Kind;
use crate::store::db::{Id, Tx, execute, fetch_all, fetch_optional};
use crate::time::Time;

/// A job as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct JobRow {
    /// Its number.
    pub job_id: i64,
    /// Its name in `jobs.toml`.
    pub name: String,
    /// The schedule it had when it was last seen.
    pub schedule: String,
    /// The zone it had when it was last seen.
    pub timezone: String,
    /// The windows it had when it was last seen; `None`: it fired always.
    pub active: Option<String>,
    /// Every fire up to here has been decided.
    pub fired_through: Time,
    /// Whether `jobs.toml` still had it.
    pub is_active: bool,
}

/// What a job of `jobs.toml` is to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobEntry<'a> {
    /// Its name.
    pub name: &'a str,
    /// What its targets are.
    pub kind: Kind,
    /// Its cron pattern.
    pub schedule: &'a str,
    /// The zone that is meant in.
    pub timezone: &'a str,
    /// The windows it fires in; `None`: always.
    pub active: Option<&'a str>,
    /// `skip` or `queue`: what becomes of a fire while an older look is not done.
    pub overlap: &'static str,
    /// Over how many seconds the looks of one fire are spread.
    pub spread_seconds: i64,
}

impl Tx {
    /// Every job that was ever seen, active or not.
    pub async fn jobs(&mut self) -> Result<Vec<JobRow>> {
        Ok(fetch_all!(
            self,
            JobRow,
            "select job_id, name, schedule, timezone, active, fired_through, is_active
             from jobs order by job_id"
        ))
    }

    /// Adds a job or brings it up to date; its number. A new job has fired through `now`: it
    /// begins with its next fire. One that comes back, or has a new schedule, does so, too.
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

    /// Marks the jobs that are not in `names` as gone from the file; their history stays.
    pub async fn retire_jobs_except(&mut self, names: &BTreeSet<&str>) -> Result<u64> {
        let names = serde_json::to_string(names)?;
        let sql = format!(
            "update jobs set is_active = false where is_active and name not in {}",
            self.listed(1)
        );
        Ok(execute!(self, sqlx::AssertSqlSafe(sql), names.as_str()))
    }

    /// Moves a job's mark of what has been decided from `from` to `through`. False when another
    /// daemon moved it first: then that one decides these fires.
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

    /// Takes back what was planned for a job after `after`, up to `through`, under a clock that was
    /// ahead: it is not due yet. Looks that were tried stay.
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

    /// Brings back what a clock that was ahead has put off: open looks that were tried and wait
    /// until after `tries` may be tried at `now`, and no lease lasts longer than until `leases`.
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
