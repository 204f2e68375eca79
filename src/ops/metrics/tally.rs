//! The counters since this process began, summed up scrape by scrape.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;

use crate::model::{Billed, MissedReason, SlotOutcome};
use crate::store::{CallCount, RunState, Tx};
use crate::time::Time;

/// Rows younger than this are counted again in each scrape: in PostgreSQL a row may become visible after
/// one with a larger id, and no transaction lasts longer than this.
const SETTLES_AFTER: Duration = Duration::from_secs(600);

/// A counted series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Series {
    /// Closed calls.
    Calls { endpoint: String, outcome: String, billed: Billed },
    /// Their cost, in millionths of a yuan.
    Cost { endpoint: String, billed: Billed },
    /// Interrupted calls of expired workers.
    Recovered,
    /// Answers that were not completely parsed.
    Drift { endpoint: String },
    /// Settled slots.
    Slots { job: String, outcome: SlotOutcome },
    /// Missed slots.
    Missed { reason: MissedReason },
}

/// The sum of each series.
pub(super) type Sums = BTreeMap<Series, i64>;

/// The sums, and up to which rows they are final.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Every call up to this one is in `sums`.
    calls_through: i64,
    /// Every run up to this one is in `sums`.
    runs_through: i64,
    /// Later closed runs that are in `sums`.
    closed: BTreeSet<i64>,
    sums: Sums,
    /// The rows that existed at the beginning and are counted again in each scrape.
    before: Sums,
    /// The values shown last: a counter never falls.
    totals: Sums,
}

impl Tally {
    /// Begins at zero.
    pub(super) async fn begin(tx: &mut Tx, now: Time) -> Result<Self> {
        let mut tally = Self {
            calls_through: tx.last_settled_call().await?,
            runs_through: tx.last_settled_run().await?,
            ..Self::default()
        };
        let runs = tx.runs_after(tally.runs_through).await?;
        tally.closed = runs.iter().filter(|run| run.is_closed).map(|run| run.run_id).collect();
        tally.add_new(tx, now).await?;
        // Includes the final sums.
        tally.before = std::mem::take(&mut tally.totals);
        Ok(tally)
    }

    /// The counters since the beginning.
    pub(super) fn totals(&self) -> &Sums {
        &self.totals
    }

    /// Adds the new rows. Changes nothing when cancelled.
    pub(super) async fn add_new(&mut self, tx: &mut Tx, now: Time) -> Result<()> {
        let recent = now.minus(SETTLES_AFTER);
        let calls_through = tx.settled_calls_after(self.calls_through, recent).await?;
        let mut settled = Sums::new();
        add_calls(&mut settled, tx.count_calls(self.calls_through, calls_through).await?);
        let mut recent_sums = Sums::new();
        add_calls(&mut recent_sums, tx.count_calls(calls_through, i64::MAX).await?);

        let runs = tx.runs_after(self.runs_through).await?;
        let left: Vec<RunState> =
            runs.iter().filter(|run| !self.closed.contains(&run.run_id)).cloned().collect();
        for count in tx.count_outcomes(&left).await? {
            let Some(run) = left.iter().find(|run| run.run_id == count.run_id) else { continue };
            let sums = if run.is_closed { &mut settled } else { &mut recent_sums };
            let (job, outcome) = (run.job.clone(), count.outcome);
            add(sums, Series::Slots { job, outcome }, count.slots);
            if let Some(reason) = count.reason {
                add(sums, Series::Missed { reason }, count.slots);
            }
        }

        self.calls_through = calls_through;
        self.closed.extend(left.iter().filter(|run| run.is_closed).map(|run| run.run_id));
        for run in runs.iter().take_while(|run| run.is_closed && run.decided_at <= recent) {
            self.runs_through = run.run_id;
            self.closed.remove(&run.run_id);
        }
        merge(&mut self.sums, &settled);
        let mut now = self.sums.clone();
        merge(&mut now, &recent_sums);
        for (series, sum) in now {
            let sum = sum - self.before.get(&series).unwrap_or(&0);
            let shown = self.totals.entry(series).or_default();
            *shown = sum.max(*shown);
        }
        Ok(())
    }
}

fn add_calls(sums: &mut Sums, counts: Vec<CallCount>) {
    for CallCount { endpoint, outcome, billed, calls, cost_micros, adrift } in counts {
        if outcome == "interrupted" {
            add(sums, Series::Recovered, calls);
        }
        if billed != Billed::No {
            let (endpoint, billed) = (endpoint.clone(), billed);
            add(sums, Series::Cost { endpoint, billed }, cost_micros);
        }
        add(sums, Series::Drift { endpoint: endpoint.clone() }, adrift);
        add(sums, Series::Calls { endpoint, outcome, billed }, calls);
    }
}

fn add(sums: &mut Sums, series: Series, count: i64) {
    *sums.entry(series).or_default() += count;
}

fn merge(sums: &mut Sums, others: &Sums) {
    for (series, count) in others {
        add(sums, series.clone(), *count);
    }
}
