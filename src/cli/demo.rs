//! `tidewatch demo`: a simulated week through the real program.
//!
//! The simulator answers over HTTP, `jobs.toml` is read as usual, and the daemon's own loop plans
//! and fetches the slots into a SQLite file. Only the clock differs: it stands still while there is
//! work and jumps over idle stretches, so that two runs of one seed give the same rows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::net::TcpListener;

use super::format::{cost, count, safe, sparkline, table};
use super::print;
use crate::api::Provider;
use crate::config::{Config, Environment};
use crate::daemon::Daemon;
use crate::model::ProblemKind;
use crate::simulator::{self, Options, Simulator};
use crate::store::{Point, Store, Tx};
use crate::text::things;
use crate::time::{Clock, Time};

/// Output file without `--output`; replaced if it exists.
const OUTPUT: &str = "tidewatch-demo.db";

/// Start of every demo, a Monday.
const BEGINNING: &str = "2026-03-02 00:00:00";

/// Faults of a demo: occasional upstream failures, and one longer outage.
const FAULTS: &str =
    "note@100-106=503; note=301:0.02; amagi@200-202=risk; suggestions@4=303; kols@5=301";

/// The fetches of the demo's fifth work that find it deleted; later ones find it again.
const GONE: &str = "60-61";

/// Rows of the table of movers.
const MOVERS: usize = 8;

const DAY: Duration = Duration::from_secs(86_400);

#[derive(Args, Debug)]
pub(super) struct Demo {
    /// SQLite file to write; must not exist [default: tidewatch-demo.db, replaced]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Days to simulate
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=60))]
    days: u32,
    /// Seed of the simulated world
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Demo {
    pub(super) async fn run(&self) -> Result<ExitCode> {
        let path = self.prepare_output()?;
        let start: Time = BEGINNING.parse().context("the demo's start time is invalid")?;
        let clock = Clock::standing(start);
        let simulator = self.simulate(&clock).await?;
        let config = Arc::new(config(&simulator)?);
        let store = Store::connect(&format!("sqlite:{}", path.display())).await?;
        store.migrate().await?;
        let mut daemon = Daemon::open(config, store.clone(), clock.clone(), "demo").await?;
        let end = start.plus(DAY * self.days);
        let bar = progress(self.days);
        daemon
            .run_until(end, |now, calls| {
                bar.set_position(now.since(start).as_secs() / 3600);
                bar.set_message(things(count(calls), "call"));
            })
            .await?;
        bar.finish_and_clear();
        simulator.stop().await;
        let mut tx = store.read().await?;
        print(&summary(&mut tx, start, self.days, &path).await?)?;
        drop(tx);
        daemon.close().await?;
        store.close().await;
        let _ = std::fs::remove_file(path.with_added_extension("lock"));
        Ok(ExitCode::SUCCESS)
    }

    /// The file to write. Only the default file is replaced.
    fn prepare_output(&self) -> Result<PathBuf> {
        if let Some(path) = &self.output {
            ensure!(!path.exists(), "{} exists: choose a new file with --output", path.display());
            return Ok(path.clone());
        }
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let path = format!("{OUTPUT}{suffix}");
            if Path::new(&path).exists() {
                std::fs::remove_file(&path).with_context(|| format!("cannot replace {path}"))?;
            }
        }
        Ok(PathBuf::from(OUTPUT))
    }

    async fn simulate(&self, clock: &Clock) -> Result<Simulator> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))
            .await
            .context("cannot listen on 127.0.0.1")?;
        let options = Options::new(self.seed, "demo", clock.clone());
        let simulator = simulator::start(options, listener).await?;
        let gone = simulator.world().works(5).pop().unwrap_or_default();
        let faults = format!("amagi@{GONE}#{gone}=gone; {FAULTS}");
        simulator.set_faults(faults.parse().map_err(|why: String| anyhow::anyhow!(why))?);
        Ok(simulator)
    }
}

/// The demo's jobs, read like any `jobs.toml`.
fn config(simulator: &Simulator) -> Result<Config> {
    let world = simulator.world();
    let list = |items: Vec<String>| {
        items.iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", ")
    };
    let works = world.works(5).into_iter().chain(world.work_links(6).pop());
    let keywords: Vec<_> = world.keywords().into_iter().take(3).map(str::to_owned).collect();
    let text = format!(
        r#"
        [justoneapi]
        base_url = "{}"
        rate_per_second = 1000
        price = {{ "xiaohongshu/get-note-detail" = "0.15", "xiaohongshu/search-recommend/v1" = "0.10", "xiaohongshu-pgy/kol-search/v1" = "0.30", "douyin/share-url-transfer/v1" = "0.05" }}
        [amagi]
        base_url = "{}"
        concurrency = 8
        rate_per_second = 1000
        [[job]]
        name = "spring-campaign"
        kind = "notes"
        schedule = "@hourly"
        notes = [{}]
        [[job]]
        name = "competitor-works"
        kind = "works"
        schedule = "*/30 * * * *"
        urls = [{}]
        [[job]]
        name = "food-words"
        kind = "keywords"
        schedule = "0 9 * * *"
        keywords = [{}]
        [[job]]
        name = "reading-kols"
        kind = "kols"
        schedule = "@daily"
        filter = {{ searchType = "NOTE", keyword = "阅读", gender = "FEMALE" }}
        max_pages = 2
        "#,
        simulator.base_url(Provider::JustOneApi),
        simulator.base_url(Provider::Amagi),
        list(world.notes(12)),
        list(works.collect()),
        list(keywords),
    );
    let environment = Environment::of([(Provider::JustOneApi.variable("TOKEN"), "demo")]);
    Ok(Config::parse(&text, Path::new("demo.toml"), &environment)?)
}

