//! Applies a reloaded configuration without losing a call or a slot.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio_util::sync::CancellationToken;

use super::Daemon;
use super::watch::Reload;
use crate::api::Provider;
use crate::config::Config;
use crate::plan::{self, Left};
use crate::process;
use crate::store::ConfigLoad;

/// Timeout of a reload, and of the first synchronisation: enough for large watchlists, and shorter than the watchdog timeout in
/// `contrib/tidewatch.service`.
pub(super) const RELOAD_TIMEOUT: Duration = Duration::from_secs(120);

impl Daemon {
    /// Keeps a reload until the next tick applies it, and logs a rejected one.
    pub(super) fn put_reload(&mut self, reload: Reload) {
        if let Err(error) = &reload {
            let path = self.config.path.display();
            tracing::error!("{path} is invalid; the previous settings stay in force\n{error}");
        }
        self.reload = Some(reload);
    }

    /// Applies the kept reload, or records that it is rejected; keeps it until that succeeds.
    pub(super) async fn reload(&mut self, stop: &CancellationToken) -> Result<()> {
        let Some(reload) = self.reload.clone() else { return Ok(()) };
        self.health.reloading();
        let done = async {
            match &reload {
                Ok(config) => self.apply(config.clone(), stop).await,
                Err(error) => self.record(ConfigLoad::Refused(error)).await,
            }
        };
        tokio::time::timeout(RELOAD_TIMEOUT, done)
            .await
            .context("applying the settings timed out")??;
        self.reload = None;
        match reload {
            Ok(_) => self.health.configured(self.clock.now()),
            Err(_) => self.health.refused(),
        }
        Ok(())
    }

    /// Puts new settings in force. Slots due until now follow the old ones, and calls in flight
    /// continue unchanged. The old ones stay in force when `stop` is cancelled meanwhile.
    ///
    /// # Errors
    /// When the database fails; then the old ones stay in force.
    pub async fn apply(&mut self, config: Arc<Config>, stop: &CancellationToken) -> Result<()> {
        let now = self.clock.now();
        if plan::sync(&self.store, &config, self.started, now, stop).await? == Left::More {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        for provider in Provider::ALL {
            if !config.provider(provider).asks_as(self.config.provider(provider)) {
                process::lift_refusals(&mut tx, provider, now).await?;
            }
        }
        tx.commit().await?;
        self.record(process::applied(&config)).await?;
        self.crawler.set_config(config.clone())?;
        self.process.set_lease(config.lease);
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        for provider in Provider::ALL {
            let url = &config.provider(provider).base_url;
            if url != &self.config.provider(provider).base_url {
                tracing::warn!(%url, "the address of {} has changed", provider.profile().title);
            }
        }
        if config.listen != self.config.listen {
            tracing::warn!("`listen` of [health] has changed: it applies at the next start");
        }
        let (jobs, targets) = (config.jobs.len(), config.jobs.iter().map(|job| job.targets.len()));
        let targets: usize = targets.sum();
        tracing::info!(jobs, targets, "{} reloaded", config.path.display());
        self.settings.send_replace(config.clone());
        self.config = config;
        self.next_fire = None;
        self.stop_alarm().await;
        Ok(())
    }

    /// Records a load of the settings.
    async fn record(&self, load: ConfigLoad<'_>) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.put_config_load(self.process.owner(), load, self.clock.now()).await?;
        tx.commit().await
    }
}
