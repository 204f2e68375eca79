//! `tidewatch backfill`: many things at once, beside the schedules.

mod answers;
mod meter;
mod shown;
mod sources;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, Subcommand, ValueEnum};
use tokio_util::sync::CancellationToken;

use self::meter::Meter;
use self::shown::{Planned, listed, require_prices, standing};
use super::run::Signals;
use super::status::require_archive;
use super::{Cli, Json, SOME_FAILED, load_or_default, open, print, say_whom};
use crate::backfill::{self, Begun, Format, Progress, Request, Work};
use crate::config::{Config, decimal_micros, kind_named};
use crate::model::Kind;
use crate::store::{Limits, NewBackfill, Store};
use crate::time::Clock;

const EXAMPLES: &str = "\
Examples:
  tidewatch backfill notes.txt --dry-run           how many calls, and how much money
  tidewatch backfill notes.txt                     ids, links or share text, one a line
  tidewatch backfill export.csv --column 笔记ID    a column of a spreadsheet with a header
  grep -o '[0-9a-f]\\{24\\}' old.log | tidewatch backfill -
  tidewatch backfill words.txt --kind keywords
  tidewatch backfill --job spring                  a job's watchlist, without touching its schedule
  tidewatch backfill --discovered --max-cost 50    notes listed with KOLs and never archived
  tidewatch backfill --from-jsonl answers.jsonl    answers that you already have; costs nothing

Ctrl-C keeps what is done; the same command, or `backfill resume NAME`, goes on with the rest.
A line of --from-jsonl: {\"endpoint\": \"xiaohongshu/get-note-detail/v7\",
  \"fetched_at\": \"2026-01-02T03:04:05Z\", \"asked\": \"69aed4e2…\", \"body\": {…the answer…}}
Exit codes: 0 everything was observed, 1 some looks were missed or are still to be made.";

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub(super) struct Backfill {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    bring: Bring,
    #[command(flatten)]
    json: Json,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The backfills there are, how far they have come, and what they cost
    List,
    /// Go on with a backfill that was stopped, or has reached a limit
    Resume {
        /// Its name, as `list` shows it
        name: String,
        #[command(flatten)]
        limits: LimitArgs,
    },
    /// Give up what a backfill has not looked at: those looks are missed, `cancelled`
    Cancel {
        /// Its name, as `list` shows it
        name: String,
    },
}

/// What to bring in.
#[derive(Args, Debug)]
pub(super) struct Bring {
    /// Lists of targets; `-` is stdin
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the entries are, where they do not say so themselves: keywords never do
    #[arg(long, value_enum)]
    kind: Option<KindArg>,
    /// How the lists are written [default: as the name and the first line look]
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// The column, or the key of JSONL, that names the target [default: `note_id`, `url`, …]
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// The watchlist of this job of jobs.toml
    #[arg(long, value_name = "JOB")]
    job: Option<String>,
    /// The notes that KOL searches listed; those never archived, unless --again
    #[arg(long)]
    discovered: bool,
    /// Only what was never archived
    #[arg(long, conflicts_with = "again")]
    missing: bool,
    /// Also what was archived before [default, but for --discovered]
    #[arg(long)]
    again: bool,
    /// Leave bad lines out instead of refusing the list
    #[arg(long)]
    skip_bad: bool,
    /// Say how many calls and how much money it takes; ask nothing, write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    limits: LimitArgs,
    /// What to call it [default: the date and the source]
    #[arg(long)]
    name: Option<String>,
    /// Take in answers that were fetched elsewhere, one a line; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "files", "kind", "format", "column", "job", "discovered", "missing", "again",
        "max_calls", "max_cost", "name"])]
    from_jsonl: Option<PathBuf>,
    /// With --from-jsonl: the endpoint of lines that name none; they may be bare answers
    #[arg(long, requires = "from_jsonl")]
    endpoint: Option<String>,
    /// With --from-jsonl: the key of the time [default: `fetched_at`]
    #[arg(long, value_name = "KEY", requires = "from_jsonl")]
    fetched_at_field: Option<String>,
}

