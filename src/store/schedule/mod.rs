//! Schedule: jobs, runs and slots, claims, backfills, and the processes that work on them.

mod backfills;
mod candidates;
mod claim;
mod clocks;
mod config_loads;
mod jobs;
mod plan;
mod processes;
mod progress;
mod runs;
mod settle;
mod slot_jobs;
mod watchlists;

pub use backfills::{BackfillRow, Limits, NewBackfill};
pub use claim::{Claim, ClaimRequest};
pub use clocks::{ClockReading, DaemonSpan};
pub use config_loads::{Account, ConfigLoad, ConfigState};
pub use jobs::{JobEntry, JobRow};
pub use plan::Fires;
pub use processes::{LivenessTimeout, ProcessRow};
pub use progress::SlotCounts;
pub use runs::RunSummary;
pub use settle::{Disposition, Settlement};
pub use slot_jobs::SlotJob;
pub use watchlists::Watched;
