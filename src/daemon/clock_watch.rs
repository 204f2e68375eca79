//! Which time it is. On PostgreSQL the server's, always. On SQLite the machine's, but a step of its
//! clock is believed only after a while, and one back to a time that seems past only after long.

use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use super::Daemon;
use super::lived::{INSISTING, Lived, SETTLING, YOUNG};
use crate::plan::{self, CLOCK_SLIP, Left};
use crate::process;
use crate::store::{ClockReading, DaemonSpan, Store};
use crate::time::{Clock, Time};

/// A start so long after the archive's last time waits: the clock may be ahead.
const LONG_DOWNTIME: Duration = Duration::from_secs(6 * 3600);

/// Interval between two looks at the clocks.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// 2026 in microseconds since 1970: a clock that says less is wrong.
const EARLIEST_MICROS: i64 = 1_767_225_600_000_000;

/// Whether the daemon may work.
pub(super) enum Held {
    /// It may.
    No,
    /// It may begin.
    Begin,
    /// It waits for its clock, until this time if one is known.
    Until(Option<Time>),
}

/// What is known of the clocks.
#[derive(Debug)]
pub(super) struct ClockWatch {
    /// The archive's last time at the start, on SQLite; `None`: no daemon has worked on it.
    latest: Option<Time>,
    /// Since when it waits to begin its work; `None`: it has begun.
    starting: Option<Time>,
    /// The time goes on from the archive's last one, since the machine's clock is behind it.
    is_adrift: bool,
    /// What the clock that counts says differs from the daemon's time, on PostgreSQL from what the
    /// jobs have decided.
    step: Option<Step>,
    /// Nothing is planned or sent until then.
    held_until: Option<Time>,
    looked_at: Option<Time>,
}

/// A step of a clock that is not dealt with yet.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// How far the clock is ahead, in microseconds.
    ahead: i64,
    since: Time,
    /// What could be done is done.
    is_done: bool,
}

impl ClockWatch {
    /// Sets the daemon's clock, before anything is written: never behind the archive on SQLite.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn begin(store: &Store, clock: &Clock) -> Result<Self> {
        let mut tx = store.read().await?;
        let told = tx.read_clock(clock).await?.at;
        let latest = match store.is_sqlite() {
            true => Lived(tx.daemon_spans(0).await?).latest(),
            false => None,
        };
        clock.set(latest.filter(|latest| latest.since(told) > CLOCK_SLIP).unwrap_or(told));
        let starting = Some(clock.now());
        let (step, held_until, looked_at) = (None, None, None);
        Ok(Self { latest, starting, is_adrift: false, step, held_until, looked_at })
    }

    /// When a step may be believed.
    pub(super) fn settles_at(&self, now: Time) -> Option<Time> {
        let step = self.step.filter(|step| !step.is_done)?;
        [SETTLING, INSISTING].map(|wait| step.since.plus(wait)).into_iter().find(|at| *at > now)
    }
}

fn apart(a: Time, b: Time) -> Duration {
    a.since(b).max(b.since(a))
}

/// How far `a` is ahead of `b` or behind it, as text.
fn off(a: Time, b: Time) -> String {
    let side = if a > b { "ahead of" } else { "behind" };
    format!("{} s {side}", apart(a, b).as_secs())
}

fn is_impossible(at: Time) -> bool {
    at.micros() < EARLIEST_MICROS
}

impl Daemon {
    /// Begins the work, or resumes it after its clock was waited for. [`Left::More`] when `stop` is
    /// cancelled before.
    pub(super) async fn begin(&mut self, stop: &CancellationToken) -> Result<Left> {
        let now = self.clock.now();
        self.started = now;
        if plan::sync(&self.store, &self.config, now, now, stop).await? == Left::More {
            return Ok(Left::More);
        }
        self.ahead = Some(now.plus(CLOCK_SLIP));
        self.next_fire = None;
        self.clock_watch.starting = None;
        self.health.waits_for(None);
        // The alarm waits for a time that may be far away now.
        self.stop_alarm().await;
        Ok(Left::Nothing)
    }

