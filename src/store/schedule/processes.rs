//! Processes of an archive: registration, heartbeats, and reaping of expired ones.

use std::time::Duration;

use anyhow::Result;

use crate::model::{Billed, MissedReason, NORMALISER, SlotOutcome};
use crate::store::db::{Tx, execute, fetch_all, fetch_optional};
use crate::time::Time;

/// Attempts at one slot that may end with the death of their process: the answer itself may be what
/// kills it.
const INTERRUPTED_TRIES: i64 = 3;

/// A process, and the providers it calls.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct ProcessRow {
    /// Its id on the ledger.
    pub owner: i64,
    /// The verb it was started with.
    pub verb: String,
    /// Its version of tidewatch.
    pub version: String,
    /// When it began.
    pub started_at: Time,
    /// Its last heartbeat.
    pub beat_at: Option<Time>,
    /// When another process reaped it.
    pub died_at: Option<Time>,
    /// What is wrong with the clock of its machine; `None`: nothing.
    pub clock: Option<String>,
}

/// When a process without heartbeats is expired, provided that its lock is free.
#[derive(Clone, Copy, Debug)]
pub struct LivenessTimeout {
    /// Its last heartbeat is not after this.
    pub since: Time,
    /// If the server was restarted since, which frees every lock: not after this.
    pub restarted_since: Time,
    /// Then the server must have been up for this long as well, so that processes could reconnect.
    pub uptime: Duration,
}

#[derive(sqlx::FromRow)]
struct OwnerRow {
    owner: i64,
}

#[derive(sqlx::FromRow)]
struct Flag {
    flag: bool,
}

impl Tx {
    /// Puts a process on record that begins, before its first [`Tx::heartbeat`], and where it sends
    /// the calls of each provider.
    pub async fn put_process(
        &mut self,
        process: &ProcessRow,
        providers: &[(&str, &str)],
    ) -> Result<()> {
        execute!(
            self,
            "insert into processes (owner, verb, version, normaliser, started_at)
             values ($1, $2, $3, $5, $4)",
            process.owner,
            process.verb.as_str(),
            process.version.as_str(),
            process.started_at,
            NORMALISER
        );
        for (provider, url) in providers {
            execute!(
                self,
                "insert into process_providers (owner, provider, base_url) values ($1, $2, $3)",
                process.owner,
                *provider,
                *url
            );
        }
        Ok(())
    }

    /// Heartbeat of a process: extends its leases until `lease_until`, but for slots that others
    /// have claimed since. `announced`: it holds its lock. Returns the number of leases.
    pub async fn heartbeat(
        &mut self,
        owner: i64,
        now: Time,
        lease_until: Time,
        announced: bool,
    ) -> Result<u64> {
        // It may have been reaped.
        let sql = "update processes set beat_at = $2, died_at = null where owner = $1";
        execute!(self, sql, owner, now);
        // Its slots have open calls on the ledger, which are few.
        match self {
            Self::Sqlite(_) => {
                let sql = "update slots set lease_until = $2 from calls c
                           where c.outcome is null and c.owner = $1 and slots.outcome is null
                             and slots.target_id = c.target_id and slots.due_at = c.due_at
                             and slots.lease_owner = $1";
                Ok(execute!(self, sql, owner, lease_until))
            }
            Self::Postgres(_) => {
                let sql = "update processes set server_at = pg_postmaster_start_time()
                           where owner = $1 and $2
                             and server_at is distinct from pg_postmaster_start_time()";
                execute!(self, sql, owner, announced);
                let sql = "update slots set lease_until = $2
                           from (select s.target_id, s.due_at from calls c
                                 join slots s on s.target_id = c.target_id and s.due_at = c.due_at
                                 where c.outcome is null and c.owner = $1 and s.outcome is null
                                   and s.lease_owner = $1
                                 for update of s skip locked) as kept
                           where slots.target_id = kept.target_id and slots.due_at = kept.due_at";
                Ok(execute!(self, sql, owner, lease_until))
            }
        }
    }

    /// Records the regular end of a process.
    pub async fn end_process(&mut self, owner: i64, now: Time) -> Result<()> {
        let sql = "update processes set stopped_at = $2, died_at = null where owner = $1";
        execute!(self, sql, owner, now);
        Ok(())
    }

