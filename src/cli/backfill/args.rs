//! What can be said on the command line of a backfill.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::backfill::Format;
use crate::cli::Json;
use crate::config::{decimal_micros, kind_named};
use crate::model::Kind;
use crate::store::Limits;

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
pub(in crate::cli) struct Backfill {
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
    #[command(flatten)]
    pub(super) bring: Bring,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
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
    pub(super) files: Vec<PathBuf>,
    /// What the entries are, where they do not say so themselves: keywords never do
    #[arg(long, value_enum)]
    pub(super) kind: Option<KindArg>,
    /// How the lists are written [default: as the name and the first line look]
    #[arg(long, value_enum)]
    pub(super) format: Option<FormatArg>,
    /// The column, or the key of JSONL, that names the target [default: `note_id`, `url`, …]
    #[arg(long, value_name = "NAME")]
    pub(super) column: Option<String>,
    /// The watchlist of this job of jobs.toml
    #[arg(long, value_name = "JOB")]
    pub(super) job: Option<String>,
    /// The notes that KOL searches listed; those never archived, unless --again
    #[arg(long)]
    pub(super) discovered: bool,
    /// Only what was never archived
    #[arg(long, conflicts_with = "again")]
    pub(super) missing: bool,
    /// Also what was archived before [default, but for --discovered]
    #[arg(long)]
    pub(super) again: bool,
    /// Leave bad lines out instead of refusing the list
    #[arg(long)]
    pub(super) skip_bad: bool,
    /// Say how many calls and how much money it takes; ask nothing, write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
    /// What to call it [default: the date and the source]
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Take in answers that were fetched elsewhere, one a line; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "files", "kind", "format", "column", "job", "discovered", "missing", "again",
        "max_calls", "max_cost", "name"])]
    pub(super) from_jsonl: Option<PathBuf>,
    /// With --from-jsonl: the endpoint of lines that name none; they may be bare answers
    #[arg(long, requires = "from_jsonl")]
    pub(super) endpoint: Option<String>,
    /// With --from-jsonl: the key of the time [default: `fetched_at`]
    #[arg(long, value_name = "KEY", requires = "from_jsonl")]
    pub(super) fetched_at_field: Option<String>,
}

/// What a backfill may take.
#[derive(Args, Debug)]
pub(super) struct LimitArgs {
    /// Stop before the call after this many; those that were not billed do not count
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    max_calls: Option<i64>,
    /// Stop before it costs more than this
    #[arg(long, value_name = "YUAN", value_parser = yuan)]
    max_cost: Option<i64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum KindArg {
    Notes,
    Works,
    Keywords,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum FormatArg {
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
    pub(super) fn kind(self) -> Option<Kind> {
        self.to_possible_value().and_then(|name| kind_named(name.get_name()))
    }
}

impl LimitArgs {
    pub(super) fn limits(&self) -> Limits {
        Limits { max_calls: self.max_calls, max_cost_micros: self.max_cost }
    }
}

fn yuan(text: &str) -> Result<i64, String> {
    let micros = decimal_micros(text).filter(|micros| *micros > 0);
    micros.ok_or_else(|| "an amount of yuan, such as 20 or 12.5".to_owned())
}
