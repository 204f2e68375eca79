//! `tidewatch backup`: a copy of a SQLite archive, beside a running daemon.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::meter::Meter;
use super::rows::stop_at_signals;
use super::settings::require_archive;
use super::{Cli, SOME_FAILED, open, print};
use crate::store::Store;
use crate::time::Clock;

/// The bar: bytes written, and estimated time left.
const BAR: &str = "{bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  eta {eta}";

#[derive(Args, Debug)]
#[command(after_help = "\
The copy is one file as of one moment, the write-ahead log included, of mode 0600, checked for
damaged pages; it is smaller where the archive has free pages. Until it is complete it is called
FILE.part. To restore it: stop the daemon, move the archive and its -wal and -shm away, and copy the
file to the archive's place.
Examples:
  tidewatch backup /backups/tidewatch-$(date +%F).db
  pg_dump --format=custom --file=tidewatch.dump tidewatch && tidewatch backup --record")]
pub(super) struct Backup {
    /// The file to write; an existing one is not overwritten
    #[arg(required_unless_present = "record")]
    file: Option<PathBuf>,
    /// Instead, put on record that a backup was made now by other means, such as pg_dump
    #[arg(long, conflicts_with = "file")]
    record: bool,
}

impl Backup {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        require_archive(cli)?;
        let now = Clock::system().now();
        let Some(file) = &self.file else {
            let store = open(cli).await?;
            store.record_backup(now).await?;
            store.close().await;
            print("the backup is on record\n")?;
            return Ok(ExitCode::SUCCESS);
        };
        // Not migrated: a backup is what one makes before that.
        let store = Store::connect(&cli.database_url).await?;
        let (stop, clock) = (stop_at_signals()?, Clock::system());
        let mut meter = Meter::new(Some(0), BAR);
        let copied = store.backup(file, now, |bytes, total| {
            if let Some(bar) = meter.bar() {
                bar.set_length(total.max(bytes));
                bar.set_position(bytes);
            }
            if meter.is_line_due(clock.now()) {
                tracing::info!(bytes, total, "copying");
            }
        });
        let bytes = tokio::select! {
            bytes = copied => bytes?,
            () = stop.cancelled() => {
                tracing::warn!("stopped: no backup was written");
                return Ok(ExitCode::from(SOME_FAILED));
            }
        };
        drop(meter);
        store.close().await;
        let size = indicatif::HumanBytes(bytes);
        print(&format!("backed up to {} ({size}), checked\n", file.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
