//! Tests of the verbs, through the real program.

mod backfill;
mod export;
mod import;
mod logs;
mod report;
mod secrecy;
mod sql;
mod status;
