//! Notices what other processes write to a SQLite file: slots of a manual fetch, a pause.

use std::time::Duration;

use crate::store::Store;

/// Polling interval: somebody waits for a manual fetch.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The change counter of the last poll.
#[derive(Default)]
pub(super) struct Others {
    known: Option<i64>,
}

impl Others {
    /// Waits until another process writes; never returns on PostgreSQL, where every process fetches
    /// its own slots. Cancel safe.
    pub(super) async fn write(&mut self, store: &Store) {
        loop {
            // Sleeps first, so that a process that writes all the time does not keep the daemon busy.
            tokio::time::sleep(POLL_INTERVAL).await;
            match store.data_version().await {
                Ok(None) => std::future::pending().await,
                Ok(now) if now != self.known => {
                    self.known = now;
                    return;
                }
                // The next tick reports a failing database.
                Ok(_) | Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;
    use crate::time::Time;

    /// Timeout for noticing a write.
    const TIMEOUT: Duration = Duration::from_secs(60);

    async fn write(store: &Store, at: Time) {
        let mut tx = store.begin().await.expect("the database answers");
        tx.run_by_hand(&[], Origin::Fetch, at).await.expect("it takes it");
        tx.commit().await.expect("it is kept");
    }

    #[tokio::test]
    async fn write_of_another_process_wakes_and_own_write_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let store = Store::connect(&url).await.expect("the database opens");
        store.migrate().await.expect("the migrations run");
        let other = Store::connect(&url).await.expect("the database opens");
        let at: Time = "2026-03-09 09:00:00".parse().expect("a time");
        let mut others = Others::default();
        others.write(&store).await;
        let known = others.known;
        write(&store, at).await;
        assert_eq!(store.data_version().await.expect("it can say"), known);
        write(&other, at.plus(POLL_INTERVAL)).await;
        tokio::time::timeout(TIMEOUT, others.write(&store)).await.expect("it is noticed");
        assert_ne!(others.known, known);
    }
}
