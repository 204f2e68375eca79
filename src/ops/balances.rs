//! Asks providers once an hour what is left on their accounts. Whichever daemon finds the last answer
//! too old asks.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::watch;

use crate::api::client::{Client, Received};
use crate::api::{Balance, Provider};
use crate::config::Config;
use crate::store::{BalanceRow, Store, in_time};
use crate::time::Clock;

/// Interval of checks whether an answer is too old.
const INTERVAL: Duration = Duration::from_secs(300);

/// Age from which an answer is too old.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// Longest reason that is kept, in characters.
const MAX_ERROR: usize = 200;

/// Asks for balances.
pub struct Balances {
    config: watch::Receiver<Arc<Config>>,
    store: Store,
    clock: Clock,
}

impl Balances {
    /// By the settings in force at each check.
    pub fn new(config: watch::Receiver<Arc<Config>>, store: Store, clock: Clock) -> Self {
        Self { config, store, clock }
    }

    /// Asks until dropped; a failure is logged.
    ///
    /// # Errors
    /// Never.
    pub async fn run(self) -> Result<()> {
        loop {
            tokio::time::sleep(INTERVAL).await;
            if let Err(error) = self.check().await {
                tracing::warn!(error = format!("{error:#}"), "cannot check the balances");
            }
        }
    }

    /// Asks the providers whose last answer is too old, or of another account.
    ///
    /// # Errors
    /// When the database fails. A provider that does not say is no error: that is recorded.
    pub async fn check(&self) -> Result<()> {
        let config = self.config.borrow().clone();
        let known = in_time(async { self.store.read().await?.balances().await }).await?;
        for provider in Provider::ALL {
            let settings = config.provider(provider);
            let Some(request) = provider.balance_request() else { continue };
            let (now, base_url) = (self.clock.now(), settings.base_url.to_string());
            let is_fresh = |row: &BalanceRow| {
                row.provider == provider.as_str()
                    && row.base_url == base_url
                    && row.asked_at <= now
                    && now.since(row.asked_at) < MAX_AGE
            };
            if settings.token.is_none() || known.iter().any(is_fresh) {
                continue;
            }
            let client = Client::new([(provider, settings.server())])?;
            let answer = read(client.send(provider, &request).await);
            let (balance, error) = match answer {
                Ok(balance) => (Some(balance), None),
                Err(error) => (None, Some(error.chars().take(MAX_ERROR).collect())),
            };
            let row = BalanceRow {
                provider: provider.as_str().to_owned(),
                base_url,
                asked_at: now,
                micros: balance.as_ref().map(|it| it.micros),
                currency: balance.map(|it| it.currency),
                error,
            };
            in_time(async {
                let mut tx = self.store.begin().await?;
                tx.put_balance(&row).await?;
                tx.commit().await
            })
            .await?;
        }
        Ok(())
    }
}

fn read(received: Received) -> Result<Balance, String> {
    match received.error {
        Some(error) => Err(error),
        None => Balance::read(&received.body),
    }
}
