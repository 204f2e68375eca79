//! `tidewatch healthcheck`: the health of the daemon on this machine.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;

use super::{Cli, SOME_FAILED, load_without_calls, print};
use crate::config::{Config, loopback};
use crate::ops::health;

#[derive(Args, Debug)]
pub(super) struct Healthcheck {
    /// Address of the health checks [default: `listen` of `[health]`]
    #[arg(long, value_parser = loopback, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Check whether it can work (/readyz), not only whether it is alive (/healthz)
    #[arg(long)]
    ready: bool,
}

impl Healthcheck {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let address = match self.listen {
            Some(address) => address,
            // A running daemon keeps its settings even if the file becomes invalid.
            None => load_without_calls(cli)
                .map_or_else(|_| Config::listen_of(cli.jobs()), |config| config.listen)
                .context(
                    "no address of health checks: set `listen` under [health], or use --listen",
                )?,
        };
        let path = if self.ready { "/readyz" } else { "/healthz" };
        let (well, says) =
            health::ask(address, path).await.unwrap_or_else(|error| (false, format!("{error:#}")));
        print(&format!("{says}\n"))?;
        Ok(ExitCode::from(if well { 0 } else { SOME_FAILED }))
    }
}
