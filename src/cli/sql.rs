//! `tidewatch sql`: a read-only query.

mod grid;

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use self::grid::Grid;
use super::rows::{Between, ended, say_empty, stop_at_signals};
use super::settings::require_archive;
use super::{Cli, SOME_FAILED, open};
use crate::export::{Export, Format};
use crate::store::{ColdTexts, Query, Store, Value};
use crate::time::Clock;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tidewatch sql \"select item_id, likes from engagement_latest order by likes desc limit 10\"
  tidewatch sql --csv < question.sql > answer.csv
  tidewatch sql --cold --item ID \"select body from document_texts where asked = 'ID'\"
  tidewatch sql --json \"select * from spend\" | jq .yuan
The README lists the tables and views; times are UTC.")]
pub(super) struct Sql {
    /// One statement; read from stdin if absent
    query: Option<String>,
    /// Print one JSON object per row
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV; texts that look like formulas get a ' in front
    #[arg(long)]
    csv: bool,
    /// Begin the CSV with a byte order mark, for Excel
    #[arg(long, requires = "csv")]
    bom: bool,
    /// Maximum number of rows [default: all]
    #[arg(long, value_name = "ROWS")]
    limit: Option<u64>,
    /// Let `document_texts` have the text of cold answers, too: of all, or of those named by the
    /// flags below
    #[arg(long)]
    cold: bool,
    #[command(flatten)]
    between: Between,
    /// With --cold: only answers about this note or work
    #[arg(long, value_name = "ID", requires = "cold")]
    item: Option<String>,
    /// With --cold: also if they are more than 2 GiB
    #[arg(long, requires = "cold")]
    force: bool,
}

/// Output of rows.
enum RowWriter {
    Rows(Box<Export<std::io::Stdout>>),
    Grid(Grid<std::io::Stdout>),
}

impl Sql {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let sql = self.sql()?;
        require_archive(cli)?;
        let store = open(cli).await?;
        match self.show(&store, &sql).await {
            Ok(true) => store.close().await,
            // A query still running in the database ends with this process.
            Ok(false) => return Ok(ExitCode::from(SOME_FAILED)),
            Err(error) => return ended(error, &sql),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn sql(&self) -> Result<String> {
        if let Some(query) = &self.query {
            return Ok(query.clone());
        }
        let mut stdin = std::io::stdin();
        if stdin.is_terminal() {
            bail!(
                "no query: write `tidewatch sql \"select * from items limit 5\"`, or let it \
                 read one from a file with `tidewatch sql < FILE`"
            );
        }
        let mut sql = String::new();
        stdin.read_to_string(&mut sql).context("cannot read the query from stdin")?;
        Ok(sql)
    }

    async fn ask(&self, store: &Store, sql: &str) -> Result<Query> {
        if !self.cold {
            ensure!(!self.between.is_set(), "--since and --until go with --cold");
            return store.query(sql).await;
        }
        let zone = store.read().await?.zone().await?;
        let span = self.between.span(zone, Clock::system().now())?;
        let texts = ColdTexts { span, item: self.item.clone(), force: self.force };
        store.query_with_cold(sql, &texts).await
    }

    /// Prints the rows; false if stopped.
    async fn show(&self, store: &Store, sql: &str) -> Result<bool> {
        let stop = stop_at_signals()?;
        let asked = tokio::select! {
            query = self.ask(store, sql) => query?,
            () = stop.cancelled() => return Ok(false),
        };
        let mut query = asked;
        let out = std::io::stdout();
        let mut shown = match (self.csv, self.json) {
            (true, _) => {
                let format = Format::Csv { bom: self.bom, raw: false };
                RowWriter::Rows(Box::new(Export::new(format, query.columns(), out)?))
            }
            (_, true) => {
                RowWriter::Rows(Box::new(Export::new(Format::Jsonl, query.columns(), out)?))
            }
            _ => {
                let width = terminal_size::terminal_size_of(std::io::stdout());
                let width = width.map(|(width, _)| usize::from(width.0));
                RowWriter::Grid(Grid::new(query.columns(), width, out))
            }
        };
        let (enough, mut left) = (stop.child_token(), self.limit.unwrap_or(u64::MAX));
        let mut any = left == 0;
        if left == 0 {
            enough.cancel();
        }
        query
            .each(&enough, |row| {
                shown.row(row)?;
                any = true;
                left -= 1;
                if left == 0 {
                    enough.cancel();
                }
                Ok(())
            })
            .await?;
        shown.finish()?;
        if !any && !stop.is_cancelled() {
            say_empty(&mut store.read().await?, false).await?;
        }
        Ok(!stop.is_cancelled())
    }
}

impl RowWriter {
    fn row(&mut self, row: Vec<Value>) -> Result<()> {
        match self {
            Self::Rows(rows) => rows.row(row),
            Self::Grid(grid) => grid.row(&row),
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Rows(rows) => rows.finish(),
            Self::Grid(grid) => grid.finish(),
        }
    }
}
