//! Tidewatch: a scheduled archival crawler that writes to SQL.
//!
//! In reading order: [`model`] has the plain rows, [`json_text`] is an answer's text, parsed once,
//! [`api`] says what to ask upstream and what an answer means, [`config`] reads `jobs.toml`,
//! [`schedule`] says when a job fires, [`plan`] turns that into planned looks in the [`store`],
//! [`crawl`] is the one step that looks, [`retry`] says what comes after a failure, and [`daemon`]
//! is the loop around it all, woken by [`alarm`]; each is a [`process`] on record, [`vitals`] say
//! how it is, and [`metrics`] say it in numbers. An [`errand`] makes the looks of one run by hand,
//! [`backfill`] brings many things in at once, [`replay`] makes the rows anew from what is kept,
//! [`forget`] deletes for good, and what is [`forgotten`] does not come back, [`page`] shows the
//! archive to people, [`export`] writes rows to files, [`watchlist`] reads what people paste,
//! [`zone`] knows the clocks of a zone, [`cli`] is the face, and [`simulator`] imitates the upstream
//! APIs.

pub mod alarm;
pub mod alerts;
pub mod api;
pub mod backfill;
pub mod cli;
pub mod config;
pub mod crawl;
pub mod daemon;
pub mod errand;
pub mod export;
pub mod forget;
pub mod forgotten;
pub mod health;
pub mod json_text;
pub mod metrics;
pub mod model;
pub mod page;
pub mod pause;
pub mod plan;
pub mod process;
pub mod replay;
pub mod retry;
pub mod runs;
pub mod schedule;
pub mod simulator;
pub mod store;
mod suggest;
pub mod systemd;
pub mod tasks;
mod text;
pub mod time;
pub mod vitals;
pub mod watchlist;
pub mod zone;
