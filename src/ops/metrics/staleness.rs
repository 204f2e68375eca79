//! When the watched targets were seen last: read seldom, and beside the scrapes, since there may be very
//! many of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use crate::store::{Store, in_time};
use crate::time::Time;

/// How long what was read is good for.
const GOOD_FOR: Duration = Duration::from_secs(60);

/// How far back is searched: beyond the largest bucket of the histogram.
const SEARCHED: Duration = Duration::from_secs(8 * 24 * 3600);

/// How long a scrape waits for it. What takes longer is there for a later one.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was read last. All clones are one.
#[derive(Clone, Debug)]
pub(super) struct Staleness {
    seen: watch::Sender<Seen>,
    /// Held by the one who reads.
    reading: Arc<Mutex<()>>,
}

#[derive(Debug, Default)]
struct Seen {
    read_at: Option<Time>,
    seen_at: Vec<Time>,
}

impl Default for Staleness {
    fn default() -> Self {
        Self { seen: watch::Sender::new(Seen::default()), reading: Arc::default() }
    }
}

impl Staleness {
    /// How long ago each watched target was seen, in seconds, as far as that is known soon; `None`:
    /// not yet.
    pub(super) async fn ages(&self, store: &Store, now: Time) -> Option<Vec<f64>> {
        let reading = tokio::spawn(self.clone().refresh(store.clone(), now));
        // Given up, it goes on.
        let _ = tokio::time::timeout(PATIENCE, reading).await;
        let seen = self.seen.borrow();
        seen.read_at?;
        Some(seen.seen_at.iter().map(|at| now.since(*at).as_secs_f64()).collect())
    }

    /// Reads again if what is known is too old, or from the future, and nobody is at it.
    async fn refresh(self, store: Store, now: Time) {
        let Ok(_alone) = self.reading.try_lock() else { return };
        if self.seen.borrow().read_at.is_some_and(|at| at <= now && now.since(at) < GOOD_FOR) {
            return;
        }
        let read = in_time(async {
            let mut tx = store.read_by_keys().await?;
            tx.last_observations(now.minus(SEARCHED)).await
        });
        match read.await {
            Ok(seen_at) => {
                self.seen.send_replace(Seen { read_at: Some(now), seen_at });
            }
            Err(error) => {
                tracing::debug!(error = format!("{error:#}"), "cannot read when targets were seen");
            }
        }
    }
}
