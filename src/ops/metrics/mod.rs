//! `/metrics` for Prometheus: the daemon and its archive.
//!
//! Counters are sums over ledger and slots, so they cover all daemons and survive a crash. They begin at
//! zero in each process, as Prometheus expects: summing up an old archive at every start takes too
//! long. A scrape reads what is new since the last one and writes nothing.

mod figures;
mod process;
mod staleness;
mod tally;
mod text;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::Mutex;

use crate::config::Config;
use crate::ops::health_state::HealthState;
use crate::store::Store;
use crate::time::Clock;

use figures::Figures;
use staleness::Staleness;
use tally::Tally;

/// Timeout of the database in a scrape, shorter than the scrape timeout of Prometheus.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(5);

/// The metrics of this process. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Metrics {
    store: Store,
    clock: Clock,
    tally: Arc<Mutex<Tally>>,
    staleness: Staleness,
}

impl Metrics {
    /// Counts from now on; called before anything happens that counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(store: &Store, clock: &Clock) -> Result<Self> {
        let mut tx = store.read_by_keys().await?;
        tx.disable_timeout().await?;
        let tally = Tally::begin(&mut tx, clock.now()).await?;
        Ok(Self {
            store: store.clone(),
            clock: clock.clone(),
            tally: Arc::new(Mutex::new(tally)),
            staleness: Staleness::default(),
        })
    }

    /// All metrics in the text format of Prometheus; without those of the database while it fails.
    ///
    /// # Errors
    /// Never: writing to memory does not fail.
    pub async fn scrape(&self, health: &HealthState, config: &Config) -> Result<String> {
        let now = self.clock.now();
        let read = tokio::time::timeout(DATABASE_TIMEOUT, self.read(config)).await;
        let figures = match read.context("the database timed out").flatten() {
            Ok(figures) => Some(figures),
            Err(error) => {
                tracing::debug!(
                    error = format!("{error:#}"),
                    "cannot read the metrics of the database"
                );
                None
            }
        };
        let ages = match &figures {
            Some(_) => self.staleness.ages(&self.store, now).await,
            None => None,
        };
        let tally = self.tally.lock().await;
        let (used, idle) = self.store.connections();
        let text = text::Text::default()
            .daemon(&health.snapshot(), figures.is_some())
            .connections(used, idle)
            .counters(tally.totals(), config)
            .figures(figures.as_ref(), now)
            .staleness(ages)
            .written()?;
        Ok(text + &process::written()?)
    }

    /// Reads the database, one scrape at a time. Cancel safe: the next scrape reads what is missing.
    async fn read(&self, config: &Config) -> Result<Figures> {
        let mut tally = self.tally.lock().await;
        let now = self.clock.now();
        let mut tx = self.store.read_by_keys().await?;
        tally.add_new(&mut tx, now).await?;
        Figures::read(&mut tx, config, now).await
    }
}
