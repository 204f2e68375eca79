//! Patterns, zones, and the days the clocks change.

use super::*;

fn time(text: &str) -> Time {
    text.parse().expect("a time")
}

fn schedule(pattern: &str, zone: Tz) -> Schedule {
    Schedule::parse(pattern, zone).expect("a schedule")
}

/// The next fires after a time, in UTC, without the date's year.
fn next(pattern: &str, zone: Tz, after: &str, count: usize) -> Vec<String> {
    let schedule = schedule(pattern, zone);
    let first = schedule.next_after(time(after));
    std::iter::successors(first, |at| schedule.next_after(*at))
        .take(count)
        .map(|at| at.utc().format("%m-%d %H:%M:%S").to_string())
        .collect()
}

fn refused(pattern: &str) -> String {
    Schedule::parse(pattern, Tz::UTC).expect_err("must be refused")
}

#[test]
fn five_fields_six_fields_and_nicknames_are_read() {
    let after = "2026-03-09 14:10:42";
    let shanghai = Tz::Asia__Shanghai;
    assert_eq!(next("30 9 * * *", shanghai, after, 2), ["03-10 01:30:00", "03-11 01:30:00"]);
    assert_eq!(next("15 30 9 * * *", shanghai, after, 1), ["03-10 01:30:15"]);
    assert_eq!(next("@hourly", Tz::UTC, after, 1), ["03-09 15:00:00"]);
    assert_eq!(next("@daily", shanghai, after, 1), ["03-09 16:00:00"]);
    assert_eq!(next("@MIDNIGHT", shanghai, after, 1), ["03-09 16:00:00"]);
    assert_eq!(next("@weekly", Tz::UTC, after, 1), ["03-15 00:00:00"]);
    assert_eq!(next("@monthly", Tz::UTC, after, 1), ["04-01 00:00:00"]);
    assert_eq!(next("@yearly", Tz::UTC, after, 1), ["01-01 00:00:00"]);
    assert_eq!(next(" 0  9 * * MON-FRI ", Tz::UTC, after, 1), ["03-10 09:00:00"]);
}

#[test]
fn nine_o_clock_stays_nine_o_clock_when_new_york_changes_its_clocks() {
    let zone = Tz::America__New_York;
    assert_eq!(
        next("0 9 * * *", zone, "2027-03-12 20:00:00", 3),
        ["03-13 14:00:00", "03-14 13:00:00", "03-15 13:00:00"]
    );
    assert_eq!(
        next("0 9 * * *", zone, "2027-11-05 20:00:00", 3),
        ["11-06 13:00:00", "11-07 14:00:00", "11-08 14:00:00"]
    );
}

#[test]
fn every_half_hour_keeps_its_pace_through_the_repeated_and_the_skipped_hour() {
    let zone = Tz::America__New_York;
    assert_eq!(
        next("*/30 * * * *", zone, "2027-11-07 04:45:00", 5),
        ["11-07 05:00:00", "11-07 05:30:00", "11-07 06:00:00", "11-07 06:30:00", "11-07 07:00:00"]
    );
    assert_eq!(
        next("*/30 * * * *", zone, "2027-03-14 06:15:00", 3),
        ["03-14 06:30:00", "03-14 07:00:00", "03-14 07:30:00"]
    );
}

#[test]
fn a_time_in_the_repeated_hour_fires_once() {
    let fires = next("30 1 * * *", Tz::America__New_York, "2027-11-07 00:00:00", 2);
    assert_eq!(fires, ["11-07 05:30:00", "11-08 06:30:00"]);
}

#[test]
fn a_time_in_the_skipped_hour_fires_once_that_day() {
    let fires = next("30 2 * * *", Tz::America__New_York, "2027-03-14 00:00:00", 2);
    assert_eq!(fires, ["03-14 07:00:00", "03-15 06:30:00"]);
}

#[test]
fn a_leap_day_fires_every_four_years() {
    let leap = schedule("0 0 29 2 *", Tz::UTC);
    assert_eq!(leap.next_after(time("2026-03-01 00:00:00")), Some(time("2028-02-29 00:00:00")));
    let a_day = leap.fires_per_day(time("2026-03-01 00:00:00"));
    assert!((a_day * 1461.0 - 1.0).abs() < 0.01, "{a_day}");
}

#[test]
fn fires_a_day_are_counted_over_a_week_or_a_longer_time() {
    let from = time("2026-03-09 00:00:00");
    let a_day = |pattern| schedule(pattern, Tz::Asia__Shanghai).fires_per_day(from);
    let near = |is: f64, wanted: f64| assert!((is - wanted).abs() < 0.001, "{is} {wanted}");
    near(a_day("*/30 * * * *"), 48.0);
    near(a_day("0 9 * * *"), 1.0);
    near(a_day("0 9,21 * * 1-5"), 10.0 / 7.0);
    near(a_day("@weekly"), 52.0 / 365.0);
    near(a_day("@monthly"), 12.0 / 365.0);
    near(a_day("*/10 * * * * *"), 8640.0);
}

#[test]
fn both_day_fields_mean_either() {
    let either = schedule("0 0 1 * MON", Tz::UTC);
    assert!(either.either_day_matches());
    let next = either.next_after(time("2026-03-03 00:00:00"));
    assert_eq!(next, Some(time("2026-03-09 00:00:00")));
    assert!(!schedule("0 0 1 * *", Tz::UTC).either_day_matches());
}

#[test]
fn a_schedule_that_never_fires_is_refused() {
    for pattern in ["0 0 0 31 2 *", "0 0 30 2 *"] {
        assert!(refused(pattern).contains("never fires"), "{}", refused(pattern));
    }
}

#[test]
fn a_schedule_that_fires_by_the_second_is_refused_and_the_minute_is_offered() {
    assert!(refused("* * * * * *").contains("`* * * * *` (five fields)"));
    assert!(refused("*/5 * * * * *").contains("every 5 s"));
    assert!(refused("* 0 9 * * *").contains("`0 9 * * *`"));
    assert!(refused("0,55 0,59 * * * *").contains("every 5 s"));
    assert!(Schedule::parse("*/10 * * * * *", Tz::UTC).is_ok());
}

#[test]
fn other_mistakes_are_explained() {
    assert!(refused("0 25 * * *").contains("bounds"), "{}", refused("0 25 * * *"));
    assert!(refused("0 * * *").contains("4 fields"));
    assert!(refused("0 0 0 1 1 * 2030").contains("7 fields"));
    assert!(refused("@reboot").contains("by the clock"));
    assert!(refused("@dayly").contains("`@daily`"));
    assert!(refused("").contains("empty"));
}

#[test]
fn the_english_text_is_for_people() {
    assert_eq!(schedule("0 9 * * MON", Tz::UTC).describe(), "At 09:00, on Monday.");
}
