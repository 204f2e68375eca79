//! Totals of calls by endpoint.

use anyhow::Result;

use crate::store::db::{Tx, fetch_all};
use crate::time::Time;

/// Totals of one endpoint's calls.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct CallTotals {
    /// The endpoint's name.
    pub endpoint: String,
    /// Calls.
    pub calls: i64,
    /// Billed calls.
    pub billed: i64,
    /// Calls whose billing is unknown.
    pub unknown: i64,
    /// Price of the billed calls, in millionths of a yuan.
    pub cost_micros: i64,
    /// Price of the calls whose billing is unknown.
    pub unknown_micros: i64,
    /// Calls among both without a known price.
    pub unpriced: i64,
}

/// Select list of [`CallTotals`] over the calls `c`, up to the `from`.
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
    /// Totals of the calls since `since`, by endpoint.
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
