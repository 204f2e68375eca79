//! `tidewatch serve`: the archive as a page, alone or beside a daemon.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use clap::Args;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::settings::require_archive;
use super::signals::Signals;
use super::{Cli, settings};
use crate::config::{Config, Environment, PageRefused};
use crate::page::{self, Guard, Page};
use crate::store::Store;
use crate::time::Clock;

/// Default address of the page.
pub(super) const LISTEN: &str = "127.0.0.1:8080";

#[derive(Args, Debug)]
pub(super) struct Serve {
    /// Address of the page; one that other machines can reach needs a password
    #[arg(long, default_value = LISTEN, value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    #[command(flatten)]
    hosts: Hosts,
}

/// Accepted host names of the page.
#[derive(Args, Clone, Debug)]
pub(super) struct Hosts {
    /// Accepted host name besides those of this machine; repeatable
    #[arg(long = "host", value_name = "NAME")]
    names: Vec<String>,
}

/// A page with its port and archive, ready to be served.
pub(super) struct Prepared {
    page: Page,
    guard: Guard,
    listener: TcpListener,
}

/// The access rules of the page at this address. Checked first, so that an invalid password is
/// reported at the start.
pub(super) fn guard(address: SocketAddr, hosts: &Hosts) -> Result<Guard, PageRefused> {
    let password: Option<SecretString> = Environment::read().page_password(address)?;
    Ok(Guard { address, hosts: hosts.names.clone(), password })
}

impl Prepared {
    /// Opens the archive read-only and binds the port.
    pub(super) async fn new(
        cli: &Cli,
        guard: Guard,
        listener: TcpListener,
        settings: watch::Receiver<Arc<Config>>,
    ) -> Result<Self> {
        let store = Store::open_to_read(&cli.database_url).await?;
        Ok(Self { page: Page { store, clock: Clock::system(), settings }, guard, listener })
    }

    /// Serves the page until the process ends, with the metrics of a daemon beside it.
    pub(super) async fn serve(self, metrics: Option<Router>) -> Result<()> {
        let address = self.listener.local_addr()?;
        tracing::info!("serving the page at http://{}/", reachable(address));
        self.page.serve(self.guard, self.listener, metrics).await
    }
}

/// An address that works in a browser: where all of them are served, that of this machine by
/// which it reaches others.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    // Nothing is sent: the system only says from which address it would be.
    let own = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    let own = own.map(|own| own.ip()).ok().filter(|ip| !ip.is_unspecified());
    SocketAddr::new(own.unwrap_or(Ipv4Addr::LOCALHOST.into()), address.port())
}

impl Serve {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let mut signals = Signals::new()?;
        match signals.unless(self.serve(cli)).await {
            Some(served) => served?,
            None => tracing::info!("stopped"),
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn serve(&self, cli: &Cli) -> Result<()> {
        let guard = guard(self.listen, &self.hosts)?;
        let config = settings(cli, "the budget is unknown")?;
        require_archive(cli)?;
        let listener = page::listen(self.listen).await?;
        let settings = watch::channel(Arc::new(config)).1;
        Prepared::new(cli, guard, listener, settings).await?.serve(None).await
    }
}
