//! Watches the machine's clock. The daemon's own clock is steady; it follows the machine's, and
//! believes a jump only after a while. On PostgreSQL the server's clock corrects the machine's.

use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use super::Daemon;
use crate::plan::{self, CLOCK_SLIP};
use crate::store::{Seen, Store};
use crate::time::{Clock, Time};

/// A clock that is wrong at the machine's start or jumps is often corrected within this time.
const SETTLING: Duration = Duration::from_secs(30);

/// A clock that ran steadily for this long is taken to have been right.
const TRUSTED_AFTER: Duration = Duration::from_secs(3600);

/// Interval between two looks at the clocks.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// 2026 in microseconds since 1970: a clock that says less is wrong.
const EARLIEST_MICROS: i64 = 1_767_225_600_000_000;

/// Whether the daemon may work.
pub(super) enum Held {
    /// It may.
    No,
    /// It waits for its clock, until this time if one is known.
    Until(Option<Time>),
}

/// What is known of the clocks.
#[derive(Debug)]
pub(super) struct ClockWatch {
    /// What the archive says about the time of the start.
    seen: Seen,
    /// Whether the daemon has not begun its work yet.
    is_starting: bool,
    /// The clock says something else.
    doubt: Option<Doubt>,
    /// Whether the time before a jump ahead was right: then the fires within it are missed.
    is_trusted: bool,
    looked_at: Option<Time>,
}

/// A clock that says something else than the daemon's.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// How far it is ahead, in microseconds.
    ahead: i64,
    since: Time,
    /// It says a time that is past, and is not believed.
    is_refused: bool,
}

impl ClockWatch {
    /// Sets the daemon's clock, before anything is written.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn begin(store: &Store, clock: &Clock) -> Result<Self> {
        let (now, _) = told(store, clock).await?;
        clock.set(now);
        let seen = seen(store, 0, now).await?;
        Ok(Self { seen, is_starting: true, doubt: None, is_trusted: true, looked_at: None })
    }

    /// When the doubt ends.
    pub(super) fn settles_at(&self) -> Option<Time> {
        let doubt = self.doubt.filter(|doubt| !doubt.is_refused)?;
        Some(doubt.since.plus(SETTLING))
    }
}

async fn seen(store: &Store, me: i64, now: Time) -> Result<Seen> {
    store.read().await?.seen(me, now, now.plus(CLOCK_SLIP)).await
}

