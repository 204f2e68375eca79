//! `tidewatch schema`: the JSON Schema of jobs.toml for editors.

use std::process::ExitCode;

use anyhow::Result;

use super::print;
use crate::config::schema;

pub(super) fn run() -> Result<ExitCode> {
    print(&(serde_json::to_string_pretty(&schema())? + "\n"))?;
    Ok(ExitCode::SUCCESS)
}
