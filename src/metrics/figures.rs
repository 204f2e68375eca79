//! How things stand at one scrape, read from the archive.

use std::time::Duration;

use anyhow::Result;

use crate::config::Config;
use crate::store::{JobSight, PauseRow, Spent, StateCount, Tx};
use crate::time::Time;

/// How long the last observations of all targets are good for: with very many of them, reading these
/// takes a while.
const GOOD_FOR: Duration = Duration::from_secs(60);

/// How far back they are searched: beyond the largest bucket of their histogram.
const SEARCHED: Duration = Duration::from_secs(8 * 24 * 3600);

/// When the watched targets were seen last.
#[derive(Debug, Default)]
pub(super) struct Staleness {
    read_at: Option<Time>,
    seen_at: Vec<Time>,
}

impl Staleness {
    /// Reads them again if they are too old, or from the future.
    pub(super) async fn refresh(&mut self, tx: &mut Tx, now: Time) -> Result<()> {
        if self.read_at.is_none_or(|at| at > now || now.since(at) >= GOOD_FOR) {
            self.seen_at = tx.last_sights(now.minus(SEARCHED)).await?;
            self.read_at = Some(now);
        }
        Ok(())
    }
}

/// What holds at the moment.
#[derive(Debug)]
pub(super) struct Figures {
    /// What the day's calls have taken, and of which limits.
    pub(super) spent: Spent,
    pub(super) max_calls: Option<i64>,
    pub(super) max_cost_micros: Option<i64>,
    /// Since when a look that could be made waits.
    pub(super) waiting_since: Option<Time>,
    /// When the oldest fire was due of which a look is open.
    pub(super) oldest_due_at: Option<Time>,
    pub(super) jobs: Vec<JobSight>,
    /// How long ago each watched target was seen, in seconds.
    pub(super) ages: Vec<f64>,
    pub(super) pauses: Vec<PauseRow>,
    pub(super) unavailable: Vec<StateCount>,
}

impl Figures {
    pub(super) async fn read(
        tx: &mut Tx,
        config: &Config,
        staleness: &Staleness,
        now: Time,
    ) -> Result<Self> {
        let today = now.last_midnight(config.timezone);
        let ages = staleness.seen_at.iter().map(|at| now.since(*at).as_secs_f64());
        Ok(Self {
            spent: tx.spent_since(today).await?,
            max_calls: config.budget.max_calls_per_day,
            max_cost_micros: config.budget.max_cost_per_day_micros,
            waiting_since: tx.first_waiting(now).await?,
            oldest_due_at: tx.oldest_open_fire().await?,
            jobs: tx.sights_of_jobs().await?,
            ages: ages.collect(),
            pauses: tx.pauses(now).await?,
            unavailable: tx.count_unavailable().await?,
        })
    }
}
