//! An outage of the database, from the first error until it answers again.

use super::Daemon;
use crate::time::Time;

/// An outage in progress.
pub(super) struct Outage {
    since: Time,
    error: String,
}

impl Daemon {
    /// Logs an outage once, and again only when the error changes.
    pub(super) fn database_fails(&mut self, error: &anyhow::Error) {
        let error = format!("{error:#}");
        self.health.database_fails(error.as_str());
        let now = self.clock.now();
        let unsaved = self.crawler.unsaved();
        match &mut self.outage {
            None => {
                tracing::error!(
                    error,
                    unsaved,
                    "the database fails; no call is sent until it answers, and unsaved answers are kept"
                );
                self.outage = Some(Outage { since: now, error });
            }
            Some(outage) if outage.error != error => {
                tracing::warn!(error, unsaved, "the database still fails");
                outage.error = error;
            }
            Some(_) => tracing::debug!(error, unsaved, "the database still fails"),
        }
    }

    /// Ends the outage after a successful tick.
    pub(super) fn database_answers(&mut self) {
        let now = self.clock.now();
        self.health.ticked(now);
        if let Some(outage) = self.outage.take() {
            let outage_s = now.since(outage.since).as_secs();
            tracing::info!(outage_s, "the database answers again");
        }
    }
}
