//! Queries of the page, each with a limit.

mod documents;
mod home;
mod items;
mod jobs;
mod keywords;
mod kols;
mod micros;
mod open;
mod search;

pub use documents::StoredDocument;
pub use home::{Mover, RefusedSettings};
pub use items::{Event, Growth, ItemFacts, ItemObservation, MissedSlot, Watcher};
pub use jobs::{FireOutcome, JobFacts, JobTarget};
pub use keywords::{KeywordFacts, RankedSuggestion};
pub use kols::{KolFacts, KolOrder, KolValue};
pub use micros::Micros;
pub use search::SearchHit;
