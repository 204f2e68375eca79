//! What other processes write to a SQLite file: looks by hand that are to be made, a pause.

use std::time::Duration;

use crate::store::Store;

/// How often it is asked for: somebody waits for a look by hand.
const LISTEN_EVERY: Duration = Duration::from_millis(250);

/// What others had written when it was last asked for.
#[derive(Default)]
pub(super) struct Others {
    known: Option<i64>,
}

impl Others {
    /// Ends when another process has written something since the last time this ended; never on
    /// PostgreSQL, where others make their own looks. May be dropped at any time.
    pub(super) async fn write(&mut self, store: &Store) {
        loop {
            // First, so that whoever writes without end does not keep the daemon at it.
            tokio::time::sleep(LISTEN_EVERY).await;
            match store.data_version().await {
                Ok(None) => std::future::pending().await,
                Ok(now) if now != self.known => {
                    self.known = now;
                    return;
                }
                // A database that fails is told of by the next tick.
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

    /// For a write that is to be noticed.
    const PATIENCE: Duration = Duration::from_secs(60);

    async fn write(store: &Store, at: Time) {
        let mut tx = store.begin().await.expect("the database answers");
        tx.run_by_hand(&[], Origin::Fetch, at).await.expect("it takes it");
        tx.commit().await.expect("it is kept");
    }

    #[tokio::test]
    async fn what_another_process_writes_wakes_and_what_this_one_writes_does_not() {
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
        write(&other, at.plus(LISTEN_EVERY)).await;
        tokio::time::timeout(PATIENCE, others.write(&store)).await.expect("it is noticed");
        assert_ne!(others.known, known);
    }
}
