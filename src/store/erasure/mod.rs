//! Erasure: deletion and redaction of documents, and what remains of a target.

mod documents;
mod targets;

pub use documents::Redacted;
pub use targets::{KnownAs, MIN_ID_LEN};

use anyhow::Result;
use serde::Serialize;

use crate::store::sql::array;

#[derive(Serialize)]
struct Number {
    id: i64,
}

/// Ids as the array of a statement over rows of `id int`.
fn numbers(ids: &[i64]) -> Result<String> {
    array(&ids.iter().map(|id| Number { id: *id }).collect::<Vec<_>>())
}
