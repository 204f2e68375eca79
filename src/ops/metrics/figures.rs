//! The gauges of one scrape, read from the archive.

use anyhow::Result;

use crate::config::Config;
use crate::model::Pause;
use crate::store::{BalanceRow, ColdTotals, DriftCount, JobObservation, Spent, StateCount, Tx};
use crate::time::Time;

/// The state of the archive.
#[derive(Debug)]
pub(super) struct Figures {
    /// What the calls of the day have used, and the limits.
    pub(super) spent: Spent,
    pub(super) max_calls: Option<i64>,
    pub(super) max_cost_micros: Option<i64>,
    /// Since when the oldest claimable slot waits.
    pub(super) waiting_since: Option<Time>,
    /// Due time of the oldest fire with an open slot.
    pub(super) oldest_due_at: Option<Time>,
    pub(super) jobs: Vec<JobObservation>,
    pub(super) pauses: Vec<Pause>,
    pub(super) unavailable: Vec<StateCount>,
    pub(super) balances: Vec<BalanceRow>,
    pub(super) drift: Vec<DriftCount>,
    pub(super) backed_up_at: Option<Time>,
    pub(super) cold: ColdTotals,
}

impl Figures {
    pub(super) async fn read(tx: &mut Tx, config: &Config, now: Time) -> Result<Self> {
        let today = now.last_midnight(config.timezone);
        Ok(Self {
            spent: tx.spent_since(today).await?,
            max_calls: config.budget.max_calls_per_day,
            max_cost_micros: config.budget.max_cost_per_day_micros,
            waiting_since: tx.oldest_claimable(now).await?,
            oldest_due_at: tx.oldest_open_fire().await?,
            jobs: tx.job_observations().await?,
            pauses: tx.pauses(now).await?,
            unavailable: tx.count_unavailable().await?,
            balances: tx.balances().await?,
            drift: tx.count_drift(now).await?,
            backed_up_at: tx.backed_up_at().await?,
            cold: tx.cold_totals().await?,
        })
    }
}
