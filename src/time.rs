//! Time as the database holds it: UTC, cut to microseconds, always passed in.
//!
//! Only [`Clock`] reads the machine's clock, and only the top of the program owns one.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// From this value on a number in an answer is milliseconds, below it seconds.
const MILLIS_FROM: i64 = 100_000_000_000;

/// The year 2200: no answer is about anything later.
const LATEST_MICROS: i64 = 7_258_118_400_000_000;

/// How a time is written as text, in SQLite and in rows on their way to either database.
const TEXT: &str = "%Y-%m-%d %H:%M:%S";

/// An instant in UTC, cut to microseconds.
///
/// Written as `2026-03-09 14:10:42` (with a fraction only where there is one), which sorts as
/// text in the order of time and reads the same in SQLite's date functions and in PostgreSQL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(DateTime<Utc>);

impl Time {
    /// The beginning of 1970, before anything this program knows of.
    pub const EPOCH: Self = Self(DateTime::UNIX_EPOCH);

    /// Later than anything: the last second of the year 9999.
    pub const MAX: Self = Self(DateTime::from_timestamp(253_402_300_799, 0).unwrap());

    /// The instant, cut to microseconds.
    pub fn new(at: DateTime<Utc>) -> Self {
        Self(DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at))
    }

    /// An instant from microseconds since 1970; `None` outside the calendar.
    pub fn from_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).map(Self)
    }

    /// An instant from an answer's number, seconds or milliseconds since 1970.
    /// Zero and negative numbers mean "never" upstream and give `None`, and so does a time that is
    /// too far ahead to be one.
    pub fn from_upstream(number: i64) -> Option<Self> {
        let micros = match number {
            ..=0 => return None,
            1..MILLIS_FROM => number.checked_mul(1_000_000)?,
            _ => number.checked_mul(1_000)?,
        };
        Self::from_micros(micros).filter(|_| micros < LATEST_MICROS)
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// The instant as chrono has it.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }

    /// This much later; the same instant where the calendar ends.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        TimeDelta::from_std(span)
            .ok()
            .and_then(|delta| self.0.checked_add_signed(delta))
            .map_or(self, Self::new)
    }

    /// This much earlier; the same instant where the calendar begins.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        TimeDelta::from_std(span)
            .ok()
            .and_then(|delta| self.0.checked_sub_signed(delta))
            .map_or(self, Self::new)
    }

    /// When the day of this instant began in a zone.
    #[must_use]
    pub fn last_midnight(self, zone: Tz) -> Self {
        midnight(self.0.with_timezone(&zone).date_naive(), zone).unwrap_or(self)
    }

    /// When the next day begins in a zone.
    #[must_use]
    pub fn next_midnight(self, zone: Tz) -> Self {
        let tomorrow = self.0.with_timezone(&zone).date_naive() + Days::new(1);
        midnight(tomorrow, zone).unwrap_or_else(|| self.plus(Duration::from_hours(24)))
    }

    /// Its day in a zone, `YYYY-MM-DD`.
    pub fn day(self, zone: Tz) -> String {
        self.0.with_timezone(&zone).date_naive().to_string()
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        (self.0 - earlier.0).to_std().unwrap_or_default()
    }
}

/// The beginning of a day. Where the clocks skip midnight, the day begins an hour late.
fn midnight(date: NaiveDate, zone: Tz) -> Option<Time> {
    let at = date.and_time(NaiveTime::MIN);
    let local = at.and_local_timezone(zone).earliest();
    let local = local.or_else(|| (at + TimeDelta::hours(1)).and_local_timezone(zone).earliest());
    local.map(|local| Time::new(local.to_utc()))
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = self.0.timestamp_subsec_micros();
        write!(f, "{}", self.0.format(TEXT))?;
        if fraction == 0 {
            return Ok(());
        }
        write!(f, ".{}", format!("{fraction:06}").trim_end_matches('0'))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for Time {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(text).map(|at| Self::new(at.to_utc())).or_else(|_| {
            chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
                .map(|at| Self::new(at.and_utc()))
        })
    }
}

/// As text where people may read it, else as microseconds since 1970.
impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(self),
            false => serializer.serialize_i64(self.micros()),
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// What tells the time: the machine's clock, or one that only moves when told to jump.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    /// Runs with the time since the machine's boot from the instant it was last set to.
    Steady(Arc<Mutex<(Time, Duration)>>),
    /// Runs at the pace of the real clock from the instant last jumped to.
    Jumping(Arc<Mutex<(Time, Instant)>>),
    /// Stands still between jumps.
    Standing(Arc<Mutex<Standing>>),
}

#[derive(Clone, Copy, Debug)]
struct Standing {
    now: Time,
    /// How far the machine's clock is ahead, in microseconds.
    ahead: i64,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that starts at the machine's time and does not follow its jumps until it is
    /// [`set`](Self::set): for a daemon, which decides whether to believe them.
    pub fn steady() -> Self {
        Self(Source::Steady(Arc::new(Mutex::new((machine(), since_boot())))))
    }

    /// A clock that starts at `start`, runs at the real pace and jumps over idle stretches: for
    /// what is measured.
    pub fn jumping(start: Time) -> Self {
        Self(Source::Jumping(Arc::new(Mutex::new((start, monotonic())))))
    }

    /// A clock that stands at `start` until it is told to jump: every run is the same.
    pub fn standing(start: Time) -> Self {
        Self(Source::Standing(Arc::new(Mutex::new(Standing { now: start, ahead: 0 }))))
    }

