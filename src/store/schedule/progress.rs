//! Progress and cost of backfills, from slots and ledger.

use std::collections::BTreeMap;

use anyhow::Result;

use super::backfills::{Limits, Named, targets};
use crate::model::{MissedReason, Target};
use crate::store::db::{Tx, fetch_all, fetch_optional};
use crate::store::ledger::{CallTotals, Spent, call_totals};

/// Slots of a backfill by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct SlotCounts {
    /// All.
    pub total: i64,
    /// Observed.
    pub observed: i64,
    /// Missed.
    pub missed: i64,
    /// Open.
    pub open: i64,
    /// Open after a failed attempt.
    pub retrying: i64,
}

impl Tx {
    /// Slots of a backfill by state.
    pub async fn slots_of_backfill(&mut self, run_id: i64) -> Result<SlotCounts> {
        let counts = fetch_optional!(
            self,
            SlotCounts,
            "select count(*) as total,
                    count(case when outcome = 'observed' then 1 end) as observed,
                    count(case when outcome = 'missed' then 1 end) as missed,
                    count(case when outcome is null then 1 end) as open,
                    count(case when outcome is null and reason is not null then 1 end) as retrying
             from slots where run_id = $1 and priority > 0",
            run_id
        );
        Ok(counts.unwrap_or_default())
    }

    /// Totals of a backfill's calls, by endpoint.
    pub async fn call_totals_of_backfill(&mut self, run_id: i64) -> Result<Vec<CallTotals>> {
        Ok(fetch_all!(
            self,
            CallTotals,
            concat!(
                call_totals!(),
                " from calls c where c.run_id = $1 group by c.endpoint order by c.endpoint"
            ),
            run_id
        ))
    }

    /// Missed slots of a backfill by reason.
    pub async fn missed_of_backfill(&mut self, run_id: i64) -> Result<BTreeMap<MissedReason, i64>> {
        #[derive(sqlx::FromRow)]
        struct Missed {
            reason: MissedReason,
            times: i64,
        }
        let rows = fetch_all!(
            self,
            Missed,
            "select reason, count(*) as times from slots
             where run_id = $1 and priority > 0 and outcome = 'missed' group by reason",
            run_id
        );
        Ok(rows.into_iter().map(|row| (row.reason, row.times)).collect())
    }

    /// The limits of a backfill and what it has spent, locked for this transaction. `None` when the
    /// run is no backfill.
    pub async fn limits_of_run(&mut self, run_id: i64) -> Result<Option<(Limits, Spent)>> {
        // Differs by necessity: in SQLite a write transaction is alone already.
        let sql = match self {
            Self::Sqlite(_) => "select max_calls, max_cost_micros from backfills where run_id = $1",
            Self::Postgres(_) => {
                "select max_calls, max_cost_micros from backfills where run_id = $1 for update"
            }
        };
        let Some(limits) = fetch_optional!(self, Limits, sql, run_id) else {
            return Ok(None);
        };
        if limits == Limits::default() {
            return Ok(Some((limits, Spent::default())));
        }
        let spent = fetch_optional!(
            self,
            Spent,
            "select count(*) as calls,
                    cast(coalesce(sum(price_micros), 0) as bigint) as cost_micros
             from calls where run_id = $1 and billed <> 'no'",
            run_id
        );
        Ok(Some((limits, spent.unwrap_or_default())))
    }

    /// One open target per kind of a backfill, and one short link.
    pub async fn remaining_kinds(&mut self, run_id: i64) -> Result<Vec<Target>> {
        let rows = fetch_all!(
            self,
            Named,
            "select t.kind, min(coalesce(t.item_id, t.key)) as key
             from slots s join targets t on t.target_id = s.target_id
             where s.run_id = $1 and s.outcome is null
             group by t.kind, case when t.item_id is null and t.key like 'https://%' then 1 else 0 end
             order by t.kind, key",
            run_id
        );
        Ok(targets(rows))
    }
}
