//! The long-running loop: alarms and a look at the database make slots due, the crawler works
//! them off, signals end it. It decides when, never what.

mod alarm;
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
use crate::plan;
use crate::process::Process;
use crate::store::{Store, in_time, is_conflict};
use crate::time::{Clock, Time};
use alarm::Alarm;

use others::Others;
use outage::Outage;
use tick::Tick;

pub use watch::{Reload, Watch};

/// How often the database is asked for due slots though no alarm rang: the alarm may have lost
/// one, the clock may have jumped, and another process may have put slots there.
const RECONCILE: Duration = Duration::from_secs(5);

/// How long to wait before trying a database again that has failed; doubles up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest wait for a failing database.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why a second daemon on a SQLite file does not begin.
pub const TAKEN: &str = "another tidewatch is at work on this SQLite file: stop it first, or use \
                         PostgreSQL for several daemons";

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
    settings: tokio::sync::watch::Sender<Arc<Config>>,
    bell: Arc<Notify>,
    others: Others,
    /// `None` until it is set, and when it has to be set anew.
    alarm: Option<Alarm>,
    watch: Option<Watch>,
    /// Settings that were read again and are not taken over yet.
    reload: Option<Reload>,
    health: HealthState,
    outage: Option<Outage>,
    reaped_at: Time,
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
            bail!(TAKEN);
        };
        let started = clock.now();
        plan::sync(&store, &config, started, started, &CancellationToken::new()).await?;
        let (looks, time) = (store.clone(), clock.clone());
        let crawler = Crawler::new(config.clone(), looks, time, &process, None)?;
        let settings = tokio::sync::watch::Sender::new(config.clone());
        let health = HealthState::default();
        health.configured(started);
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
            bell: Arc::new(Notify::new()),
            others: Others::default(),
            alarm: None,
            watch: None,
            reload: None,
            health,
            settings,
            outage: None,
            reaped_at: started,
        })
    }

    /// Takes over from now on what `watch` reads again.
    pub fn listen_to(&mut self, watch: Watch) {
        self.watch = Some(watch);
    }

    /// How it is, for whoever watches over it.
    pub fn health(&self) -> HealthState {
        self.health.clone()
    }

    /// The settings that it works by, now and from now on.
    pub fn settings(&self) -> tokio::sync::watch::Receiver<Arc<Config>> {
        self.settings.subscribe()
    }

    /// Puts on record that it has ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(self) -> Result<()> {
        in_time(self.process.end(&self.store, self.clock.now())).await
    }

    /// Works until `stop` is cancelled, then lets the calls in flight end and saves them.
    ///
    /// # Errors
    /// When the alarm cannot be set, when something died that the daemon cannot do without, or the
    /// database fails for good while stopping.
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
        self.silence().await;
        self.drain().await?;
        worked
    }

    /// One tick after the other until `stop` is cancelled.
    async fn work(&mut self, stop: &CancellationToken) -> Result<()> {
        let mut pause = FIRST_PAUSE;
        while !stop.is_cancelled() {
            if self.alarm.is_none() {
                self.alarm = Some(Alarm::set(&self.config.jobs, &self.clock, &self.bell).await?);
            }
            self.health.beat(self.clock.now());
            let tick = self.tick(stop).await;
            if tick.is_ok() {
                self.answers();
                pause = FIRST_PAUSE;
            }
            match tick {
                Ok(Tick::Again) => {}
                Ok(Tick::Wait(until)) => self.rest(until, stop).await?,
                // The database works: it undid one of two transactions that met.
                Err(error) if is_conflict(&error) => tracing::debug!("{error:#}; once more"),
                Err(error) => {
                    self.fails(&error);
                    self.health.beat(self.clock.now());
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = stop.cancelled() => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            if let Some(died) = self.crawler.died() {
                return Err(died);
            }
        }
        Ok(())
    }

    /// Waits until `until` or the next look at the database, or until there is something to do.
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
            () = alarm_died => bail!("the alarm clock died"),
            () = self.crawler.wait() => return Ok(()),
            () = self.clock.sleep_until(until) => return Ok(()),
            () = self.bell.notified() => return Ok(()),
            () = self.others.write(&self.store) => return Ok(()),
            () = stop.cancelled() => return Ok(()),
            died = self.process.died() => return Err(died),
            reload = next_reload => reload,
        };
        self.heard(reload.context("nobody watches over the settings any more")?);
        Ok(())
    }

    /// Stops the alarm, which is to be set anew if the daemon goes on.
    async fn silence(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            alarm.stop().await;
        }
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
        let stop = CancellationToken::new();
        loop {
            match self.tick(&stop).await? {
                Tick::Again => {}
                Tick::Wait(_) if !self.crawler.is_idle() => self.crawler.wait().await,
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

    /// Lets the calls in flight end, and saves their answers: for a while even to a database that
    /// fails, since they may have been paid for.
    async fn drain(&mut self) -> Result<()> {
        if !self.crawler.is_idle() {
            let calls = self.crawler.in_flight();
            tracing::info!(calls, "stopping: draining the calls in flight");
        }
        while self.crawler.in_flight() > 0 {
            self.crawler.wait().await;
            self.health.beat(self.clock.now());
        }
        let patience = ShutdownGrace::begins();
        while let Err(error) = in_time(self.crawler.save()).await {
            self.fails(&error);
            self.health.beat(self.clock.now());
            patience.after(error).await?;
        }
        self.report();
        Ok(())
    }
}
