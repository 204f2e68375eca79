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
fn five_fields_six_fields_and_nicknames_parse() {
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
fn daily_fire_keeps_wall_clock_across_daylight_saving() {
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
fn half_hourly_keeps_interval_in_repeated_and_skipped_hour() {
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
fn time_in_repeated_hour_fires_once() {
    let fires = next("30 1 * * *", Tz::America__New_York, "2027-11-07 00:00:00", 2);
    assert_eq!(fires, ["11-07 05:30:00", "11-08 06:30:00"]);
}

#[test]
fn time_in_skipped_hour_fires_once_that_day() {
    let fires = next("30 2 * * *", Tz::America__New_York, "2027-03-14 00:00:00", 2);
    assert_eq!(fires, ["03-14 07:00:00", "03-15 06:30:00"]);
}

#[test]
fn leap_day_fires_every_four_years() {
    let leap = schedule("0 0 29 2 *", Tz::UTC);
    assert_eq!(leap.next_after(time("2026-03-01 00:00:00")), Some(time("2028-02-29 00:00:00")));
    let a_day = leap.fires_per_day(time("2026-03-01 00:00:00"));
    assert!((a_day * 1461.0 - 1.0).abs() < 0.01, "{a_day}");
}

#[test]
fn fires_per_day_average_over_a_week_or_longer() {
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
fn both_day_fields_mean_either_day() {
    let either = schedule("0 0 1 * MON", Tz::UTC);
    assert!(either.either_day_matches());
    let next = either.next_after(time("2026-03-03 00:00:00"));
    assert_eq!(next, Some(time("2026-03-09 00:00:00")));
    assert!(!schedule("0 0 1 * *", Tz::UTC).either_day_matches());
}

#[test]
fn pattern_that_never_fires_is_refused() {
    for pattern in ["0 0 0 31 2 *", "0 0 30 2 *"] {
        assert!(refused(pattern).contains("never fires"), "{}", refused(pattern));
    }
}

#[test]
fn fires_by_the_second_are_refused_and_minutes_suggested() {
    assert!(refused("* * * * * *").contains("`* * * * *` (five fields)"));
    assert!(refused("*/5 * * * * *").contains("every 5 s"));
    assert!(refused("*/5 * * * * *").contains("`*/5 * * * *` (five fields)"));
    assert!(refused("* 0 9 * * *").contains("`0 9 * * *`"));
    assert!(refused("0,55 0,59 * * * *").contains("every 5 s"));
    assert!(Schedule::parse("*/10 * * * * *", Tz::UTC).is_ok());
}

#[test]
fn wrong_field_is_named_and_valid_one_suggested() {
    for (pattern, explained) in [
        ("0 0/30 * * * ?", "`0/30` is not a valid minute (0-59); did you mean `0 */30 * * * ?`?"),
        ("5/20 * * * *", "`5/20` is not a valid minute (0-59); did you mean `5-59/20 * * * *`?"),
        ("H/20 * * * *", "`H/20` is not a valid minute (0-59); did you mean `*/20 * * * *`?"),
        ("0~30 9 * * *", "`0~30` is not a valid minute (0-59); did you mean `0 9 * * *`?"),
        ("~ * * * *", "`~` is not a valid minute (0-59); did you mean `0 * * * *`?"),
        ("0 24 * * *", "`24` is not a valid hour (0-23); did you mean `0 0 * * *`?"),
        ("0 8-24 * * *", "`8-24` is not a valid hour (0-23); did you mean `0 8-23 * * *`?"),
        ("0 22-3 * * *", "`22-3` is not a valid hour (0-23); did you mean `0 22-23,0-3 * * *`?"),
        ("0 25 * * *", "`25` is not a valid hour (0-23); `0 9-18 * * *` is valid"),
        ("60 9 * * *", "`60` is not a valid minute (0-59); did you mean `0 9 * * *`?"),
        ("61 0 9 * * *", "`61` is not a valid second (0-59); `0 0 9 * * *` is valid"),
        ("0 9 32 * *", "`32` is not a valid day of the month (1-31, L); `0 9 1,15 * *` is valid"),
        ("0 9 * 13 *", "`13` is not a valid month (1-12, JAN-DEC); `0 9 * 1-6 *` is valid"),
        ("0 9 * * FUN", "`FUN` is not a valid weekday (0-7, SUN-SAT); `0 9 * * MON-FRI` is valid"),
        (
            "a b * * *",
            "`a` is not a valid minute (0-59) and `b` is not a valid hour (0-23); `*/15 9-18 * * *` is valid",
        ),
        ("0 */0 * * *", "`*/0` is not a valid hour (0-23); `0 9-18 * * *` is valid"),
    ] {
        assert_eq!(refused(pattern), explained);
        let offered = explained.trim_end_matches('?').rsplit('`').nth(1).expect("a pattern");
        assert!(Schedule::parse(offered, Tz::UTC).is_ok(), "{offered}");
    }
}

#[test]
fn other_invalid_patterns_are_explained() {
    assert!(refused("0 * * *").contains("4 fields"));
    assert!(refused("hourly").contains("1 field,"));
    assert!(refused("0 0 0 1 1 * 2030 x").contains("8 fields"));
    assert!(refused("@reboot").contains("by the clock"));
    assert!(refused("@dayly").contains("`@daily`"));
    assert!(refused("").contains("empty"));
}

#[test]
fn other_dialects_get_the_same_in_cron() {
    for (pattern, said) in [
        ("@every 20m", "write `*/20 * * * *`"),
        ("@every_minute", "write `* * * * *`"),
        ("every 4 hours", "write `0 */4 * * *`"),
        ("每小时", "write `0 * * * *`"),
        ("0 0 9 * * ? *", "no field for the year: write `0 0 9 * * ?`"),
        ("0 0 9 1 1 ? 2031", "which fires in every year"),
        ("0 9 * * * root", "`root` is no part of it: write `0 9 * * *`"),
        ("CRON_TZ=Asia/Tokyo 0 9 * * *", "timezone = \"Asia/Tokyo\" and schedule = \"0 9 * * *\""),
        ("0 9，21 * * *", "full-width signs: write `0 9,21 * * *`"),
        ("0 9 * *", "with seconds in front: `0 9 * * *`"),
    ] {
        assert!(refused(pattern).contains(said), "{pattern}: {}", refused(pattern));
    }
}

#[test]
fn steps_that_do_not_fill_the_hour_are_told() {
    let uneven = |pattern| schedule(pattern, Tz::UTC).uneven_step();
    let said = "`*/45` begins anew with each hour: its last gap has 15 minutes instead of 45";
    assert_eq!(uneven("*/45 * * * *").as_deref(), Some(said));
    assert!(uneven("0 */5 * * *").is_some_and(|it| it.contains("each day")));
    for even in ["*/15 * * * *", "0 */6 * * *", "*/20 * * * * *", "7 * * * *", "@hourly"] {
        assert_eq!(uneven(even), None, "{even}");
    }
}

#[test]
fn description_is_english() {
    assert_eq!(schedule("0 9 * * MON", Tz::UTC).describe(), "At 09:00, on Monday.");
}

/// The next fires within these windows after a time, in UTC, without the date's year.
fn next_within(
    windows: &[&str],
    pattern: &str,
    zone: Tz,
    after: &str,
    count: usize,
) -> Vec<String> {
    let mut active = Active::default();
    windows.iter().for_each(|window| active.add(window).expect("a window"));
    let schedule = schedule(pattern, zone).within(active).expect("a schedule");
    let first = schedule.next_after(time(after));
    let fires = std::iter::successors(first, |at| schedule.next_after(*at)).take(count);
    fires.map(|at| at.utc().format("%m-%d %H:%M:%S").to_string()).collect()
}

#[test]
fn schedule_fires_only_within_windows_without_their_end() {
    let next = |windows: &[&str], after| next_within(windows, "*/30 * * * *", Tz::UTC, after, 3);
    let day = "2026-03-09 22:15:00";
    assert_eq!(next(&["09:00-23:00"], day), ["03-09 22:30:00", "03-10 09:00:00", "03-10 09:30:00"]);
    assert_eq!(next(&["22:00-00:30"], day), ["03-09 22:30:00", "03-09 23:00:00", "03-09 23:30:00"]);
    let midnight = ["03-10 00:00:00", "03-10 22:00:00", "03-10 22:30:00"];
    assert_eq!(next(&["22:00-00:30"], "2026-03-09 23:30:00"), midnight);
    let two = ["03-09 23:00:00", "03-10 07:00:00", "03-10 07:30:00"];
    assert_eq!(next(&["07:00-08:00", "23:00-23:01"], day), two);
    assert_eq!(next(&["00:00-24:00"], day)[..2], ["03-09 22:30:00", "03-09 23:00:00"]);
}

#[test]
fn days_of_window_are_those_it_begins_on() {
    // 2026-03-06 is a Friday.
    let next = |window, after| next_within(&[window], "0 * * * *", Tz::UTC, after, 3);
    let weekend = ["03-06 23:00:00", "03-07 00:00:00", "03-07 01:00:00"];
    assert_eq!(next("mon-fri 23:00-02:00", "2026-03-06 12:00:00"), weekend);
    let monday = ["03-09 23:00:00", "03-10 00:00:00", "03-10 01:00:00"];
    assert_eq!(next("Mon-Fri 23:00-02:00", "2026-03-07 01:30:00"), monday);
    let around = ["03-08 10:00:00", "03-09 10:00:00", "03-14 10:00:00"];
    assert_eq!(next("sat-mon 10:00-11:00", "2026-03-07 12:00:00"), around);
    assert_eq!(
        next("wed 10:00-12:00", "2026-03-07 12:00:00")[..2],
        ["03-11 10:00:00", "03-11 11:00:00"]
    );
}

#[test]
fn windows_follow_wall_clock_across_daylight_saving() {
    let zone = Tz::America__New_York;
    let next = |window, after| next_within(&[window], "*/30 * * * *", zone, after, 4);
    // 01:30 to 02:00 comes twice in November.
    let autumn = ["11-07 05:30:00", "11-07 06:30:00", "11-08 06:30:00", "11-09 06:30:00"];
    assert_eq!(next("01:30-02:00", "2027-11-07 00:00:00"), autumn);
    // And 02:30 does not come at all on a day in March: the window is open from 03:00 on.
    let spring = ["03-14 07:00:00", "03-15 06:30:00", "03-15 07:00:00", "03-16 06:30:00"];
    assert_eq!(next("02:30-03:30", "2027-03-14 00:00:00"), spring);
}

#[test]
fn windows_without_any_fire_are_refused() {
    let within = |pattern: &str, window: &str| {
        let mut active = Active::default();
        active.add(window).expect("a window");
        schedule(pattern, Tz::UTC).within(active)
    };
    let refused = within("0 12 * * *", "13:00-14:00").expect_err("must be refused");
    assert!(refused.contains("`0 12 * * *` never fires within"), "{refused}");
    assert!(within("0 0 29 2 *", "mon 00:00-01:00").is_ok(), "2044");
    assert!(within("0 0 * * SUN", "mon-sat 00:00-24:00").is_err());
}

#[test]
fn invalid_window_is_explained() {
    let refused = |text| Active::default().add(text).expect_err("must be refused");
    for text in ["", "9-17", "09:00", "09:00-25:00", "09:60-10:00", "24:01-03:00", "+9:00-10:00"] {
        assert!(refused(text).contains("not a window of time"), "{text}: {}", refused(text));
    }
    for text in ["someday 09:00-10:00", "mon,tue 09:00-10:00", "mon- 09:00-10:00"] {
        assert!(refused(text).contains("these are not days"), "{text}: {}", refused(text));
    }
    for text in ["09:00-09:00", "24:00-09:00"] {
        assert!(refused(text).contains("empty"), "{text}: {}", refused(text));
    }
}

#[test]
fn windows_survive_a_round_trip() {
    let mut active = Active::default();
    assert_eq!(active.text(), None);
    active.add("mon-fri 09:00-18:00").expect("a window");
    active.add(" 22:00-02:00 ").expect("a window");
    let text = active.text().expect("a text");
    assert_eq!(text, "mon-fri 09:00-18:00, 22:00-02:00");
    assert_eq!(Active::parse(&text), Ok(active));
}

#[test]
fn fires_per_day_respect_windows() {
    let mut active = Active::default();
    active.add("mon-fri 09:00-19:00").expect("a window");
    let hourly = schedule("@hourly", Tz::Asia__Shanghai).within(active).expect("a schedule");
    let a_day = hourly.fires_per_day(time("2026-03-09 00:00:00"));
    assert!((a_day - 50.0 / 7.0).abs() < 0.001, "{a_day}");
}

#[test]
fn latest_fires_are_found_however_long_ago() {
    let monthly = schedule("0 0 1 * *", Tz::UTC);
    let (after, until) = (time("2024-01-15 00:00:00"), time("2026-03-09 00:00:00"));
    let dates = |most| {
        let fires = monthly.latest(after, until, most).into_iter();
        fires.map(|at| at.utc().format("%y-%m-%d").to_string()).collect::<Vec<_>>()
    };
    assert_eq!(dates(2), ["26-02-01", "26-03-01"]);
    assert_eq!(dates(100).len(), 26);
    assert_eq!(monthly.latest(until, until, 2), []);
}

#[test]
fn shortest_interval_includes_clock_changes() {
    let gap = |pattern, zone| schedule(pattern, zone).shortest_interval().as_secs();
    assert_eq!(gap("0,50 * * * *", Tz::UTC), 600);
    assert_eq!(gap("0 9 * * *", Tz::UTC), 86_400);
    assert_eq!(gap("0 9 * * *", Tz::America__New_York), 23 * 3600);
}
