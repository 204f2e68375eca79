//! `tidewatch report`: reports on an item, a KOL, a keyword, a job, or the cost.

mod archive;
mod curve;
mod item;
mod kol_keyword;
mod tables;

use std::io;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use chrono_tz::Tz;
use clap::{Args, Subcommand, ValueEnum};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::format::{safe, times_in};
use super::rows::{Between, ended, say_empty};
use super::settings::require_archive;
use super::{Cli, Json, SOME_FAILED, open, print, say};
use crate::erasure::AUTHOR;
use crate::export::{Export, Format};
use crate::model::{Kind, Platform};
use crate::store::{Metric, Span, Table, Tx};
use crate::time::{Clock, Time};
use crate::{suggest, watchlist};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tidewatch report note 68a1b2c3d4e5f60718293a4b --since 7d
  tidewatch report top --by comments --days 3
  tidewatch report kol 5f3c… --csv > history.csv
  tidewatch report coverage --since 2026-03-01 --json
Times are in the archive's zone, in JSON and CSV in UTC. – is an unknown value, · a gap in a curve.
CSV contains only the observations, the slots or the days.")]
pub(super) struct Report {
    #[command(subcommand)]
    subject: Subject,
    #[command(flatten)]
    between: Between,
    #[command(flatten)]
    json: Json,
    /// Print CSV instead of tables
    #[arg(long, global = true, conflicts_with = "json")]
    csv: bool,
    /// Begin the CSV with a byte order mark, for Excel
    #[arg(long, global = true, requires = "csv")]
    bom: bool,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Xiaohongshu notes, by id or link: facts, counts, growth by age, events
    Note {
        #[arg(required = true)]
        notes: Vec<String>,
    },
    /// Douyin works, the same
    Work {
        #[arg(required = true)]
        works: Vec<String>,
    },
    /// KOLs by id: prices and results
    Kol {
        #[arg(required = true)]
        kols: Vec<String>,
    },
    /// Keywords: current and past ranks of their suggestions
    Keyword {
        #[arg(required = true)]
        keywords: Vec<String>,
    },
    /// Items with the largest change, up to the last observation or --until
    Top {
        /// The count to compare
        #[arg(long, value_enum, default_value_t = By::Likes)]
        by: By,
        /// Number of days to compare
        #[arg(long, default_value_t = 1, conflicts_with = "since", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
        /// Number of rows
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Jobs: latest counts of their targets, and the outcome of their slots (30 days without
    /// --since)
    Job {
        #[arg(required = true)]
        jobs: Vec<String>,
    },
    /// Cost of calls by day, job and endpoint, with totals by day and month (30 days without --since)
    Spend,
    /// Outcome of slots by day and reason (30 days without --since)
    Coverage,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    Likes,
    Comments,
    Collects,
    Shares,
    Views,
}

/// A report on one subject.
struct ReportData {
    /// The text.
    text: String,
    /// The data, by name.
    parts: Vec<Part>,
    /// Name of the part for CSV.
    main: &'static str,
}

struct Part {
    name: &'static str,
    table: Table,
    /// The part has at most one row.
    one: bool,
}

impl Report {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let asked = self.subject.asked()?;
        require_archive(cli)?;
        let store = open(cli).await?;
        let mut tx = store.read().await?;
        tx.disable_timeout().await?;
        let zone = tx.zone().await?;
        let mut span = self.between.span(zone, Clock::system().now())?;
        if let Some(days) = self.subject.days() {
            span = recent(&mut tx, span, days).await?;
        }
        let (mut contents, mut unknown) = (Vec::new(), false);
        for one in &asked {
            match self.subject.content(&mut tx, one, span).await? {
                Some(report) => contents.push(report),
                None => {
                    unknown = true;
                    let (name, one) = (self.subject.name(), safe(one, 80));
                    // Other reports have no time span.
                    let by_span =
                        self.between.is_set() && matches!(self.subject, Subject::Keyword { .. });
                    let in_span = if by_span { " in this time span" } else { "" };
                    match self.subject.forgotten_at(&mut tx, &one).await? {
                        Some(at) => {
                            let day = at.utc().format("%Y-%m-%d");
                            say(&format!("{name} {one} was forgotten on {day} (UTC)"));
                        }
                        None => {
                            let meant = self.subject.meant(&mut tx, &one).await?;
                            say(&format!(
                                "the archive has no data on {name} {one}{in_span}{meant}"
                            ));
                        }
                    }
                }
            }
        }
        if !contents.is_empty() && contents.iter().all(ReportData::is_empty) {
            say_empty(&mut tx, true).await?;
        }
        drop(tx);
        store.close().await;
        if let Err(error) = self.write(&contents, zone) {
            return ended(error, "");
        }
        Ok(ExitCode::from(if unknown { SOME_FAILED } else { 0 }))
    }

    fn write(&self, contents: &[ReportData], zone: Tz) -> Result<()> {
        if self.csv {
            let mut csv = None;
            for part in contents.iter().flat_map(ReportData::main) {
                let rows = part.table.rows.iter();
                let csv = match &mut csv {
                    Some(csv) => csv,
                    None => {
                        let format = Format::Csv { bom: self.bom, raw: false };
                        csv.insert(Export::new(format, &part.table.columns, io::stdout())?)
                    }
                };
                rows.cloned().try_for_each(|row| csv.row(row))?;
            }
            return csv.map_or(Ok(()), Export::finish);
        }
        for report in contents {
            print(&match self.json.json {
                true => serde_json::to_string(report)? + "\n",
                false => format!("{}{}\n", times_in(zone), report.text),
            })?;
        }
        Ok(())
    }
}

impl ReportData {
    fn is_empty(&self) -> bool {
        self.main().all(|part| part.table.rows.is_empty())
    }

