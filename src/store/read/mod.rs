//! Reads: status, metrics, reports, results of a run, and the page.

mod metrics;
pub mod page;
mod report;
mod reports;
mod run_report;

pub use metrics::{CallCount, FIRES_SEARCHED, JobObservation, OutcomeCount, RunState, StateCount};
pub use report::{JobReport, Point, Problem, SlotTotals};
pub use reports::Metric;
pub use run_report::{ItemCounts, KolFigures, SlotResult, SuggestionRow};
