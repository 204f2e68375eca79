//! Notifies systemd of the daemon's health; does nothing without `NOTIFY_SOCKET`.
//!
//! The watchdog has no timer of its own: only a heartbeat of the loop feeds it.

use std::time::Duration;

use anyhow::Result;
use sd_notify::NotifyState;
use tokio::time::Instant;

use crate::ops::health_state::{HealthState, Snapshot};

/// Maximum length of a status, in characters.
const LONGEST_STATUS: usize = 200;

/// Notifies systemd of every change of `health`.
///
/// # Errors
/// Never; it returns when every sender of `health` is dropped.
pub async fn notify(health: HealthState) -> Result<()> {
    let mut changes = health.follow();
    drop(health);
    let mut watchdog = Watchdog { every: sd_notify::watchdog_enabled(), fed_at: None };
    let mut previous = Snapshot::default();
    let mut previous_status = String::new();
    loop {
        let now = changes.borrow_and_update().clone();
        let mut states = changes_between(&previous, &now);
        if now.beats > previous.beats && watchdog.is_due(Instant::now()) {
            states.push(NotifyState::Watchdog);
        }
        let status = status(&now);
        if status != previous_status {
            states.push(NotifyState::Status(&status));
        }
        if !states.is_empty()
            && let Err(error) = sd_notify::notify(&states)
        {
            tracing::warn!(error = error.to_string(), "cannot notify systemd");
        }
        drop(states);
        previous_status = status;
        previous = now;
        if changes.changed().await.is_err() {
            return Ok(());
        }
    }
}

/// When to send the next keep-alive, if systemd expects any.
struct Watchdog {
    every: Option<Duration>,
    fed_at: Option<Instant>,
}

impl Watchdog {
    /// Whether a heartbeat is worth a keep-alive: a busy loop beats many times a second.
    fn is_due(&mut self, now: Instant) -> bool {
        let Some(every) = self.every else { return false };
        let due = self.fed_at.is_none_or(|fed_at| now.duration_since(fed_at) >= every / 10);
        if due {
            self.fed_at = Some(now);
        }
        due
    }
}

/// The changes of state since `previous`.
fn changes_between(previous: &Snapshot, now: &Snapshot) -> Vec<NotifyState<'static>> {
    let mut states = Vec::new();
    let is_first_tick = previous.ticked_at.is_none() && now.ticked_at.is_some();
    if now.is_reloading && !previous.is_reloading {
        states.push(NotifyState::Reloading);
        states.extend(NotifyState::monotonic_usec_now().ok());
    }
    if is_first_tick || (previous.is_reloading && !now.is_reloading) {
        states.push(NotifyState::Ready);
    }
    if now.is_stopping && !previous.is_stopping {
        states.push(NotifyState::Stopping);
    }
    states
}

/// The status in one line: a line break would begin another message.
fn status(now: &Snapshot) -> String {
    let text = match &now.database_error {
        _ if now.is_stopping => "stopping: draining the calls in flight",
        Some(error) => &format!("the database fails: {error}"),
        None if now.ticked_at.is_some() => "running",
        None => "starting",
    };
    text.chars().filter(|c| !c.is_control()).take(LONGEST_STATUS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(before: &Snapshot, now: &Snapshot) -> Vec<String> {
        changes_between(before, now).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn first_tick_reload_and_stop_are_notified() {
        let start = Snapshot::default();
        let beat = Snapshot { beats: 1, ..start.clone() };
        assert!(sent(&start, &beat).is_empty(), "a heartbeat alone is not readiness");
        let at = "2026-03-09 00:00:00".parse().ok();
        let ready = Snapshot { ticked_at: at, ..beat };
        assert_eq!(sent(&start, &ready), ["READY=1"]);
        let reloading = Snapshot { is_reloading: true, ..ready.clone() };
        let states = sent(&ready, &reloading);
        assert_eq!(states[0], "RELOADING=1");
        assert!(states[1].starts_with("MONOTONIC_USEC="));
        assert_eq!(sent(&reloading, &ready), ["READY=1"]);
        let stopping = Snapshot { is_stopping: true, ..ready.clone() };
        assert_eq!(sent(&ready, &stopping), ["STOPPING=1"]);
    }

    #[test]
    fn status_is_one_line() {
        let error = Some("full\nREADY=1".to_owned());
        let now = Snapshot { database_error: error, ..Snapshot::default() };
        assert_eq!(status(&now), "the database fails: fullREADY=1");
    }

    #[tokio::test]
    async fn busy_loop_feeds_watchdog_ten_times_an_interval() {
        let mut watchdog = Watchdog { every: Some(Duration::from_secs(60)), fed_at: None };
        let start = Instant::now();
        let fed = (0..60).filter(|n| watchdog.is_due(start + Duration::from_secs(*n))).count();
        assert_eq!(fed, 10);
        assert!(!Watchdog { every: None, fed_at: None }.is_due(start));
    }
}
