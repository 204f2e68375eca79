//! What was answered: documents, and the rows that are made of them.

mod availability;
mod body;
mod edits;
mod import;
mod known;
mod replay;
mod save;
mod shapes;
mod tombstones;
mod upsert;
mod zone;

pub use availability::{Asked, Unavailable};
pub use body::{Body, REFUSED};
pub use import::Import;
pub use replay::{Kept, Place, Replayed};
pub use save::{Answer, Document, NORMALISER, Resolved};
pub use tombstones::{Tombstone, TombstoneVersion};

pub(in crate::store) use save::{Bytes, LATE};
pub(in crate::store) use shapes::{FLAT_TABLES, SHAPES, tables};
