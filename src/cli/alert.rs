//! `tidewatch alert`: sends test messages.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};

use super::format::safe;
use super::{Cli, SOME_FAILED, load, print};
use crate::ops::alerts;
use crate::time::Clock;

#[derive(Args, Debug)]
pub(super) struct Alert {
    #[command(subcommand)]
    command: AlertCommand,
}

#[derive(Debug, Subcommand)]
enum AlertCommand {
    /// Send a test message to each alert (exit 1 if one is not accepted)
    Test {
        /// Only to the alert of this name
        name: Option<String>,
    },
}

impl Alert {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let AlertCommand::Test { name } = &self.command;
        let config = load(cli)?;
        config.require_alert_urls()?;
        let chosen = config.alerts.iter().filter(|it| name.as_ref().is_none_or(|n| *n == it.name));
        let chosen: Vec<_> = chosen.collect();
        ensure!(!chosen.is_empty(), "unknown [[alert]] in {}", config.path.display());
        let mut failed = 0;
        for alert in chosen {
            let came = match alerts::test(alert, &config, Clock::system().now()).await? {
                Ok(()) => "taken".to_owned(),
                Err(why) => {
                    failed = SOME_FAILED;
                    format!("not taken: {}", safe(&why, 300))
                }
            };
            print(&format!("{}: {came}\n", safe(&alert.name, 64)))?;
        }
        Ok(ExitCode::from(failed))
    }
}
