//! When a job fires: a cron pattern in a time zone.
//!
//! A pattern has five fields, or six with seconds in front, or is a nickname such as `@hourly`.
//! When day-of-month and day-of-week are both set, either may match, as in classic cron. A
//! pattern that names a wall-clock time fires once on the days of a clock change; one that repeats
//! keeps its interval. Outside its [`Active`] windows it does not fire.

mod active;
mod advice;
mod fields;
mod pattern;
mod policy;

use std::str::FromStr;
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use croner::Cron;

use crate::time::Time;

pub use active::Active;
pub use policy::{GRACE, Misfire, Overlap};

/// Shortest interval allowed between two fires: shorter ones are nearly always a stray `*` in the
/// seconds field, and every fire costs money.
const MIN_INTERVAL: Duration = Duration::from_secs(10);

/// Where the checks of a pattern begin: the start of a leap year, so that 29 February is near. Patterns
/// have no year field, so any start gives the same result.
const CHECKS_FROM_MICROS: i64 = 1_704_067_200_000_000;

/// Fires checked for the shortest interval: enough for neighbours within a minute, an hour and a day.
const FIRES_CHECKED: usize = 200;

/// Days in a week, the period of most schedules.
const WEEK: u32 = 7;

/// Days in a year.
const YEAR: u32 = 365;

/// Days in 28 years, after which dates fall on the same weekdays again.
const SOLAR_CYCLE: u32 = 10_227;

/// First window of the search for the latest fires; it grows until they are found.
const FIRST_SEARCH_WINDOW: Duration = Duration::from_secs(60);

/// A cron pattern in a time zone.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The pattern as written: 5 or 6 fields, or `@hourly` and its like.
    pub pattern: String,
    /// The zone.
    pub zone: Tz,
    /// The windows in which it fires.
    pub active: Active,
    cron: Cron,
}

impl Schedule {
    /// Parses a pattern. The error says what is wrong and suggests a correction.
    pub fn parse(pattern: &str, zone: Tz) -> Result<Self, String> {
        let pattern = pattern.trim();
        let cron = pattern::read(pattern)?;
        let schedule = Self { pattern: pattern.to_owned(), zone, active: Active::default(), cron };
        if schedule.next_after(checks_from()).is_none() {
            return Err("it never fires: no such date exists".to_owned());
        }
        schedule.check_interval()?;
        Ok(schedule)
    }

    /// Restricts the schedule to these windows. Fails when it never fires within them.
    pub fn within(self, active: Active) -> Result<Self, String> {
        let schedule = Self { active, ..self };
        match schedule.next_after(checks_from()) {
            Some(_) => Ok(schedule),
            None => Err(format!("`{}` never fires within these windows", schedule.pattern)),
        }
    }

    /// The schedule of a job in the database; `None` if a newer version wrote one that this version
    /// cannot parse.
    pub fn stored(pattern: &str, zone: &str, active: Option<&str>) -> Option<Self> {
        let schedule = Self::parse(pattern, zone.parse().ok()?).ok()?;
        match active {
            Some(windows) => schedule.within(Active::parse(windows).ok()?).ok(),
            None => Some(schedule),
        }
    }

    /// The first fire after `at`; `None` when it never fires again.
    pub fn next_after(&self, at: Time) -> Option<Time> {
        let local = at.utc().with_timezone(&self.zone);
        let horizon = local + TimeDelta::days(i64::from(SOLAR_CYCLE));
        let mut next = self.cron.find_next_occurrence(&local, false).ok()?;
        while !self.active.contains(&next) {
            // Steps from window to window: there may be thousands of fires in between.
            let opens = self.active.opens_after(&next).filter(|opens| *opens < horizon)?;
            next = self.cron.find_next_occurrence(&opens, true).ok()?;
        }
        Some(Time::new(next.to_utc()))
    }

    /// The fires after `after`, up to and including `until`, oldest first.
    pub fn fires(&self, after: Time, until: Time) -> impl Iterator<Item = Time> {
        std::iter::successors(self.next_after(after), |at| self.next_after(*at))
            .take_while(move |at| *at <= until)
    }