    fn main(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.name == self.main)
    }
}

impl Serialize for ReportData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_map(Some(self.parts.len()))?;
        for Part { name, table, one } in &self.parts {
            match one {
                true => parts.serialize_entry(name, &table.row(0))?,
                false => parts.serialize_entry(name, table)?,
            }
        }
        parts.end()
    }
}

impl Subject {
    fn name(&self) -> &'static str {
        match self {
            Self::Note { .. } => "note",
            Self::Work { .. } => "work",
            Self::Kol { .. } => "KOL",
            Self::Keyword { .. } => "keyword",
            Self::Job { .. } => "job",
            Self::Top { .. } | Self::Spend | Self::Coverage => "these days",
        }
    }

    /// Default number of days without --since; `None`: all.
    fn days(&self) -> Option<u32> {
        match self {
            Self::Note { .. } | Self::Work { .. } | Self::Kol { .. } | Self::Keyword { .. } => None,
            Self::Top { days, .. } => Some(*days),
            Self::Job { .. } | Self::Spend | Self::Coverage => Some(30),
        }
    }

    /// The requested subjects.
    fn asked(&self) -> Result<Vec<String>> {
        let ids = |kind, entries: &[String]| {
            let id = |entry: &String| match watchlist::parse_exact(kind, entry) {
                Ok(target) => Ok(target.key),
                Err(why) => Err(anyhow!("{}: {why}", safe(entry, 80))),
            };
            entries.iter().map(id).collect()
        };
        match self {
            Self::Note { notes } => ids(Kind::Note, notes),
            Self::Work { works } => ids(Kind::Work, works),
            Self::Keyword { keywords } => ids(Kind::Keyword, keywords),
            Self::Kol { kols: names } | Self::Job { jobs: names } => Ok(names.clone()),
            Self::Top { .. } | Self::Spend | Self::Coverage => Ok(vec![String::new()]),
        }
    }

    /// The known name that an unknown one may stand for.
    async fn meant(&self, tx: &mut Tx, one: &str) -> Result<String> {
        if !matches!(self, Self::Job { .. }) {
            return Ok(String::new());
        }
        let jobs = tx.jobs().await?;
        Ok(suggest::meant(one, jobs.iter().map(|job| job.name.as_str())))
    }

    /// When it was forgotten, if that is why there is no data.
    async fn forgotten_at(&self, tx: &mut Tx, one: &str) -> Result<Option<Time>> {
        let (kind, platform) = match self {
            Self::Note { .. } => ("note", Platform::Xiaohongshu),
            Self::Work { .. } => ("work", Platform::Douyin),
            Self::Kol { .. } => (AUTHOR, Platform::Xiaohongshu),
            _ => return Ok(None),
        };
        tx.forgotten_at(kind, platform, one).await
    }

    async fn content(&self, tx: &mut Tx, one: &str, span: Span) -> Result<Option<ReportData>> {
        match self {
            Self::Note { .. } => item::content(tx, "xiaohongshu", one, span).await,
            Self::Work { .. } => item::content(tx, "douyin", one, span).await,
            Self::Kol { .. } => kol_keyword::kol(tx, one, span).await,
            Self::Keyword { .. } => kol_keyword::keyword(tx, one, span).await,
            Self::Job { .. } => archive::job(tx, one, span).await,
            Self::Top { by, limit, .. } => archive::top(tx, *by, *limit, span).await.map(Some),
            Self::Spend => archive::spend(tx, span).await.map(Some),
            Self::Coverage => archive::coverage(tx, span).await.map(Some),
        }
    }
}

impl By {
    fn metric(self) -> Metric {
        match self {
            Self::Likes => Metric::Likes,
            Self::Comments => Metric::Comments,
            Self::Collects => Metric::Collects,
            Self::Shares => Metric::Shares,
            Self::Views => Metric::Views,
        }
    }
}

/// The last days before the end of the span or of the archive, so that an old archive has last days
/// as well.
async fn recent(tx: &mut Tx, span: Span, days: u32) -> Result<Span> {
    let latest = tx.latest_at().await?.unwrap_or(Time::EPOCH);
    let until = span.until.unwrap_or(latest.plus(std::time::Duration::from_micros(1)));
    // --since may lie after the end of the archive.
    let until = span.since.map_or(until, |since| until.max(since));
    let day = std::time::Duration::from_secs(86_400);
    let since = span.since.unwrap_or(until.minus(day * days));
    Ok(Span { since: Some(since), until: Some(until), ..span })
}
