//! Tests of the whole, in one binary. Every test that stores runs on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod alerts;
mod answers;
mod availability;
mod chaos;
mod cli;
mod clocks;
mod columns;
mod coverage;
mod crash;
mod databases;
mod docs;
mod env;
mod errand;
mod flags;
mod forget;
mod health;
mod limits;
mod looks;
mod metrics;
mod mistakes;
mod outages;
mod page;
mod program;
mod prometheus;
mod questions;
mod reload;
mod replay;
mod rows;
mod same;
mod schedules;
mod schema;
mod signals;
mod status;
mod store;
mod systemd;
mod upstream;
mod week;
mod wire;
