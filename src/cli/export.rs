//! `tidewatch export`: writes a table, a view or a query's rows to a file, completely or not at
//! all.

use std::fs::File;
use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;

use super::format::count;
use super::meter::Meter;
use super::rows::{Between, ended, say_empty, stop_at_signals};
use super::settings::require_archive;
use super::{Cli, SOME_FAILED, open, print};
use crate::export::{Export as Rows, Format};
use crate::store::{Query, Store};
use crate::text::things;
use crate::time::Clock;

/// Rows between two progress updates.
const ROWS_PER_UPDATE: u64 = 4096;

/// Progress if the number of rows is unknown.
const BAR: &str = "{spinner} {human_pos} rows  {per_sec}  {elapsed}";

/// Progress if the number of rows is known.
const BAR_TO_END: &str = "{bar:30} {human_pos}/{human_len} rows  {per_sec}  eta {eta}";

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tidewatch export engagement -o engagement.parquet
  tidewatch export engagement_daily --since 30d --bom -o daily.csv     # for Excel
  tidewatch export slots --since 2026-03-01 --until 2026-04-01 --format jsonl | gzip > slots.gz
  tidewatch export --query \"select * from spend where job = 'spring'\" -o spend.csv
Times are UTC in every format. NULL is an empty field in CSV. A query on SQLite has no column
types: Parquet uses the types of the first rows.")]
pub(super) struct Export {
    /// Table or view; the README lists them
    #[arg(required_unless_present = "query", conflicts_with = "query")]
    what: Option<String>,
    /// A query instead, as for `tidewatch sql`
    #[arg(long, value_name = "SQL", conflicts_with_all = ["since", "until"])]
    query: Option<String>,
    /// Output format [default: the file's extension; csv on stdout]
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    #[command(flatten)]
    between: Between,
    /// The file to write or replace once it is complete; - is stdout
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// CSV: do not prefix texts that look like formulas with a '
    #[arg(long)]
    raw: bool,
    /// CSV: start with a byte order mark, for Excel
    #[arg(long)]
    bom: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    Csv,
    Jsonl,
    Parquet,
}

