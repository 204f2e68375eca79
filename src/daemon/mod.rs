//! The loop of the daemon: the alarm and a periodic check make slots due, the crawler fetches them,
//! and a signal ends the loop. It decides when, never what.

mod alarm;
mod clock_watch;
mod cold;
mod lived;
mod others;
mod outage;
mod reload;
mod tick;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::crawl::{Crawler, ShutdownGrace};
use crate::ops::health_state::HealthState;
use crate::process::Process;
use crate::store::{Attempts, FileGone, Store, in_time};
use crate::time::{Clock, Time};
use alarm::Alarm;
use clock_watch::{ClockWatch, Held};
use cold::Cold;

use others::Others;
use outage::Outage;
use tick::Tick;

pub use watch::{Reload, Watch};

/// Interval of a tick without an alarm: the alarm may have lost a fire, the clock may have jumped,
/// or another process may have added slots.
const RECONCILE: Duration = Duration::from_secs(5);

/// Wait before the first retry after the database failed; doubles up to `MAX_RETRY_WAIT`.
const FIRST_RETRY_WAIT: Duration = Duration::from_millis(500);

/// Longest wait between two retries while the database fails.
const MAX_RETRY_WAIT: Duration = Duration::from_secs(30);

/// The error of a second daemon on one SQLite file.
pub const TAKEN: &str = "another tidewatch process uses this SQLite file: stop it first, or use \
                         PostgreSQL for several daemons";

/// A daemon on one database.
pub struct Daemon {
    config: Arc<Config>,
    store: Store,
    clock: Clock,
    crawler: Crawler,
    /// Since when its clock runs steadily.
    started: Time,
    clock_watch: ClockWatch,
    /// What was last said of the machine's clock.
    clock_note: Option<String>,
    /// Slots due after this are to be taken back; `None`: none are.
    ahead: Option<Time>,
    calls: i64,
    next_fire: Option<Time>,
    process: Process,
    settings: tokio::sync::watch::Sender<Arc<Config>>,
    bell: Arc<Notify>,
    others: Others,
    /// `None` until it is set, and when it must be set again.
    alarm: Option<Alarm>,
    watch: Option<Watch>,
    /// A reload that is read and not applied yet.
    reload: Option<Reload>,
    health: HealthState,
    outage: Option<Outage>,
    reaped_at: Time,
    cold: Cold,
}

impl Daemon {
    /// Opens a daemon as `verb`: takes the process lock, reaps expired workers and synchronises the
    /// jobs with the database.
    ///
    /// # Errors
    /// When another daemon has this SQLite file, or the database fails.
    pub async fn open(
        config: Arc<Config>,
        store: Store,
        clock: Clock,
        verb: &'static str,
    ) -> Result<Self> {
        let clock_watch = ClockWatch::begin(&store, &clock).await?;
        let Some(process) = Process::begin(&store, &config, verb, &clock).await? else {
            bail!(TAKEN);
        };
        let started = clock.now();
        let crawler = Crawler::new(config.clone(), store.clone(), clock.clone(), &process, None)?;
        let settings = tokio::sync::watch::Sender::new(config.clone());
        let health = HealthState::default();
        health.configured(started);
        let mut daemon = Self {
            config,
            store,
            clock,
            crawler,
            started,
            clock_watch,
            clock_note: None,
            ahead: None,
            calls: 0,
            next_fire: None,
            process,
            bell: Arc::new(Notify::new()),
            others: Others::default(),
            alarm: None,
            watch: None,
            reload: None,
            health,
            settings,
            outage: None,
            reaped_at: started,
            cold: Cold::default(),
        };
        if let Held::Begin = daemon.check_clock().await? {
            daemon.begin(&CancellationToken::new()).await?;
        }
        Ok(daemon)
    }

    /// Applies the reloads of `watch` from now on.
    pub fn listen_to(&mut self, watch: Watch) {
        self.watch = Some(watch);
    }

    /// Its health, shared with health checks and metrics.
    pub fn health(&self) -> HealthState {
        self.health.clone()
    }

    /// The settings in force, and every change of them.
    pub fn settings(&self) -> tokio::sync::watch::Receiver<Arc<Config>> {
        self.settings.subscribe()
    }

