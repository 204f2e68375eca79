//! Alerts: tells people by webhooks what fails, and when it is resolved.
//!
//! Once a minute the findings are compared with the alerts recorded in the archive, and the changes are
//! sent: each alert is sent once, whichever daemon finds it. A message whose sender dies between
//! sending and recording is sent again.

mod conditions;
mod message;
mod send;
mod text;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::watch;

use self::send::Sender;
use self::text::Message;
use crate::config::{Alert, Condition, Config};
use crate::store::{AlertRow, Store, in_time};
use crate::time::{Clock, Time};

/// Interval of checks.
const INTERVAL: Duration = Duration::from_secs(60);

/// How long a message stays claimed by this process: longer than sending it takes.
const CLAIM_LEASE: Duration = Duration::from_secs(60);

/// Backoff after a failed message; doubles with each attempt.
const FIRST_WAIT: Duration = Duration::from_secs(60);

/// Longest backoff.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// Checks the conditions of alerts and sends the changes.
pub struct Alerts {
    config: watch::Receiver<Arc<Config>>,
    store: Store,
    clock: Clock,
    sender: Sender,
}

impl Alerts {
    /// Alerts by the settings in force at each check.
    ///
    /// # Errors
    /// When the HTTP client cannot be created.
    pub fn new(config: watch::Receiver<Arc<Config>>, store: Store, clock: Clock) -> Result<Self> {
        Ok(Self { config, store, clock, sender: Sender::new()? })
    }

    /// Checks until dropped; a failed check is logged.
    ///
    /// # Errors
    /// Never.
    pub async fn run(self) -> Result<()> {
        loop {
            tokio::time::sleep(INTERVAL).await;
            if let Err(error) = self.check().await {
                tracing::warn!(error = format!("{error:#}"), "cannot check the alerts");
            }
        }
    }

    /// Records the current findings and sends what has not been sent.
    ///
    /// # Errors
    /// When the database fails. A rejected message is no error: it is retried.
    pub async fn check(&self) -> Result<()> {
        let config = self.config.borrow().clone();
        in_time(self.drop_orphaned(&config)).await?;
        for alert in &config.alerts {
            in_time(self.record(&config, alert)).await?;
            self.send_unsent(&config, alert).await?;
        }
        Ok(())
    }

    /// Drops the unsent messages of alerts that were removed from the settings.
    async fn drop_orphaned(&self, config: &Config) -> Result<()> {
        let names: Vec<&str> = config.alerts.iter().map(|alert| alert.name.as_str()).collect();
        let mut tx = self.store.read().await?;
        let any = tx.has_orphaned_alerts(&names).await?;
        drop(tx);
        if any {
            let mut tx = self.store.begin().await?;
            tx.drop_orphaned_alerts(&names, self.clock.now()).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Raises and resolves the recorded alerts by the current findings.
    async fn record(&self, config: &Config, alert: &Alert) -> Result<()> {
        let now = self.clock.now();
        let mut tx = self.store.read().await?;
        let mut found = Vec::new();
        for condition in &alert.on {
            found.push((
                *condition,
                conditions::find(&mut tx, *condition, config, alert, now).await?,
            ));
        }
        let lasting = tx.lasting_alerts(&alert.name).await?;
        drop(tx);
        let is_known = |condition: Condition, subject: &str| {
            lasting.iter().any(|row| row.condition == condition.as_str() && row.subject == subject)
        };
        let over: Vec<i64> = lasting
            .iter()
            .filter(|row| {
                !found.iter().any(|(condition, findings)| {
                    row.condition == condition.as_str()
                        && findings.iter().any(|finding| finding.subject == row.subject)
                })
            })
            .map(|row| row.alert_id)
            .collect();
        for (condition, findings) in &mut found {
            findings.retain(|finding| !is_known(*condition, &finding.subject));
        }
        if over.is_empty() && found.iter().all(|(_, new)| new.is_empty()) {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        tx.resolve_alerts(&over, now).await?;
        for (condition, new) in found.iter().filter(|(_, new)| !new.is_empty()) {
            tx.raise_alerts(&alert.name, condition.as_str(), new, now).await?;
        }
        tx.commit().await
    }

    /// Sends the unsent findings of an alert, one message for each condition.
    async fn send_unsent(&self, config: &Config, alert: &Alert) -> Result<()> {
        let since = self.clock.now();
        loop {
            let rows = in_time(self.claim(alert, since)).await?;
            let Some(first) = rows.first() else { return Ok(()) };
            let condition = Condition::parse(&first.condition)
                .with_context(|| format!("unknown condition {}", first.condition))?;
            let (resolved, at) = (first.resolved_at.is_some(), self.clock.now());
            let message = Message { condition, resolved, rows: &rows, at };
            let sent = self.sender.send(alert, &message, config.timezone).await;
            let numbers: Vec<i64> = rows.iter().map(|row| row.alert_id).collect();
            let attempts = rows.iter().map(|row| row.attempts).max().unwrap_or(1);
            in_time(self.record_sent(alert, &numbers, resolved, attempts, sent)).await?;
        }
    }

    /// Claims the findings of one message, just before it is sent: earlier ones may be slow.
    async fn claim(&self, alert: &Alert, since: Time) -> Result<Vec<AlertRow>> {
        let mut tx = self.store.read().await?;
        let any = tx.has_unsent_alerts(&alert.name, since).await?;
        drop(tx);
        if !any {
            return Ok(Vec::new());
        }
        let mut tx = self.store.begin().await?;
        let until = self.clock.now().plus(CLAIM_LEASE);
        let rows = tx.claim_alerts(&alert.name, since, until).await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// Records the result of a message.
    async fn record_sent(
        &self,
        alert: &Alert,
        numbers: &[i64],
        resolved: bool,
        attempts: i64,
        sent: Result<(), String>,
    ) -> Result<()> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        match sent {
            Ok(()) => {
                tx.alerts_sent(numbers, resolved, now).await?;
                tracing::info!(
                    alert = alert.name,
                    findings = numbers.len(),
                    resolved,
                    "alert sent"
                );
            }
            Err(error) => {
                let wait = wait_after(attempts);
                tx.alerts_failed(numbers, &error, now.plus(wait)).await?;
                let retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(alert = alert.name, error, retry_in_ms, "alert not delivered");
            }
        }
        tx.commit().await
    }
}

/// Sends a test message; the inner error says why it was not delivered.
///
/// # Errors
/// When the HTTP client cannot be created.
pub async fn test(alert: &Alert, config: &Config, now: Time) -> Result<Result<(), String>> {
    Ok(Sender::new()?.send_test(alert, config.timezone, now).await)
}

/// The backoff after this many failed attempts.
fn wait_after(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    (FIRST_WAIT * 2_u32.pow(doublings)).min(MAX_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_an_hour() {
        let minutes = |attempts| wait_after(attempts).as_secs() / 60;
        assert_eq!([1, 2, 3, 6, 7, 8, i64::MAX].map(minutes), [1, 2, 4, 32, 60, 60, 60]);
    }
}