    /// The time now.
    pub fn now(&self) -> Time {
        match &self.0 {
            Source::System => machine(),
            Source::Steady(state) => {
                let (base, since) = *state.lock().unwrap_or_else(PoisonError::into_inner);
                base.plus(since_boot().saturating_sub(since))
            }
            Source::Jumping(state) => {
                let (base, since) = *state.lock().unwrap_or_else(PoisonError::into_inner);
                base.plus(since.elapsed())
            }
            Source::Standing(state) => state.lock().unwrap_or_else(PoisonError::into_inner).now,
        }
    }

    /// What the machine's clock says, which may be wrong and jump.
    pub fn machine(&self) -> Time {
        match &self.0 {
            Source::Steady(_) => machine(),
            Source::Standing(state) => {
                let Standing { now, ahead } = *state.lock().unwrap_or_else(PoisonError::into_inner);
                Time::from_micros(now.micros() + ahead).unwrap_or(now)
            }
            Source::System | Source::Jumping(_) => self.now(),
        }
    }

    /// Whether it is a [`steady`](Self::steady) one.
    pub fn is_steady(&self) -> bool {
        matches!(self.0, Source::Steady(_))
    }

    /// Sets a steady or a standing clock to `at`. The machine's clock stays as it is.
    pub fn set(&self, at: Time) {
        let machine = self.machine();
        match &self.0 {
            Source::Steady(state) => {
                *state.lock().unwrap_or_else(PoisonError::into_inner) = (at, since_boot());
            }
            Source::Standing(state) => {
                let ahead = machine.micros() - at.micros();
                *state.lock().unwrap_or_else(PoisonError::into_inner) = Standing { now: at, ahead };
            }
            Source::System | Source::Jumping(_) => {}
        }
    }

    /// Sets the machine's clock of a standing clock, which itself stands where it is.
    pub fn set_machine(&self, at: Time) {
        if let Source::Standing(state) = &self.0 {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.ahead = at.micros() - state.now.micros();
        }
    }

    /// Whether time passes only when this clock is told to jump.
    pub fn stands(&self) -> bool {
        matches!(self.0, Source::Standing(_))
    }

    /// Moves a clock of our own to `at`, never backwards. The machine's clock stays as it is.
    pub fn jump_to(&self, at: Time) {
        let at = at.max(self.now());
        match &self.0 {
            Source::Standing(state) => {
                state.lock().unwrap_or_else(PoisonError::into_inner).now = at;
            }
            _ => self.correct(at),
        }
    }

    /// Puts a clock of our own right, backwards as well. The machine's clock stays as it is.
    pub fn correct(&self, at: Time) {
        match &self.0 {
            Source::System | Source::Steady(_) => {}
            Source::Jumping(state) => {
                *state.lock().unwrap_or_else(PoisonError::into_inner) = (at, monotonic());
            }
            Source::Standing(state) => {
                *state.lock().unwrap_or_else(PoisonError::into_inner) =
                    Standing { now: at, ahead: 0 };
            }
        }
    }

    /// Waits until `at`: sleeps by the machine's clock, jumps with one of our own.
    pub async fn sleep_until(&self, at: Time) {
        match &self.0 {
            Source::System | Source::Steady(_) => {
                tokio::time::sleep(at.since(self.now())).await;
            }
            Source::Jumping(_) | Source::Standing(_) => self.jump_to(at),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn machine() -> Time {
    Time::new(Utc::now())
}

/// The time since the machine's boot, suspended time included.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    let at = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(at).unwrap_or_default()
}

/// The time since the first call.
#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    FIRST.get_or_init(monotonic).elapsed()
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn monotonic() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        text.parse().expect("a time")
    }

    #[test]
    fn seconds_and_milliseconds_give_the_same_instant_and_zero_gives_none() {
        assert_eq!(Time::from_upstream(1_773_065_442), Some(time("2026-03-09 14:10:42")));
        assert_eq!(Time::from_upstream(1_773_065_442_000), Some(time("2026-03-09T14:10:42Z")));
        assert_eq!(Time::from_upstream(0), None);
        assert_eq!(Time::from_upstream(-1), None);
        assert_eq!(Time::from_upstream(i64::MAX), None);
        assert_eq!(Time::from_upstream(1_773_065_442_000_000), None, "microseconds");
    }

    #[test]
    fn text_sorts_as_time_does_and_reads_back() {
        let times = ["2026-03-09 14:10:42", "2026-03-09 14:10:42.25", "2026-03-09 14:10:42.5"];
        assert!(times.is_sorted());
        for text in times {
            assert_eq!(time(text).to_string(), text);
        }
    }

    #[test]
    fn a_standing_clock_jumps_forward_and_never_back() {
        let clock = Clock::standing(time("2026-03-09 00:00:00"));
        clock.jump_to(time("2026-03-10 00:00:00"));
        clock.jump_to(time("2026-03-09 12:00:00"));
        assert_eq!(clock.now(), time("2026-03-10 00:00:00"));
    }

    #[test]
    fn a_day_begins_at_midnight_of_its_zone_or_an_hour_later() {
        let midnight = time("2026-03-09 16:00:00");
        assert_eq!(time("2026-03-09 15:59:59").next_midnight(Tz::Asia__Shanghai), midnight);
        assert_eq!(midnight.last_midnight(Tz::Asia__Shanghai), midnight);
        let next = midnight.next_midnight(Tz::Asia__Shanghai);
        assert_eq!(next, time("2026-03-10 16:00:00"));
        // In Cairo the clocks of 24 April 2026 skip the first hour of the day.
        let next = time("2026-04-23 20:00:00").next_midnight(Tz::Africa__Cairo);
        assert_eq!(next, time("2026-04-23 22:00:00"));
    }
}
