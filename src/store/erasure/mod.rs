//! What must not be kept: tombstones, and deletion.

mod forget;
mod forgotten;
mod traces;

pub use forget::Redacted;
pub use forgotten::TELLING;
pub use traces::Traces;
