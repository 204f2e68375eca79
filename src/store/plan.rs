//! Statements about what to do: jobs, targets, and the slots that their schedules make.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

use super::rows::array;
use super::{Tx, execute, fetch_all, fetch_optional};
use crate::model::{Kind, Target};
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
    /// Every fire up to here has been decided.
    pub fired_through: Time,
    /// Whether `jobs.toml` still had it.
    pub is_active: bool,
}

/// The fires of one job that are to be decided together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fires {
    /// Due times whose looks are not worth making any more, each with the reason.
    pub missed: Vec<(Time, &'static str)>,
    /// The due time whose looks are to be made.
    pub open: Option<Time>,
}

#[derive(Serialize)]
struct Fire {
    due_at: Time,
    reason: Option<&'static str>,
}

#[derive(Serialize)]
struct Named<'a> {
    kind: Kind,
    key: &'a str,
}

/// Targets as rows of their kinds and keys.
pub(super) fn named(targets: &[Target]) -> Result<String> {
    let rows: Vec<_> = targets.iter().map(|t| Named { kind: t.kind, key: &t.key }).collect();
    array(&rows)
}

#[derive(sqlx::FromRow)]
struct Id {
    id: i64,
}

impl Tx {
    /// Every job that was ever seen, active or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn jobs(&mut self) -> Result<Vec<JobRow>> {
        Ok(fetch_all!(
            self,
            JobRow,
            "select job_id, name, schedule, timezone, fired_through, is_active
             from jobs order by job_id"
        ))
    }

    /// Adds a job or brings it up to date; its number. A new job has fired through `now`: it
    /// begins with its next fire. One that comes back, or has a new schedule, does so, too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_job(
        &mut self,
        name: &str,
        kind: Kind,
        schedule: &str,
        timezone: &str,
        now: Time,
    ) -> Result<i64> {
        let row = fetch_optional!(
            self,
            Id,
            "insert into jobs (name, kind, schedule, timezone, fired_through, is_active)
             values ($1, $2, $3, $4, $5, true)
             on conflict (name) do update set
                 kind = excluded.kind, schedule = excluded.schedule, timezone = excluded.timezone,
                 fired_through = case when jobs.is_active and jobs.schedule = excluded.schedule
                                           and jobs.timezone = excluded.timezone
                                      then jobs.fired_through else excluded.fired_through end,
                 is_active = true
             returning job_id as id",
            name,
            kind.as_str(),
            schedule,
            timezone,
            now
        );
        Ok(row.map_or(0, |row| row.id))
    }

    /// Marks the jobs that are not in `names` as gone from the file; their history stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retire_jobs_except(&mut self, names: &BTreeSet<&str>) -> Result<u64> {
        let names = serde_json::to_string(names)?;
        let sql = format!(
            "update jobs set is_active = false where is_active and name not in {}",
            self.listed(1)
        );
        Ok(execute!(self, sqlx::AssertSqlSafe(sql), names.as_str()))
    }

    /// Makes sure that every target is known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_targets(&mut self, targets: &[Target], now: Time) -> Result<()> {
        #[derive(Serialize)]
        struct Row<'a> {
            kind: Kind,
            key: &'a str,
            item_id: Option<&'a str>,
        }
        let rows: Vec<_> = targets
            .iter()
            .map(|target| Row {
                kind: target.kind,
                key: &target.key,
                item_id: target.is_item().then_some(target.key.as_str()),
            })
            .collect();
        let sql = self.over_rows(
            "kind text, key text, item_id text",
            "insert into targets (kind, key, item_id, first_seen_at)
             select r.kind, r.key,
                    coalesce(r.item_id, (select item_id from links where link = r.key)), $2
             from {rows} where true
             on conflict (kind, key) do nothing",
        );
        execute!(self, sql, array(&rows)?, now);
        Ok(())
    }

    /// Makes a job's watchlist exactly these targets (which must be known). A short link whose
    /// item is known stands for that item. What left the list keeps its history.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_watchlist(
        &mut self,
        job_id: i64,
        targets: &[Target],
        now: Time,
    ) -> Result<()> {
        let rows = named(targets)?;
        let sql = self.over_rows(
            "kind text, key text",
            "insert into job_targets (job_id, target_id, added_at)
             select distinct $2, item.target_id, $3
             from {rows}
             join targets named on named.kind = r.kind and named.key = r.key
             join targets item on item.kind = named.kind
                               and item.key = coalesce(named.item_id, named.key)
             where true
             on conflict (job_id, target_id) do update set
                 added_at = case when job_targets.removed_at is null then job_targets.added_at
                                 else excluded.added_at end,
                 removed_at = null",
        );
        execute!(self, sql, rows.as_str(), job_id, now);
        let sql = self.over_rows(
            "kind text, key text",
            "update job_targets set removed_at = $3
             where job_id = $2 and removed_at is null and target_id not in (
                 select item.target_id from {rows}
                 join targets named on named.kind = r.kind and named.key = r.key
                 join targets item on item.kind = named.kind
                                   and item.key = coalesce(named.item_id, named.key))",
        );
        execute!(self, sql, rows.as_str(), job_id, now);
        Ok(())
    }

    /// Gives up the scheduled looks at targets that no job watches any more. How many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close_unwatched(&mut self, now: Time) -> Result<u64> {
        Ok(execute!(
            self,
            "update slots set outcome = 'missed', reason = 'unwatched', closed_at = $1
             where outcome is null and (lease_until is null or lease_until <= $1)
               and exists (select 1 from job_runs jr
                           where jr.run_id = slots.run_id and jr.job_id is not null)
               and not exists (select 1 from job_targets jt join jobs j on j.job_id = jt.job_id
                               where jt.target_id = slots.target_id and jt.removed_at is null
                                 and j.is_active)",
            now
        ))
    }

    /// Moves a job's mark of what has been decided from `from` to `through`. False when another
    /// daemon moved it first: then that one decides these fires.
    ///
    /// # Errors
    /// When the database fails.
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

    /// Makes the slots of a job's fires. A slot that another job's fire at the same time has made
    /// already serves both. Older open slots of these targets that nobody is at are superseded.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fire(&mut self, job_id: i64, fires: &Fires, now: Time) -> Result<()> {
        let missed = fires.missed.iter().map(|(at, why)| Fire { due_at: *at, reason: Some(why) });
        let open = fires.open.map(|at| Fire { due_at: at, reason: None });
        let rows: Vec<_> = missed.chain(open).collect();
        let rows = array(&rows)?;
        let sql = self.over_rows(
            "due_at time, reason text",
            "insert into job_runs (job_id, due_at, origin, decided_at)
             select $2, r.due_at, 'schedule', $3 from {rows} where true
             on conflict (job_id, due_at) do nothing",
        );
        execute!(self, sql, rows.as_str(), job_id, now);
        let sql = self.over_rows(
            "due_at time, reason text",
            // Cross joins keep SQLite from going through all runs the job ever had.
            "insert into slots (target_id, due_at, run_id, kind, outcome, reason, closed_at,
                                next_page, attempts, retry_at, fence)
             select jt.target_id, r.due_at, jr.run_id, j.kind,
                    case when r.reason is not null then 'missed' end, r.reason,
                    case when r.reason is not null then $3 end,
                    1, 0, r.due_at, 0
             from {rows} cross join job_runs jr cross join jobs j cross join job_targets jt
             where jr.job_id = $2 and jr.due_at = r.due_at and j.job_id = $2
               and jt.job_id = $2 and jt.removed_at is null
             on conflict (target_id, due_at) do nothing",
        );
        execute!(self, sql, rows.as_str(), job_id, now);
        if let Some(due_at) = fires.open {
            // The due time stands inside, so that a database goes through the few open slots and
            // not through everything that was ever due.
            execute!(
                self,
                "update slots set outcome = 'missed', reason = coalesce(reason, 'superseded'),
                                  closed_at = $3
                 where outcome is null and (lease_until is null or lease_until <= $3)
                   and exists (select 1 from job_runs jr
                               where jr.run_id = slots.run_id and jr.job_id is not null)
                   and exists (
                     select 1 from job_targets jt
                     where jt.job_id = $1 and jt.target_id = slots.target_id
                       and jt.removed_at is null and slots.due_at < $2)",
                job_id,
                due_at,
                now
            );
        }
        Ok(())
    }

    /// Makes one slot, due now, for each of these targets, by hand; the number of the run.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_by_hand(
        &mut self,
        targets: &[Target],
        origin: &str,
        now: Time,
    ) -> Result<i64> {
        self.put_targets(targets, now).await?;
        let run = fetch_optional!(
            self,
            Id,
            "insert into job_runs (job_id, due_at, origin, decided_at) values (null, $1, $2, $1)
             returning run_id as id",
            now,
            origin
        );
        let run_id = run.map_or(0, |run| run.id);
        let sql = self.over_rows(
            "kind text, key text",
            "insert into slots (target_id, due_at, run_id, kind, next_page, attempts, retry_at, fence)
             select distinct item.target_id, $2, $3, item.kind, 1, 0, $2, 0
             from {rows}
             join targets named on named.kind = r.kind and named.key = r.key
             join targets item on item.kind = named.kind
                               and item.key = coalesce(named.item_id, named.key)
             where true
             on conflict (target_id, due_at) do nothing",
        );
        execute!(self, sql, named(targets)?, now, run_id);
        Ok(run_id)
    }
}
