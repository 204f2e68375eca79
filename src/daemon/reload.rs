//! Takes over settings that were read again, without losing a call or a look.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio_util::sync::CancellationToken;

use super::Daemon;
use super::watch::Reload;
use crate::config::Config;
use crate::plan::{self, Left};
use crate::process;
use crate::store::ConfigLoad;

/// How long taking over settings may take: what many looks and large watchlists need, and less than
/// what the watchdog of `contrib/tidewatch.service` waits for.
const LONGEST_RELOAD: Duration = Duration::from_secs(120);

impl Daemon {
    /// Remembers settings that were read again until they are taken over, and says so if they are
    /// refused.
    pub(super) fn heard(&mut self, reload: Reload) {
        if let Err(error) = &reload {
            let path = self.config.path.display();
            tracing::error!("{path} is wrong; the settings from before stay in force\n{error}");
        }
        self.reload = Some(reload);
    }

    /// Takes over the settings that were heard of last, or puts on record that they are refused. They
    /// are remembered until that is done.
    pub(super) async fn reload(&mut self, stop: &CancellationToken) -> Result<()> {
        let Some(reload) = self.reload.clone() else { return Ok(()) };
        self.health.reloading();
        let done = async {
            match &reload {
                Ok(config) => self.take_over(config.clone(), stop).await,
                Err(error) => self.note(ConfigLoad::Refused(error)).await,
            }
        };
        tokio::time::timeout(LONGEST_RELOAD, done)
            .await
            .context("the database does not take the settings in time")??;
        self.reload = None;
        match reload {
            Ok(_) => self.health.configured(self.clock.now()),
            Err(_) => self.health.refused(),
        }
        Ok(())
    }

    /// Works with other settings from now on. What was due until now is planned by the old ones;
    /// calls in flight go on as they began. Leaves the old ones in force when asked to `stop`
    /// meanwhile.
    ///
    /// # Errors
    /// When the database fails; then the old ones stay in force.
    pub async fn take_over(&mut self, config: Arc<Config>, stop: &CancellationToken) -> Result<()> {
        let now = self.clock.now();
        while plan::materialise(&self.store, &self.config, self.started, now).await? == Left::More {
            if stop.is_cancelled() {
                return Ok(());
            }
        }
        if plan::sync(&self.store, &config, self.started, now, stop).await? == Left::More {
            return Ok(());
        }
        if !config.asks_as(&self.config) {
            let mut tx = self.store.begin().await?;
            process::lift_refusals(&mut tx, now).await?;
            tx.commit().await?;
        }
        self.note(process::taken_over(&config)).await?;
        self.crawler.take_over(config.clone())?;
        self.process.set_lease(config.lease);
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        let (before, url) = (&self.config.justoneapi.base_url, &config.justoneapi.base_url);
        if before != url {
            tracing::warn!(%url, "JustOneAPI is asked at another address from now on");
        }
        if config.listen != self.config.listen {
            tracing::warn!(
                "`listen` of [health] has changed: it is heeded at the next start, and not before"
            );
        }
        let (jobs, targets) = (config.jobs.len(), config.jobs.iter().map(|job| job.targets.len()));
        let targets: usize = targets.sum();
        tracing::info!(jobs, targets, "{} was read again and taken over", config.path.display());
        self.settings.send_replace(config.clone());
        self.config = config;
        self.next_fire = None;
        self.silence().await;
        Ok(())
    }

    /// Puts a reading of the settings on record.
    async fn note(&self, load: ConfigLoad<'_>) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.put_config_load(self.process.owner(), load, self.clock.now()).await?;
        tx.commit().await
    }
}
