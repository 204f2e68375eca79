//! A database that fails, from the first error until it answers again.

use super::Daemon;
use crate::time::Time;

/// A time in which the database fails.
pub(super) struct Outage {
    since: Time,
    error: String,
}

impl Daemon {
    /// The database fails: says so once, and then only where the reason is another one.
    pub(super) fn fails(&mut self, error: &anyhow::Error) {
        let error = format!("{error:#}");
        self.health.database_fails(error.as_str());
        let now = self.clock.now();
        let unsaved = self.crawler.unsaved();
        match &mut self.outage {
            None => {
                tracing::error!(
                    error,
                    unsaved,
                    "the database fails; no call is made until it answers, and what has come is kept"
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

    /// A tick went through, so the database answers.
    pub(super) fn answers(&mut self) {
        let now = self.clock.now();
        self.health.ticked(now);
        if let Some(outage) = self.outage.take() {
            let after_s = now.since(outage.since).as_secs();
            tracing::info!(after_s, "the database answers again");
        }
    }
}
