//! The `tidewatch` command.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser as _;
use tidewatch::cli::{self, Cli};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli::start_logging(&cli);
    match catch_unwind(AssertUnwindSafe(|| cli::run(&cli))) {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => cli::explain(&error),
        // The message was logged where it panicked.
        Err(_) => cli::crashed(),
    }
}
