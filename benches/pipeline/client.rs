//! The daemon as in `tidewatch run`, except for its clock, which jumps to the next fire.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use tidewatch::api::Provider;
use tidewatch::config::{Config, Environment};
use tidewatch::daemon::Daemon;
use tidewatch::store::Store;
use tidewatch::time::{Clock, Time};

use crate::measure;

/// Effectively unlimited, so that only the calls in flight limit the speed.
const CALLS_A_SECOND: u32 = 1_000_000;

/// Arguments of the daemon.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    database: String,
    #[arg(long)]
    upstream: String,
    #[arg(long)]
    notes: usize,
    #[arg(long)]
    concurrency: usize,
}

/// Ids of notes published in 2026.
pub(crate) fn note_ids(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| format!("6a{:06x}00000000{:08x}", n % 0xff_ffff, n * 2_654_435_761 % (1 << 32)))
        .collect()
}

/// Fetches every note twice.
#[tokio::main]
pub(crate) async fn run(args: &Args) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = config(args, folder.path())?;
    let store = Store::connect(&args.database).await?;
    store.migrate().await?;
    let start: Time = "2026-03-02 00:59:59".parse()?;
    let mut daemon =
        Daemon::open(Arc::new(config), store.clone(), Clock::jumping(start), "run").await?;
    for fetch in 1..=2 {
        measure::begin();
        daemon.run_until(start.plus(HOUR * fetch), |_, _| {}).await?;
        let mut tx = store.read().await?;
        let observed = tx.slot_totals(start).await?.observed;
        drop(tx);
        let expected = i64::try_from(args.notes)? * i64::from(fetch);
        ensure!(observed == expected, "{observed} notes observed instead of {expected}");
        measure::end(args.notes)?;
    }
    daemon.close().await?;
    store.close().await;
    Ok(())
}

const HOUR: Duration = Duration::from_secs(3600);

fn config(args: &Args, folder: &Path) -> Result<Config> {
    std::fs::write(folder.join("notes.txt"), note_ids(args.notes).join("\n"))?;
    let text = format!(
        "[justoneapi]\nbase_url = \"{}\"\nconcurrency = {}\nnote_detail_version = \"v1\"\n\
         [[job]]\nname = \"bench\"\nkind = \"notes\"\nschedule = \"@hourly\"\n\
         notes_file = \"notes.txt\"\n",
        args.upstream, args.concurrency
    );
    let environment = Environment::of([("JUSTONEAPI_TOKEN", "of-the-benchmark")]);
    let mut config = Config::parse(&text, &folder.join("jobs.toml"), &environment)?;
    config.provider_mut(Provider::JustOneApi).rate_per_second = CALLS_A_SECOND;
    Ok(config)
}
