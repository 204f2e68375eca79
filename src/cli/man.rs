//! `tidewatch man`: manual pages generated from the help texts.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory as _};
use clap_mangen::{Man, generate_to};

use super::{Cli, print};

#[derive(Args, Debug)]
pub(super) struct Manual {
    /// Write a page per verb into this folder, such as ~/.local/share/man/man1, instead of the
    /// first page to stdout
    directory: Option<PathBuf>,
}

impl Manual {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let Some(directory) = &self.directory else {
            let mut page = Vec::new();
            Man::new(Cli::command()).render(&mut page)?;
            print(&String::from_utf8(page)?)?;
            return Ok(ExitCode::SUCCESS);
        };
        let place = directory.display();
        let written = || {
            std::fs::create_dir_all(directory)?;
            generate_to(Cli::command(), directory)
        };
        written().with_context(|| format!("cannot write the pages into {place}"))?;
        print(&format!("wrote the pages into {place}; start with tidewatch.1\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}
