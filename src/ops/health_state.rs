//! The daemon's health: its loop writes it, health checks, metrics and the watchdog read it.

use std::sync::Arc;

use tokio::sync::watch;

use crate::time::Time;

/// The shared state. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct HealthState(Arc<watch::Sender<Snapshot>>);

/// The daemon's health at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Heartbeats of the loop so far; grows while the loop advances, even without a database.
    pub beats: u64,
    /// When the last one was.
    pub beat_at: Option<Time>,
    /// When a whole tick last succeeded; `None` before the first.
    pub ticked_at: Option<Time>,
    /// Why the database fails; `None` while it answers.
    pub database_error: Option<String>,
    /// What the daemon waits for before it begins or goes on; `None`: nothing.
    pub waits_for: Option<String>,
    /// Whether a reload of the configuration is in progress.
    pub is_reloading: bool,
    /// When the configuration in force was applied.
    pub configured_at: Option<Time>,
    /// Whether a newer one has been rejected since.
    pub is_refused: bool,
    /// Whether the daemon is draining its calls before it stops.
    pub is_stopping: bool,
}

impl Default for HealthState {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Snapshot::default())))
    }
}

impl HealthState {
    /// Records a heartbeat of the loop. A daemon waiting for its database beats too: a restart
    /// would not help, and would lose the answers waiting to be saved.
    pub fn beat(&self, at: Time) {
        self.0.send_modify(|now| {
            now.beats += 1;
            now.beat_at = Some(at);
        });
    }

    /// Records a successful tick: the database answers as well.
    pub fn ticked(&self, at: Time) {
        self.0.send_modify(|now| {
            now.beats += 1;
            now.beat_at = Some(at);
            now.ticked_at = Some(at);
            now.database_error = None;
        });
    }

    /// Records why the database fails; the text must contain no secret.
    pub fn database_fails(&self, why: impl Into<String>) {
        self.0.send_modify(|now| now.database_error = Some(why.into()));
    }

    /// The daemon waits for something, or for nothing any more; the text must contain no secret.
    pub fn waits_for(&self, what: Option<String>) {
        self.0.send_modify(|now| now.waits_for = what);
    }

    /// A reload has begun.
    pub fn reloading(&self) {
        self.0.send_modify(|now| now.is_reloading = true);
    }

    /// The new configuration is in force from `at` on.
    pub fn configured(&self, at: Time) {
        self.0.send_modify(|now| {
            now.is_reloading = false;
            now.configured_at = Some(at);
            now.is_refused = false;
        });
    }

    /// The new configuration is rejected; the old one stays in force.
    pub fn refused(&self) {
        self.0.send_modify(|now| {
            now.is_reloading = false;
            now.is_refused = true;
        });
    }

    /// The daemon is draining its calls before it stops.
    pub fn stopping(&self) {
        self.0.send_modify(|now| now.is_stopping = true);
    }

    /// The current health.
    pub fn snapshot(&self) -> Snapshot {
        self.0.borrow().clone()
    }

    /// A receiver of every later change.
    pub fn follow(&self) -> watch::Receiver<Snapshot> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tick_clears_database_error_and_heartbeat_keeps_it() {
        let health = HealthState::default();
        let at = |text: &str| text.parse::<Time>().expect("a time");
        health.database_fails("it is full");
        health.beat(at("2026-03-09 00:00:01"));
        let waiting = health.snapshot();
        assert_eq!(waiting.database_error.as_deref(), Some("it is full"));
        assert_eq!((waiting.beats, waiting.ticked_at), (1, None));
        health.clone().ticked(at("2026-03-09 00:00:02"));
        let ticked = health.snapshot();
        assert_eq!(ticked.database_error, None);
        assert_eq!((ticked.beats, ticked.ticked_at), (2, Some(at("2026-03-09 00:00:02"))));
    }
}
