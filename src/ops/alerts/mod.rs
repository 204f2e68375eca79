//! Tells people what goes wrong, and when it is over, by messages to webhooks.
//!
//! Once a minute what holds is compared with what is on record in the archive, and what is new
//! there is sent: so each thing is told once, whatever daemon finds it and whichever restarts. A
//! message whose sender dies between sending and recording is sent again: better twice than never.

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

/// How often what holds is looked at.
const EVERY: Duration = Duration::from_secs(60);

/// How long a message is this process's: longer than sending it can take.
const CLAIM: Duration = Duration::from_secs(60);

/// How long to wait after a message was not taken; doubles with each try.
const FIRST_WAIT: Duration = Duration::from_secs(60);

/// The longest such wait.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Looks at what holds, and tells it.
pub struct Alerts {
    config: watch::Receiver<Arc<Config>>,
    store: Store,
    clock: Clock,
    sender: Sender,
}

impl Alerts {
    /// Alerts by the settings that are the latest at each look.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(config: watch::Receiver<Arc<Config>>, store: Store, clock: Clock) -> Result<Self> {
        Ok(Self { config, store, clock, sender: Sender::new()? })
    }

    /// Looks and tells for ever. What goes wrong with that stops nothing else.
    ///
    /// # Errors
    /// Never.
    pub async fn run(self) -> Result<()> {
        loop {
            tokio::time::sleep(EVERY).await;
            if let Err(error) = self.look().await {
                tracing::warn!(error = format!("{error:#}"), "cannot look for what is to be told");
            }
        }
    }

    /// Looks at what holds, and tells what has not been told.
    ///
    /// # Errors
    /// When the database fails. A message that is not taken is no error: it is tried again.
    pub async fn look(&self) -> Result<()> {
        let config = self.config.borrow().clone();
        in_time(self.forget(&config)).await?;
        for alert in &config.alerts {
            in_time(self.record(&config, alert)).await?;
            self.tell(&config, alert).await?;
        }
        Ok(())
    }

    /// Leaves what was to be told to alerts that are not in the settings any more.
    async fn forget(&self, config: &Config) -> Result<()> {
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

    /// Brings what is on record for an alert in line with what holds.
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

    /// Sends what is on record for an alert and was not sent: one message for all that is alike.
    async fn tell(&self, config: &Config, alert: &Alert) -> Result<()> {
        let since = self.clock.now();
        loop {
            let rows = in_time(self.claim(alert, since)).await?;
            let Some(first) = rows.first() else { return Ok(()) };
            let condition = Condition::parse(&first.condition)
                .with_context(|| format!("there is no condition {}", first.condition))?;
            let (resolved, at) = (first.resolved_at.is_some(), self.clock.now());
            let message = Message { condition, resolved, rows: &rows, at };
            let sent = self.sender.send(alert, &message, config.timezone).await;
            let numbers: Vec<i64> = rows.iter().map(|row| row.alert_id).collect();
            let attempts = rows.iter().map(|row| row.attempts).max().unwrap_or(1);
            in_time(self.sent(alert, &numbers, resolved, attempts, sent)).await?;
        }
    }

    /// Takes what is to be told in one message: just before it is sent, since others may be slow.
    async fn claim(&self, alert: &Alert, since: Time) -> Result<Vec<AlertRow>> {
        let mut tx = self.store.read().await?;
        let any = tx.has_unsent_alerts(&alert.name, since).await?;
        drop(tx);
        if !any {
            return Ok(Vec::new());
        }
        let mut tx = self.store.begin().await?;
        let until = self.clock.now().plus(CLAIM);
        let rows = tx.claim_alerts(&alert.name, since, until).await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// Puts on record what came of a message.
    async fn sent(
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
                tracing::info!(alert = alert.name, about = numbers.len(), resolved, "told");
            }
            Err(error) => {
                let wait = wait_after(attempts);
                tx.alerts_failed(numbers, &error, now.plus(wait)).await?;
                let again_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(alert = alert.name, error, again_in_ms, "an alert was not taken");
            }
        }
        tx.commit().await
    }
}

/// Sends a message that says that it is a test; why it was not taken, if it was not.
///
/// # Errors
/// When the HTTP client cannot be made.
pub async fn test(alert: &Alert, config: &Config, now: Time) -> Result<Result<(), String>> {
    Ok(Sender::new()?.send_test(alert, config.timezone, now).await)
}

/// How long to wait after this many tries in vain.
fn wait_after(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    (FIRST_WAIT * 2_u32.pow(doublings)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour() {
        let minutes = |attempts| wait_after(attempts).as_secs() / 60;
        assert_eq!([1, 2, 3, 6, 7, 8, i64::MAX].map(minutes), [1, 2, 4, 32, 60, 60, 60]);
    }
}
