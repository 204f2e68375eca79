//! Money and calls spent, from the ledger: a call that is open, or whose billing is unknown, counts
//! as spent.

use anyhow::Result;
use serde::Serialize;

use crate::store::db::{Tx, execute, fetch_optional};
use crate::time::Time;

/// Key of the advisory lock that serialises spending in PostgreSQL.
const SPENDING: i64 = 0x7469_6465_0001;

/// Calls and their cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow, Serialize)]
pub struct Spent {
    /// Calls.
    pub calls: i64,
    /// Money, in millionths of the account's currency.
    pub cost_micros: i64,
}

impl Tx {
    /// Blocks other transactions from reading the remaining budget until this one ends.
    pub async fn lock_spending(&mut self) -> Result<()> {
        // Differs by necessity: in SQLite a write transaction is alone already.
        if let Self::Postgres(_) = self {
            execute!(self, "select pg_advisory_xact_lock($1)", SPENDING);
        }
        Ok(())
    }

    /// Spent since `since`.
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

    /// Calls since `since` for slots that a job wants. The cross joins start from the calls of the
    /// day, not from the whole history of the job's targets.
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
