//! What tells operators how a daemon is: health checks, metrics, alerts, balances, systemd and the log of runs.

pub mod alerts;
pub mod balances;
pub mod health;
pub mod health_state;
pub mod listener;
pub mod metrics;
pub mod run_log;
pub mod systemd;
pub mod tasks;
