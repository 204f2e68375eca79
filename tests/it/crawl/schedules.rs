//! Planning under a manual clock: late fires, daylight saving, and clocks that jump.

use std::time::Duration;

use crate::databases::{Database, on_both};
use crate::env::{Env, beginning, hours, minutes};

/// A keyword job on this schedule, with additional lines.
fn job(schedule: &str, lines: &str) -> String {
    format!(
        "[[job]]\nname = \"words\"\nkind = \"keywords\"\nschedule = {schedule:?}\n\
         timezone = \"UTC\"\nkeywords = [\"露营\"]\n{lines}\n"
    )
}

/// Slots by outcome and reason, as `observed 3`, `missed empty 1`.
const SLOTS: &str = "select outcome || coalesce(' ' || reason, '') || ' ' || count(*)
                     from slots group by outcome, reason order by 1";

/// Due times without a slot or without a run.
const COUNTS: &str = "select (select count(*) from slots) || ' ' ||
                             (select count(distinct due_at) from slots) || ' ' ||
                             (select count(*) from job_runs)";

/// The days and hours of the slots in order, as `02 01:30`.
const DUE: &str = "select substr('' || due_at, 9, 8) from slots order by due_at";

/// Asserts the slots of 01:00 to 08:00 after a downtime from 02:10 to 07:10.
async fn after_downtime(database: Database, lines: &str, expected: &[&str]) {
    let jobs = job("@hourly", lines);
    let mut env = Env::new(database, &jobs).await;
    env.advance(minutes(130)).await;
    env.down_for(hours(5));
    env.restart(&jobs).await;
    env.advance(minutes(70)).await;
    assert_eq!(env.ask(SLOTS).await, expected, "{lines}");
    assert_eq!(env.ask(COUNTS).await, ["8 8 8"]);
}

on_both!(misfire_once_catches_up_the_latest_fire);
async fn misfire_once_catches_up_the_latest_fire(database: Database) {
    after_downtime(database, "", &["missed daemon_down 4", "observed 4"]).await;
}

on_both!(misfire_once_skips_fires_beyond_window);
async fn misfire_once_skips_fires_beyond_window(database: Database) {
    let lines = "misfire = \"once\"\nwindow = \"5m\"";
    after_downtime(database, lines, &["missed expired 5", "observed 3"]).await;
}

on_both!(misfire_skip_catches_up_nothing);
async fn misfire_skip_catches_up_nothing(database: Database) {
    let lines = "misfire = \"skip\"";
    after_downtime(database, lines, &["missed daemon_down 5", "observed 3"]).await;
}

on_both!(misfire_all_catches_up_within_window_and_cap);
async fn misfire_all_catches_up_within_window_and_cap(database: Database) {
    let lines = "misfire = \"all\"\nwindow = \"4h\"\nmax_catchup = 3";
    let expected = ["missed daemon_down 1", "missed expired 1", "observed 6"];
    after_downtime(database, lines, &expected).await;
}

/// Two hourly jobs that share a slot: one skips late fires, the other does not.
async fn shared(database: Database, jobs: &str) {
    let mut env = Env::new(database, jobs).await;
    env.advance(minutes(165)).await;
    env.down_for(minutes(30));
    env.restart(jobs).await;
    env.advance(minutes(75)).await;
    assert_eq!(env.ask(SLOTS).await, ["observed 4"]);
    assert_eq!(env.ask(COUNTS).await, ["4 4 8"]);
    let sums = "select sum(due) || ' ' || sum(observed) || ' ' || sum(missed) from coverage";
    assert_eq!(env.ask(sums).await, ["4 4 0"]);
}

on_both!(shared_slot_skipped_by_one_job_is_fetched_for_another);
async fn shared_slot_skipped_by_one_job_is_fetched_for_another(database: Database) {
    let skips = job("@hourly", "misfire = \"skip\"");
    let other = job("@hourly", "").replace("\"words\"", "\"more-words\"");
    shared(database, &(skips + &other)).await;
}

on_both!(shared_slot_caught_up_by_one_job_stays_when_another_skips);
async fn shared_slot_caught_up_by_one_job_stays_when_another_skips(database: Database) {
    let other = job("@hourly", "");
    let skips = job("@hourly", "misfire = \"skip\"").replace("\"words\"", "\"more-words\"");
    shared(database, &(other + &skips)).await;
}

on_both!(delayed_daemon_skips_late_fires);
async fn delayed_daemon_skips_late_fires(database: Database) {
    let mut env = Env::new(database, &job("@hourly", "misfire = \"skip\"")).await;
    env.advance(minutes(70)).await;
    env.clock.jump_to(beginning().plus(minutes(250)));
    env.advance(minutes(60)).await;
    assert_eq!(env.ask(SLOTS).await, ["missed skipped 3", "observed 2"]);
}

