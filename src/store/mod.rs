//! The only room that knows SQL: one archive in SQLite or PostgreSQL.
//!
//! [`Store`] is the open database, [`Tx`] a short transaction in it. Every statement is a method
//! of `Tx`, written once for both databases; where the text must differ, a comment there begins
//! "Differs by necessity:". No transaction is ever open during an HTTP call.

mod archive;
mod db;
mod erasure;
mod ledger;
mod read;
mod schedule;
mod sql;

pub(crate) use archive::AnswerPath;
pub use archive::{
    Answer, Asked, Body, ColdFileRow, ColdReader, ColdTotals, DamagedColdFile, Derivation,
    Document, DriftCount, Due, DueDocument, HotDocument, Import, Imported, Kept, PathDrift, Place,
    REFUSED, Replayed, Resolved, Saved, Tombstone, TombstoneVersion, Unavailable,
};
pub use db::{
    Attempts, FileGone, ProcessLock, Schema, Store, Tx, in_time, is_conflict, is_passing,
    is_refused,
};
pub use erasure::{KnownAs, MIN_ID_LEN, Redacted};
pub use ledger::{
    AlertRow, BalanceRow, CallEnd, CallStart, CallTotals, EndpointRow, Finding, Spent,
};
pub use read::{
    CallCount, ColdTexts, FIRES_SEARCHED, ItemCounts, JobObservation, JobReport, KolFigures,
    Metric, OutcomeCount, Point, Problem, RunState, SlotResult, SlotTotals, StateCount,
    SuggestionRow, page,
};
pub use schedule::{
    Account, BackfillRow, Claim, ClaimRequest, ClockReading, ConfigLoad, ConfigState, DaemonSpan,
    Disposition, Fires, JobEntry, JobRow, Limits, LivenessTimeout, NewBackfill, ProcessRow,
    RunSummary, Settlement, SlotCounts, SlotJob, Watched,
};
pub use sql::{Column, Query, QueryError, Span, Table, Value, tables};
