//! Backfills among the slots: their looks come after all others, and within their limits.

use std::time::Duration;

use anyhow::Result;

use super::Crawler;
use crate::api::Endpoint;
use crate::config::Config;
use crate::model::{BackfillState, Kind};
use crate::store::Tx;

/// How often backfills that have nothing open are ended while other calls are in flight.
const FINISH_EVERY: Duration = Duration::from_secs(2);

/// What a run lets be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowance {
    /// The run is no backfill: nothing of its own limits it.
    Free,
    /// It is a backfill.
    Backfill {
        /// What is left to it.
        calls: usize,
        /// Whether it limits money.
        counts_money: bool,
    },
}

impl Allowance {
    /// What `run` lets be called of a kind, for this transaction alone to use up.
    pub(super) async fn of(
        tx: &mut Tx,
        config: &Config,
        kind: Kind,
        run: Option<i64>,
    ) -> Result<Self> {
        let Some(run) = run else { return Ok(Self::Free) };
        let Some((limits, spent)) = tx.limits_of_run(run).await? else { return Ok(Self::Free) };
        let calls = limits.max_calls.map(|limit| limit - spent.calls);
        let money = limits.max_cost_micros.map(|limit| {
            // Some of them may be for links, whose resolving has a price of its own. What has none
            // the admission holds back.
            let endpoint = config.endpoint(kind);
            let price = |it: Endpoint| config.price_micros(it).unwrap_or(0);
            let price = price(endpoint).max(endpoint.resolver().map_or(0, price));
            (limit - spent.cost_micros).checked_div(price).unwrap_or(i64::MAX)
        });
        let left = [calls, money].into_iter().flatten().min().unwrap_or(i64::MAX);
        Ok(Self::Backfill {
            calls: usize::try_from(left.max(0)).unwrap_or(usize::MAX),
            counts_money: money.is_some(),
        })
    }

    /// How many calls that are, up to `most`.
    pub(super) fn calls(self, most: usize) -> usize {
        match self {
            Self::Free => most,
            Self::Backfill { calls, .. } => calls.min(most),
        }
    }
}

impl Crawler {
    /// Whose slots to work on, the most urgent first: those of the schedules and by hand, and then
    /// the backfills'. Of a crawler of one run only that one, while it may be worked on.
    pub(super) async fn runs(&mut self, tx: &mut Tx) -> Result<Vec<Option<i64>>> {
        let unfinished = tx.unfinished_backfills().await?;
        let now = self.clock.now();
        // One that is never idle must end them as well.
        let is_time = self.finished_at.is_none_or(|at| now < at || now.since(at) >= FINISH_EVERY);
        if !unfinished.is_empty() && (self.is_idle() || is_time) {
            let mut tx = self.store.begin().await?;
            tx.finish_backfills(now).await?;
            tx.commit().await?;
            self.finished_at = Some(now);
        }
        let Some(run) = self.run else {
            let running = unfinished.iter().filter(|(_, state)| *state == BackfillState::Running);
            return Ok([None].into_iter().chain(running.map(|(run, _)| Some(*run))).collect());
        };
        let halted =
            unfinished.iter().any(|(it, state)| *it == run && *state != BackfillState::Running);
        Ok(if halted { Vec::new() } else { vec![Some(run)] })
    }

    /// Lets the backfills stand still that have used up a limit, once their last call has ended: it
    /// may prove to be free.
    pub(super) async fn halt_limited(&self, runs: &[i64]) -> Result<()> {
        let mut tx = self.store.begin().await?;
        for run in runs {
            if tx.halt_at_limit(*run).await? {
                tracing::warn!("a backfill has reached its limit; it may be resumed with another");
            }
        }
        tx.commit().await
    }
}
