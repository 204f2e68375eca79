//! Backfills: lists of targets fetched once through the same step as scheduled slots, their cost
//! estimate, and imports of stored answers.

mod import;
mod lines;
mod list;
mod plan;
mod runner;

pub use import::{ImportOptions, ImportSummary, no_endpoint, read_answers};
pub use list::List;
pub use plan::{Estimate, Found, Request, begin, digest, drop_archived, find, resolve_known};
pub use runner::{BackfillRunner, Progress};
