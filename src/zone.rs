//! The UTC offsets of a time zone, as rows for a database that knows no time zones.

use std::time::Duration;

use chrono::Offset as _;
use chrono_tz::Tz;

use crate::time::Time;

/// 2000-01-01 in seconds since 1970: nothing older is archived.
const FROM: u64 = 946_684_800;

/// 2100-01-01 in seconds since 1970.
const UNTIL: u64 = 4_102_444_800;

/// No zone changes its offset twice within this many seconds.
const STEP: u64 = 86_400;

/// The offsets of a zone in seconds, each with its start: the first one, and every change from 2000 to
/// 2100.
pub fn offsets(zone: Tz) -> Vec<(Time, i64)> {
    let mut offsets = vec![(Time::EPOCH, offset(zone, FROM))];
    for day in (FROM..UNTIL).step_by(usize::try_from(STEP).unwrap_or(usize::MAX)) {
        let (mut before, mut after) = (day, day + STEP);
        if offset(zone, before) == offset(zone, after) {
            continue;
        }
        let new = offset(zone, after);
        while after - before > 1 {
            let middle = before.midpoint(after);
            if offset(zone, middle) == new { after = middle } else { before = middle }
        }
        offsets.push((at(after), new));
    }
    offsets
}

fn at(second: u64) -> Time {
    Time::EPOCH.plus(Duration::from_secs(second))
}

fn offset(zone: Tz, second: u64) -> i64 {
    at(second).utc().with_timezone(&zone).offset().fix().local_minus_utc().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shanghai_has_one_offset_and_new_york_two_a_year() {
        assert_eq!(offsets(Tz::Asia__Shanghai), [(Time::EPOCH, 8 * 3600)]);
        let offsets = offsets(Tz::America__New_York);
        assert_eq!(offsets.len(), 201);
        for change in [("2026-03-08 07:00:00", -4 * 3600), ("2026-11-01 06:00:00", -5 * 3600)] {
            assert!(offsets.contains(&(change.0.parse().expect("a time"), change.1)), "{change:?}");
        }
    }
}
