//! What is to be fetched when, by which process: jobs, slots, claims, backfills.

mod backfills;
mod candidates;
mod claim;
mod config_loads;
mod jobs;
mod plan;
mod processes;
mod progress;
mod queue;
mod runs;
mod wanted;
mod watchlists;

pub use backfills::{BackfillRow, Limits, NewBackfill};
pub use claim::{Claim, Wish};
pub use config_loads::{ConfigLoad, ConfigState};
pub use jobs::{JobEntry, JobRow};
pub use plan::Fires;
pub use processes::{ProcessRow, Silence};
pub use progress::Looks;
pub use queue::{Next, Settlement};
pub use runs::RunSummary;
pub use wanted::Wanted;

pub(in crate::store) use watchlists::named;
