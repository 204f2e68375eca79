//! Statements about what has been spent, read from the ledger itself: a row that is open, or whose
//! billing nobody knows, counts as spent.

use anyhow::Result;
use serde::Serialize;

use crate::store::db::{Tx, execute, fetch_optional};
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

impl Tx {
    /// Lets no other transaction look at what is left to spend until this one has ended.
    pub async fn lock_spending(&mut self) -> Result<()> {
        // Differs by necessity: in SQLite a transaction that may write is alone already.
        if let Self::Postgres(_) = self {
            execute!(self, "select pg_advisory_xact_lock($1)", SPENDING);
        }
        Ok(())
    }

    /// What calls from `since` on have taken, by the ledger.
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
}
