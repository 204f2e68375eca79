//! Tests of the whole, in one binary. Every test that stores runs on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod answers;
mod crash;
mod databases;
mod env;
mod limits;
mod looks;
mod program;
mod rows;
mod same;
mod schema;
mod secrecy;
mod signals;
mod store;