fn progress(days: u32) -> ProgressBar {
    let bar =
        ProgressBar::with_draw_target(Some(u64::from(days) * 24), ProgressDrawTarget::stderr());
    if let Ok(style) =
        ProgressStyle::with_template("simulating {bar:30} {pos}/{len} h  {msg}  {elapsed}")
    {
        bar.set_style(style);
    }
    bar
}

async fn summary(tx: &mut Tx, start: Time, days: u32, path: &Path) -> Result<String> {
    let points = tx.likes_since(start).await?;
    let mut text = format!("\n{} of observations, by growth of likes\n", things(days, "day"));
    let series = by_growth(&points);
    text += &movers(&series);
    let example =
        series.iter().find_map(|points| points.iter().find(|p| p.platform == "xiaohongshu"));
    let example = example.map_or_else(String::new, |point| point.item_id.clone());
    let slots = tx.slot_totals(start).await?;
    text += &format!(
        "slots: {} due = {} observed + {} missed",
        count(slots.due),
        count(slots.observed),
        count(slots.missed)
    );
    if slots.open > 0 {
        text += &format!(" + {} open", count(slots.open));
    }
    let problems = tx.problems(start, start).await?;
    let missed = problems.iter().filter(|problem| problem.kind == ProblemKind::Missed);
    let reasons: Vec<_> = missed.map(|p| format!("{} {}", count(p.count), p.detail)).collect();
    text += &if reasons.is_empty() { "\n".into() } else { format!(" ({})\n", reasons.join(", ")) };
    let calls = tx.call_totals(start).await?;
    let sum = |field: fn(&crate::store::CallTotals) -> i64| calls.iter().map(field).sum::<i64>();
    text += &format!(
        "calls: {}, billed: {}; cost at the demo's prices: {}\n",
        count(sum(|row| row.calls)),
        count(sum(|row| row.billed)),
        cost(&calls),
    );
    text += &queries(path, &example);
    Ok(text)
}

/// The points of each item, ordered by growth of likes.
fn by_growth(points: &[Point]) -> Vec<Vec<&Point>> {
    let mut series: BTreeMap<(&str, &str), Vec<&Point>> = BTreeMap::new();
    for point in points {
        series.entry((&point.platform, &point.item_id)).or_default().push(point);
    }
    let mut series: Vec<_> = series.into_values().collect();
    series.sort_by_key(|points| std::cmp::Reverse(growth(points)));
    series
}

fn growth(points: &[&Point]) -> i64 {
    points.last().map_or(0, |last| last.likes) - points.first().map_or(0, |first| first.likes)
}

/// The items with the largest growth of likes, each with its curve.
fn movers(series: &[Vec<&Point>]) -> String {
    let rows = series.iter().take(MOVERS).filter_map(|points| {
        let last = points.last()?;
        let likes: Vec<_> = points.iter().map(|point| point.likes).collect();
        Some(vec![
            last.platform.clone(),
            safe(last.title.as_deref().unwrap_or(&last.item_id), 20),
            sparkline(&likes),
            count(last.likes),
            format!("+{}", count(growth(points))),
            count(i64::try_from(points.len()).unwrap_or(i64::MAX)),
        ])
    });
    let head = ["platform", "title", "likes over time", "likes", "growth", "observations"];
    table(&head, &[3, 4, 5], rows.collect())
}

/// Sample queries for the file.
fn queries(path: &Path, note_id: &str) -> String {
    format!(
        "\nEvery answer and every row is in {path}. Try, with sqlite3 {path}:\n\n\
         -- a note's likes over time, each with the answer it came from\n\
         select observed_at, likes, collects, comments, document_id\n\
         from note_metrics where note_id = '{note_id}' order by observed_at limit 10;\n\n\
         -- what was due each day, and what became of it\n\
         select day, sum(due), sum(observed), sum(missed), sum(upstream), sum(quota), sum(gone)\n\
         from coverage group by day order by day;\n\n\
         -- what was gone, since when, until when, and who says so\n\
         select t.key, a.since, a.until, a.confirmations, a.evidence\n\
         from availability a join targets t on t.target_id = a.target_id;\n\n\
         -- what each endpoint cost\n\
         select endpoint, count(*) as calls, sum(price_micros) / 1000000.0 as yuan\n\
         from calls where billed = 'yes' group by endpoint;\n\n\
         Without sqlite3: tidewatch --database-url sqlite:{path} sql; as tables: report top instead of \
         sql; as a page: serve.\n",
        path = path.display()
    )
}