    /// Expired processes other than `me`. On SQLite, where the lock file admits one process, every
    /// other one. In PostgreSQL their locks are held until this transaction ends. An import makes
    /// no calls and holds no lock: there is nothing to reap.
    pub async fn expired_processes(
        &mut self,
        me: i64,
        timeout: LivenessTimeout,
    ) -> Result<Vec<i64>> {
        // Differs by necessity: only PostgreSQL has advisory locks and a server that may restart.
        let rows = match self {
            Self::Sqlite(_) => {
                let sql = "select owner from processes
                           where stopped_at is null and died_at is null and owner <> $1
                             and verb <> 'import'";
                fetch_all!(self, OwnerRow, sql, me)
            }
            Self::Postgres(_) => {
                let sql = "with silent as materialized (
                               select owner from processes
                               where stopped_at is null and died_at is null and owner <> $1
                                 and verb <> 'import'
                                 and case when server_at = pg_postmaster_start_time()
                                          then coalesce(beat_at, started_at) <= $2
                                          else coalesce(beat_at, started_at) <= $3
                                               and clock_timestamp() - pg_postmaster_start_time()
                                                   >= make_interval(secs => $4)
                                     end)
                           select owner from silent where pg_try_advisory_xact_lock(owner)";
                let LivenessTimeout { since, restarted_since, uptime } = timeout;
                fetch_all!(self, OwnerRow, sql, me, since, restarted_since, uptime.as_secs_f64())
            }
        };
        Ok(rows.into_iter().map(|row| row.owner).collect())
    }

    /// Reaps an expired process: its slots become claimable, and its open calls are closed as
    /// interrupted with unknown billing. A slot that was interrupted too often is missed. Returns
    /// the number of calls.
    pub async fn reap(&mut self, owner: i64, now: Time) -> Result<u64> {
        execute!(self, "update processes set died_at = $2 where owner = $1", owner, now);
        execute!(
            self,
            "update slots set
                 lease_owner = null, lease_until = null,
                 outcome = case when dead.tries >= $3 then $4 end,
                 closed_at = case when dead.tries >= $3 then $2 end,
                 reason = case when dead.tries >= $3 then $5 else coalesce(reason, $5) end
             from (select c.target_id, c.due_at,
                          (select 1 + count(*) from calls i
                           where i.target_id = c.target_id and i.due_at = c.due_at
                             and i.page = c.page and i.outcome = $5) as tries
                   from calls c where c.outcome is null and c.owner = $1) as dead
             where slots.target_id = dead.target_id and slots.due_at = dead.due_at
               and slots.outcome is null and slots.lease_owner = $1",
            owner,
            now,
            INTERRUPTED_TRIES,
            SlotOutcome::Missed,
            MissedReason::Interrupted
        );
        Ok(execute!(
            self,
            "update calls set outcome = $2, billed = $3
             where outcome is null and owner = $1",
            owner,
            MissedReason::Interrupted,
            Billed::Unknown
        ))
    }

    /// Processes of a verb without a regular end, latest first: running, or reaped since `since`.
    pub async fn unfinished_processes(
        &mut self,
        verb: &str,
        since: Time,
    ) -> Result<Vec<ProcessRow>> {
        Ok(fetch_all!(
            self,
            ProcessRow,
            "select owner, verb, version, started_at, beat_at, died_at, clock
             from processes
             where verb = $1 and stopped_at is null and (died_at is null or died_at >= $2)
             order by started_at desc",
            verb,
            since
        ))
    }

    /// The verb of the process running on a SQLite file.
    pub async fn active_verb(&mut self) -> Result<Option<String>> {
        #[derive(sqlx::FromRow)]
        struct Verb {
            verb: String,
        }
        let verb = fetch_optional!(
            self,
            Verb,
            "select verb from processes
             where stopped_at is null and died_at is null and verb <> 'import'
             order by started_at desc limit 1"
        );
        Ok(verb.map(|row| row.verb))
    }

    /// Whether the process `owner` is alive: in PostgreSQL it holds its lock while it is connected.
    /// On SQLite no other process is.
    pub async fn is_alive(&mut self, owner: i64) -> Result<bool> {
        // Differs by necessity: only PostgreSQL has advisory locks. This one is held until the
        // transaction ends.
        let Self::Postgres(_) = self else {
            return Ok(false);
        };
        let sql = "select not pg_try_advisory_xact_lock($1) as flag";
        Ok(fetch_optional!(self, Flag, sql, owner).is_some_and(|row| row.flag))
    }
}