on_both!(spread_delays_slots_and_keeps_their_due_time);
async fn spread_delays_slots_and_keeps_their_due_time(database: Database) {
    let jobs = job("@hourly", "spread = \"40m\"");
    let words = (0..8).map(|n| format!("\"露营{n}\"")).collect::<Vec<_>>().join(", ");
    let jobs = jobs.replace("\"露营\"", &words);
    let mut env = Env::new(database, &jobs).await;
    env.advance(minutes(119)).await;
    assert_eq!(env.ask(SLOTS).await, ["observed 8"]);
    assert_eq!(env.ask("select '' || count(distinct due_at) from slots").await, ["1"]);
    let minutes = "select '' || count(distinct substr('' || opened_at, 12, 5)) from calls";
    assert_eq!(env.ask(minutes).await, ["8"], "each in a minute of its own");
    let within = "select '' || count(*) from calls c join slots s on s.call_id = c.call_id
                  where substr('' || c.opened_at, 12, 5) between '01:00' and '01:40'";
    assert_eq!(env.ask(within).await, ["8"]);
}

on_both!(job_fires_only_within_its_windows);
async fn job_fires_only_within_its_windows(database: Database) {
    let jobs = job("@hourly", "active = [\"02:00-04:00\", \"23:00-01:00\"]");
    let mut env = Env::new(database, &jobs).await;
    env.advance(hours(25)).await;
    let due = ["02 02:00", "02 03:00", "02 23:00", "03 00:00"];
    assert_eq!(env.ask(DUE).await, due);
    // Other windows are another schedule, which loses nothing of the old one.
    env.down_for(hours(3));
    env.restart(&jobs.replace("04:00", "08:00")).await;
    env.advance(hours(2)).await;
    let due = [
        "02 02:00", "02 03:00", "02 23:00", "03 00:00", "03 02:00", "03 03:00", "03 05:00",
        "03 06:00",
    ];
    assert_eq!(env.ask(DUE).await, due);
    assert_eq!(env.ask(SLOTS).await, ["missed daemon_down 2", "observed 6"]);
}

/// The due times of a job between two times.
async fn due_between(database: Database, job: &str, from: &str, to: &str) -> Vec<String> {
    let mut env = Env::new(database, "").await;
    let [from, to] = [from, to].map(|at| at.parse::<tidewatch::time::Time>().unwrap());
    // After so long a daemon waits at first.
    let wait = Duration::from_secs(30);
    env.clock.jump_to(from.minus(wait));
    env.restart(job).await;
    env.advance(wait + to.since(from)).await;
    assert_eq!(
        env.ask("select '' || count(*) from slots where outcome <> 'observed'").await,
        ["0"]
    );
    env.ask(DUE).await
}

on_both!(daylight_saving_loses_and_repeats_no_slot);
async fn daylight_saving_loses_and_repeats_no_slot(database: Database) {
    let job = job("30 1 * * *", "").replace("\"UTC\"", "\"America/New_York\"");
    let half_hours =
        job.replace("30 1 * * *", "*/30 * * * *").replace("\"words\"", "\"half-hours\"");
    let (from, to) = ("2027-03-13 00:00:00", "2027-03-15 12:00:00");
    let mut env = Env::new(database, "").await;
    let jump = |text: &str| text.parse::<tidewatch::time::Time>().unwrap();
    env.clock.jump_to(jump(from));
    env.restart(&job).await;
    env.advance(jump(to).since(jump(from))).await;
    assert_eq!(env.ask(DUE).await, ["13 06:30", "14 06:30", "15 05:30"]);
    env.clock.jump_to(jump("2027-11-07 00:00:00"));
    env.restart(&half_hours).await;
    env.advance(hours(12)).await;
    let autumn = "select count(*) || ' ' || count(distinct due_at) from slots
                  where due_at > '2027-11-07 00:00:00'";
    assert_eq!(env.ask(autumn).await, ["24 24"], "every half hour of twelve, none twice");
    env.restart(&job).await;
    env.advance(hours(24)).await;
    // 01:30 comes once after the change, at 06:30 UTC.
    let last = "select substr('' || due_at, 9, 8) from slots where due_at > '2027-11-07 12:00:00'";
    assert_eq!(env.ask(last).await, ["08 06:30"]);
}

on_both!(midnight_loses_no_slot);
async fn midnight_loses_no_slot(database: Database) {
    let job = job("* * * * *", "");
    let due = due_between(database, &job, "2026-12-31 23:57:30", "2027-01-01 00:02:30").await;
    assert_eq!(due, ["31 23:58", "31 23:59", "01 00:00", "01 00:01", "01 00:02"]);
}

