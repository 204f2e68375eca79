//! `tidewatch fetch`: look now, through the same step as the daemon, and show what was stored.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand};

use super::show::{cost, count, safe, table};
use super::{Cli, Json, SOME_FAILED, load_or_default, open, print};
use crate::config::Config;
use crate::crawl::{Crawler, Started};
use crate::model::{Kind, KolSearch, Target};
use crate::process::Process;
use crate::runs;
use crate::store::{CallTotals, Counts, KolFigures, Observation, Store, Suggested};
use crate::time::{Clock, Time};
use crate::watchlist::{self, kol_filter};

/// How often the looks are asked whether they have been made, or may be made here.
const POLL: Duration = Duration::from_millis(500);

/// How long somebody waits for looks that fail again and again; a daemon has more patience.
const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Args, Debug)]
pub(super) struct Fetch {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    json: Json,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Xiaohongshu notes: ids, links, or pasted share text
    Note {
        #[arg(required = true)]
        notes: Vec<String>,
    },
    /// Search suggestions of keywords
    Keyword {
        #[arg(required = true)]
        keywords: Vec<String>,
    },
    /// A KOL search, by its filter
    Kols {
        /// A filter, as in jobs.toml: `keyword=阅读`, `fansNumberLower=1000`
        #[arg(required = true, value_name = "NAME=VALUE")]
        filter: Vec<String>,
        /// Pages to read at the most; each is a call
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=250))]
        max_pages: u32,
    },
    /// Douyin works: ids, links, or pasted share text
    Work {
        #[arg(required = true)]
        works: Vec<String>,
    },
}

/// What a run saw, for `--json`.
#[derive(serde::Serialize)]
struct Seen {
    looks: Vec<Observation>,
    counts: Vec<Counts>,
    kols: Vec<KolFigures>,
    suggestions: Vec<Suggested>,
    calls: Vec<CallTotals>,
}

impl Fetch {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let config = Arc::new(load_or_default(cli)?);
        let targets = self.what.targets()?;
        config.require_token_for(&targets)?;
        config.require_prices_for(&targets)?;
        super::say_whom(&config);
        let store = open(cli).await?;
        let clock = Clock::system();
        let mut tx = store.begin().await?;
        let run_id = tx.run_by_hand(&targets, "fetch", clock.now()).await?;
        tx.commit().await?;
        if let Some(process) = process(&store, &config, &clock, run_id).await? {
            work_off(config, &store, &clock, process.owner(), run_id).await?;
            runs::report(&store, &clock).await?;
            process.end(&store, clock.now()).await?;
        }
        let seen = seen(&store, run_id).await?;
        store.close().await;
        let missed = seen.looks.iter().any(|look| look.outcome.as_deref() != Some("observed"));
        print(&if self.json.json { serde_json::to_string(&seen)? + "\n" } else { shown(&seen) })?;
        Ok(if missed { ExitCode::from(SOME_FAILED) } else { ExitCode::SUCCESS })
    }
}

/// This process, if it is to make the looks of a run itself; `None` once the one that has the
/// SQLite file to itself, a daemon or another fetch, has made them.
async fn process(
    store: &Store,
    config: &Config,
    clock: &Clock,
    run_id: i64,
) -> Result<Option<Process>> {
    let mut told = false;
    loop {
        if let Some(process) = Process::begin(store, config, "fetch", clock).await? {
            return Ok(Some(process));
        }
        if !std::mem::replace(&mut told, true) {
            tracing::info!("another tidewatch is at work on this file: a daemon makes the looks");
        }
        let mut tx = store.read().await?;
        if tx.observations(run_id).await?.iter().all(|look| look.outcome.is_some()) {
            return Ok(None);
        }
    }
}

