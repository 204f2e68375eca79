//! Many things at once, through the same step as the schedules and beside them: lists of targets,
//! what they would take, and the answers that people already have.

mod import;
mod lines;
mod list;
mod plan;
mod work;

pub use import::{Imported, Importing, no_endpoint, read_answers};
pub use list::{Format, List, Reading};
pub use plan::{Begun, Estimate, Request, begin, digest, find, narrow};
pub use work::{Progress, Work};
