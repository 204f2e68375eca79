//! How the daemon is, told by its loop and read by whoever watches over it.

use std::sync::Arc;

use tokio::sync::watch;

use crate::time::Time;

/// The shared state: the loop writes, health checks and the service manager's watchdog read.
/// Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Vitals(Arc<watch::Sender<Snapshot>>);

/// How the daemon was at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// How often the loop has come round, through the database or not: grows while it advances.
    pub beats: u64,
    /// When it last did.
    pub beat_at: Option<Time>,
    /// When a whole turn last went through; `None` before the first one.
    pub turned_at: Option<Time>,
    /// Why the database cannot be worked with; `None` while it answers.
    pub database_error: Option<String>,
    /// Whether the configuration is being read anew.
    pub is_reloading: bool,
    /// When the configuration that is in force was taken over.
    pub configured_at: Option<Time>,
    /// Whether a newer one was refused since.
    pub is_refused: bool,
    /// Whether it lets its calls end, to stop.
    pub is_stopping: bool,
}

impl Default for Vitals {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Snapshot::default())))
    }
}

impl Vitals {
    /// The loop has come round. A daemon that waits for its database does so as well: ending it
    /// would cure nothing, and lose the answers that wait to be saved.
    pub fn beat(&self, at: Time) {
        self.0.send_modify(|now| {
            now.beats += 1;
            now.beat_at = Some(at);
        });
    }

    /// A turn of the loop has gone through, so the database answers as well.
    pub fn turned(&self, at: Time) {
        self.0.send_modify(|now| {
            now.beats += 1;
            now.beat_at = Some(at);
            now.turned_at = Some(at);
            now.database_error = None;
        });
    }

    /// The database cannot be worked with, and why: no secret is to stand in it.
    pub fn database_fails(&self, why: impl Into<String>) {
        self.0.send_modify(|now| now.database_error = Some(why.into()));
    }

    /// The configuration is being read anew.
    pub fn reloading(&self) {
        self.0.send_modify(|now| now.is_reloading = true);
    }

    /// It has been, and is in force from `at` on.
    pub fn configured(&self, at: Time) {
        self.0.send_modify(|now| {
            now.is_reloading = false;
            now.configured_at = Some(at);
            now.is_refused = false;
        });
    }

    /// It has been, and is refused: the old one is kept.
    pub fn refused(&self) {
        self.0.send_modify(|now| {
            now.is_reloading = false;
            now.is_refused = true;
        });
    }

    /// The daemon lets its calls end, to stop.
    pub fn stopping(&self) {
        self.0.send_modify(|now| now.is_stopping = true);
    }

    /// How it is now.
    pub fn snapshot(&self) -> Snapshot {
        self.0.borrow().clone()
    }

    /// Follows every change from now on.
    pub fn follow(&self) -> watch::Receiver<Snapshot> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_goes_through_ends_the_failure_of_the_database_and_a_beat_does_not() {
        let vitals = Vitals::default();
        let at = |text: &str| text.parse::<Time>().expect("a time");
        vitals.database_fails("it is full");
        vitals.beat(at("2026-03-09 00:00:01"));
        let waiting = vitals.snapshot();
        assert_eq!(waiting.database_error.as_deref(), Some("it is full"));
        assert_eq!((waiting.beats, waiting.turned_at), (1, None));
        vitals.clone().turned(at("2026-03-09 00:00:02"));
        let turned = vitals.snapshot();
        assert_eq!(turned.database_error, None);
        assert_eq!((turned.beats, turned.turned_at), (2, Some(at("2026-03-09 00:00:02"))));
    }
}