    /// Logs what is found about the clock, and puts it on record.
    async fn say_of_clock(&mut self, what: Option<String>) -> Result<()> {
        if what == self.clock_note {
            return Ok(());
        }
        match &what {
            Some(what) => tracing::warn!("{what}"),
            None => tracing::info!("the clock is right again"),
        }
        let mut tx = self.store.begin().await?;
        tx.note_clock(self.process.owner(), what.as_deref()).await?;
        tx.commit().await?;
        self.clock_note = what;
        Ok(())
    }

    /// Waits to begin: says why.
    async fn hold(&mut self, what: String, until: Option<Time>) -> Result<Held> {
        self.health.waits_for(Some(what.clone()));
        self.say_of_clock(Some(what)).await?;
        Ok(Held::Until(until))
    }

    /// Compares the clocks, and follows the one that counts.
    pub(super) async fn check_clock(&mut self) -> Result<Held> {
        let (now, starting) = (self.clock.now(), self.clock_watch.starting);
        let is_fresh = |at: Time| now.since(at) < LOOK_INTERVAL && !self.clock.stands();
        if starting.is_some() || !self.clock_watch.looked_at.is_some_and(is_fresh) {
            let reading = self.store.read().await?.read_clock(&self.clock).await?;
            self.clock_watch.looked_at = Some(now);
            match starting {
                Some(since) if self.store.is_sqlite() => {
                    return self.settle(reading.at, since).await;
                }
                _ if self.store.is_sqlite() => self.follow_machine(reading.at).await?,
                _ if is_impossible(reading.at) => {
                    let what = format!("the server's clock says {} UTC", reading.at);
                    return self.hold(what, None).await;
                }
                _ => self.follow_server(reading).await?,
            }
            if starting.is_some() {
                return Ok(Held::Begin);
            }
        }
        let now = self.clock.now();
        let held_until = self.clock_watch.held_until.filter(|until| now < *until);
        Ok(held_until.map_or(Held::No, |until| Held::Until(Some(until))))
    }

    /// On SQLite at the start: waits for a clock that is behind the archive or far ahead of it.
    async fn settle(&mut self, told: Time, since: Time) -> Result<Held> {
        let (now, latest) = (self.clock.now(), self.clock_watch.latest);
        let until = since.plus(SETTLING);
        let waits = now < until;
        if is_impossible(told) && latest.is_none() {
            let what = format!("the clock says {told} UTC: waiting for it to be set");
            return self.hold(what, None).await;
        }
        let Some(latest) = latest.filter(|latest| apart(*latest, told) > CLOCK_SLIP) else {
            return self.begin_at(told).await;
        };
        let what = format!(
            "the clock is {} the archive's last time, {latest} UTC: waiting whether it is corrected",
            off(told, latest)
        );
        if told > latest {
            if !waits || told.since(latest) <= LONG_DOWNTIME {
                return self.begin_at(told).await;
            }
            let left = until.since(now);
            self.set_clock(told).await?;
            self.clock_watch.starting = Some(told.plus(left).minus(SETTLING));
            return self.hold(what, Some(told.plus(left))).await;
        }
        if waits {
            return self.hold(what, Some(until)).await;
        }
        if is_impossible(told) || self.lived().await?.doubted_for(told) > SETTLING {
            let ahead = told.micros() - now.micros();
            self.clock_watch.step = Some(Step { ahead, since, is_done: false });
            self.clock_watch.is_adrift = true;
            let what = format!("the clock is {} the archive, whose time goes on", off(told, now));
            self.say_of_clock(Some(what)).await?;
        } else {
            self.step_to(told).await?;
        }
        Ok(Held::Begin)
    }

    async fn begin_at(&mut self, told: Time) -> Result<Held> {
        self.set_clock(told).await?;
        self.say_of_clock(None).await?;
        Ok(Held::Begin)
    }

    /// Sets the daemon's clock; a step is put on record.
    async fn set_clock(&mut self, told: Time) -> Result<()> {
        let now = self.clock.now();
        if apart(told, now) > CLOCK_SLIP {
            let mut tx = self.store.begin().await?;
            // What was lived ahead of the server's time is judged later.
            let until = if self.store.is_sqlite() { now.min(told) } else { now };
            let former = process::new_owner();
            tx.put_clock_step(self.process.owner(), former, until, told).await?;
            tx.commit().await?;
        }
        self.clock.set(told);
        self.health.beat(told);
        Ok(())
    }

