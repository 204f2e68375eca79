//! `tidewatch backfill`: many things at once, beside the schedules.

mod answers;
mod args;
mod meter;
mod shown;
mod sources;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use tokio_util::sync::CancellationToken;

pub(super) use self::args::Backfill;
use self::args::{Bring, Verb};
use self::meter::Meter;
use self::shown::{Planned, listed, require_prices, standing};
use super::signals::Signals;
use super::status::require_archive;
use super::{Cli, SOME_FAILED, load_or_default, open, print, say_whom, settings};
use crate::backfill::{self, BackfillRunner, Found, Progress, Request};
use crate::config::Config;
use crate::store::{Limits, NewBackfill, Store};
use crate::time::Clock;

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
            None => Found::New(
                request.name.clone().unwrap_or_else(|| format!("{today}-{}", request.source)),
            ),
        };
        if let (Found::Existing(row), Some(store), false) = (&begun, &store, self.dry_run) {
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
    let config = settings(cli, "its zone is not known")?;
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
        format!("there is no backfill {name}: `tidewatch backfill list` shows all")
    })?;
    let left = tx.remaining_kinds(row.run_id).await?;
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
        format!("there is no backfill {name}: `tidewatch backfill list` shows all")
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
    let work = BackfillRunner { config, store, clock, name, stop: &stop, report: tell };
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
