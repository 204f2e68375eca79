//! Queries of the page, each with a limit.

mod documents;
mod home;
mod items;
mod jobs;
mod keywords;
mod kols;
mod open;
mod search;

pub use crate::store::sql::Micros;
pub use documents::StoredDocument;
pub use home::{Mover, RefusedSettings};
pub use items::{Event, Growth, ItemFacts, ItemObservation, MissedSlot, Watcher};
pub use jobs::{FireOutcome, JobFacts, JobTarget};
pub use keywords::{KeywordFacts, RankedSuggestion};
pub use kols::{KolFacts, KolOrder, KolValue};
pub use search::SearchHit;
