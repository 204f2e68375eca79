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

pub use archive::{
    Answer, Asked, Body, Derivation, Document, Extent, Import, Kept, NORMALISER, Place, REFUSED, Replayed,
    Resolved, Saved, Tombstone, Unavailable,
};
pub use db::{ProcessLock, Schema, Store, Tx, in_time, is_conflict, is_refused};
pub use erasure::{Redacted, TELLING, Traces};
pub use ledger::{AlertRow, CallEnd, CallStart, CallTotals, EndpointRow, Finding, PauseRow, Spent};
pub use read::{
    CallCount, Counts, FIRES_SEARCHED, JobReport, JobSight, KolFigures, LookCount, Metric,
    Observation, Point, Problem, RunState, SlotTotals, StateCount, Suggested, page,
};
pub use schedule::{
    BackfillRow, Claim, ConfigLoad, ConfigState, Fires, JobEntry, JobRow, Limits, Looks,
    NewBackfill, Next, ProcessRow, RunSummary, Settlement, Silence, Wanted, Wish,
};
pub use sql::{Column, Query, QueryError, Span, Table, Value, tables};
