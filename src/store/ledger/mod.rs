//! The ledger: calls and their cost, budgets, rate limits, pauses, alerts.

mod alerts;
mod balances;
mod budget;
mod calls;
mod endpoints;
mod pauses;
mod totals;

pub use alerts::{AlertRow, Finding};
pub use balances::BalanceRow;
pub use budget::Spent;
pub use calls::{CallEnd, CallStart};
pub use endpoints::EndpointRow;
pub use totals::CallTotals;

pub(in crate::store) use totals::call_totals;
