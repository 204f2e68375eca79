//! Tells systemd how the daemon is. Without a systemd that wants to know it does nothing.
//!
//! The watchdog has no timer of its own: it is fed when the loop comes round, and only then.

use std::time::Duration;

use anyhow::Result;
use sd_notify::NotifyState;
use tokio::time::Instant;

use crate::vitals::{Snapshot, Vitals};

/// The longest status, in characters.
const LONGEST_STATUS: usize = 200;

/// Tells systemd all that happens from now on.
///
/// # Errors
/// Never: it ends when nobody can change `vitals` any more.
pub async fn tell(vitals: Vitals) -> Result<()> {
    let mut changes = vitals.follow();
    drop(vitals);
    let mut watchdog = Watchdog { every: sd_notify::watchdog_enabled(), fed_at: None };
    let mut told = Snapshot::default();
    let mut said = String::new();
    loop {
        let now = changes.borrow_and_update().clone();
        let mut news = news(&told, &now);
        if now.beats > told.beats && watchdog.is_hungry(Instant::now()) {
            news.push(NotifyState::Watchdog);
        }
        let status = status(&now);
        if status != said {
            news.push(NotifyState::Status(&status));
        }
        if !news.is_empty()
            && let Err(error) = sd_notify::notify(&news)
        {
            tracing::warn!(error = error.to_string(), "cannot tell systemd how the daemon is");
        }
        drop(news);
        said = status;
        told = now;
        if changes.changed().await.is_err() {
            return Ok(());
        }
    }
}

/// What systemd wants to hear every so often, if it does.
struct Watchdog {
    every: Option<Duration>,
    fed_at: Option<Instant>,
}

impl Watchdog {
    /// Whether a beat is worth telling: a busy loop comes round many times a second.
    fn is_hungry(&mut self, now: Instant) -> bool {
        let Some(every) = self.every else { return false };
        let hungry = self.fed_at.is_none_or(|fed_at| now.duration_since(fed_at) >= every / 10);
        if hungry {
            self.fed_at = Some(now);
        }
        hungry
    }
}

/// What is new since it was last told.
fn news(told: &Snapshot, now: &Snapshot) -> Vec<NotifyState<'static>> {
    let mut news = Vec::new();
    let began = told.turned_at.is_none() && now.turned_at.is_some();
    if now.is_reloading && !told.is_reloading {
        news.push(NotifyState::Reloading);
        news.extend(NotifyState::monotonic_usec_now().ok());
    }
    if began || (told.is_reloading && !now.is_reloading) {
        news.push(NotifyState::Ready);
    }
    if now.is_stopping && !told.is_stopping {
        news.push(NotifyState::Stopping);
    }
    news
}

/// How it is, in one line: a line break would begin another message.
fn status(now: &Snapshot) -> String {
    let text = match &now.database_error {
        _ if now.is_stopping => "stopping: letting the calls in flight end",
        Some(error) => &format!("the database cannot be worked with: {error}"),
        None if now.turned_at.is_some() => "at work",
        None => "starting",
    };
    text.chars().filter(|c| !c.is_control()).take(LONGEST_STATUS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &Snapshot, now: &Snapshot) -> Vec<String> {
        news(before, now).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn systemd_hears_of_the_first_turn_of_a_reload_and_of_the_end() {
        let start = Snapshot::default();
        let beat = Snapshot { beats: 1, ..start.clone() };
        assert!(told(&start, &beat).is_empty(), "a beat alone is no sign of being ready");
        let at = "2026-03-09 00:00:00".parse().ok();
        let ready = Snapshot { turned_at: at, ..beat };
        assert_eq!(told(&start, &ready), ["READY=1"]);
        let reloading = Snapshot { is_reloading: true, ..ready.clone() };
        let news = told(&ready, &reloading);
        assert_eq!(news[0], "RELOADING=1");
        assert!(news[1].starts_with("MONOTONIC_USEC="));
        assert_eq!(told(&reloading, &ready), ["READY=1"]);
        let stopping = Snapshot { is_stopping: true, ..ready.clone() };
        assert_eq!(told(&ready, &stopping), ["STOPPING=1"]);
    }

    #[test]
    fn a_status_is_one_line() {
        let error = Some("full\nREADY=1".to_owned());
        let now = Snapshot { database_error: error, ..Snapshot::default() };
        assert_eq!(status(&now), "the database cannot be worked with: fullREADY=1");
    }

    #[tokio::test]
    async fn a_busy_loop_feeds_the_watchdog_now_and_then() {
        let mut watchdog = Watchdog { every: Some(Duration::from_secs(60)), fed_at: None };
        let start = Instant::now();
        let fed = (0..60).filter(|n| watchdog.is_hungry(start + Duration::from_secs(*n))).count();
        assert_eq!(fed, 10);
        assert!(!Watchdog { every: None, fed_at: None }.is_hungry(start));
    }
}
