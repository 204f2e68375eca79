//! `tidewatch report`: what the archive knows of an item, a KOL, a keyword, a job, or its money.

mod curve;
mod item;
mod known;
mod shown;
mod whole;

use std::io;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use chrono_tz::Tz;
use clap::{Args, Subcommand, ValueEnum};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::rows::{Between, ended, say_empty};
use super::show::safe;
use super::status::require_archive;
use super::{Cli, Json, SOME_FAILED, open, print};
use crate::export::{Export, Format};
use crate::forgotten::AUTHOR;
use crate::model::{Kind, Platform};
use crate::store::{Metric, Span, Table, Tx};
use crate::time::{Clock, Time};
use crate::watchlist;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tidewatch report note 68a1b2c3d4e5f60718293a4b --since 7d
  tidewatch report top --by comments --days 3
  tidewatch report kol 5f3c… --csv > history.csv
  tidewatch report coverage --since 2026-03-01 --json
Times are shown in the archive's zone, and are UTC in JSON and CSV. – is what nobody knows, · in a
curve a stretch without an observation. CSV has the observations, the looks or the days alone.")]
pub(super) struct Report {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    between: Between,
    #[command(flatten)]
    json: Json,
    /// Write CSV instead of tables
    #[arg(long, global = true, conflicts_with = "json")]
    csv: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Xiaohongshu notes, by id or link: facts, counts, growth by age, what happened
    Note {
        #[arg(required = true)]
        notes: Vec<String>,
    },
    /// Douyin works, the same
    Work {
        #[arg(required = true)]
        works: Vec<String>,
    },
    /// KOLs by id: prices against what they bring
    Kol {
        #[arg(required = true)]
        kols: Vec<String>,
    },
    /// Keywords: where their suggestions stand, and stood
    Keyword {
        #[arg(required = true)]
        keywords: Vec<String>,
    },
    /// What moved most, up to the last observation or --until
    Top {
        /// The count that moved
        #[arg(long, value_enum, default_value_t = By::Likes)]
        by: By,
        /// Over so many days
        #[arg(long, default_value_t = 1, conflicts_with = "since", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
        /// Rows
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Jobs: their targets' latest counts, and what became of the looks (30 days unless --since)
    Job {
        #[arg(required = true)]
        jobs: Vec<String>,
    },
    /// What calls cost, by day, job and endpoint (30 days unless --since)
    Spend,
    /// What became of the looks, by day and reason (30 days unless --since)
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

/// What a report says of one thing.
struct Told {
    /// For people.
    text: String,
    /// For programs, by name.
    parts: Vec<Part>,
    /// The part that goes into CSV.
    main: &'static str,
}

struct Part {
    name: &'static str,
    table: Table,
    /// It never has more than one row.
    one: bool,
}

impl Report {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let asked = self.what.asked()?;
        require_archive(cli)?;
        let store = open(cli).await?;
        let mut tx = store.read().await?;
        tx.disable_timeout().await?;
        let zone = tx.zone().await?;
        let mut span = self.between.span(zone, Clock::system().now())?;
        if let Some(days) = self.what.days() {
            span = recent(&mut tx, span, days).await?;
        }
        let (mut told, mut unknown) = (Vec::new(), false);
        for one in &asked {
            match self.what.tell(&mut tx, one, span).await? {
                Some(report) => told.push(report),
                None => {
                    unknown = true;
                    let (name, one) = (self.what.name(), safe(one, 80));
                    // All else is known whenever it was.
                    let by_span =
                        self.between.is_set() && matches!(self.what, What::Keyword { .. });
                    let in_span = if by_span { " in this span of time" } else { "" };
                    match self.what.forgotten_at(&mut tx, &one).await? {
                        Some(at) => {
                            let day = at.utc().format("%Y-%m-%d");
                            tracing::error!("{name} {one} was forgotten on {day} (UTC)");
                        }
                        None => {
                            tracing::error!("the archive knows nothing of {name} {one}{in_span}");
                        }
                    }
                }
            }
        }
        if !told.is_empty() && told.iter().all(Told::is_empty) {
            say_empty(&mut tx, true).await?;
        }
        drop(tx);
        store.close().await;
        if let Err(error) = self.write(&told, zone) {
            return ended(error, "");
        }
        Ok(ExitCode::from(if unknown { SOME_FAILED } else { 0 }))
    }

    fn write(&self, told: &[Told], zone: Tz) -> Result<()> {
        if self.csv {
            let mut csv = None;
            for part in told.iter().flat_map(Told::main) {
                let rows = part.table.rows.iter();
                let csv = match &mut csv {
                    Some(csv) => csv,
                    None => {
                        let format = Format::Csv { bom: false, raw: false };
                        csv.insert(Export::new(format, &part.table.columns, io::stdout())?)
                    }
                };
                rows.cloned().try_for_each(|row| csv.row(row))?;
            }
            return csv.map_or(Ok(()), Export::finish);
        }
        for report in told {
            print(&match self.json.json {
                true => serde_json::to_string(report)? + "\n",
                false => format!("{}(times in {zone})\n\n", report.text),
            })?;
        }
        Ok(())
    }
}

impl Told {
    fn is_empty(&self) -> bool {
        self.main().all(|part| part.table.rows.is_empty())
    }

