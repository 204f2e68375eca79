//! Statements about what has been spent, read from the ledger itself: a row that is open, or whose
//! billing nobody knows, counts as spent.

use anyhow::Result;
use serde::Serialize;

use super::rows::array;
use super::{Claim, Tx, execute, fetch_all, fetch_optional};
use crate::time::Time;

/// The number under which PostgreSQL lets one transaction at a time spend.
const SPENDING: i64 = 0x7469_6465_0001;

/// What calls took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow, Serialize)]
pub struct Spent {
    /// Calls.
    pub calls: i64,
    /// Money, in millionths of the account's currency.
    pub cost_micros: i64,
}

/// A slot handed out, and one of the jobs that want the look.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Wanted {
    /// The slot's target.
    pub target_id: i64,
    /// The slot's time.
    pub due_at: Time,
    /// The job's name; `None` for a look by hand.
    pub job: Option<String>,
}

#[derive(Serialize)]
struct SlotKey {
    target_id: i64,
    due_at: Time,
    run_id: i64,
}

impl Tx {
    /// Lets no other transaction look at what is left to spend until this one has ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_spending(&mut self) -> Result<()> {
        // Differs by necessity: in SQLite a transaction that may write is alone already.
        if let Self::Postgres(_) = self {
            execute!(self, "select pg_advisory_xact_lock($1)", SPENDING);
        }
        Ok(())
    }

    /// What calls from `since` on have taken, by the ledger.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spent_since(&mut self, since: Time) -> Result<Spent> {
        let spent = fetch_optional!(
            self,
            Spent,
            "select count(*) as calls,
                    cast(coalesce(sum(case when billed <> 'no' then price_micros end), 0) as bigint)
                        as cost_micros
             from calls where opened_at >= $1 and imported_at is null",
            since
        );
        Ok(spent.unwrap_or_default())
    }

    /// The calls from `since` on for slots that a job wanted. The cross joins go from the calls of
    /// the day, not from everything that was ever asked about the job's targets.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn calls_of_job_since(&mut self, job: &str, since: Time) -> Result<i64> {
        let spent = fetch_optional!(
            self,
            Spent,
            "select count(*) as calls, cast(0 as bigint) as cost_micros
             from jobs j cross join calls c cross join job_runs jr cross join job_targets jt
             where j.name = $1 and c.opened_at >= $2
               and jr.job_id = j.job_id and jr.due_at = c.due_at
               and jt.job_id = j.job_id and jt.target_id = c.target_id",
            job,
            since
        );
        Ok(spent.map_or(0, |spent| spent.calls))
    }

    /// Who wants the looks that were just handed out: each slot with each job that fired then, or
    /// with none if it was asked for by hand.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wanted_by(&mut self, claims: &[Claim]) -> Result<Vec<Wanted>> {
        let sql = self.over_rows(
            "target_id int, due_at time, run_id int",
            "select r.target_id as target_id, r.due_at as due_at, j.name as job
             from {rows}
             join job_runs jr on jr.due_at = r.due_at
             join jobs j on j.job_id = jr.job_id
             join job_targets jt on jt.job_id = j.job_id and jt.target_id = r.target_id
             union
             select r.target_id, r.due_at, null
             from {rows} join job_runs jr on jr.run_id = r.run_id
             where jr.job_id is null",
        );
        Ok(fetch_all!(self, Wanted, sql, slot_keys(claims)?))
    }

    /// Takes back claims that may not be made yet: not before `until`, for this reason, if they
    /// have none. It was no try.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone(&mut self, claims: &[Claim], until: Time, reason: &str) -> Result<u64> {
        let sql = self.over_rows(
            "target_id int, due_at time, run_id int",
            "update slots set lease_owner = null, lease_until = null, attempts = attempts - 1,
                              retry_at = $2,
                              reason = coalesce(slots.reason, case when $3 <> '' then $3 end)
             from {rows}
             where slots.target_id = r.target_id and slots.due_at = r.due_at
               and coalesce(slots.outcome, 'open') = 'open'",
        );
        Ok(execute!(self, sql, slot_keys(claims)?, until, reason))
    }
}

fn slot_keys(claims: &[Claim]) -> Result<String> {
    let keys: Vec<_> = claims
        .iter()
        .map(|claim| SlotKey {
            target_id: claim.target_id,
            due_at: claim.due_at,
            run_id: claim.run_id,
        })
        .collect();
    array(&keys)
}
