//! What the page asks of the archive: reading statements, each with a limit.

mod documents;
mod home;
mod items;
mod jobs;
mod kols;
mod micros;
mod open;
mod search;
mod words;

pub use documents::KeptDocument;
pub use home::{Mover, RefusedSettings};
pub use items::{Event, Grown, ItemFacts, Missed, Seen, Watcher};
pub use jobs::{Fate, JobFacts, JobTarget};
pub use kols::{KolFacts, KolOrder, KolValue};
pub use micros::Micros;
pub use search::Found;
pub use words::{Ranked, WordSeen};
