//! Tidewatch: a scheduled archival crawler that writes to SQL.
//!
//! In reading order: [`model`] has the plain rows, [`api`] says what to ask upstream and what an
//! answer means, [`config`] reads `jobs.toml`, [`schedule`] says when a job fires,
//! [`simulator`] imitates the upstream APIs on this machine.

pub mod api;
pub mod config;
pub mod model;
pub mod schedule;
pub mod simulator;
pub mod time;