impl What {
    fn targets(&self) -> Result<Vec<Target>> {
        let parsed = |kind, entries: &[String]| {
            let parse = |entry: &String| {
                watchlist::parse(kind, entry).map_err(|why| anyhow!("{}: {why}", safe(entry, 80)))
            };
            entries.iter().map(parse).collect::<Result<Vec<_>>>()
        };
        let mut targets = match self {
            Self::Note { notes } => parsed(Kind::Note, notes)?,
            Self::Keyword { keywords } => parsed(Kind::Keyword, keywords)?,
            Self::Work { works } => parsed(Kind::Work, works)?,
            Self::Kols { filter, max_pages } => {
                let filter = filter.iter().map(|pair| parameter(pair)).collect::<Result<_>>()?;
                let filter = kol_filter::read(&filter).map_err(|complaints| {
                    let said = complaints.iter().map(|c| format!("{} ({})", c.message, c.help));
                    anyhow!(said.collect::<Vec<_>>().join("; "))
                })?;
                let search = KolSearch { filter, max_pages: *max_pages };
                vec![Target { kind: Kind::KolSearch, key: search.to_key() }]
            }
        };
        targets.sort();
        targets.dedup();
        Ok(targets)
    }
}

/// Reads `NAME=VALUE`; the value as `jobs.toml` would have it, or as text.
fn parameter(pair: &str) -> Result<(String, toml::Value)> {
    let (name, value) = pair.split_once('=').with_context(|| {
        format!("a filter is NAME=VALUE, for example keyword=阅读, not {}", safe(pair, 80))
    })?;
    let value = value.trim();
    let typed = match value {
        "true" => toml::Value::Boolean(true),
        "false" => toml::Value::Boolean(false),
        _ => toml::Value::String(value.to_owned()),
    };
    Ok((name.trim().to_owned(), typed))
}

/// Works off the run's looks here.
async fn work_off(
    config: Arc<Config>,
    store: &Store,
    clock: &Clock,
    owner: i64,
    run_id: i64,
) -> Result<()> {
    let mut crawler = Crawler::new(config, store.clone(), clock.clone(), owner, Some(run_id))?;
    let mut signals = super::run::Signals::new()?;
    let (mut told, mut failing) = (None, false);
    let began = clock.now();
    loop {
        let (started, next) = match step(&mut crawler, store, clock, run_id).await {
            Ok((started, Some(next))) => (started, next),
            Ok((_, None)) => return Ok(()),
            Err(error) if crawler.is_idle() => return Err(error),
            // What has been paid for waits until the database takes it.
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "the database fails; trying again"
                    );
                }
                tokio::select! {
                    () = tokio::time::sleep(POLL) => continue,
                    () = signals.next() => return Err(error),
                }
            }
        };
        failing = false;
        if let Some(error) = crawler.died() {
            save_the_rest(&mut crawler).await?;
            return Err(error);
        }
        let now = clock.now();
        if let Some(reason) = started.paused()
            && crawler.is_idle()
        {
            let again = started.again_at().map_or("it is resumed".to_owned(), |at| at.to_string());
            tracing::warn!(reason = reason.as_str(), "paused: nothing is asked until {again}");
            return give_up(store, run_id, reason.of_slot(), now).await;
        }
        if crawler.is_idle() && next > began.plus(PATIENCE) {
            tracing::warn!("upstream goes on failing: given up");
            return give_up(store, run_id, "cancelled", now).await;
        }
        if crawler.is_idle() && next > now.plus(POLL) && told != Some(next) {
            told = Some(next);
            let wait_s = next.since(now).as_secs();
            tracing::info!(wait_s, "waiting to try again; Ctrl-C gives up");
        }
        // Not until `next`: another process may be at a look of this run, or at another one of its
        // target, and end before.
        let again = started.again_at().unwrap_or(now.plus(POLL)).min(now.plus(POLL));
        tokio::select! {
            () = crawler.wait() => {}
            () = clock.sleep_until(again), if crawler.is_idle() || !started.held.is_empty() => {}
            () = signals.next() => {
                save_the_rest(&mut crawler).await?;
                give_up(store, run_id, "cancelled", clock.now()).await?;
                bail!("stopped; the looks that were not made are missed: cancelled");
            }
        }
    }
}

