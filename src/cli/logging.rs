//! Messages on stderr, by the flags.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::{Cli, Command, format};

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

/// Starts logging to stderr by the flags; `RUST_LOG` overrides them.
pub fn start_logging(cli: &Cli) {
    let level = match (&cli.command, cli.quiet, cli.verbose) {
        // A demo shows its progress, and missed slots in its summary.
        (Command::Demo(_), _, 0) => "error",
        (_, true, _) => "warn",
        (_, false, 0) => "info",
        (_, false, 1) => "info,tidewatch=debug",
        (_, false, _) => "trace",
    };
    // Queries over a whole archive are expected to be slow.
    let slow = matches!(&cli.command, Command::Sql(_) | Command::Export(_) | Command::Report(_));
    let sqlx = if slow { "error" } else { "warn" };
    // The scheduler logs normal operation as errors.
    let default = format!("{level},tokio_cron_scheduler=off,sqlx={sqlx}");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(|| format::BesideBars);
    match cli.log_format {
        LogFormat::Json => registry.with(layer.json()).init(),
        LogFormat::Text => {
            let ansi = std::io::stderr().is_terminal();
            registry.with(layer.with_ansi(ansi).with_target(false)).init();
        }
    }
    // A panic is one message like any other.
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        let why = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(at, why, "panicked: this is a bug in tidewatch");
    }));
}
