//! Cold answers: which are due, the files that have them, and their texts.

mod bodies;
mod due;
mod files;

pub use bodies::ColdReader;
pub(in crate::store) use bodies::Wanted;
pub use due::{Due, DueDocument, HotDocument};
pub(in crate::store) use files::refuse;
pub use files::{ColdFileRow, ColdTotals, DamagedColdFile};
