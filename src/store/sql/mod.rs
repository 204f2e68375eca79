//! SQL: rows bound to statements, values read from results, column types, and queries of users.

mod bulk;
mod cells;
pub(in crate::store) mod columns;
mod micros;
mod names;
mod over_rows;
mod query;
mod table;
mod time;
mod value;

pub use columns::tables;
pub use micros::Micros;
pub use query::{Column, Query, QueryError, Span};
pub use table::Table;
pub use value::Value;

pub(in crate::store) use bulk::{Rows, Values};
pub(in crate::store) use columns::TimeColumn;
pub(in crate::store) use names::{one_of, reason_of_pause, reason_of_state};
pub(in crate::store) use over_rows::{array, columns as columns_of};
pub(in crate::store) use value::{from_postgres, from_sqlite};