impl Export {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let format = self.format()?;
        require_archive(cli)?;
        self.spare_archive(cli)?;
        let store = open(cli).await?;
        let stop = stop_at_signals()?;
        match self.export(&store, format, &stop).await {
            Ok(Some(rows)) => {
                if rows == 0 {
                    say_empty(&mut store.read().await?, self.between.is_set()).await?;
                }
                store.close().await;
                if let Some(path) = self.file() {
                    print(&format!(
                        "wrote {} to {}\n",
                        things(count(rows), "row"),
                        path.display()
                    ))?;
                }
                Ok(ExitCode::SUCCESS)
            }
            // A query still running in the database ends with this process.
            Ok(None) => {
                tracing::warn!("stopped: no complete file was written");
                Ok(ExitCode::from(SOME_FAILED))
            }
            Err(error) => ended(error, self.query.as_deref().unwrap_or_default()),
        }
    }

    /// The file to write, unless it is stdout.
    fn file(&self) -> Option<&Path> {
        Some(self.output.as_path()).filter(|path| *path != Path::new("-"))
    }

    fn format(&self) -> Result<Format> {
        let ending = self.output.extension().and_then(|ending| ending.to_str());
        let kind = self.format.or_else(|| FormatArg::from_str(ending?, true).ok());
        let kind = kind.or_else(|| self.file().is_none().then_some(FormatArg::Csv));
        let kind = kind.context("no format: use --format csv, jsonl or parquet")?;
        ensure!(
            kind == FormatArg::Csv || !(self.raw || self.bom),
            "--raw and --bom apply to CSV only"
        );
        Ok(match kind {
            FormatArg::Csv => Format::Csv { bom: self.bom, raw: self.raw },
            FormatArg::Jsonl => Format::Jsonl,
            FormatArg::Parquet if self.file().is_none() && std::io::stdout().is_terminal() => {
                bail!("Parquet is binary: write it to a file with -o FILE")
            }
            FormatArg::Parquet => Format::Parquet,
        })
    }

    /// Refuses to overwrite the archive itself.
    fn spare_archive(&self, cli: &Cli) -> Result<()> {
        let archive = cli.database_url.strip_prefix("sqlite:");
        let archive = archive.map(|path| path.strip_prefix("//").unwrap_or(path));
        let same = |path: &Path, archive: &str| {
            path.canonicalize()
                .is_ok_and(|path| Path::new(archive).canonicalize().ok() == Some(path))
        };
        if let (Some(path), Some(archive)) = (self.file(), archive) {
            ensure!(!same(path, archive), "{archive} is the archive: write to another file");
        }
        Ok(())
    }

    /// Writes the rows; their number, or `None` if stopped.
    async fn export(
        &self,
        store: &Store,
        format: Format,
        stop: &CancellationToken,
    ) -> Result<Option<i64>> {
        let mut query = tokio::select! {
            query = self.ask(store) => query?,
            () = stop.cancelled() => return Ok(None),
        };
        let mut progress = Progress::new(self.total(&mut query).await?);
        let (out, part): (Box<dyn Write + Send>, _) = match self.file() {
            None => (Box::new(std::io::stdout()), None),
            Some(path) => {
                let part = Part::create(path)?;
                (Box::new(part.file.try_clone()?), Some(part))
            }
        };
        let mut rows = Rows::new(format, query.columns(), out)?;
        let whole = query.each(stop, |row| {
            progress.count_row();
            rows.row(row)
        });
        let whole = whole.await?;
        let written = progress.rows;
        drop(progress);
        if !whole {
            return Ok(None);
        }
        rows.finish()?;
        part.map_or(Ok(()), Part::keep)?;
        Ok(Some(i64::try_from(written)?))
    }

    async fn ask(&self, store: &Store) -> Result<Query> {
        if let Some(sql) = &self.query {
            return store.query(sql).await;
        }
        let zone = store.read().await?.zone().await?;
        let span = self.between.span(zone, Clock::system().now())?;
        store.rows_of(self.what.as_deref().unwrap_or_default(), span).await
    }

    /// The expected number of rows, if it is cheap to count.
    async fn total(&self, query: &mut Query) -> Result<Option<u64>> {
        let whole = self.what.as_deref().filter(|_| !self.between.is_set());
        let Some(what) = whole else { return Ok(None) };
        Ok(query.about(what).await?.and_then(|rows| u64::try_from(rows).ok()))
    }
}

/// A file under construction, with the extension `.part` until it is complete; deleted on failure.
struct Part {
    file: File,
    part: PathBuf,
    path: PathBuf,
    kept: bool,
}

impl Part {
    fn create(path: &Path) -> Result<Self> {
        let part = path.with_added_extension("part");
        let file =
            File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
        Ok(Self { file, part, path: path.to_owned(), kept: false })
    }

    fn keep(mut self) -> Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.part, &self.path)
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

/// Counts the rows and shows the progress.
struct Progress {
    meter: Meter,
    clock: Clock,
    rows: u64,
}

impl Progress {
    fn new(total: Option<u64>) -> Self {
        let clock = Clock::system();
        let mut meter = Meter::new(total, if total.is_some() { BAR_TO_END } else { BAR });
        // The first line comes after an interval.
        meter.is_line_due(clock.now());
        Self { meter, clock, rows: 0 }
    }

    fn count_row(&mut self) {
        self.rows += 1;
        if !self.rows.is_multiple_of(ROWS_PER_UPDATE) {
            return;
        }
        if let Some(bar) = self.meter.bar() {
            bar.set_position(self.rows);
        }
        if self.meter.is_line_due(self.clock.now()) {
            tracing::info!(rows = self.rows, "exporting");
        }
    }
}
