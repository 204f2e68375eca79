//! Rate limiter of an endpoint: pure arithmetic over its row in the database.
//!
//! A virtual scheduling clock (GCRA): the calls so far use up the rate until `paid_through`. A call is
//! allowed while that is less than a second ahead, and moves it on by one interval. "Too fast"
//! from upstream halves the speed, which recovers step by step.

use std::time::Duration;

use crate::store::EndpointRow;
use crate::time::Time;

/// Burst: how far `paid_through` may be ahead of the clock.
const WINDOW: Duration = Duration::from_secs(1);

/// The full speed, in thousandths of the configured rate.
const FULL: i64 = 1000;

/// The lowest speed.
const SLOWEST: i64 = 50;

/// The gain of one recovery step.
const STEP: i64 = 100;

/// Interval between two recovery steps.
const STEP_INTERVAL: Duration = Duration::from_secs(30);

/// The current speed, in thousandths of the configured rate.
pub(super) fn speed(row: &EndpointRow, now: Time) -> i64 {
    let steps = row.slowed_at.map_or(0, |at| now.since(at).as_secs() / STEP_INTERVAL.as_secs());
    let gained = STEP.saturating_mul(i64::try_from(steps).unwrap_or(FULL));
    row.speed_permille.saturating_add(gained).clamp(SLOWEST, FULL)
}

/// The speed after "too fast".
pub(super) fn slower(row: &EndpointRow, now: Time) -> i64 {
    (speed(row, now) / 2).max(SLOWEST)
}

/// How many calls are allowed now, and how long until the next one after them.
pub(super) fn room(row: &EndpointRow, rate_per_second: u32, now: Time) -> (usize, Duration) {
    let interval = interval(row, rate_per_second, now);
    let window = WINDOW.max(interval);
    let ahead = ahead(row, window, now);
    let free = window.saturating_sub(ahead).as_micros() / interval.as_micros();
    let free = usize::try_from(free).unwrap_or(usize::MAX);
    let next = ahead + interval * u32::try_from(free + 1).unwrap_or(u32::MAX);
    (free, next.saturating_sub(window))
}

/// The new `paid_through` after this many calls now.
pub(super) fn pay(row: &EndpointRow, rate_per_second: u32, calls: usize, now: Time) -> Time {
    let interval = interval(row, rate_per_second, now);
    let ahead = ahead(row, WINDOW.max(interval), now);
    now.plus(ahead + interval * u32::try_from(calls).unwrap_or(u32::MAX))
}

/// How far `paid_through` is ahead. More than the window was written under a clock that was ahead.
fn ahead(row: &EndpointRow, window: Duration, now: Time) -> Duration {
    row.paid_through.since(now).min(window)
}

fn interval(row: &EndpointRow, rate_per_second: u32, now: Time) -> Duration {
    let permille = u32::try_from(speed(row, now)).unwrap_or(1).max(1);
    Duration::from_secs(1000) / permille / rate_per_second.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        let start: Time = "2026-03-09 09:00:00".parse().expect("a time");
        start.plus(Duration::from_secs(seconds))
    }

    fn row() -> EndpointRow {
        EndpointRow { paid_through: at(0), speed_permille: FULL, slowed_at: None, failures: 0 }
    }

    #[test]
    fn burst_is_one_second_of_calls_then_one_per_interval() {
        let mut row = row();
        assert_eq!(room(&row, 5, at(10)), (5, Duration::from_millis(200)));
        row.paid_through = pay(&row, 5, 5, at(10));
        assert_eq!(room(&row, 5, at(10)), (0, Duration::from_millis(200)));
        assert_eq!(room(&row, 5, at(10).plus(Duration::from_millis(400))).0, 2);
        assert_eq!(room(&row, 5, at(11)).0, 5);
    }

    #[test]
    fn total_of_many_small_steps_keeps_the_rate() {
        let (mut row, mut made) = (row(), Vec::new());
        for tenth in 0..100 {
            let now = at(0).plus(Duration::from_millis(tenth * 100));
            let (free, _) = room(&row, 7, now);
            row.paid_through = pay(&row, 7, free, now);
            made.push(free);
        }
        assert!(made.iter().sum::<usize>() <= 7 * 11, "{made:?}");
        assert!(made.iter().sum::<usize>() >= 7 * 10, "{made:?}");
    }

    #[test]
    fn too_fast_halves_speed_which_recovers_in_steps() {
        let mut row = EndpointRow { slowed_at: Some(at(0)), ..row() };
        row.speed_permille = slower(&row, at(0));
        assert_eq!((row.speed_permille, room(&row, 4, at(0)).0), (500, 2));
        row.speed_permille = slower(&row, at(0));
        assert_eq!([0, 30, 60, 600].map(|s| speed(&row, at(s))), [250, 350, 450, 1000]);
        for _ in 0..9 {
            row.speed_permille = slower(&row, at(0));
        }
        assert_eq!(row.speed_permille, SLOWEST);
        assert_eq!(room(&row, 1, at(0)).0, 1, "the lowest speed still allows single calls");
    }

    #[test]
    fn clock_set_back_does_not_stop_endpoint() {
        let row = EndpointRow { paid_through: at(86_400), ..row() };
        let (free, wait) = room(&row, 5, at(0));
        assert!(free == 0 && wait <= WINDOW, "{wait:?}");
    }
}