/// Saves what has come and sends what may be sent; when the next look may be made, unless all have
/// been.
async fn step(
    crawler: &mut Crawler,
    store: &Store,
    clock: &Clock,
    run_id: i64,
) -> Result<(Started, Option<Time>)> {
    crawler.save().await?;
    let started = crawler.start_due().await?;
    let mut tx = store.read().await?;
    Ok((started, tx.next_try(Some(run_id), clock.now()).await?))
}

/// Lets the calls in flight end, and saves what has come.
async fn save_the_rest(crawler: &mut Crawler) -> Result<()> {
    while crawler.in_flight() > 0 {
        crawler.wait().await;
    }
    crawler.save().await
}

/// The looks of the run that were not made are missed, for this reason.
async fn give_up(store: &Store, run_id: i64, reason: &str, now: Time) -> Result<()> {
    let mut tx = store.begin().await?;
    tx.cancel_run(run_id, reason, now).await?;
    tx.commit().await
}

async fn seen(store: &Store, run_id: i64) -> Result<Seen> {
    let mut tx = store.read().await?;
    Ok(Seen {
        looks: tx.observations(run_id).await?,
        counts: tx.counts_of_run(run_id).await?,
        kols: tx.kols_of_run(run_id).await?,
        suggestions: tx.suggestions_of_run(run_id).await?,
        calls: tx.call_totals_of_run(run_id).await?,
    })
}

fn shown(seen: &Seen) -> String {
    let number = |value: Option<i64>| value.map_or_else(|| "–".to_owned(), count);
    let mut text = String::new();
    let missed = seen.looks.iter().filter(|look| look.outcome.as_deref() != Some("observed"));
    for look in missed {
        let reason = look.reason.as_deref().unwrap_or("not made yet");
        let message =
            look.message.as_deref().map(|m| format!(": {}", safe(m, 200))).unwrap_or_default();
        text +=
            &format!("not observed: {} {} ({reason}{message})\n", look.kind, safe(&look.key, 80));
    }
    if !seen.counts.is_empty() {
        let rows = seen.counts.iter().map(|row| {
            let title = safe(row.title.as_deref().unwrap_or("–"), 24);
            let counts = [row.likes, row.comments, row.collects, row.shares, row.views].map(number);
            let document = row.document_id.to_string();
            [row.item_id.clone(), title].into_iter().chain(counts).chain([document]).collect()
        });
        let head =
            ["item", "title", "likes", "comments", "collects", "shares", "views", "document"];
        text += &table(&head, &[2, 3, 4, 5, 6, 7], rows.collect());
    }
    if !seen.kols.is_empty() {
        let price =
            |yuan: Option<f64>| yuan.map_or_else(|| "–".to_owned(), |yuan| yuan.to_string());
        let rows = seen.kols.iter().map(|row| {
            vec![
                row.kol_id.clone(),
                safe(row.nickname.as_deref().unwrap_or("–"), 24),
                number(row.followers),
                number(row.read_median),
                price(row.picture_price),
                price(row.video_price),
                row.document_id.to_string(),
            ]
        });
        let head = ["kol", "name", "followers", "read median", "picture ¥", "video ¥", "document"];
        text += &table(&head, &[2, 3, 4, 5, 6], rows.collect());
    }
    if !seen.suggestions.is_empty() {
        let rows = seen.suggestions.iter().map(|row| {
            let document = row.document_id.to_string();
            vec![row.keyword.clone(), row.rank.to_string(), safe(&row.suggestion, 60), document]
        });
        text += &table(&["keyword", "rank", "suggestion", "document"], &[1, 3], rows.collect());
    }
    for row in &seen.calls {
        text += &format!(
            "{}: calls {}, billed {}, cost {}\n",
            row.endpoint,
            row.calls,
            row.billed,
            cost(std::slice::from_ref(row))
        );
    }
    text
}
