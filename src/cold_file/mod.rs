//! The file of cold answers, format 1: Parquet with the answers of one endpoint, in the order of
//! targets and times, so that an answer is compressed against those before it.

mod read;
mod rewrite;
mod write;

use crate::time::Time;

pub use read::{ColdFile, Text};
pub use rewrite::{Rewritten, rewrite};
pub use write::{Writer, Written};

/// Version of the format, in the file's metadata and in the catalogue.
pub const FORMAT: i64 = 1;

/// Text of one row group, in bytes, unless a single answer is larger: what a reader with several
/// threads takes at once, and what a writer holds.
pub const GROUP_BYTES: usize = 64 << 20;

/// An answer as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The document.
    pub document_id: i64,
    /// Kind of its target.
    pub kind: String,
    /// Key of its target, as it was when the file was made.
    pub key: String,
    /// The requested id, keyword, filter or link.
    pub asked: String,
    /// The page, from 1.
    pub page: i32,
    /// When it was complete.
    pub fetched_at: Time,
    /// Its HTTP status.
    pub http_status: i32,
    /// As on the ledger.
    pub outcome: String,
    /// When it was imported; `None`: it was fetched.
    pub imported_at: Option<Time>,
    /// When it was redacted; `None`: it is as received.
    pub redacted_at: Option<Time>,
    /// Why the body differs from the bytes received.
    pub cleaned: Option<String>,
    /// The bytes received, where `cleaned` is set.
    pub exact: Option<Vec<u8>>,
    /// The answer, as the database that it comes from writes it.
    pub body: String,
}

#[cfg(test)]
mod tests;
