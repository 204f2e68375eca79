//! Command-line arguments of `backfill`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::Json;
use crate::config::{decimal_micros, kind_named};
use crate::model::{Kind, MissedReason};
use crate::store::Limits;
use crate::suggest;
use crate::watchlist::Format;

const EXAMPLES: &str = "\
Examples:
  tidewatch backfill notes.txt --dry-run           number of calls and their cost
  tidewatch backfill notes.txt                     ids, links or share text, one per line
  tidewatch backfill export.csv --column 笔记ID    one column of a CSV file with a header
  grep -o '[0-9a-f]\\{24\\}' old.log | tidewatch backfill -
  tidewatch backfill words.txt --kind keywords
  tidewatch backfill --job spring                  the targets of a job, beside its schedule
  tidewatch backfill --discovered --max-cost 50    notes listed with KOLs but never archived
  tidewatch backfill --missed --since 2026-03-01 --reason balance
                                                   what was missed, each target once
  tidewatch backfill --from-jsonl answers.jsonl    stored answers; no calls

Ctrl-C keeps finished slots; the same command, or `backfill resume NAME`, continues with the rest.
A line of --from-jsonl: {\"endpoint\": \"xiaohongshu/get-note-detail/v1\",
  \"fetched_at\": \"2026-01-02T03:04:05Z\", \"asked\": \"69aed4e2…\", \"body\": {…the answer…}}
Exit codes: 0 every slot was observed, 1 some slots were missed or are open; of a dry run those of the
run that it stands for.";

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub(in crate::cli) struct Backfill {
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
    #[command(flatten)]
    pub(super) sources: Sources,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List the backfills with their progress and cost
    List,
    /// List the missed slots of a backfill: what was asked for, and why there is no answer
    Missed {
        /// Its name, as shown by `list`
        name: String,
    },
    /// Continue a backfill that was stopped or has reached a limit
    Resume {
        /// Its name, as shown by `list`
        name: String,
        #[command(flatten)]
        limits: LimitArgs,
    },
    /// Cancel a backfill: its open slots are missed with the reason `cancelled`
    Cancel {
        /// Its name, as shown by `list`
        name: String,
    },
}

/// Sources of targets and of answers.
#[derive(Args, Debug)]
pub(super) struct Sources {
    /// Lists of targets; `-` is stdin
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Kind of the entries if it cannot be detected, such as keywords
    #[arg(long, value_enum)]
    pub(super) kind: Option<KindArg>,
    /// Format of the lists [default: by file name and first line]
    #[arg(long, value_enum)]
    pub(super) format: Option<FormatArg>,
    /// Column, or JSONL key, with the target [default: `note_id`, `url`, …]
    #[arg(long, value_name = "NAME")]
    pub(super) column: Option<String>,
    /// The targets of this job in jobs.toml
    #[arg(long, value_name = "JOB")]
    pub(super) job: Option<String>,
    /// The notes listed by KOL searches that were never archived; all of them with --again
    #[arg(long)]
    pub(super) discovered: bool,
    /// The targets of slots missed from --since to --until, each once
    #[arg(long, requires = "since")]
    pub(super) missed: bool,
    /// With --missed: start, such as 2026-03-02 (in the archive's zone) or '7d ago'
    #[arg(long, value_name = "TIME", requires = "missed")]
    pub(super) since: Option<String>,
    /// With --missed: end, exclusive [default: now]
    #[arg(long, value_name = "TIME", requires = "missed")]
    pub(super) until: Option<String>,
    /// With --missed: only slots missed for this reason, such as `balance`; may be repeated [default:
    /// all but those that a fetch cannot mend, such as `gone`]
    #[arg(long, value_name = "REASON", requires = "missed", value_delimiter = ',', value_parser = missed_reason)]
    pub(super) reason: Vec<MissedReason>,
    /// Only targets that were never archived
    #[arg(long, conflicts_with = "again")]
    pub(super) missing: bool,
    /// Also targets that are archived already [default, except for --discovered]
    #[arg(long)]
    pub(super) again: bool,
    /// Skip invalid lines instead of refusing the list
    #[arg(long)]
    pub(super) skip_bad: bool,
    /// Show the number of calls and their cost without calling or writing anything
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
    /// Name of the backfill [default: the date and the source]
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Import answers that were fetched elsewhere, one per line; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "files", "kind", "format", "column", "job", "discovered", "missed", "missing", "again",
        "max_calls", "max_cost", "name"])]
    pub(super) from_jsonl: Option<PathBuf>,
    /// With --from-jsonl: endpoint of lines that name none; they may be bare answers
    #[arg(long, requires = "from_jsonl")]
    pub(super) endpoint: Option<String>,
    /// With --from-jsonl: key of the time [default: `fetched_at`]
    #[arg(long, value_name = "KEY", requires = "from_jsonl")]
    pub(super) fetched_at_field: Option<String>,
}

/// Limits of a backfill.
#[derive(Args, Debug)]
pub(super) struct LimitArgs {
    /// Stop after this many calls; calls that were not billed do not count
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    max_calls: Option<i64>,
    /// Stop before the cost exceeds this amount
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

fn missed_reason(text: &str) -> Result<MissedReason, String> {
    let names = || MissedReason::ALL.into_iter().map(MissedReason::as_str);
    let help = || match suggest::nearest(text, names()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("one of {}", names().collect::<Vec<_>>().join(", ")),
    };
    MissedReason::parse(text).ok_or_else(help)
}

fn yuan(text: &str) -> Result<i64, String> {
    let micros = decimal_micros(text).filter(|micros| *micros > 0);
    micros.ok_or_else(|| "expected an amount of yuan such as 20 or 12.5".to_owned())
}
