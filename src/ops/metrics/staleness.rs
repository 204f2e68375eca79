//! Staleness of the watched targets: read seldom and beside the scrapes, since there may be many.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use crate::store::{Store, in_time};
use crate::time::Time;

/// How long a reading is reused.
const MAX_AGE: Duration = Duration::from_secs(60);

/// How far back to search: beyond the largest bucket of the histogram.
const SEARCH_WINDOW: Duration = Duration::from_secs(8 * 24 * 3600);

/// How long a scrape waits for a reading; a slower one serves a later scrape.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// The last reading. All clones are one.
#[derive(Clone, Debug)]
pub(super) struct Staleness {
    last: watch::Sender<Reading>,
    /// Held while a reading is in progress.
    reading: Arc<Mutex<()>>,
}

#[derive(Debug, Default)]
struct Reading {
    read_at: Option<Time>,
    observed_at: Vec<Time>,
}

impl Default for Staleness {
    fn default() -> Self {
        Self { last: watch::Sender::new(Reading::default()), reading: Arc::default() }
    }
}

impl Staleness {
    /// Seconds since each watched target was last observed; `None` until the first reading.
    pub(super) async fn ages(&self, store: &Store, now: Time) -> Option<Vec<f64>> {
        let reading = tokio::spawn(self.clone().refresh(store.clone(), now));
        // The task goes on after the timeout.
        let _ = tokio::time::timeout(READ_TIMEOUT, reading).await;
        let last = self.last.borrow();
        last.read_at?;
        Some(last.observed_at.iter().map(|at| now.since(*at).as_secs_f64()).collect())
    }

    /// Reads again if the last reading is too old or from the future, unless a reading is in progress.
    async fn refresh(self, store: Store, now: Time) {
        let Ok(_alone) = self.reading.try_lock() else { return };
        if self.last.borrow().read_at.is_some_and(|at| at <= now && now.since(at) < MAX_AGE) {
            return;
        }
        let read = in_time(async {
            let mut tx = store.read_by_keys().await?;
            tx.last_observations(now.minus(SEARCH_WINDOW)).await
        });
        match read.await {
            Ok(observed_at) => {
                self.last.send_replace(Reading { read_at: Some(now), observed_at });
            }
            Err(error) => {
                tracing::debug!(error = format!("{error:#}"), "cannot read the last observations");
            }
        }
    }
}
