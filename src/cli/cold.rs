//! `tidewatch cold`: old answers in compressed files.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand};

use super::format::{count, local, safe, table};
use super::rows::Between;
use super::settings::require_archive;
use super::{Cli, SOME_FAILED, load_or_default, open, print};
use crate::cold::{Packing, alone, pack, thaw, verify};
use crate::config::SHORTEST_COLD_AFTER;
use crate::store::{ColdFileRow, Store};
use crate::text::things;
use crate::time::Clock;

#[derive(Args, Debug)]
#[command(after_help = "\
With `cold_after` in jobs.toml a daemon packs by itself; any checks each file every 30 days. Replay,
forget, export and the page read cold answers like others; `tidewatch sql --cold` does, too. In plain
SQL their body is NULL.
Examples:
  tidewatch cold pack --older-than 30d
  tidewatch cold verify
  tidewatch cold thaw --since 2026-03-01 --until 2026-04-01")]
pub(super) struct Cold {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Move old answers into files now; on SQLite no other tidewatch may be running
    Pack {
        /// Age at which answers go cold [default: cold_after of jobs.toml]
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        older_than: Option<Duration>,
    },
    /// List the files
    Files {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Compare every file with its SHA-256 and with the documents that it has (exit 0 or 1)
    Verify,
    /// Put answers back into the rows of their documents, whole files only
    Thaw(Thaw),
}

#[derive(Args, Debug)]
struct Thaw {
    /// Every file
    #[arg(long, conflicts_with_all = ["since", "until"])]
    all: bool,
    /// Files with answers of this time
    #[command(flatten)]
    between: Between,
}

impl Cold {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        require_archive(cli)?;
        match &self.command {
            Command::Pack { older_than } => pack_all(cli, *older_than).await,
            Command::Files { json } => list(cli, *json).await,
            Command::Verify => verify_all(cli).await,
            Command::Thaw(it) => it.run(cli).await,
        }
    }
}

async fn pack_all(cli: &Cli, older_than: Option<Duration>) -> Result<ExitCode> {
    let cold_after = match older_than {
        Some(span) => span,
        None => load_or_default(cli)?
            .cold_after
            .context("no age: set cold_after under [archive], or use --older-than 30d")?,
    };
    let shortest = humantime::format_duration(SHORTEST_COLD_AFTER);
    ensure!(cold_after >= SHORTEST_COLD_AFTER, "answers go cold after {shortest} at the earliest");
    let store = open(cli).await?;
    let _alone = alone(&store).await?;
    let packing = Packing { cold_after, now: Clock::system().now() };
    let (mut files, mut documents, mut bytes, mut text_bytes) = (0, 0, 0, 0);
    while let Some(packed) = pack(&store, packing).await? {
        let endpoint = packed.endpoint;
        tracing::info!(endpoint, documents = packed.documents, bytes = packed.bytes, "packed");
        files += 1;
        documents += packed.documents;
        bytes += packed.bytes;
        text_bytes += packed.text_bytes;
    }
    print(&format!(
        "moved {} into {}: {} bytes instead of {}\n",
        things(count(i64::try_from(documents)?), "answer"),
        things(count(files), "file"),
        count(i64::try_from(bytes)?),
        count(i64::try_from(text_bytes)?)
    ))?;
    if files > 0 && store.is_sqlite() {
        tracing::info!(
            "the file is as large as before, and new answers use the room: `vacuum` of sqlite3 gives \
             it back"
        );
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn list(cli: &Cli, json: bool) -> Result<ExitCode> {
    let store = open(cli).await?;
    let mut tx = store.read().await?;
    let (files, zone) = (tx.cold_files().await?, tx.zone().await?);
    drop(tx);
    if json {
        print(&(serde_json::to_string(&files)? + "\n"))?;
    } else {
        let rows = files.iter().map(|it| {
            vec![
                it.cold_file_id.to_string(),
                safe(&it.endpoint, 40),
                count(it.documents),
                count(it.bytes),
                count(it.text_bytes),
                local(it.first_fetched_at, zone),
                local(it.last_fetched_at, zone),
                local(it.verified_at, zone),
                safe(it.location.as_deref().unwrap_or("the database"), 80),
            ]
        });
        let head = ["file", "endpoint", "answers", "bytes", "text", "from", "to", "verified", "in"];
        print(&table(&head, &[0, 2, 3, 4], rows.collect()))?;
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn verify_all(cli: &Cli) -> Result<ExitCode> {
    let (store, now) = (open(cli).await?, Clock::system().now());
    let mut tx = store.read().await?;
    tx.disable_timeout().await?;
    let (files, lost) = (tx.cold_files().await?, tx.count_lost_documents().await?);
    drop(tx);
    let mut faults = 0;
    for file in &files {
        if let Some(fault) = verify(&store, file, now).await? {
            faults += 1;
            print(&format!("cold file {}: {fault}\n", file.cold_file_id))?;
        }
    }
    if lost > 0 {
        faults += 1;
        print(&format!("the text of {} is in no file\n", things(count(lost), "cold answer")))?;
    }
    store.close().await;
    print(&format!("verified {}: {}\n", things(files.len(), "file"), things(faults, "fault")))?;
    Ok(ExitCode::from(if faults == 0 { 0 } else { SOME_FAILED }))
}

impl Thaw {
    async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        ensure!(
            self.all || self.between.is_set(),
            "name a time with --since or --until, or --all for every file"
        );
        let store = open(cli).await?;
        let files = self.files(&store).await?;
        let _alone = alone(&store).await?;
        let mut thawed = 0;
        for file in &files {
            thawed += thaw(&store, file).await?;
        }
        print(&format!(
            "put {} of {} back; with cold_after a daemon packs them again\n",
            things(count(i64::try_from(thawed)?), "answer"),
            things(files.len(), "file")
        ))?;
        store.close().await;
        Ok(ExitCode::SUCCESS)
    }

    async fn files(&self, store: &Store) -> Result<Vec<ColdFileRow>> {
        let mut tx = store.read().await?;
        let span = self.between.span(tx.zone().await?, Clock::system().now())?;
        let mut files = tx.cold_files().await?;
        files.retain(|it| {
            span.since.is_none_or(|since| it.last_fetched_at >= since)
                && span.until.is_none_or(|until| it.first_fetched_at < until)
        });
        Ok(files)
    }
}
