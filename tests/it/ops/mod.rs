//! What operators see: health checks, metrics, alerts, systemd.

mod alerts;
mod balances;
mod drift;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod prometheus;
mod systemd;
