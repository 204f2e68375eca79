//! Tests of the whole, in one binary. Every test that stores runs on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod alerts;
mod answers;
mod availability;
mod backfill;
mod chaos;
mod clocks;
mod contrib;
mod coverage;
mod crash;
mod databases;
mod env;
mod errand;
mod flags;
mod grafana;
mod health;
mod import;
mod limits;
mod logs;
mod looks;
mod manuals;
mod metrics;
mod migrations;
mod mistakes;
mod outages;
mod program;
mod prometheus;
mod readmes;
mod reload;
mod replay;
mod rows;
mod same;
mod schedules;
mod schema;
mod secrecy;
mod signals;
mod store;
mod systemd;
mod week;
mod wire;
