//! `tidewatch run`: the daemon, and the signals that stop it.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::serve::{self, Prepared};
use super::signals::Signals;
use super::{Cli, SOME_FAILED, load, open};
use crate::config::{Environment, loopback};
use crate::daemon::{Daemon, TAKEN, Watch};
use crate::ops::alerts::Alerts;
use crate::ops::balances::Balances;
use crate::ops::health::{self, HealthServer};
use crate::ops::metrics::Metrics;
use crate::ops::tasks::Tasks;
use crate::ops::{run_log, systemd};
use crate::page;
use crate::store::{Store, in_time};
use crate::time::Clock;

#[derive(Args, Debug)]
pub(super) struct Run {
    /// Serve /healthz, /readyz and /metrics at this loopback address [default: `listen` of
    /// `[health]`]
    #[arg(long, value_parser = loopback, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Serve the page as well, like `tidewatch serve` [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT", num_args = 0..=1, default_missing_value = serve::LISTEN)]
    serve: Option<SocketAddr>,
    #[command(flatten)]
    hosts: serve::Hosts,
}

impl Run {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let mut signals = Signals::new()?;
        let config = Arc::new(load(cli)?);
        let watch = Watch::begin(&config, Environment::read())?;
        config.require_means()?;
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        super::say_whom(&config);
        let page = match self.serve {
            Some(address) => {
                Some((serve::guard(address, &self.hosts)?, page::listen(address).await?))
            }
            None => None,
        };
        let Some(store) = signals.unless(open(cli)).await.transpose()? else {
            tracing::info!("stopped");
            return Ok(ExitCode::SUCCESS);
        };
        let listener = match self.listen.or(config.listen) {
            Some(address) => match health::listen(address).await {
                // The process that holds the file also holds the address.
                Err(_) if store.is_locked()? => bail!(TAKEN),
                listener => Some(listener?),
            },
            None => None,
        };
        let clock = Clock::system();
        // Start before any event that is counted.
        let metrics = Metrics::begin(&store, &clock).await?;
        let mut daemon = Daemon::open(config, store.clone(), clock.clone(), "run").await?;
        daemon.listen_to(watch);
        let page = match page {
            Some((guard, listener)) => {
                Some(Prepared::new(cli, guard, listener, daemon.settings()).await?)
            }
            None => None,
        };
        let mut tasks = start_tasks(&daemon, &store, &clock, metrics, (listener, page))?;
        let stopped = work(&mut daemon, &mut tasks, signals).await?;
        if stopped == Stopped::AtOnce {
            tracing::warn!("stopped immediately; calls in flight remain open on the ledger");
            return Ok(ExitCode::from(SOME_FAILED));
        }
        drop(tasks);
        in_time(run_log::report(&store, &clock)).await?;
        daemon.close().await?;
        store.close().await;
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}

/// Starts the tasks beside the daemon's loop; the health server and the page, which has the
/// metrics as well, only where they are asked for.
fn start_tasks(
    daemon: &Daemon,
    store: &Store,
    clock: &Clock,
    metrics: Metrics,
    (listener, page): (Option<TcpListener>, Option<Prepared>),
) -> Result<Tasks> {
    let (store, clock, settings, health) =
        (store.clone(), clock.clone(), daemon.settings(), daemon.health());
    let alerts = Alerts::new(settings.clone(), store.clone(), clock.clone())?;
    let mut tasks = Tasks::default();
    tasks.start("the systemd notifier", systemd::notify(health.clone()));
    tasks.start("the run log", run_log::report_all(store.clone(), clock.clone()));
    tasks.start("the alerts", alerts.run());
    let balances = Balances::new(settings.clone(), store.clone(), clock.clone());
    tasks.start("the balances", balances.run());
    let server = HealthServer { state: health, store, clock, metrics, settings };
    if let Some(page) = page {
        tasks.start("the page", page.serve(Some(server.clone().metrics_router())));
    }
    if let Some(listener) = listener {
        tasks.start("the health server", server.serve(listener));
    }
    Ok(tasks)
}

/// How the daemon stopped.
#[derive(PartialEq, Eq)]
enum Stopped {
    Gracefully,
    AtOnce,
}

/// Runs the daemon until a signal, or the failure of an essential task.
async fn work(daemon: &mut Daemon, tasks: &mut Tasks, signals: Signals) -> Result<Stopped> {
    let stop = CancellationToken::new();
    let mut signals = std::pin::pin!(signals.twice(&stop));
    let mut work = std::pin::pin!(daemon.run(&stop));
    let mut death = None;
    loop {
        tokio::select! {
            done = &mut work => {
                done?;
                return death.map_or(Ok(Stopped::Gracefully), Err);
            }
            () = &mut signals => return Ok(Stopped::AtOnce),
            error = tasks.died(), if death.is_none() => {
                // Calls in flight are paid for: save them first.
                tracing::error!(error = format!("{error:#}"), "stopping");
                stop.cancel();
                death = Some(error);
            }
        }
    }
}