on_both!(leap_day_has_its_slots);
async fn leap_day_has_its_slots(database: Database) {
    let job = job("0 */12 29 2 *", "");
    let due = due_between(database, &job, "2028-02-27 00:00:00", "2028-03-02 00:00:00").await;
    assert_eq!(due, ["29 00:00", "29 12:00"]);
}

/// How far the clocks are wrong.
const JUMPS: [Duration; 3] = [Duration::from_secs(1), hours_of(1), hours_of(24 * 365)];

const fn hours_of(hours: u64) -> Duration {
    Duration::from_secs(3600 * hours)
}

on_both!(clock_jumping_ahead_and_back_loses_and_repeats_no_slot);
async fn clock_jumping_ahead_and_back_loses_and_repeats_no_slot(database: Database) {
    let mut env = Env::new(database, &job("0 */6 * * *", "")).await;
    env.advance(hours(7)).await;
    for jump in JUMPS {
        let right = env.clock.now();
        env.clock_says(right.plus(jump)).await;
        env.clock_says(right.plus(minutes(1))).await;
        env.advance(hours(12)).await;
    }
    // From 00:00 to 43:03 each of the seven fires once, and each slot is fetched in time.
    let past = "select count(*) || ' ' || count(distinct due_at) from slots
                where due_at <= '2026-03-03 19:03:00'";
    assert_eq!(env.ask(past).await, ["7 7"]);
    let made = "select '' || count(*) from slots s join calls c on c.call_id = s.call_id
                where s.due_at <= '2026-03-03 19:03:00' and s.outcome = 'observed'
                and substr('' || c.opened_at, 1, 16) = substr('' || s.due_at, 1, 16)";
    assert_eq!(env.ask(made).await, ["7"]);
    // Of the year that did not happen, only the observed slots stay.
    let future = "select outcome || ' ' || count(*) from slots
                  where due_at > '2026-03-03 19:03:00' group by outcome";
    assert_eq!(env.ask(future).await, ["observed 1"]);
}

on_both!(clock_corrected_from_behind_misses_the_skipped_fires);
async fn clock_corrected_from_behind_misses_the_skipped_fires(database: Database) {
    let mut env = Env::new(database, &job("@hourly", "")).await;
    env.advance(minutes(90)).await;
    env.clock_says(beginning().plus(minutes(90)).plus(hours(24))).await;
    env.advance(minutes(60)).await;
    assert_eq!(env.ask(SLOTS).await, ["missed daemon_down 23", "observed 3"]);
    assert_eq!(env.ask(COUNTS).await, ["26 26 26"]);
}

on_both!(retry_postponed_under_a_wrong_clock_comes_soon_after_correction);
async fn retry_postponed_under_a_wrong_clock_comes_soon_after_correction(database: Database) {
    let mut env = Env::new(database, &job("0 */6 * * *", "")).await;
    env.advance(minutes(330)).await;
    env.fails("suggestions=301");
    env.clock_says(beginning().plus(hours(6)).plus(hours(24 * 365))).await;
    env.advance(Duration::from_secs(1)).await;
    env.fails("");
    env.clock_says(beginning().plus(minutes(330))).await;
    env.advance(Duration::from_secs(60)).await;
    assert_eq!(env.ask("select '' || count(*) from slots where outcome is null").await, ["0"]);
    let last = "select outcome from calls order by call_id desc limit 1";
    assert_eq!(env.ask(last).await, ["ok"]);
}

on_both!(pause_under_a_wrong_clock_ends_after_correction);
async fn pause_under_a_wrong_clock_ends_after_correction(database: Database) {
    let mut env = Env::new(database, &job("@hourly", "")).await;
    env.advance(minutes(70)).await;
    let right = env.clock.now();
    env.fails("suggestions=303");
    env.clock_says(right.plus(hours(24 * 365))).await;
    env.advance(Duration::from_secs(1)).await;
    env.fails("");
    env.clock_says(right).await;
    env.advance(minutes(60)).await;
    let pauses = "select reason || ' ' || coalesce(ended_by, 'lasts') from pauses";
    assert_eq!(env.ask(pauses).await, ["quota clock"]);
    let seen = "select '' || count(*) from slots where outcome = 'observed'
                and due_at < '2026-03-03 00:00:00'";
    assert_eq!(env.ask(seen).await, ["2"]);
}

on_both!(year_of_fires_is_decided_in_steps_while_work_goes_on);
async fn year_of_fires_is_decided_in_steps_while_work_goes_on(database: Database) {
    let jobs = job("*/15 * * * *", "");
    let mut env = Env::new(database, &jobs).await;
    env.advance(minutes(20)).await;
    env.down_for(hours(24 * 30));
    env.restart(&jobs).await;
    env.advance(minutes(15)).await;
    assert_eq!(env.ask(SLOTS).await, ["missed daemon_down 2879", "observed 3"]);
    assert_eq!(env.ask(COUNTS).await, ["2882 2882 2882"]);
}
