//! Tests of the whole, in one binary. Every test that stores runs on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod answers;
mod archive;
mod availability;
mod cli;
mod cold;
mod columns;
mod crawl;
mod databases;
mod docs;
mod env;
mod flags;
mod forget;
mod invalid_settings;
mod normaliser;
mod ops;
mod page;
mod parity;
mod program;
mod query_speed;
mod replay;
mod rows;
mod schema;
mod store;
mod upstream;
mod wire;
