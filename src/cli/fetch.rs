//! `tidewatch fetch`: fetches targets now, through the daemon's step, and shows the stored rows.

mod slots;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand};
use tokio_util::sync::CancellationToken;

use self::slots::FetchRun;
use super::format::{cost, count, safe, table};
use super::signals::Signals;
use super::{Cli, Json, SOME_FAILED, load_or_default, open, print};
use crate::api::LAST_PAGE;
use crate::erasure::{Tombstones, notice};
use crate::model::{Kind, KolSearch, MissedReason, Origin, SlotOutcome, Target};
use crate::store::{CallTotals, ItemCounts, KolFigures, SlotResult, Store, SuggestionRow};
use crate::text::price;
use crate::watchlist::{self, kol_filter};

#[derive(Args, Debug)]
pub(super) struct Fetch {
    #[command(subcommand)]
    target: FetchTarget,
    #[command(flatten)]
    json: Json,
}

#[derive(Debug, Subcommand)]
enum FetchTarget {
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
        /// A filter as in jobs.toml: `keyword=阅读`, `fansNumberLower=1000`
        #[arg(required = true, value_name = "NAME=VALUE")]
        filter: Vec<String>,
        /// Maximum number of pages, one call each
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(LAST_PAGE)))]
        max_pages: u32,
    },
    /// Douyin works: ids, links, or pasted share text
    Work {
        #[arg(required = true)]
        works: Vec<String>,
    },
}

/// Result of a run, for `--json`.
#[derive(serde::Serialize)]
struct FetchResult {
    slots: Vec<SlotResult>,
    counts: Vec<ItemCounts>,
    kols: Vec<KolFigures>,
    suggestions: Vec<SuggestionRow>,
    calls: Vec<CallTotals>,
}

impl Fetch {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let mut signals = Signals::new()?;
        let config = Arc::new(load_or_default(cli)?);
        let targets = self.target.targets()?;
        config.require_token_for(&targets)?;
        config.require_prices_for(&targets)?;
        super::say_whom(&config);
        let Some(store) = signals.unless(open(cli)).await.transpose()? else {
            return Ok(ExitCode::from(SOME_FAILED));
        };
        let (clock, stop) = (store.clock().await?, CancellationToken::new());
        let requested_at = clock.now();
        let mut tx = store.begin().await?;
        let forgotten = Tombstones::of(tx.tombstones().await?);
        if let Some((target, it)) = targets.iter().find_map(|it| Some((it, forgotten.target(it)?)))
        {
            bail!("{} is not fetched: {}", safe(&target.key, 80), notice(it));
        }
        let run = tx.run_by_hand(&targets, Origin::Fetch, requested_at).await?;
        tx.commit().await?;
        let (kind, archive) = (self.target.kind(), &store);
        let fetch = FetchRun {
            config,
            store: archive,
            clock: &clock,
            run,
            kind,
            requested_at,
            stop: &stop,
        };
        tokio::select! {
            done = fetch.run() => done?,
            () = signals.twice(&stop) => {
                tracing::warn!("stopped immediately; calls in flight remain open on the ledger");
                return Ok(ExitCode::from(SOME_FAILED));
            }
        }
        let result = result(&store, run).await?;
        store.close().await;
        let missed = result.slots.iter().any(|slot| slot.outcome != Some(SlotOutcome::Observed));
        print(&if self.json.json {
            serde_json::to_string(&result)? + "\n"
        } else {
            shown(&result)
        })?;
        Ok(if missed { ExitCode::from(SOME_FAILED) } else { ExitCode::SUCCESS })
    }
}

impl FetchTarget {
    fn kind(&self) -> Kind {
        match self {
            Self::Note { .. } => Kind::Note,
            Self::Keyword { .. } => Kind::Keyword,
            Self::Kols { .. } => Kind::KolSearch,
            Self::Work { .. } => Kind::Work,
        }
    }

