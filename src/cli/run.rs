//! `tidewatch run`: the daemon, and the signals that stop it.

use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::serve::{self, Prepared};
use super::signals::Signals;
use super::{Cli, SOME_FAILED, load, open};
use crate::config::{Config, Environment, loopback};
use crate::daemon::{Daemon, TAKEN, Watch};
use crate::ops::alerts::Alerts;
use crate::ops::balances::Balances;
use crate::ops::health::{self, HealthServer};
use crate::ops::health_state::HealthState;
use crate::ops::metrics::Metrics;
use crate::ops::tasks::Tasks;
use crate::ops::{run_log, systemd};
use crate::page;
use crate::store::{Store, in_time, is_passing};
use crate::time::Clock;

/// Wait before the second attempt to open the archive; doubles up to `LONGEST_WAIT`.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Longest wait between two attempts to open the archive.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

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
        let listener = match self.listen.or(config.listen) {
            Some(address) => Some(bind(cli, address).await?),
            None => None,
        };
        let clock = Clock::steady();
        let started =
            signals.unless(Box::pin(start(cli, &config, &clock, listener.as_ref()))).await;
        let Some(Started { store, metrics, mut daemon }) = started.transpose()? else {
            tracing::info!("stopped");
            return Ok(ExitCode::SUCCESS);
        };
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

/// A daemon that has its archive.
struct Started {
    store: Store,
    metrics: Metrics,
    daemon: Daemon,
}

/// Binds the port of the health checks.
async fn bind(cli: &Cli, address: SocketAddr) -> Result<TcpListener> {
    match health::listen(address).await {
        // The process that holds the file also holds the address.
        Err(_) if open(cli).await?.is_locked()? => bail!(TAKEN),
        listener => listener,
    }
}

/// Opens the archive and a daemon on it; waits while the database cannot be reached or has no room,
/// answering health checks meanwhile.
async fn start(
    cli: &Cli,
    config: &Arc<Config>,
    clock: &Clock,
    listener: Option<&TcpListener>,
) -> Result<Started> {
    let health = HealthState::default();
    let _server = listener.map(|it| serve_start(&health, it)).transpose()?;
    let mut wait = FIRST_WAIT;
    loop {
        let error = match try_start(cli, config, clock).await {
            Err(error) if is_passing(&error) => format!("{error:#}"),
            done => return done,
        };
        let waits_for = Some(format!("the database fails: {error}"));
        if health.snapshot().waits_for != waits_for {
            tracing::error!(error, "cannot start yet; waiting for the database");
        }
        health.waits_for(waits_for);
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Answers health checks until dropped, on a handle of its own of the same port.
fn serve_start(health: &HealthState, listener: &TcpListener) -> Result<JoinSet<Result<()>>> {
    let handle = std::net::TcpListener::from(listener.as_fd().try_clone_to_owned()?);
    let handle = TcpListener::from_std(handle)?;
    let mut server = JoinSet::new();
    server.spawn(health::serve_start(health.clone(), handle));
    Ok(server)
}

async fn try_start(cli: &Cli, config: &Arc<Config>, clock: &Clock) -> Result<Started> {
    let store = open(cli).await?;
    clock.set(store.clock().await?.now());
    // Start before any event that is counted.
    let metrics = Metrics::begin(&store, clock).await?;
    let daemon = Daemon::open(config.clone(), store.clone(), clock.clone(), "run").await?;
    Ok(Started { store, metrics, daemon })
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
