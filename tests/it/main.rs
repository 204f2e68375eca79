//! Tests of the whole, in one binary. Every test that stores runs on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod answers;
mod chaos;
mod clocks;
mod crash;
mod databases;
mod env;
mod flags;
mod limits;
mod looks;
mod outages;
mod program;
mod reload;
mod rows;
mod same;
mod schedules;
mod schema;
mod secrecy;
mod signals;
mod store;
