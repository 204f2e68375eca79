//! When daemons were at work: which times are past.

use std::time::Duration;

use crate::plan::CLOCK_SLIP;
use crate::store::DaemonSpan;
use crate::time::Time;

/// A clock that is wrong at the machine's start or steps is often corrected within this time.
pub(super) const SETTLING: Duration = Duration::from_secs(30);

/// How long a clock must say a time that seems past before it is believed.
pub(super) const INSISTING: Duration = Duration::from_secs(600);

/// An archive that daemons have worked on for less has no past yet.
pub(super) const YOUNG: Duration = Duration::from_secs(3600);

/// The time that daemons have lived through.
#[derive(Debug)]
pub(super) struct Lived(pub(super) Vec<DaemonSpan>);

impl Lived {
    /// The last time on record.
    pub(super) fn latest(&self) -> Option<Time> {
        self.0.iter().map(|span| span.until.max(span.since)).max()
    }

    /// How long daemons were at work.
    pub(super) fn total(&self) -> Duration {
        self.after(Time::EPOCH)
    }

    fn after(&self, at: Time) -> Duration {
        self.0.iter().map(|span| span.until.since(span.since.max(at))).sum()
    }

    fn before(&self, at: Time) -> Duration {
        self.0.iter().map(|span| span.until.min(at).since(span.since)).sum()
    }

    /// Whether a daemon was at work at `at` and later.
    fn holds(&self, at: Time) -> bool {
        self.0.iter().any(|span| span.since <= at && span.until.since(at) > CLOCK_SLIP)
    }

    /// Whether a clock that says `at` is behind, or time was lived twice: then what is decided for
    /// later times has happened. Else a clock was ahead for a while, and it has not.
    pub(super) fn is_past(&self, at: Time) -> bool {
        self.holds(at) || self.after(at) > self.before(at).max(YOUNG)
    }

    /// How long a clock must say `at` before it is believed.
    pub(super) fn doubted_for(&self, at: Time) -> Duration {
        if self.holds(at) || self.after(at) > YOUNG { INSISTING } else { SETTLING }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Daemons at work from one of these days of March 2026, and hour, to the other.
    fn lived(spans: &[(&str, &str)]) -> Lived {
        let span = |&(since, until)| DaemonSpan { since: at(since), until: at(until) };
        Lived(spans.iter().map(span).collect())
    }

    fn at(day_hour: &str) -> Time {
        format!("2026-03-{day_hour}:00:00").parse().expect("a time")
    }

    #[test]
    fn time_between_daemons_is_past_only_if_they_lived_longer_after_it() {
        let long = lived(&[("02 00", "08 00"), ("12 00", "14 00")]);
        assert!(long.is_past(at("03 00")), "within");
        assert!(long.is_past(at("01 00")), "before the first");
        assert!(!long.is_past(at("10 00")), "the archive was ahead for two days");
        assert!(!long.is_past(at("20 00")), "after the last");
        assert_eq!(long.doubted_for(at("10 00")), INSISTING);
        assert_eq!(long.doubted_for(at("20 00")), SETTLING);
    }

    #[test]
    fn archive_of_an_hour_has_no_past_outside_it() {
        let young = lived(&[("12 00", "12 01")]);
        assert!(!young.is_past(at("10 00")));
        assert_eq!(young.doubted_for(at("10 00")), SETTLING);
        assert!(young.is_past(at("12 00")));
    }
}
