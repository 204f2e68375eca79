//! Databases: connections, transactions, the schema, and the process lock.

mod attempts;
mod backup;
mod connect;
mod errors;
mod file;
mod presence;
mod process_lock;
mod schema;
mod session;
mod sound;
mod stamp;
mod tx;
mod url;

pub use attempts::Attempts;
pub use connect::{Store, in_time};
pub use errors::{is_conflict, is_passing, is_refused};
pub use presence::FileGone;
pub use process_lock::ProcessLock;
pub use schema::Schema;
pub use tx::Tx;

pub(in crate::store) use errors::{Overtaken, failed, said};
pub(in crate::store) use schema::NEWER;
pub(in crate::store) use session::connect_without_limits;
pub(in crate::store) use stamp::{Header, require_own_log};
pub(in crate::store) use tx::{Count, Id, execute, fetch_all, fetch_optional};
pub(in crate::store) use url::Address;
