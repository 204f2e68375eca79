//! The long-running loop: alarms and a look at the database make slots due, the crawler works
//! them off, signals end it. It decides when, never what.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::alarm::Alarm;
use crate::config::Config;
use crate::crawl::{Crawler, Tally};
use crate::plan;
use crate::process::Process;
use crate::store::Store;
use crate::time::{Clock, Time};

/// How often the database is asked for due slots though no alarm rang: the alarm may have lost
/// one, the clock may have jumped, and another process may have put slots there.
const RECONCILE: Duration = Duration::from_secs(5);

/// A clock that goes back by more than this was wrong, and is right now.
const CLOCK_SLIP: Duration = Duration::from_secs(60);

/// How long to wait before trying a database again that has failed; doubles up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest wait for a failing database.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A daemon on one database.
pub struct Daemon {
    config: Arc<Config>,
    store: Store,
    clock: Clock,
    crawler: Crawler,
    started: Time,
    latest: Time,
    calls: i64,
    next_fire: Option<Time>,
    process: Process,
}

/// What the loop should do next.
enum Turn {
    /// Go on at once.
    Again,
    /// Wait: for a call that ends, an alarm, or this time, if anything is expected.
    Wait(Option<Time>),
}

impl Daemon {
    /// Opens a daemon as `verb`: announces it, buries the dead, and brings the jobs up to date.
    ///
    /// # Errors
    /// When another daemon has this SQLite file, or the database fails.
    pub async fn open(
        config: Arc<Config>,
        store: Store,
        clock: Clock,
        verb: &'static str,
    ) -> Result<Self> {
        let Some(process) = Process::begin(&store, &config, verb, &clock).await? else {
            bail!(
                "another tidewatch is at work on this SQLite file; stop it first, \
                 or use PostgreSQL for several daemons"
            );
        };
        let started = clock.now();
        plan::sync(&store, &config, started).await?;
        let (looks, time) = (store.clone(), clock.clone());
        let crawler = Crawler::new(config.clone(), looks, time, process.owner(), None)?;
        Ok(Self {
            config,
            store,
            clock,
            crawler,
            started,
            latest: started,
            calls: 0,
            next_fire: None,
            process,
        })
    }

    /// Puts on record that it has ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(self) -> Result<()> {
        self.process.end(&self.store, self.clock.now()).await
    }

    /// Works until `stop` is cancelled, then lets the calls in flight end and saves them.
    ///
    /// # Errors
    /// When the alarm cannot be set, or the database fails for good while stopping.
    pub async fn run(&mut self, stop: &CancellationToken) -> Result<()> {
        let bell = Arc::new(Notify::new());
        let alarm = Alarm::set(&self.config.jobs, &self.clock, &bell).await?;
        for job in &self.config.jobs {
            if let Some(next) = job.schedule.next_after(self.started) {
                tracing::info!(job = job.name, targets = job.targets.len(), %next, "watching");
            }
        }
        let mut pause = FIRST_PAUSE;
        while !stop.is_cancelled() {
            match self.turn().await {
                Ok(Turn::Again) => pause = FIRST_PAUSE,
                Ok(Turn::Wait(until)) => {
                    pause = FIRST_PAUSE;
                    let clock = self.clock.clone();
                    let reconcile = clock.now().plus(RECONCILE);
                    let until = until.map_or(reconcile, |at| at.min(reconcile));
                    tokio::select! {
                        () = self.crawler.wait() => {}
                        () = clock.sleep_until(until) => {}
                        () = bell.notified() => {}
                        () = stop.cancelled() => {}
                    }
                }
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), retry_in = ?pause, "the database fails; nothing is lost, trying again");
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = stop.cancelled() => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        alarm.stop().await;
        self.drain().await
    }

    /// Works through everything that becomes due until `end`, by jumping a clock of our own from
    /// one event to the next; tells `progress` the time and the calls so far after each.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_until(
        &mut self,
        end: Time,
        mut progress: impl FnMut(Time, i64),
    ) -> Result<()> {
        loop {
            match self.turn().await? {
                Turn::Again => {}
                Turn::Wait(_) if !self.crawler.is_idle() => self.crawler.wait().await,
                Turn::Wait(until) => {
                    let mut tx = self.store.read().await?;
                    let retry = tx.next_try_after(self.clock.now()).await?;
                    drop(tx);
                    match [retry, until].into_iter().flatten().min() {
                        Some(at) if at <= end => self.clock.jump_to(at),
                        _ => return Ok(()),
                    }
                    progress(self.clock.now(), self.calls);
                }
            }
        }
    }

    /// One turn: saves what has come, makes slots due, and sends what may be sent.
    async fn turn(&mut self) -> Result<Turn> {
        self.crawler.save().await?;
        let now = self.clock.now();
        if self.latest.since(now) > CLOCK_SLIP {
            tracing::warn!(was = %self.latest, %now, "the clock was put back");
            self.next_fire = None;
            self.latest = now;
        }
        self.latest = self.latest.max(now);
        if self.next_fire.is_none_or(|at| at <= now) {
            plan::materialise(&self.store, &self.config, self.started, now).await?;
            self.next_fire = plan::next_fire(&self.config, now);
        }
        let started = self.crawler.start_due().await?;
        self.calls += i64::try_from(started.calls).unwrap_or(0);
        if self.crawler.is_idle() {
            self.report();
        }
        if started.more {
            return Ok(Turn::Again);
        }
        let events = [started.again_at(), self.crawler.retry_at(), self.next_fire];
        Ok(Turn::Wait(events.into_iter().flatten().min()))
    }

    /// Says what came of the looks, once all that could be made have been.
    fn report(&mut self) {
        let Tally { calls, observed, missed, retrying } = self.crawler.take_tally();
        if calls > 0 {
            tracing::info!(observed, missed, retrying, calls, "looked");
        }
    }

    /// Lets the calls in flight end, and saves their answers.
    async fn drain(&mut self) -> Result<()> {
        if !self.crawler.is_idle() {
            let calls = self.crawler.in_flight();
            tracing::info!(calls, "stopping: letting the calls in flight end");
        }
        while self.crawler.in_flight() > 0 {
            self.crawler.wait().await;
        }
        let saved = self.crawler.save().await.context(
            "stopped with answers that the database did not take; \
             their calls stand open on the ledger",
        );
        self.report();
        saved
    }
}