    /// On SQLite: follows the machine's clock; a step once it has lasted.
    async fn follow_machine(&mut self, told: Time) -> Result<()> {
        let (now, watch) = (self.clock.now(), &mut self.clock_watch);
        if apart(told, now) <= CLOCK_SLIP {
            (watch.step, watch.is_adrift) = (None, false);
            self.clock.set(told);
            return self.say_of_clock(None).await;
        }
        let ahead = told.micros() - now.micros();
        let is_same = |step: &Step| ahead.abs_diff(step.ahead) <= micros(CLOCK_SLIP);
        let Some(Step { since, .. }) = watch.step.filter(is_same) else {
            watch.step = Some(Step { ahead, since: now, is_done: false });
            let what = format!("the clock stepped: it is {} the time before", off(told, now));
            return self.say_of_clock(Some(what)).await;
        };
        let doubted_for = match told > now {
            true if self.clock_watch.is_adrift => Duration::ZERO,
            true => SETTLING,
            false => self.lived().await?.doubted_for(told),
        };
        if now.since(since) >= doubted_for && !is_impossible(told) {
            self.step_to(told).await?;
        }
        Ok(())
    }

    /// On PostgreSQL: follows the server's clock at once, but does nothing for a while after a step,
    /// until the other processes have renewed their leases.
    async fn follow_server(&mut self, reading: ClockReading) -> Result<()> {
        let (now, told) = (self.clock.now(), reading.at);
        let is_step = apart(told, now) > CLOCK_SLIP;
        if is_step {
            self.step_to(told).await?;
        }
        self.clock.set(told);
        if is_step || told.since(now) > self.config.lease / 2 {
            self.clock_watch.held_until = Some(told.plus(SETTLING));
            self.process.keep().await?;
        }
        let decided = reading.decided.filter(|decided| decided.since(told) > CLOCK_SLIP);
        let Some(decided) = decided else {
            self.clock_watch.step = None;
            let machine = self.clock.machine();
            let what = (apart(machine, told) > CLOCK_SLIP).then(|| {
                let off = off(machine, told);
                format!(
                    "the clock of this machine is {off} that of the database server, which is used"
                )
            });
            return self.say_of_clock(what).await;
        };
        let step = Step { ahead: 0, since: told, is_done: false };
        let step = *self.clock_watch.step.get_or_insert(step);
        let what = format!("the server's clock is behind: jobs have decided up to {decided} UTC");
        self.say_of_clock(Some(what)).await?;
        let lived = self.lived().await?;
        if !step.is_done && told.since(step.since) >= lived.doubted_for(told) {
            self.set_back(told, &lived).await?;
            self.clock_watch.step = Some(Step { is_done: true, ..step });
        }
        Ok(())
    }

    /// The time that daemons have lived through, this one as well.
    async fn lived(&self) -> Result<Lived> {
        let mut spans = self.store.read().await?.daemon_spans(self.process.owner()).await?;
        spans.push(DaemonSpan { since: self.started, until: self.clock.now() });
        Ok(Lived(spans))
    }

    /// Follows a step of the clock.
    async fn step_to(&mut self, told: Time) -> Result<()> {
        let now = self.clock.now();
        let lived = self.lived().await?;
        let follows_machine = self.store.is_sqlite();
        if follows_machine && told < now {
            self.set_back(told, &lived).await?;
        } else if follows_machine && !self.clock_watch.is_adrift && lived.total() < YOUNG {
            // The clock was behind when the archive began.
            plan::clock_set_forward(&self.store, self.started, now, told).await?;
        }
        self.set_clock(told).await?;
        tracing::warn!(was = %now, now = %told, "the clock stepped, and is believed");
        self.say_of_clock(None).await?;
        self.started = told;
        self.next_fire = None;
        self.reaped_at = told;
        (self.clock_watch.step, self.clock_watch.is_adrift) = (None, false);
        self.stop_alarm().await;
        Ok(())
    }

    /// Puts right what is ahead of the time, and takes back what was decided ahead unless that has
    /// happened.
    async fn set_back(&mut self, told: Time, lived: &Lived) -> Result<()> {
        let takes_back = !lived.is_past(told);
        plan::clock_set_back(&self.store, told, takes_back).await?;
        if takes_back {
            self.ahead = Some(told);
            self.next_fire = None;
            tracing::warn!(now = %told, "what was decided ahead of the time is taken back");
        }
        Ok(())
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