    /// The latest fires after `after`, up to and including `until`: at most `most`, oldest first.
    pub fn latest(&self, after: Time, until: Time, most: usize) -> Vec<Time> {
        let mut window = FIRST_SEARCH_WINDOW;
        loop {
            let begin = until.minus(window).max(after);
            let mut fires: Vec<_> = self.fires(begin, until).collect();
            if fires.len() >= most || begin == after {
                return fires.split_off(fires.len().saturating_sub(most));
            }
            window *= 4;
        }
    }

    /// The pattern in English, such as "At 09:00, on Monday".
    pub fn describe(&self) -> String {
        self.cron.describe()
    }

    /// Whether day-of-month and day-of-week are both set: that means *or*, and people often mean *and*.
    pub fn either_day_matches(&self) -> bool {
        let pattern = &self.cron.pattern;
        !pattern.is_dom_wildcard() && !pattern.is_dow_wildcard() && !pattern.matches_dom_and_dow()
    }

    /// Why the fires are not evenly spread, if a step such as `*/45` does not fill the hour.
    pub fn uneven_step(&self) -> Option<String> {
        advice::uneven(&self.pattern)
    }

    /// Average number of fires a day, over the coming week, or over a year or 28 years if a week has too
    /// few.
    pub fn fires_per_day(&self, from: Time) -> f64 {
        self.fires_per_day_beside(&[], from)
    }

    /// The same of its fires at which none of `others` fires.
    pub fn fires_per_day_beside(&self, others: &[&Self], from: Time) -> f64 {
        if others.iter().any(|other| other.is_same(self)) {
            return 0.0;
        }
        for days in [WEEK, YEAR, SOLAR_CYCLE] {
            let until = from.plus(Duration::from_hours(24 * u64::from(days)));
            let enough = usize::try_from(days).unwrap_or(usize::MAX);
            let (mut fires, mut alone) = (0_usize, 0_u32);
            for at in self.fires(from, until) {
                fires += 1;
                alone += u32::from(!others.iter().any(|other| other.fires_at(at)));
            }
            if days == SOLAR_CYCLE || fires >= enough || (days == YEAR && fires > 1) {
                return f64::from(alone) / f64::from(days);
            }
        }
        0.0
    }

    fn fires_at(&self, at: Time) -> bool {
        self.next_after(at.minus(Duration::from_micros(1))) == Some(at)
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.pattern, self.zone, &self.active) == (&other.pattern, other.zone, &other.active)
    }

    /// The shortest interval between two consecutive fires.
    pub fn shortest_interval(&self) -> Duration {
        let first = self.next_after(checks_from());
        let fires = std::iter::successors(first, |at| self.next_after(*at)).take(FIRES_CHECKED);
        let fires: Vec<_> = fires.collect();
        let gaps = fires.iter().zip(fires.iter().skip(1)).map(|(at, next)| next.since(*at));
        gaps.min().unwrap_or(Duration::MAX)
    }

    fn check_interval(&self) -> Result<(), String> {
        let interval = self.shortest_interval();
        if interval < MIN_INTERVAL { Err(self.too_often(interval)) } else { Ok(()) }
    }

    fn too_often(&self, interval: Duration) -> String {
        let mut minutes: Vec<&str> = self.pattern.split_whitespace().collect();
        // `*/5 * * * * *` is meant to be minutes, and has one `*` too many.
        match (minutes.first(), minutes.last()) {
            (Some(&first), Some(&"*")) if first != "*" => _ = minutes.pop(),
            _ => _ = minutes.remove(0),
        }
        format!(
            "it fires every {} s, and the minimum is {} s: with six fields the first one is seconds; \
             `{}` (five fields) fires on the minute",
            interval.as_secs(),
            MIN_INTERVAL.as_secs(),
            minutes.join(" "),
        )
    }
}

fn checks_from() -> Time {
    // One second early, so that a fire at midnight counts.
    Time::from_micros(CHECKS_FROM_MICROS - 1_000_000)
        .unwrap_or_else(|| Time::new(Default::default()))
}

impl FromStr for Schedule {
    type Err = String;

    /// Parses a pattern in UTC.
    fn from_str(pattern: &str) -> Result<Self, String> {
        Self::parse(pattern, Tz::UTC)
    }
}

#[cfg(test)]
mod tests;
