//! When a job fires: a cron pattern in a time zone.
//!
//! A pattern has five fields, or six with seconds in front, or is a nickname such as `@hourly`.
//! When day-of-month and day-of-week are both set, either may match, as in classic cron. A
//! pattern that names a wall-clock time fires once on the days the clocks change; one that
//! repeats keeps its pace.
//!
//! Outside of its [`Active`] windows it does not fire at all.

mod active;
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

/// Schedules that fire closer together than this are refused: nearly always a stray `*` in the
/// seconds field, and every fire is paid for.
const SHORTEST_GAP: Duration = Duration::from_secs(10);

/// Where the checks of a pattern begin: the first microsecond of a leap year, so that 29
/// February is near. Patterns have no year field, so any start tells the same.
const CHECKS_FROM_MICROS: i64 = 1_704_067_200_000_000;

/// How many fires are looked at for the shortest gap: more than one of every kind of neighbour
/// (within a minute, an hour, a day) that a pattern can have.
const FIRES_CHECKED: usize = 200;

/// Days in a week: what most schedules repeat after.
const WEEK: u32 = 7;

/// Days in a year.
const YEAR: u32 = 365;

/// Days in 28 years: after so long, dates fall on the same weekdays again.
const SOLAR_CYCLE: u32 = 10_227;

/// The span in which the latest fires are looked for at first; it grows until they are found.
const LOOK_BACK: Duration = Duration::from_secs(60);

/// A cron pattern and the zone it is meant in.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The pattern as written: 5 or 6 fields, or `@hourly` and its like.
    pub pattern: String,
    /// The zone.
    pub zone: Tz,
    /// When it fires at all.
    pub active: Active,
    cron: Cron,
}

impl Schedule {
    /// Reads a pattern. The error says what is wrong with it and what was probably meant.
    pub fn parse(pattern: &str, zone: Tz) -> Result<Self, String> {
        let pattern = pattern.trim();
        let cron = pattern::read(pattern)?;
        let schedule = Self { pattern: pattern.to_owned(), zone, active: Active::default(), cron };
        if schedule.next_after(checks_from()).is_none() {
            return Err("it never fires: no such date exists".to_owned());
        }
        schedule.check_the_gaps()?;
        Ok(schedule)
    }

    /// The same schedule in these windows only. The error says that it never fires there.
    pub fn within(self, active: Active) -> Result<Self, String> {
        let schedule = Self { active, ..self };
        match schedule.next_after(checks_from()) {
            Some(_) => Ok(schedule),
            None => Err(format!("`{}` never fires within these windows", schedule.pattern)),
        }
    }

    /// The schedule of a job as the database has it; `None` where a newer program wrote what this
    /// one cannot read.
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
            // From window to window, not from fire to fire: there may be thousands in between.
            let opens = self.active.opens_after(&next).filter(|opens| *opens < horizon)?;
            next = self.cron.find_next_occurrence(&opens, true).ok()?;
        }
        Some(Time::new(next.to_utc()))
    }

    /// The fires after `after` and not after `until`, oldest first.
    pub fn fires(&self, after: Time, until: Time) -> impl Iterator<Item = Time> {
        std::iter::successors(self.next_after(after), |at| self.next_after(*at))
            .take_while(move |at| *at <= until)
    }

    /// The latest fires after `after` and not after `until`, `most` at the most, oldest first.
    pub fn latest(&self, after: Time, until: Time, most: usize) -> Vec<Time> {
        let mut span = LOOK_BACK;
        loop {
            let begin = until.minus(span).max(after);
            let mut fires: Vec<_> = self.fires(begin, until).collect();
            if fires.len() >= most || begin == after {
                return fires.split_off(fires.len().saturating_sub(most));
            }
            span *= 4;
        }
    }

    /// The pattern in English: "At 09:00, on Monday".
    pub fn describe(&self) -> String {
        self.cron.describe()
    }

    /// Whether day-of-month and day-of-week are both set, which means *or*: people who write it
    /// often mean *and*.
    pub fn either_day_matches(&self) -> bool {
        let pattern = &self.cron.pattern;
        !pattern.is_dom_wildcard() && !pattern.is_dow_wildcard() && !pattern.matches_dom_and_dow()
    }

    /// How many times a day it fires, on average: of the coming week, or of a year or of 28
    /// years where a week holds too few to tell.
    pub fn fires_per_day(&self, from: Time) -> f64 {
        for days in [WEEK, YEAR, SOLAR_CYCLE] {
            let until = from.plus(Duration::from_hours(24 * u64::from(days)));
            let enough = usize::try_from(days).unwrap_or(usize::MAX);
            let fires = self.fires(from, until).count();
            if days == SOLAR_CYCLE || fires >= enough || (days == YEAR && fires > 1) {
                let fires = u32::try_from(fires).unwrap_or(u32::MAX);
                return f64::from(fires) / f64::from(days);
            }
        }
        0.0
    }

    /// The shortest time between two neighbouring fires.
    pub fn shortest_gap(&self) -> Duration {
        let first = self.next_after(checks_from());
        let fires = std::iter::successors(first, |at| self.next_after(*at)).take(FIRES_CHECKED);
        let fires: Vec<_> = fires.collect();
        let gaps = fires.iter().zip(fires.iter().skip(1)).map(|(at, next)| next.since(*at));
        gaps.min().unwrap_or(Duration::MAX)
    }

    fn check_the_gaps(&self) -> Result<(), String> {
        let gap = self.shortest_gap();
        if gap < SHORTEST_GAP { Err(self.too_often(gap)) } else { Ok(()) }
    }

    fn too_often(&self, gap: Duration) -> String {
        let minutes: Vec<&str> = self.pattern.split_whitespace().skip(1).collect();
        format!(
            "it fires every {} s, and {} s is the least: with six fields the first one is seconds; \
             `{}` (five fields) fires on the minute",
            gap.as_secs(),
            SHORTEST_GAP.as_secs(),
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

    /// Reads a pattern meant in UTC.
    fn from_str(pattern: &str) -> Result<Self, String> {
        Self::parse(pattern, Tz::UTC)
    }
}

#[cfg(test)]
mod tests;
