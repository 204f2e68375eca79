//! `tidewatch replay`: derives the rows again from the documents.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;

use super::format::{BARS, count};
use super::{Cli, open, print};
use crate::replay::replay;
use crate::text::things;
use crate::time::{Clock, Time};

/// Interval of progress lines without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

pub(super) async fn run(cli: &Cli) -> Result<ExitCode> {
    let store = open(cli).await?;
    let clock = Clock::system();
    let bar = std::io::stderr().is_terminal().then(|| BARS.add(ProgressBar::new(0)));
    let mut said: Option<Time> = None;
    let done = replay(&store, |done, total| {
        if let Some(bar) = &bar {
            bar.set_length(u64::try_from(total).unwrap_or(0));
            bar.set_position(u64::try_from(done).unwrap_or(0));
            return;
        }
        let now = clock.now();
        if said.is_none_or(|at| now.since(at) >= LINE_EVERY) {
            said = Some(now);
            tracing::info!(done, total, "replaying");
        }
    });
    let done = done.await;
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    print(&format!("derived the rows of {} again\n", things(count(done?), "document")))?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