/// The time by the machine's clock, or by the server's where that differs, and then by how much.
async fn told(store: &Store, clock: &Clock) -> Result<(Time, Option<String>)> {
    let machine = clock.machine();
    if !clock.is_steady() {
        return Ok((machine, None));
    }
    Ok(match store.server_time().await? {
        Some(server) if apart(server, machine) > CLOCK_SLIP => {
            let what = format!(
                "the clock of this machine is {} that of the database server, which is used",
                off(machine, server)
            );
            (server, Some(what))
        }
        _ => (machine, None),
    })
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
    /// Begins the work, unless the clock is behind what the archive has seen.
    pub(super) async fn begin(&mut self, stop: &CancellationToken) -> Result<()> {
        let now = self.clock.now();
        let Seen { latest, .. } = self.clock_watch.seen;
        let is_behind = latest.is_some_and(|latest| latest.since(now) > CLOCK_SLIP);
        if is_behind || is_impossible(now) {
            let latest = latest.map_or_else(|| "2026".to_owned(), |at| format!("{at} UTC"));
            let what = format!(
                "the clock says {now} UTC, and the archive has seen {latest}: \
                 waiting for the clock to be set"
            );
            self.clock_watch.doubt = Some(Doubt { ahead: 0, since: now, is_refused: false });
            return self.say_of_clock(Some(what.clone()), Some(what)).await;
        }
        if let Some(latest) = latest {
            tracing::info!(%latest, %now, "the archive's last time and the clock's");
        }
        self.clock_watch.is_trusted = latest.is_some();
        self.work_from(now, stop).await
    }

    /// Begins or resumes the work at `now`.
    async fn work_from(&mut self, now: Time, stop: &CancellationToken) -> Result<()> {
        self.clock.set(now);
        self.started = now;
        plan::sync(&self.store, &self.config, now, now, stop).await?;
        self.ahead = Some(now.plus(CLOCK_SLIP));
        self.next_fire = None;
        self.clock_watch.is_starting = false;
        self.clock_watch.doubt = None;
        // The alarm waits for a time that may be far away now.
        self.stop_alarm().await;
        Ok(())
    }

    /// Logs what is found about the clock, puts it on record, and makes it the reason to wait.
    async fn say_of_clock(&mut self, what: Option<String>, waits: Option<String>) -> Result<()> {
        self.health.waits_for(waits);
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

    /// Compares the clocks, and follows the machine's.
    pub(super) async fn check_clock(&mut self) -> Result<Held> {
        let now = self.clock.now();
        let is_fresh = |at: Time| now.since(at) < LOOK_INTERVAL && !self.clock.stands();
        if !self.clock_watch.is_starting && self.clock_watch.looked_at.is_some_and(is_fresh) {
            return Ok(Held::No);
        }
        let (told, note) = told(&self.store, &self.clock).await?;
        self.clock_watch.looked_at = Some(now);
        if self.clock_watch.is_starting {
            return self.settle(told).await;
        }
        if apart(told, now) <= CLOCK_SLIP {
            self.clock_watch.doubt = None;
            self.clock.set(told);
            if self.clock_note != note {
                self.say_of_clock(note, None).await?;
            }
            return Ok(Held::No);
        }
        let ahead = told.micros() - now.micros();
        match self.clock_watch.doubt {
            Some(doubt) if ahead.abs_diff(doubt.ahead) <= micros(CLOCK_SLIP) => {
                if !doubt.is_refused && now.since(doubt.since) >= SETTLING {
                    self.follow(told, doubt).await?;
                }
            }
            _ => {
                let doubt = Doubt { ahead, since: now, is_refused: false };
                self.clock_watch.doubt = Some(doubt);
                let what = format!("the clock jumped: it is {} the time before", off(told, now));
                self.say_of_clock(Some(what), None).await?;
            }
        }
        Ok(Held::No)
    }

    /// At the start: waits for a clock that is behind the archive, and then goes on.
    async fn settle(&mut self, told: Time) -> Result<Held> {
        let stop = CancellationToken::new();
        let since = self.clock_watch.doubt.map_or(told, |doubt| doubt.since);
        let latest = self.clock_watch.seen.latest;
        let is_behind = latest.is_some_and(|latest| latest.since(told) > CLOCK_SLIP);
        if !is_behind && !is_impossible(told) {
            self.clock.set(told);
            self.put_clock(told, None).await?;
            self.clock_watch.is_trusted = latest.is_some();
            self.work_from(told, &stop).await?;
            return Ok(Held::No);
        }
        let until = since.plus(SETTLING);
        if self.clock.now() < until {
            return Ok(Held::Until(Some(until)));
        }
        let is_past = seen(&self.store, self.process.owner(), told).await?.is_past;
        self.clock_watch.is_trusted = false;
        match latest {
            Some(latest) if is_past || is_impossible(told) => {
                let what = format!(
                    "the clock is {} the archive, in which that time is past: time goes on from \
                     {latest} UTC until the clock is set",
                    off(told, latest)
                );
                self.clock.set(latest);
                self.put_clock(latest, Some(what)).await?;
                self.clock_watch.is_trusted = true;
                self.work_from(latest, &stop).await?;
            }
            Some(_) => {
                self.clock.set(told);
                plan::clock_set_back(&self.store, told).await?;
                self.put_clock(told, None).await?;
                tracing::warn!(now = %told, "the archive was ahead; the clock is believed");
                self.work_from(told, &stop).await?;
                self.ahead = Some(told);
            }
            None => return Ok(Held::Until(None)),
        }
        Ok(Held::No)
    }

    /// Puts a start with a corrected clock on record.
    async fn put_clock(&mut self, now: Time, what: Option<String>) -> Result<()> {
        self.say_of_clock(what.clone(), None).await?;
        let mut tx = self.store.begin().await?;
        tx.put_clock(self.process.owner(), now, what.as_deref()).await?;
        tx.commit().await
    }

    /// Follows a jump of the clock that has lasted, unless it says a time that is past.
    async fn follow(&mut self, told: Time, doubt: Doubt) -> Result<()> {
        let now = self.clock.now();
        let me = self.process.owner();
        let is_own_past = told < now && told >= self.started;
        let is_past = told < now && (is_own_past || seen(&self.store, me, told).await?.is_past);
        if is_past || is_impossible(told) {
            self.clock_watch.doubt = Some(Doubt { is_refused: true, ..doubt });
            let what = format!(
                "the clock is {} the time, which goes on until the clock is set right",
                off(told, now)
            );
            return self.say_of_clock(Some(what), None).await;
        }
        tracing::warn!(was = %now, now = %told, "the clock was set; it is believed");
        let was_trusted = self.clock_watch.is_trusted || now.since(self.started) >= TRUSTED_AFTER;
        if told < now {
            plan::clock_set_back(&self.store, told).await?;
        } else if !was_trusted {
            plan::clock_set_forward(&self.store, self.started, told).await?;
        }
        self.clock_watch.is_trusted = was_trusted && told > now;
        self.put_clock(told, None).await?;
        self.clock.set(told);
        self.started = told;
        self.ahead = Some(told);
        self.next_fire = None;
        self.reaped_at = told;
        self.clock_watch.doubt = None;
        self.stop_alarm().await;
        Ok(())
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
