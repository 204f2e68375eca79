//! `tidewatch backfill`: fetches many targets once, beside the schedules.

mod answers;
mod args;
mod plan;
mod progress;
mod sources;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use tokio_util::sync::CancellationToken;

pub(super) use self::args::Backfill;
use self::args::{Sources, Verb};
use self::plan::{BackfillPlan, listed, missed_slots, require_prices, standing};
use self::progress::BackfillMeter;
use super::settings::require_archive;
use super::signals::Signals;
use super::{Cli, SOME_FAILED, exit_code, load_or_default, open, print, say_whom, settings};
use crate::backfill::{self, BackfillRunner, Found, List, Progress, Request};
use crate::config::Config;
use crate::model::BackfillState;
use crate::store::{BackfillRow, Limits, NewBackfill, Store, Tx};
use crate::time::Clock;

/// Missed slots that the end of a backfill shows.
const MISSED_SHOWN: i64 = 10;

impl Backfill {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let json = self.json.json;
        match &self.verb {
            Some(Verb::List) => list(cli, json).await,
            Some(Verb::Missed { name }) => missed(cli, name, json).await,
            Some(Verb::Resume { name, limits }) => resume(cli, name, limits.limits(), json).await,
            Some(Verb::Cancel { name }) => cancel(cli, name, json).await,
            None => match &self.sources.from_jsonl {
                Some(file) => self.sources.import(cli, file, json).await,
                None => self.sources.run(cli, json).await,
            },
        }
    }
}

impl Sources {
    async fn run(&self, cli: &Cli, json: bool) -> Result<ExitCode> {
        ensure!(
            !self.files.is_empty() || self.job.is_some() || self.discovered || self.missed,
            "no source: give a file, - for stdin, --job, --discovered, --missed or --from-jsonl"
        );
        let config = Arc::new(load_or_default(cli)?);
        let mut list = self.list(&config)?;
        // Not earlier: Ctrl-C must end a list that is being typed.
        let mut signals = Signals::new()?;
        let request = self.request(&list);
        // A dry run creates no archive.
        let store = match self.dry_run && require_archive(cli).is_err() {
            true => None,
            false => match signals.unless(open(cli)).await {
                Some(store) => Some(store?),
                None => return Ok(ExitCode::from(SOME_FAILED)),
            },
        };
        let clock = match &store {
            Some(store) => store.clock().await?,
            None => Clock::system(),
        };
        let today = clock.now().utc().with_timezone(&config.timezone).format("%Y-%m-%d");
        let begun = match &store {
            Some(store) => backfill::find(store, &request, &today.to_string()).await?,
            None => Found::New(
                request.name.clone().unwrap_or_else(|| format!("{today}-{}", request.source)),
            ),
        };
        if let (Found::Existing(row), Some(store), false) = (&begun, &store, self.dry_run)
            && row.state != BackfillState::Planning
        {
            tracing::info!(name = row.name, "continuing the backfill");
            return go_on(config, store, &clock, &row.name, request.limits, json, signals).await;
        }
        if let (Some(store), true) = (&store, self.discovered) {
            self.discover(store, &mut list).await?;
        }
        let missed_slots = match &store {
            Some(store) if self.missed => {
                Some(self.add_missed(store, &mut list, clock.now()).await?)
            }
            _ => None,
        };
        let mut plan =
            BackfillPlan::of(&config, store.as_ref(), list, &begun, self.is_missing(), clock.now())
                .await?;
        plan.missed_slots = missed_slots;
        if self.dry_run {
            let refusal = plan.refusal(&config, request.limits);
            print(&plan.shown(refusal.as_ref(), request.limits, json)?)?;
            return Ok(refusal.map_or(ExitCode::SUCCESS, |why| exit_code(&why)));
        }
        let Some(store) = store else { bail!("there is no archive") };
        if plan.targets.is_empty() {
            print(if json { "null\n" } else { "no targets\n" })?;
            return Ok(ExitCode::SUCCESS);
        }
        let created = create(&config, &store, &plan, request, &begun, &clock);
        let Some(created) = signals.unless(created).await else {
            tracing::warn!("stopped while it was planned; the same command continues");
            return Ok(ExitCode::from(SOME_FAILED));
        };
        created?;
        work(config, &store, &clock, &plan.name, json, signals).await
    }

    fn request(&self, list: &List) -> Request {
        let source = self.source();
        Request {
            name: self.name.clone(),
            digest: backfill::digest(&source, &list.targets),
            source,
            repeatable: self.discovered || self.missed || self.is_missing(),
            limits: self.limits.limits(),
        }
    }

    fn is_missing(&self) -> bool {
        self.missing || (self.discovered && !self.again)
    }
}

/// Creates a planned backfill if its limits and the token allow it.
async fn create(
    config: &Config,
    store: &Store,
    plan: &BackfillPlan,
    request: Request,
    begun: &Found,
    clock: &Clock,
) -> Result<()> {
    plan.require_means(config, request.limits)?;
    config.require_token_for(&plan.targets)?;
    say_whom(config);
    let Request { source, digest, limits, .. } = request;
    let new = NewBackfill { name: plan.name.clone(), source, digest, limits };
    let planned = match begun {
        Found::Existing(row) => Some(row),
        Found::New(_) => None,
    };
    backfill::begin(store, &new, planned, &plan.targets, clock.now()).await?;
    let (slots, calls) = (plan.targets.len(), plan.estimate.calls());
    tracing::info!(name = new.name, slots, calls, "started");
    Ok(())
}

