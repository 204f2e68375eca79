//! Reads: status, metrics, reports, results of a run, and the page.

mod cold_texts;
mod metrics;
pub mod page;
mod run_results;
mod status;
mod tables;

pub use cold_texts::ColdTexts;
pub use metrics::{CallCount, FIRES_SEARCHED, JobObservation, OutcomeCount, RunState, StateCount};
pub use run_results::{ItemCounts, KolFigures, SlotResult, SuggestionRow};
pub use status::{JobReport, Point, Problem, SlotTotals};
pub use tables::Metric;
