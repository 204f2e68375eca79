//! `tidewatch replay`: derives the rows again from the documents.

use std::process::ExitCode;

use anyhow::Result;

use super::format::count;
use super::meter::Meter;
use super::{Cli, open, print};
use crate::replay::replay;
use crate::text::things;
use crate::time::Clock;

/// The bar: documents read, and estimated time left.
const BAR: &str = "{bar:30} {human_pos}/{human_len} documents  eta {eta}";

pub(super) async fn run(cli: &Cli) -> Result<ExitCode> {
    let store = open(cli).await?;
    let clock = Clock::system();
    let mut meter = Meter::new(Some(0), BAR);
    let done = replay(&store, |done, total| {
        if let Some(bar) = meter.bar() {
            bar.set_length(u64::try_from(total).unwrap_or(0));
            bar.set_position(u64::try_from(done).unwrap_or(0));
        }
        if meter.is_line_due(clock.now()) {
            tracing::info!(done, total, "replaying");
        }
    });
    let done = done.await;
    drop(meter);
    print(&format!("derived the rows of {} again\n", things(count(done?), "document")))?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