    fn main(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.name == self.main)
    }
}

impl Serialize for Told {
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

impl What {
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

    /// How many days are told where nobody says since when; `None`: all.
    fn days(&self) -> Option<u32> {
        match self {
            Self::Note { .. } | Self::Work { .. } | Self::Kol { .. } | Self::Keyword { .. } => None,
            Self::Top { days, .. } => Some(*days),
            Self::Job { .. } | Self::Spend | Self::Coverage => Some(30),
        }
    }

    /// What is asked for, one by one.
    fn asked(&self) -> Result<Vec<String>> {
        let ids = |kind, entries: &[String]| {
            let id = |entry: &String| match watchlist::parse(kind, entry) {
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

    /// When it was forgotten, if that is why nothing is known of it.
    async fn forgotten_at(&self, tx: &mut Tx, one: &str) -> Result<Option<Time>> {
        let (kind, platform) = match self {
            Self::Note { .. } => ("note", Platform::Xiaohongshu),
            Self::Work { .. } => ("work", Platform::Douyin),
            Self::Kol { .. } => (AUTHOR, Platform::Xiaohongshu),
            _ => return Ok(None),
        };
        tx.forgotten_at(kind, platform, one).await
    }

    async fn tell(&self, tx: &mut Tx, one: &str, span: Span) -> Result<Option<Told>> {
        match self {
            Self::Note { .. } => item::tell(tx, "xiaohongshu", one, span).await,
            Self::Work { .. } => item::tell(tx, "douyin", one, span).await,
            Self::Kol { .. } => known::kol(tx, one, span).await,
            Self::Keyword { .. } => known::keyword(tx, one, span).await,
            Self::Job { .. } => whole::job(tx, one, span).await,
            Self::Top { by, limit, .. } => whole::top(tx, *by, *limit, span).await.map(Some),
            Self::Spend => whole::spend(tx, span).await.map(Some),
            Self::Coverage => whole::coverage(tx, span).await.map(Some),
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

/// The last days up to the end of the span, or of what is in the archive: one that is no longer
/// added to has last days as well.
async fn recent(tx: &mut Tx, span: Span, days: u32) -> Result<Span> {
    let latest = tx.latest_at().await?.unwrap_or(Time::EPOCH);
    let until = span.until.unwrap_or(latest.plus(std::time::Duration::from_micros(1)));
    // Asked for is what comes after the last of all.
    let until = span.since.map_or(until, |since| until.max(since));
    let day = std::time::Duration::from_secs(86_400);
    let since = span.since.unwrap_or(until.minus(day * days));
    Ok(Span { since: Some(since), until: Some(until), ..span })
}
