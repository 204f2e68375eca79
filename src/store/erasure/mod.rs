//! What must not be kept: tombstones, and deletion.

mod affected;
mod forget;
mod forgotten;

pub use affected::AffectedRows;
pub use forget::Redacted;
pub use forgotten::MIN_ID_LEN;