    fn targets(&self) -> Result<Vec<Target>> {
        let parsed = |kind, entries: &[String]| {
            let parse = |entry: &String| {
                watchlist::parse(kind, entry).map_err(|why| anyhow!("{}: {why}", safe(entry, 80)))
            };
            let each = entries.iter().map(parse).collect::<Result<Vec<_>>>();
            // A share text without quotes around it comes as many arguments.
            each.or_else(|why| match watchlist::share_text(kind, &entries.join(" ")) {
                Some(target) => Ok(vec![target]),
                None => Err(why),
            })
        };
        let mut targets = match self {
            Self::Note { notes } => parsed(Kind::Note, notes)?,
            Self::Keyword { keywords } => parsed(Kind::Keyword, keywords)?,
            Self::Work { works } => parsed(Kind::Work, works)?,
            Self::Kols { filter, max_pages } => {
                let filter = filter.iter().map(|pair| parameter(pair)).collect::<Result<_>>()?;
                let filter = kol_filter::read(&filter).map_err(|complaints| {
                    let said = complaints.iter().map(|c| format!("{}: {}", c.message, c.help));
                    anyhow!(said.collect::<Vec<_>>().join("; "))
                })?;
                if let Some(name) = kol_filter::undocumented(&filter) {
                    bail!(
                        "unknown filter `{name}`: upstream ignores what it does not know and bills \
                         the search; if it is new upstream, use it in jobs.toml"
                    );
                }
                let search = KolSearch { filter, max_pages: *max_pages };
                vec![Target { kind: Kind::KolSearch, key: search.to_key() }]
            }
        };
        targets.sort();
        targets.dedup();
        Ok(targets)
    }
}

/// Parses `NAME=VALUE`; the value has the type it would have in `jobs.toml`, or is a text.
fn parameter(pair: &str) -> Result<(String, toml::Value)> {
    let (name, value) = pair.split_once('=').with_context(|| {
        format!("expected NAME=VALUE such as keyword=阅读, not {}", safe(pair, 80))
    })?;
    let value = value.trim();
    let typed = match value {
        "true" => toml::Value::Boolean(true),
        "false" => toml::Value::Boolean(false),
        _ => toml::Value::String(value.to_owned()),
    };
    Ok((name.trim().to_owned(), typed))
}

async fn result(store: &Store, run_id: i64) -> Result<FetchResult> {
    let mut tx = store.read().await?;
    Ok(FetchResult {
        slots: tx.slot_results(run_id).await?,
        counts: tx.counts_of_run(run_id).await?,
        kols: tx.kols_of_run(run_id).await?,
        suggestions: tx.suggestions_of_run(run_id).await?,
        calls: tx.call_totals_of_run(run_id).await?,
    })
}

fn shown(result: &FetchResult) -> String {
    let mut text: String = result.slots.iter().filter_map(not_observed).collect();
    text += &counts_table(&result.counts);
    text += &kols_table(&result.kols);
    text += &suggestions_table(&result.suggestions);
    for row in &result.calls {
        let cost = cost(std::slice::from_ref(row));
        let (endpoint, calls, billed) = (&row.endpoint, row.calls, row.billed);
        text += &format!("{endpoint}: calls {calls}, billed {billed}, cost {cost}\n");
    }
    text
}

/// Why a slot was not observed; `None` if it was.
fn not_observed(slot: &SlotResult) -> Option<String> {
    if slot.outcome == Some(SlotOutcome::Observed) {
        return None;
    }
    let reason = slot.reason.map_or("still open", MissedReason::as_str);
    let message = slot.message.as_deref().map(|m| format!(": {}", safe(m, 200)));
    let key = safe(&KolSearch::shown(&slot.kind, &slot.key), 80);
    let message = message.unwrap_or_default();
    Some(format!("not observed: {} {key} ({reason}{message})\n", slot.kind))
}

fn number(value: Option<i64>) -> String {
    value.map_or_else(|| "–".to_owned(), count)
}

fn counts_table(counts: &[ItemCounts]) -> String {
    let rows = counts.iter().map(|row| {
        let title = safe(row.title.as_deref().unwrap_or("–"), 24);
        let counts = [row.likes, row.comments, row.collects, row.shares, row.views].map(number);
        let document = row.document_id.to_string();
        [row.item_id.clone(), title].into_iter().chain(counts).chain([document]).collect()
    });
    let head = ["item", "title", "likes", "comments", "collects", "shares", "views", "document"];
    table_unless_empty(&head, &[2, 3, 4, 5, 6, 7], rows.collect())
}

fn kols_table(kols: &[KolFigures]) -> String {
    let price = |yuan: Option<f64>| yuan.map_or_else(|| "–".to_owned(), price);
    let rows = kols.iter().map(|row| {
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
    let head =
        ["kol", "name", "followers", "read median", "picture yuan", "video yuan", "document"];
    table_unless_empty(&head, &[2, 3, 4, 5, 6], rows.collect())
}

fn suggestions_table(suggestions: &[SuggestionRow]) -> String {
    let rows = suggestions.iter().map(|row| {
        let document = row.document_id.to_string();
        vec![row.keyword.clone(), row.rank.to_string(), safe(&row.suggestion, 60), document]
    });
    table_unless_empty(&["keyword", "rank", "suggestion", "document"], &[1, 3], rows.collect())
}

fn table_unless_empty(head: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() { String::new() } else { table(head, right, rows) }
}
