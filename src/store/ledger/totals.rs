//! What the calls of a time or a run took, by endpoint.

use anyhow::Result;

use crate::store::db::{Tx, fetch_all};
use crate::time::Time;

/// What the ledger says of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct CallTotals {
    /// The endpoint's name.
    pub endpoint: String,
    /// Calls.
    pub calls: i64,
    /// Calls that were paid for.
    pub billed: i64,
    /// Calls of which nobody can say whether they were paid for.
    pub unknown: i64,
    /// Price of the calls that were paid for, in millionths of a yuan.
    pub cost_micros: i64,
    /// Price of those of which nobody can say.
    pub unknown_micros: i64,
    /// Calls among both whose price is not known.
    pub unpriced: i64,
}

/// What the ledger says of the calls `c`, by endpoint, up to the `from`.
macro_rules! call_totals {
    () => {
        "select c.endpoint, count(*) as calls,
                count(case when c.billed = 'yes' then 1 end) as billed,
                count(case when c.billed = 'unknown' then 1 end) as unknown,
                cast(coalesce(sum(case when c.billed = 'yes' then c.price_micros end), 0) as bigint)
                    as cost_micros,
                cast(coalesce(sum(case when c.billed = 'unknown' then c.price_micros end), 0) as bigint)
                    as unknown_micros,
                count(case when c.billed <> 'no' and c.price_micros is null then 1 end) as unpriced"
    };
}
pub(in crate::store) use call_totals;

impl Tx {
    /// What the ledger says of the calls from `since` on, by endpoint.
    pub async fn call_totals(&mut self, since: Time) -> Result<Vec<CallTotals>> {
        Ok(fetch_all!(
            self,
            CallTotals,
            concat!(
                call_totals!(),
                " from calls c where c.opened_at >= $1 group by c.endpoint order by c.endpoint"
            ),
            since
        ))
    }
}
