//! How fast an endpoint may be asked: pure arithmetic over its row in the database.
//!
//! One instant says it all: the calls made so far use up the rate until `paid_through`. A call may
//! be made while that is less than a second ahead, and moves it on by one interval. The speed is
//! cut by half when upstream says "too fast", and comes back step by step.

use std::time::Duration;

use crate::store::EndpointRow;
use crate::time::Time;

/// How far ahead of the clock an endpoint may be paid for: calls that come together may be made
/// together, a second's worth.
const WINDOW: Duration = Duration::from_secs(1);

/// The full speed, in thousandths of the configured rate.
const FULL: i64 = 1000;

/// The least speed that it is cut to.
const SLOWEST: i64 = 50;

/// What comes back in each step.
const STEP: i64 = 100;

/// How long each step takes.
const STEP_EVERY: Duration = Duration::from_secs(30);

/// The speed now, in thousandths of the configured rate.
pub(super) fn speed(row: &EndpointRow, now: Time) -> i64 {
    let steps = row.slowed_at.map_or(0, |at| now.since(at).as_secs() / STEP_EVERY.as_secs());
    let gained = STEP.saturating_mul(i64::try_from(steps).unwrap_or(FULL));
    row.speed_permille.saturating_add(gained).clamp(SLOWEST, FULL)
}

/// The speed to go on with after "too fast".
pub(super) fn slower(row: &EndpointRow, now: Time) -> i64 {
    (speed(row, now) / 2).max(SLOWEST)
}

/// How many calls may be made now, and how long until the next one after them.
pub(super) fn room(row: &EndpointRow, rate_per_second: u32, now: Time) -> (usize, Duration) {
    let interval = interval(row, rate_per_second, now);
    let window = WINDOW.max(interval);
    let ahead = ahead(row, window, now);
    let free = window.saturating_sub(ahead).as_micros() / interval.as_micros();
    let free = usize::try_from(free).unwrap_or(usize::MAX);
    let next = ahead + interval * u32::try_from(free + 1).unwrap_or(u32::MAX);
    (free, next.saturating_sub(window))
}

/// How far the endpoint is paid for after so many calls now.
pub(super) fn pay(row: &EndpointRow, rate_per_second: u32, calls: usize, now: Time) -> Time {
    let interval = interval(row, rate_per_second, now);
    let ahead = ahead(row, WINDOW.max(interval), now);
    now.plus(ahead + interval * u32::try_from(calls).unwrap_or(u32::MAX))
}

/// One that is paid for further ahead than can be was paid for under a clock that was ahead.
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
    fn a_second_of_calls_may_be_made_at_once_and_then_one_an_interval() {
        let mut row = row();
        assert_eq!(room(&row, 5, at(10)), (5, Duration::from_millis(200)));
        row.paid_through = pay(&row, 5, 5, at(10));
        assert_eq!(room(&row, 5, at(10)), (0, Duration::from_millis(200)));
        assert_eq!(room(&row, 5, at(10).plus(Duration::from_millis(400))).0, 2);
        assert_eq!(room(&row, 5, at(11)).0, 5);
    }

    #[test]
    fn whatever_the_steps_no_second_window_holds_more_than_twice_the_rate_at_its_start() {
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
    fn too_fast_halves_the_speed_which_comes_back_step_by_step() {
        let mut row = EndpointRow { slowed_at: Some(at(0)), ..row() };
        row.speed_permille = slower(&row, at(0));
        assert_eq!((row.speed_permille, room(&row, 4, at(0)).0), (500, 2));
        row.speed_permille = slower(&row, at(0));
        assert_eq!([0, 30, 60, 600].map(|s| speed(&row, at(s))), [250, 350, 450, 1000]);
        for _ in 0..9 {
            row.speed_permille = slower(&row, at(0));
        }
        assert_eq!(row.speed_permille, SLOWEST);
        assert_eq!(room(&row, 1, at(0)).0, 1, "even the slowest makes a call now and then");
    }

    #[test]
    fn a_clock_put_back_does_not_stop_an_endpoint() {
        let row = EndpointRow { paid_through: at(86_400), ..row() };
        let (free, wait) = room(&row, 5, at(0));
        assert!(free == 0 && wait <= WINDOW, "{wait:?}");
    }
}
