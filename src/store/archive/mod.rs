//! What was answered: documents, and the rows that are made of them.

mod availability;
mod body;
mod cold;
mod derive;
mod draft;
mod facts;
mod history;
mod import;
mod lists;
mod paths;
mod put;
mod replay;
mod said;
mod save;
mod spec;
mod stale;
mod tombstones;
mod zone;

pub use availability::{Asked, Unavailable};
pub use body::{Body, REFUSED};
pub(in crate::store) use cold::refuse;
pub use cold::{
    ColdFileRow, ColdReader, ColdTotals, DamagedColdFile, Due, DueDocument, HotDocument,
};
pub use derive::Derivation;
pub use import::{Import, Imported};
pub(crate) use paths::AnswerPath;
pub use paths::{DriftCount, PathDrift};
pub use replay::{Kept, Place, Replayed};
pub use save::{Answer, Document, Resolved, Saved};
pub use tombstones::{Tombstone, TombstoneVersion};

pub(in crate::store) use save::LATE;
pub(in crate::store) use spec::derived_tables;
