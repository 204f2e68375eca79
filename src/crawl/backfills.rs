//! Backfills: their slots are claimed after all others and within the limits of the backfill.

use std::time::Duration;

use anyhow::Result;

use super::Crawler;
use crate::api::Endpoint;
use crate::config::Config;
use crate::model::{BackfillState, Kind};
use crate::store::Tx;

/// Interval of closing finished backfills while other calls are in flight.
const CLOSE_INTERVAL: Duration = Duration::from_secs(2);

/// The calls that a run allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowance {
    /// The run is no backfill and has no limits of its own.
    Unlimited,
    /// The run is a backfill.
    Backfill {
        /// The calls left.
        calls: usize,
        /// Whether it limits cost.
        counts_cost: bool,
    },
}

impl Allowance {
    /// The allowance of `run` for calls of a kind, for this transaction alone to use.
    pub(super) async fn of(
        tx: &mut Tx,
        config: &Config,
        kind: Kind,
        run: Option<i64>,
    ) -> Result<Self> {
        let Some(run) = run else { return Ok(Self::Unlimited) };
        let Some((limits, spent)) = tx.limits_of_run(run).await? else {
            return Ok(Self::Unlimited);
        };
        let calls = limits.max_calls.map(|limit| limit - spent.calls);
        let money = limits.max_cost_micros.map(|limit| {
            // Some calls resolve links, at a price of their own. Admission holds back unpriced ones.
            let endpoint = config.endpoint(kind);
            let price = |it: Endpoint| config.price_micros(it).unwrap_or(0);
            let price = price(endpoint).max(endpoint.resolver().map_or(0, price));
            (limit - spent.cost_micros).checked_div(price).unwrap_or(i64::MAX)
        });
        let left = [calls, money].into_iter().flatten().min().unwrap_or(i64::MAX);
        Ok(Self::Backfill {
            calls: usize::try_from(left.max(0)).unwrap_or(usize::MAX),
            counts_cost: money.is_some(),
        })
    }

    /// The calls allowed, up to `most`.
    pub(super) fn calls(self, most: usize) -> usize {
        match self {
            Self::Unlimited => most,
            Self::Backfill { calls, .. } => calls.min(most),
        }
    }
}

impl Crawler {
    /// The runs to claim for, in order: `None` (schedules and manual fetches), then running backfills.
    /// A crawler of one run claims only for that run, while it is not halted.
    pub(super) async fn runs(&mut self, tx: &mut Tx) -> Result<Vec<Option<i64>>> {
        let unfinished = tx.unfinished_backfills().await?;
        let now = self.clock.now();
        // A crawler that is never idle must close them as well.
        let is_time =
            self.backfills_closed_at.is_none_or(|at| now < at || now.since(at) >= CLOSE_INTERVAL);
        if !unfinished.is_empty() && (self.is_idle() || is_time) {
            let mut tx = self.store.begin().await?;
            tx.finish_backfills(now).await?;
            tx.commit().await?;
            self.backfills_closed_at = Some(now);
        }
        let Some(run) = self.run else {
            let running = unfinished.iter().filter(|(_, state)| *state == BackfillState::Running);
            return Ok([None].into_iter().chain(running.map(|(run, _)| Some(*run))).collect());
        };
        let halted =
            unfinished.iter().any(|(it, state)| *it == run && *state != BackfillState::Running);
        Ok(if halted { Vec::new() } else { vec![Some(run)] })
    }

    /// Halts backfills that have used up a limit, once their last call has ended: it may prove free.
    pub(super) async fn halt_limited(&self, runs: &[i64]) -> Result<()> {
        let mut tx = self.store.begin().await?;
        for run in runs {
            if tx.halt_at_limit(*run).await? {
                tracing::warn!("a backfill has reached its limit; resume it with a higher one");
            }
        }
        tx.commit().await
    }
}