/// What a backfill may take.
#[derive(Args, Debug)]
struct LimitArgs {
    /// Stop before the call after this many; those that were not billed do not count
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    max_calls: Option<i64>,
    /// Stop before it costs more than this
    #[arg(long, value_name = "YUAN", value_parser = yuan)]
    max_cost: Option<i64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindArg {
    Notes,
    Works,
    Keywords,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatArg {
    Lines,
    Csv,
    Jsonl,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Lines => Self::Lines,
            FormatArg::Csv => Self::Csv,
            FormatArg::Jsonl => Self::Jsonl,
        }
    }
}

impl KindArg {
    fn kind(self) -> Option<Kind> {
        self.to_possible_value().and_then(|name| kind_named(name.get_name()))
    }
}

impl LimitArgs {
    fn limits(&self) -> Limits {
        Limits { max_calls: self.max_calls, max_cost_micros: self.max_cost }
    }
}

fn yuan(text: &str) -> Result<i64, String> {
    let micros = decimal_micros(text).filter(|micros| *micros > 0);
    micros.ok_or_else(|| "an amount of yuan, such as 20 or 12.5".to_owned())
}

impl Backfill {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let json = self.json.json;
        match &self.verb {
            Some(Verb::List) => list(cli, json).await,
            Some(Verb::Resume { name, limits }) => resume(cli, name, limits.limits(), json).await,
            Some(Verb::Cancel { name }) => cancel(cli, name, json).await,
            None => match &self.bring.from_jsonl {
                Some(file) => self.bring.import(cli, file, json).await,
                None => self.bring.run(cli, json).await,
            },
        }
    }
}

