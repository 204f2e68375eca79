//! When a job fires: a cron pattern in a time zone.

use std::str::FromStr;

use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds};

use crate::time::Time;

/// A cron pattern and the zone it is meant in.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The pattern as written: 5 or 6 fields, or `@hourly` and its like.
    pub pattern: String,
    /// The zone.
    pub zone: Tz,
    cron: Cron,
}

impl Schedule {
    /// Reads a pattern; the error is croner's own text.
    pub fn parse(pattern: &str, zone: Tz) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Optional).build();
        let cron = parser.parse(pattern.trim()).map_err(|error| error.to_string())?;
        Ok(Self { pattern: pattern.trim().to_owned(), zone, cron })
    }

    /// The first fire after `at`; `None` when the pattern never matches again.
    pub fn next_after(&self, at: Time) -> Option<Time> {
        let local = at.utc().with_timezone(&self.zone);
        let next = self.cron.find_next_occurrence(&local, false).ok()?;
        Some(Time::new(next.to_utc()))
    }

    /// The fires after `after` and not after `until`, oldest first.
    pub fn fires(&self, after: Time, until: Time) -> impl Iterator<Item = Time> {
        std::iter::successors(self.next_after(after), |at| self.next_after(*at))
            .take_while(move |at| *at <= until)
    }
}

impl FromStr for Schedule {
    type Err = String;

    /// Reads a pattern meant in UTC.
    fn from_str(pattern: &str) -> Result<Self, String> {
        Self::parse(pattern, Tz::UTC)
    }
}
