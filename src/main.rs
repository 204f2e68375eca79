//! The `tidewatch` command.

use std::process::ExitCode;

use clap::Parser as _;
use tidewatch::cli::{self, Cli};

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli::start_logging(&cli);
    match cli::run(&cli) {
        Ok(done) => done,
        Err(error) => cli::explain(&error),
    }
}
