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
    /// Fires after this and up to `backlog_until` are still to be recorded as missed.
    pub backlog_since: Option<Time>,
    /// The end of the backlog; `None`: there is none.
    pub backlog_until: Option<Time>,
    /// How many fires of the backlog are recorded.
    pub backlog_fires: i64,
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
            "select job_id, name, schedule, timezone, active, fired_through, backlog_since,
                    backlog_until, backlog_fires, is_active
             from jobs order by job_id"
        ))
    }

    /// Inserts or updates a job; returns its id. A job that is new, returns, or has a new schedule
    /// begins with the first fire after `now`, or after what it has decided. `None`: the schedule
    /// is a new one, and the old one has a backlog.
    pub async fn put_job(&mut self, job: &JobEntry<'_>, now: Time) -> Result<Option<i64>> {
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
                 fired_through = case when jobs.fired_through > excluded.fired_through
                                           or (jobs.is_active and jobs.schedule = excluded.schedule
                                               and jobs.timezone = excluded.timezone
                                               and jobs.active is not distinct from excluded.active)
                                      then jobs.fired_through else excluded.fired_through end,
                 is_active = true
             where jobs.backlog_until is null
                or (jobs.is_active and jobs.schedule = excluded.schedule
                    and jobs.timezone = excluded.timezone
                    and jobs.active is not distinct from excluded.active)
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
        Ok(row.map(|row| row.id))
    }

    /// Marks jobs other than `names` as inactive and empties their watchlists; their history stays.
    /// False where one of them has a backlog, and stays active.
    pub async fn retire_jobs_except(&mut self, names: &BTreeSet<&str>, now: Time) -> Result<bool> {
        let names = serde_json::to_string(names)?;
        let others = format!("is_active and name not in {}", self.listed(1));
        let sql =
            format!("update jobs set is_active = false where backlog_until is null and {others}");
        execute!(self, sqlx::AssertSqlSafe(sql), names.as_str());
        execute!(
            self,
            "update job_targets set removed_at = $1
             where removed_at is null and job_id in (select job_id from jobs where not is_active)",
            now
        );
        let sql = format!("select job_id as id from jobs where {others}");
        Ok(fetch_optional!(self, Id, sqlx::AssertSqlSafe(sql), names.as_str()).is_none())
    }

    /// Advances a job's decided-through mark; the fires of `backlog`, after the first time and up to
    /// the second, are to be recorded as missed later. False when another daemon was first, and
    /// decides these fires.
    pub async fn advance_job(
        &mut self,
        job_id: i64,
        from: Time,
        through: Time,
        backlog: Option<(Time, Time)>,
    ) -> Result<bool> {
        let (since, until) = backlog.unzip();
        let moved = execute!(
            self,
            "update jobs set fired_through = $3,
                             backlog_since = coalesce(backlog_since, $4),
                             backlog_until = coalesce($5, backlog_until),
                             backlog_fires = case when backlog_since is null then 0
                                                  else backlog_fires end
             where job_id = $1 and fired_through = $2",
            job_id,
            from,
            through,
            since,
            until
        );
        Ok(moved == 1)
    }

    /// Moves the end of a job's backlog from `until` down to `to`, past this many fires; `None`: it
    /// is done. False when another daemon was first.
    pub async fn advance_backlog(
        &mut self,
        job_id: i64,
        until: Time,
        to: Option<Time>,
        fires: usize,
    ) -> Result<bool> {
        let moved = execute!(
            self,
            "update jobs set backlog_until = $3, backlog_fires = backlog_fires + $4,
                             backlog_since = case when $3 is null then null
                                                  else backlog_since end
             where job_id = $1 and backlog_until = $2",
            job_id,
            until,
            to,
            i64::try_from(fires)?
        );
        Ok(moved == 1)
    }
}
