//! Queries of users: read-only, streamed row by row in constant memory.

mod cold_rows;
mod describe;
mod diagnostics;
mod error_span;
mod prepare;
mod prepared;
mod span;

pub use describe::Column;
pub use error_span::QueryError;
pub use prepared::Query;
pub use span::Span;