async fn list(cli: &Cli, json: bool) -> Result<ExitCode> {
    let config = settings(cli, "using the default zone")?;
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

async fn missed(cli: &Cli, name: &str, json: bool) -> Result<ExitCode> {
    require_archive(cli)?;
    let store = open(cli).await?;
    let mut tx = store.read().await?;
    let row = named(&mut tx, name).await?;
    let missed = tx.missed_slots(row.run_id, i64::MAX).await?;
    drop(tx);
    store.close().await;
    print(&if json { serde_json::to_string(&missed)? + "\n" } else { missed_slots(&missed) })?;
    Ok(ExitCode::SUCCESS)
}

/// The backfill of a name.
async fn named(tx: &mut Tx, name: &str) -> Result<BackfillRow> {
    let row = tx.backfill_named(name).await?;
    row.with_context(|| format!("unknown backfill {name}: `tidewatch backfill list` shows all"))
}

async fn resume(cli: &Cli, name: &str, limits: Limits, json: bool) -> Result<ExitCode> {
    let mut signals = Signals::new()?;
    let config = Arc::new(load_or_default(cli)?);
    require_archive(cli)?;
    let Some(store) = signals.unless(open(cli)).await.transpose()? else {
        return Ok(ExitCode::from(SOME_FAILED));
    };
    say_whom(&config);
    go_on(config, &store, &store.clock().await?, name, limits, json, signals).await
}

/// Continues a backfill; given limits replace its own.
async fn go_on(
    config: Arc<Config>,
    store: &Store,
    clock: &Clock,
    name: &str,
    limits: Limits,
    json: bool,
    signals: Signals,
) -> Result<ExitCode> {
    let mut tx = store.begin().await?;
    let row = named(&mut tx, name).await?;
    let left = tx.remaining_kinds(row.run_id).await?;
    config.require_token_for(&left)?;
    require_prices(&config, limits.or(row.limits), &left)?;
    if row.state == BackfillState::Planning {
        bail!("the backfill {name} is not planned to the end: repeat its command, or cancel it");
    }
    if !tx.resume_backfill(row.run_id, limits).await? {
        bail!("the backfill {name} has ended: {}", row.state);
    }
    tx.commit().await?;
    work(config, store, clock, name, json, signals).await
}

async fn cancel(cli: &Cli, name: &str, json: bool) -> Result<ExitCode> {
    require_archive(cli)?;
    let store = open(cli).await?;
    let mut tx = store.begin().await?;
    let row = named(&mut tx, name).await?;
    if !tx.cancel_backfill(row.run_id).await? {
        bail!("the backfill {name} has ended: {}", row.state);
    }
    tx.commit().await?;
    let clock = store.clock().await?;
    // In batches, so that a daemon can write in between.
    loop {
        let mut tx = store.begin().await?;
        let is_all = tx.finish_backfills(clock.now()).await?;
        tx.commit().await?;
        if is_all {
            break;
        }
    }
    let done = finish(&store, name, json).await?;
    store.close().await;
    // Missed slots are expected after a cancellation.
    let _ = done;
    Ok(ExitCode::SUCCESS)
}

/// Runs or follows a backfill until it ends or is stopped.
async fn work(
    config: Arc<Config>,
    store: &Store,
    clock: &Clock,
    name: &str,
    json: bool,
    signals: Signals,
) -> Result<ExitCode> {
    let stop = CancellationToken::new();
    let mut meter = BackfillMeter::new();
    let report = |progress: &Progress| meter.show(progress, clock.now());
    let work = BackfillRunner { config, store, clock, name, stop: &stop, report };
    tokio::select! {
        done = work.run() => done?,
        () = signals.twice(&stop) => {
            tracing::warn!("stopped immediately; calls in flight remain open on the ledger");
            return Ok(ExitCode::from(SOME_FAILED));
        }
    }
    drop(meter);
    let done = finish(store, name, json).await;
    store.close().await;
    done
}

/// Prints the result of a backfill.
async fn finish(store: &Store, name: &str, json: bool) -> Result<ExitCode> {
    let progress = Progress::of(store, name).await?.context("the backfill was deleted")?;
    let mut tx = store.read().await?;
    let missed = tx.missed_of_backfill(progress.backfill.run_id).await?;
    let shown = match progress.backfill.state {
        BackfillState::Cancelled => vec![],
        _ => tx.missed_slots(progress.backfill.run_id, MISSED_SHOWN).await?,
    };
    drop(tx);
    let text = match json {
        true => serde_json::to_string(&progress)? + "\n",
        false => missed_slots(&shown) + &standing(&progress, &missed),
    };
    print(&text)?;
    let all = progress.slots.missed == 0 && progress.slots.open == 0;
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::from(SOME_FAILED) })
}
