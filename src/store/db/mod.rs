//! Databases: connections, transactions, the schema, and the process lock.

mod attempts;
mod connect;
mod errors;
mod file;
mod process_lock;
mod schema;
mod sound;
mod tx;

pub use attempts::Attempts;
pub use connect::{Store, in_time};
pub use errors::{is_conflict, is_refused};
pub use process_lock::ProcessLock;
pub use schema::Schema;
pub use tx::Tx;

pub(in crate::store) use errors::Overtaken;
pub(in crate::store) use schema::{NEWER, without_limits};
pub(in crate::store) use tx::{Count, Id, execute, fetch_all, fetch_optional};