impl Bring {
    async fn run(&self, cli: &Cli, json: bool) -> Result<ExitCode> {
        ensure!(
            !self.files.is_empty() || self.job.is_some() || self.discovered,
            "nothing to bring in: name a file, - for stdin, --job, --discovered or --from-jsonl"
        );
        let config = Arc::new(load_or_default(cli)?);
        let mut list = self.list(&config)?;
        let source = self.source();
        let request = Request {
            name: self.name.clone(),
            digest: backfill::digest(&source, &list.targets),
            source,
            repeatable: self.discovered || self.is_missing(),
            limits: self.limits.limits(),
        };
        // A dry run makes no archive where there is none.
        let store = match self.dry_run && require_archive(cli).is_err() {
            true => None,
            false => Some(open(cli).await?),
        };
        let clock = Clock::system();
        let today = clock.now().utc().with_timezone(&config.timezone).format("%Y-%m-%d");
        let begun = match &store {
            Some(store) => backfill::find(store, &request, &today.to_string()).await?,
            None => Begun::New(
                request.name.clone().unwrap_or_else(|| format!("{today}-{}", request.source)),
            ),
        };
        if let (Begun::Before(row), Some(store), false) = (&begun, &store, self.dry_run) {
            tracing::info!(name = row.name, "going on with what is left of it");
            return go_on(config, store, &clock, &row.name, request.limits, json).await;
        }
        if let (Some(store), true) = (&store, self.discovered) {
            self.discover(store, &mut list).await?;
        }
        let planned =
            Planned::of(&config, store.as_ref(), &list, begun, self.is_missing(), clock.now())
                .await?;
        if self.dry_run {
            print(&planned.shown(&config, request.limits, json)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let Some(store) = store else { bail!("there is no archive") };
        if planned.targets.is_empty() {
            print(if json { "null\n" } else { "nothing to look at\n" })?;
            return Ok(ExitCode::SUCCESS);
        }
        planned.require_means(&config, request.limits)?;
        config.require_token_for(&planned.targets)?;
        say_whom(&config);
        let (name, source, digest) = (planned.name.clone(), request.source, request.digest);
        let new = NewBackfill { name, source, digest, limits: request.limits };
        backfill::begin(&store, &new, &planned.targets, clock.now()).await?;
        tracing::info!(
            name = new.name,
            looks = planned.targets.len(),
            calls = planned.estimate.calls(),
            "begun"
        );
        work(config, &store, &clock, &new.name, json).await
    }

    fn is_missing(&self) -> bool {
        self.missing || (self.discovered && !self.again)
    }
}

async fn list(cli: &Cli, json: bool) -> Result<ExitCode> {
    let config = load_or_default(cli)?;
    require_archive(cli)?;
    let store = open(cli).await?;
    let mut tx = store.read().await?;
    let rows = tx.backfills().await?;
    drop(tx);
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.extend(Progress::of(&store, &row.name).await?);
    }
    store.close().await;
    print(&if json { serde_json::to_string(&all)? + "\n" } else { listed(&all, config.timezone) })?;
    Ok(ExitCode::SUCCESS)
}

async fn resume(cli: &Cli, name: &str, limits: Limits, json: bool) -> Result<ExitCode> {
    let config = Arc::new(load_or_default(cli)?);
    require_archive(cli)?;
    let store = open(cli).await?;
    say_whom(&config);
    go_on(config, &store, &Clock::system(), name, limits, json).await
}

/// Goes on with what is left of a backfill; limits that are given replace its own.
async fn go_on(
    config: Arc<Config>,
    store: &Store,
    clock: &Clock,
    name: &str,
    limits: Limits,
    json: bool,
) -> Result<ExitCode> {
    let mut tx = store.begin().await?;
    let row = tx.backfill_named(name).await?;
    let row = row.with_context(|| {
        format!("there is no backfill {name}; `tidewatch backfill list` shows all")
    })?;
    let left = tx.kinds_left(row.run_id).await?;
    config.require_token_for(&left)?;
    require_prices(&config, limits.or(row.limits), &left)?;
    if !tx.resume_backfill(row.run_id, limits).await? {
        bail!("the backfill {name} has ended: {}", row.state);
    }
    tx.commit().await?;
    work(config, store, clock, name, json).await
}

async fn cancel(cli: &Cli, name: &str, json: bool) -> Result<ExitCode> {
    require_archive(cli)?;
    let store = open(cli).await?;
    let mut tx = store.begin().await?;
    let row = tx.backfill_named(name).await?;
    let row = row.with_context(|| {
        format!("there is no backfill {name}; `tidewatch backfill list` shows all")
    })?;
    if !tx.cancel_backfill(row.run_id, Clock::system().now()).await? {
        bail!("the backfill {name} has ended: {}", row.state);
    }
    tx.commit().await?;
    let done = finish(&store, name, json).await?;
    store.close().await;
    // What was given up was asked for.
    let _ = done;
    Ok(ExitCode::SUCCESS)
}

/// Works a backfill off, here or by looking on, until it ends or is stopped.
async fn work(
    config: Arc<Config>,
    store: &Store,
    clock: &Clock,
    name: &str,
    json: bool,
) -> Result<ExitCode> {
    let stop = CancellationToken::new();
    let mut meter = Meter::new();
    let signals = Signals::new()?;
    let tell = |progress: &Progress| meter.tell(progress, clock.now());
    let work = Work { config, store, clock, name, stop: &stop, tell };
    tokio::select! {
        done = work.run() => done?,
        () = signals.twice(&stop) => {
            tracing::warn!("stopped at once; calls in flight stand open on the ledger");
            return Ok(ExitCode::from(SOME_FAILED));
        }
    }
    meter.end();
    let done = finish(store, name, json).await;
    store.close().await;
    done
}

/// Says what came of a backfill.
async fn finish(store: &Store, name: &str, json: bool) -> Result<ExitCode> {
    let progress = Progress::of(store, name).await?.context("the backfill is gone")?;
    let mut tx = store.read().await?;
    let missed = tx.missed_of_backfill(progress.backfill.run_id).await?;
    drop(tx);
    let text =
        if json { serde_json::to_string(&progress)? + "\n" } else { standing(&progress, &missed) };
    print(&text)?;
    let all = progress.looks.missed == 0 && progress.looks.open == 0;
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::from(SOME_FAILED) })
}
