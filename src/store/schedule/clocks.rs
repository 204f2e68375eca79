//! Wrong clocks: what the archive has seen, and taking back what was written ahead of time.

use anyhow::Result;

use crate::store::db::{Store, Tx, execute, fetch_optional};
use crate::time::Time;

/// What an archive says about a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Seen {
    /// The newest time of a process; `None`: no process has worked on it.
    pub latest: Option<Time>,
    /// Whether a process worked at that time and later: it cannot come again.
    pub is_past: bool,
}

#[derive(sqlx::FromRow)]
struct At {
    at: Option<Time>,
}

impl Store {
    /// The clock of the database server; `None` on SQLite.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn server_time(&self) -> Result<Option<Time>> {
        if self.is_sqlite() {
            return Ok(None);
        }
        let mut tx = self.read().await?;
        let row = fetch_optional!(&mut tx, At, "select clock_timestamp() as at");
        Ok(row.and_then(|row| row.at))
    }
}

impl Tx {
    /// The newest time that processes other than `me` have put on record, and whether one of them
    /// worked at `now` and beyond `later`.
    pub async fn seen(&mut self, me: i64, now: Time, later: Time) -> Result<Seen> {
        let seen = fetch_optional!(
            self,
            Seen,
            "select (select max(at) from (
                         select started_at as at from processes where owner <> $1
                         union all select beat_at from processes where owner <> $1
                         union all select stopped_at from processes where owner <> $1) as times)
                        as latest,
                    exists (select 1 from processes
                            where owner <> $1 and started_at <= $2
                              and (beat_at > $3 or stopped_at > $3)) as is_past",
            me,
            now,
            later
        );
        Ok(seen.unwrap_or(Seen { latest: None, is_past: false }))
    }

    /// Takes back what was written ahead of `now`: jobs begin anew there, targets count as watched
    /// from there on, and no process or alert is ahead.
    pub async fn take_back(&mut self, now: Time) -> Result<()> {
        execute!(self, "update jobs set fired_through = $1 where fired_through > $1", now);
        execute!(
            self,
            "update jobs set
                 backlog_until = case when backlog_since >= $1 then null else $1 end,
                 backlog_since = case when backlog_since >= $1 then null else backlog_since end
             where backlog_until > $1",
            now
        );
        execute!(self, "update job_targets set added_at = $1 where added_at > $1", now);
        execute!(self, "update targets set first_seen_at = $1 where first_seen_at > $1", now);
        execute!(
            self,
            "update processes set
                 started_at = case when started_at > $1 then $1 else started_at end,
                 beat_at = case when beat_at > $1 then $1 else beat_at end,
                 stopped_at = case when stopped_at > $1 then $1 else stopped_at end
             where started_at > $1 or beat_at > $1 or stopped_at > $1",
            now
        );
        execute!(self, "update alerts set next_try_at = $1 where next_try_at > $1", now);
        Ok(())
    }

    /// Lets every active job begin at `now`, and what was added from `since` on count as watched
    /// from then on: the times before are those of a clock that was behind.
    pub async fn begin_anew(&mut self, since: Time, now: Time) -> Result<()> {
        execute!(
            self,
            "update jobs set fired_through = $1, backlog_since = null, backlog_until = null
             where is_active and fired_through < $1",
            now
        );
        let sql = "update job_targets set added_at = $2 where added_at between $1 and $2";
        execute!(self, sql, since, now);
        let sql = "update targets set first_seen_at = $2 where first_seen_at between $1 and $2";
        execute!(self, sql, since, now);
        Ok(())
    }

    /// The due time of the last of up to `most` scheduled runs due after `after`, oldest first.
    pub async fn runs_ahead(&mut self, after: Time, most: usize) -> Result<Option<Time>> {
        let row = fetch_optional!(
            self,
            At,
            "select max(due_at) as at from (
                 select due_at from job_runs where due_at > $1 and job_id is not null
                 order by due_at limit $2) as ahead",
            after,
            i64::try_from(most)?
        );
        Ok(row.and_then(|row| row.at))
    }

    /// Deletes scheduled slots due after `after` up to `through`, which a fast clock has planned.
    /// Slots with attempts stay.
    pub async fn unplan(&mut self, after: Time, through: Time) -> Result<u64> {
        let slots = execute!(
            self,
            "delete from slots
             where run_id in (select run_id from job_runs
                              where job_id is not null and due_at > $1 and due_at <= $2)
               and attempts = 0 and call_id is null and lease_owner is null
               and (outcome is null or outcome = 'missed')",
            after,
            through
        );
        execute!(
            self,
            "delete from job_runs
             where job_id is not null and due_at > $1 and due_at <= $2
               and not exists (select 1 from slots s where s.run_id = job_runs.run_id)",
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

    /// Records that the clock of a process has been set to `now`, and what is wrong with the
    /// machine's; `None`: nothing.
    pub async fn put_clock(&mut self, owner: i64, now: Time, wrong: Option<&str>) -> Result<()> {
        let sql = "update processes set started_at = $2, beat_at = $2, clock = $3 where owner = $1";
        execute!(self, sql, owner, now, wrong);
        Ok(())
    }

    /// Records what is wrong with the machine's clock of a process; `None`: nothing.
    pub async fn note_clock(&mut self, owner: i64, wrong: Option<&str>) -> Result<()> {
        execute!(self, "update processes set clock = $2 where owner = $1", owner, wrong);
        Ok(())
    }
}
