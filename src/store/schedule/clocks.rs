//! Wrong clocks: which time counts, when daemons were at work, and taking back what was decided ahead
//! of time.

use anyhow::Result;

use crate::store::db::{Store, Tx, execute, fetch_all, fetch_optional};
use crate::time::{Clock, Time};

/// The time by the clock that counts, and how far the fires are decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ClockReading {
    /// The server's time; on SQLite the machine's.
    pub at: Time,
    /// Up to when fires of any job are decided; `None`: there is none, or this is SQLite.
    pub decided: Option<Time>,
}

/// A stretch of time in which a daemon was at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DaemonSpan {
    /// Its start.
    pub since: Time,
    /// The last time that it put on record.
    pub until: Time,
}

#[derive(sqlx::FromRow)]
struct At {
    at: Option<Time>,
}

impl Store {
    /// A clock for a one-shot process, which shows the server's time; on SQLite the machine's.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn clock(&self) -> Result<Clock> {
        let clock = Clock::steady();
        let reading = self.read().await?.read_clock(&clock).await?;
        clock.set(reading.at);
        Ok(clock)
    }
}

impl Tx {
    /// Reads the server's clock, on SQLite the machine's clock. A clock of our own stands for either.
    pub async fn read_clock(&mut self, clock: &Clock) -> Result<ClockReading> {
        let machine = ClockReading { at: clock.machine(), decided: None };
        // Differs by necessity: only PostgreSQL has a clock of its own.
        if let Self::Sqlite(_) = self {
            return Ok(machine);
        }
        let sql =
            "select clock_timestamp() as at, (select max(fired_through) from jobs) as decided";
        let server = fetch_optional!(self, ClockReading, sql).unwrap_or(machine);
        Ok(if clock.is_steady() { server } else { ClockReading { at: machine.at, ..server } })
    }

    /// When daemons other than `me` were at work, by their own times.
    pub async fn daemon_spans(&mut self, me: i64) -> Result<Vec<DaemonSpan>> {
        Ok(fetch_all!(
            self,
            DaemonSpan,
            "select started_at as since,
                    case when stopped_at > coalesce(beat_at, started_at) then stopped_at
                         else coalesce(beat_at, started_at) end as until
             from processes where verb = 'run' and owner <> $1
             order by started_at",
            me
        ))
    }

    /// Lets nothing wait, and no process be at work, beyond `now`: the clock was ahead.
    pub async fn end_waits_ahead(&mut self, now: Time) -> Result<()> {
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

    /// Takes back what jobs have decided beyond `later`: they begin anew at `now`, and targets count
    /// as watched from there on.
    pub async fn take_back(&mut self, now: Time, later: Time) -> Result<()> {
        execute!(
            self,
            "update jobs set
                 fired_through = $1,
                 backlog_until = case when backlog_since >= $1 then null
                                      when backlog_until > $1 then $1 else backlog_until end,
                 backlog_since = case when backlog_since >= $1 then null else backlog_since end
             where fired_through > $2",
            now,
            later
        );
        execute!(self, "update job_targets set added_at = $1 where added_at > $1", now);
        execute!(self, "update targets set first_seen_at = $1 where first_seen_at > $1", now);
        Ok(())
    }

    /// Lets jobs decided from `since` to `until`, and targets added then, begin at `now`.
    pub async fn begin_anew(&mut self, since: Time, until: Time, now: Time) -> Result<()> {
        execute!(
            self,
            "update jobs set fired_through = $3, backlog_since = null, backlog_until = null
             where is_active and fired_through between $1 and $2",
            since,
            until,
            now
        );
        let sql = "update job_targets set added_at = $3 where added_at between $1 and $2";
        execute!(self, sql, since, until, now);
        let sql = "update targets set first_seen_at = $3 where first_seen_at between $1 and $2";
        execute!(self, sql, since, until, now);
        Ok(())
    }

    /// The due time of the last of up to `most` scheduled runs due after `after` and ahead of what
    /// their jobs have decided, oldest first.
    pub async fn runs_ahead(&mut self, after: Time, most: usize) -> Result<Option<Time>> {
        let row = fetch_optional!(
            self,
            At,
            "select max(due_at) as at from (
                 select jr.due_at from job_runs jr join jobs j on j.job_id = jr.job_id
                 where jr.due_at > $1 and jr.due_at > j.fired_through
                 order by jr.due_at limit $2) as ahead",
            after,
            i64::try_from(most)?
        );
        Ok(row.and_then(|row| row.at))
    }

    /// Deletes scheduled slots due after `after` up to `through` and ahead of what their jobs have
    /// decided. Slots with attempts stay.
    pub async fn unplan(&mut self, after: Time, through: Time) -> Result<u64> {
        let slots = execute!(
            self,
            "delete from slots
             where run_id in (select jr.run_id from job_runs jr join jobs j on j.job_id = jr.job_id
                              where jr.due_at > $1 and jr.due_at <= $2
                                and jr.due_at > j.fired_through)
               and attempts = 0 and call_id is null and lease_owner is null
               and (outcome is null or outcome = 'missed')",
            after,
            through
        );
        execute!(
            self,
            "delete from job_runs
             where due_at > $1 and due_at <= $2
               and due_at > (select j.fired_through from jobs j where j.job_id = job_runs.job_id)
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

    /// Records that the clock of a daemon was set to `now`. Its time up to `until` becomes that of a
    /// process `former`, which has ended.
    pub async fn put_clock_step(
        &mut self,
        owner: i64,
        former: i64,
        until: Time,
        now: Time,
    ) -> Result<()> {
        execute!(
            self,
            "insert into processes (owner, verb, version, normaliser, started_at, stopped_at)
             select $2, verb, version, normaliser, started_at, $3 from processes
             where owner = $1 and started_at < $3",
            owner,
            former,
            until
        );
        let sql = "update processes set started_at = $2, beat_at = $2 where owner = $1";
        execute!(self, sql, owner, now);
        Ok(())
    }

    /// Records what is wrong with the machine's clock of a process; `None`: nothing.
    pub async fn note_clock(&mut self, owner: i64, wrong: Option<&str>) -> Result<()> {
        execute!(self, "update processes set clock = $2 where owner = $1", owner, wrong);
        Ok(())
    }
}