    /// Records that it ended in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(self) -> Result<()> {
        in_time(self.process.end(&self.store, self.clock.now())).await
    }

    /// Works until `stop` is cancelled, then drains the calls in flight and saves their answers.
    ///
    /// # Errors
    /// When the alarm cannot be set, a task that it needs dies, or the database keeps failing during
    /// the shutdown.
    pub async fn run(&mut self, stop: &CancellationToken) -> Result<()> {
        for job in &self.config.jobs {
            if let Some(next) = job.schedule.next_after(self.started) {
                let next_due_at = next.to_string();
                tracing::info!(
                    job = job.name,
                    targets = job.targets.len(),
                    next_due_at,
                    "watching"
                );
            }
        }
        let worked = self.work(stop).await;
        self.health.stopping();
        self.stop_alarm().await;
        if let Err(error) = &worked
            && error.is::<FileGone>()
        {
            let (calls, unsaved) = (self.crawler.in_flight(), self.crawler.unsaved());
            tracing::error!(calls, unsaved, "the archive is gone: their answers are lost");
            return worked;
        }
        self.drain().await?;
        worked
    }

    /// Ticks until `stop` is cancelled.
    async fn work(&mut self, stop: &CancellationToken) -> Result<()> {
        let mut retry_wait = FIRST_RETRY_WAIT;
        let mut attempts = Attempts::default();
        while !stop.is_cancelled() {
            if self.alarm.is_none() {
                self.alarm = Some(Alarm::set(&self.config.jobs, &self.clock, &self.bell).await?);
            }
            self.health.beat(self.clock.now());
            let tick = self.tick(stop).await;
            if tick.is_ok() {
                self.database_answers();
                retry_wait = FIRST_RETRY_WAIT;
                attempts = Attempts::default();
            }
            let tick = match tick {
                Err(error) => attempts.after(error).await.map(|()| Tick::Again),
                tick => tick,
            };
            match tick {
                Ok(Tick::Again) => {}
                Ok(Tick::Wait(until)) => self.rest(until, stop).await?,
                Err(error) if error.is::<FileGone>() => return Err(error),
                Err(error) => {
                    self.database_fails(&error);
                    self.health.beat(self.clock.now());
                    tokio::select! {
                        () = tokio::time::sleep(retry_wait) => {}
                        () = stop.cancelled() => {}
                    }
                    retry_wait = (retry_wait * 2).min(MAX_RETRY_WAIT);
                }
            }
            if let Some(died) = self.crawler.died() {
                return Err(died);
            }
        }
        Ok(())
    }

    /// Waits for an event, at most until `until` or the next periodic tick.
    async fn rest(&mut self, until: Option<Time>, stop: &CancellationToken) -> Result<()> {
        let reconcile = self.clock.now().plus(RECONCILE);
        let until = until.map_or(reconcile, |at| at.min(reconcile));
        let next_reload = async {
            match &mut self.watch {
                Some(watch) => watch.next().await,
                None => std::future::pending().await,
            }
        };
        let alarm_died = async {
            match &mut self.alarm {
                Some(alarm) => alarm.died().await,
                None => std::future::pending().await,
            }
        };
        let reload = tokio::select! {
            () = alarm_died => bail!("tokio-cron-scheduler died"),
            () = self.crawler.wait() => return Ok(()),
            () = self.clock.sleep_until(until) => return Ok(()),
            () = self.bell.notified() => return Ok(()),
            () = self.cold.wait(), if self.cold.is_at_work() => return Ok(()),
            () = self.others.write(&self.store) => return Ok(()),
            () = stop.cancelled() => return Ok(()),
            died = self.process.died() => return Err(died),
            gone = self.store.file_gone() => return Err(gone.into()),
            reload = next_reload => reload,
        };
        self.put_reload(reload.context("the task that watches the settings died")?);
        Ok(())
    }

    /// Stops the alarm; the next tick sets it again if the daemon goes on.
    async fn stop_alarm(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            alarm.stop().await;
        }
    }

    /// Fetches everything due until `end`, moving a manual clock from event to event, or until that
    /// is set back; `progress`
    /// receives the time and the number of calls after each.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_until(
        &mut self,
        end: Time,
        mut progress: impl FnMut(Time, i64),
    ) -> Result<()> {
        let (stop, begun) = (CancellationToken::new(), self.clock.now());
        loop {
            let tick = self.tick(&stop).await?;
            if self.clock.now() < begun {
                return Ok(());
            }
            match tick {
                Tick::Again => {}
                Tick::Wait(_) if self.crawler.in_flight() > 0 => self.crawler.wait().await,
                Tick::Wait(_) if self.cold.is_at_work() => self.cold.wait().await,
                Tick::Wait(until) => {
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

    /// Drains the calls in flight and saves their answers, retrying a failing database for a while:
    /// they may have been paid for.
    async fn drain(&mut self) -> Result<()> {
        if !self.crawler.is_idle() {
            let calls = self.crawler.in_flight();
            tracing::info!(calls, "stopping: draining the calls in flight");
        }
        while self.crawler.in_flight() > 0 {
            self.crawler.wait().await;
            self.health.beat(self.clock.now());
            // Makes room for large answers; an error shows below again.
            let _ = in_time(self.crawler.save()).await;
        }
        let grace = ShutdownGrace::start();
        while let Err(error) = in_time(self.crawler.save_all()).await {
            self.database_fails(&error);
            self.health.beat(self.clock.now());
            grace.after(error).await?;
        }
        self.report();
        // What was just written may have gone with the file.
        Ok(self.store.require_file()?)
    }
}
