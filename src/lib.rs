//! Tidewatch: a scheduled archival crawler that writes to SQL.
//!
//! The modules in reading order. Imports point to modules above, never to those below.
//!
//! | module | what it does |
//! |---|---|
//! | [`time`], [`zone`] | UTC in microseconds and the clock; the UTC offsets of a time zone |
//! | `text`, `suggest` | texts and numbers for people; "did you mean …?" |
//! | [`model`] | rows and facts of answers; states and reasons |
//! | [`watchlist`] | reads ids, links and share texts that people paste |
//! | [`document`] | the text of an answer, parsed once |
//! | [`cold_file`] | the Parquet file of old answers |
//! | [`api`] | what to ask each endpoint and what its answer means; `api/client.rs` sends |
//! | [`schedule`] | when a job fires: cron in a time zone, windows, misfire policies |
//! | [`config`] | `jobs.toml` and the environment become a checked `Config` |
//! | [`store`] | all SQL, each statement once for SQLite and PostgreSQL |
//! | [`pause`] | which calls a pause holds back, and how it ends |
//! | [`process`] | this process on record: heartbeat, leases, expired workers |
//! | [`replay`] | derives rows from stored documents again |
//! | [`cold`] | moves old answers into cold files, checks these, and brings them back |
//! | [`erasure`] | erases notes, works and people, and keeps answers from bringing them back |
//! | [`plan`] | turns the fires of schedules into slots |
//! | [`drift`] | which paths the answers of an endpoint have, and which vanished, changed or are new |
//! | [`crawl`] | the step: claim slots, admit, send, parse, save; `run` is the loop of a one-shot run |
//! | [`ops`] | health checks, metrics, alerts, balances, systemd, the log of runs |
//! | [`daemon`] | the loop around plan and crawl, woken by tokio-cron-scheduler |
//! | [`backfill`] | fetches or imports many items |
//! | [`export`], [`page`] | rows as files; the archive in a browser |
//! | [`simulator`] | imitates the upstream APIs |
//! | [`cli`] | the command line, a file a verb |

pub mod api;
pub mod backfill;
pub mod cli;
pub mod cold;
pub mod cold_file;
pub mod config;
pub mod crawl;
pub mod daemon;
pub mod document;
pub mod drift;
pub mod erasure;
pub mod export;
pub mod model;
pub mod ops;
pub mod page;
pub mod pause;
pub mod plan;
pub mod process;
pub mod replay;
pub mod schedule;
pub mod simulator;
pub mod store;
mod suggest;
mod text;
pub mod time;
pub mod watchlist;
pub mod zone;
