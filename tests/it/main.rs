//! Tests of the whole, in one binary. Every test that stores runs on SQLite and on PostgreSQL.

mod databases;
mod rows;
mod schema;
mod store;
