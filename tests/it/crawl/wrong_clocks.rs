//! Wrong clocks, at the start and while a daemon runs: slots compared with the schedule.

use std::time::Duration;

use tidewatch::store::ProcessRow;
use tidewatch::time::Time;

use crate::databases::{self, Database, count, on_both, rows};
use crate::env::{Env, beginning, hours, minutes};

const JOBS: &str = "[[job]]\nname = \"words\"\nkind = \"keywords\"\nschedule = \"*/10 * * * * *\"\n\
                    timezone = \"UTC\"\nkeywords = [\"露营\"]\n";

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// How far a clock is wrong.
fn errors() -> [Duration; 3] {
    [hours(1), hours(24), hours(24 * 365)]
}

/// Every fire from the beginning until now has one slot, none is open, and none is older; the slots
/// that are due later.
async fn complete(env: &Env) -> Vec<(Time, Option<String>)> {
    let sql = "select due_at, outcome from slots order by due_at";
    let slots: Vec<(Time, Option<String>)> = rows(&env.store, sql).await;
    let now = env.clock.now();
    let (past, ahead): (Vec<_>, Vec<_>) = slots.into_iter().partition(|(due, _)| *due <= now);
    let fires = u32::try_from(now.since(beginning()).as_secs() / 10).unwrap();
    let due: Vec<_> = (1..=fires).map(|n| beginning().plus(seconds(10) * n)).collect();
    assert_eq!(past.iter().map(|(due, _)| *due).collect::<Vec<_>>(), due);
    assert!(past.iter().all(|(_, outcome)| outcome.is_some()), "{past:?}");
    ahead
}

async fn observed(env: &Env) -> usize {
    let sql = "select due_at, outcome from slots where outcome = 'observed'";
    rows::<(Time, Option<String>)>(&env.store, sql).await.len()
}

/// Every slot with its outcome, and since when the target is watched.
async fn history(env: &Env) -> Vec<String> {
    let slots = "select due_at || ' ' || outcome || ' ' || coalesce(reason, '') || ' ' || closed_at
                 from slots order by due_at";
    let added = "select added_at || '' from job_targets";
    [env.ask(added).await, env.ask(slots).await].concat()
}

/// A daemon that was at work until so long before the beginning, from another time on.
async fn lived(env: &Env, owner: i64, (from, until): (Duration, Duration)) {
    let mut tx = env.store.begin().await.unwrap();
    let process = ProcessRow {
        owner,
        verb: "run".into(),
        version: String::new(),
        started_at: beginning().minus(from),
        beat_at: None,
        died_at: None,
        clock: None,
    };
    tx.put_process(&process, &[]).await.unwrap();
    tx.end_process(owner, beginning().minus(until)).await.unwrap();
    tx.commit().await.unwrap();
}

on_both!(clock_behind_at_the_start_is_waited_for);
async fn clock_behind_at_the_start_is_waited_for(database: Database) {
    let mut env = Env::new(database, JOBS).await;
    let since_1970 = beginning().since(Time::EPOCH);
    for error in errors().into_iter().chain([since_1970]) {
        env.advance(minutes(2)).await;
        let right = env.clock.now();
        env.down_for(Duration::ZERO);
        env.clock.correct(right.minus(error));
        let calls = env.api.truth().len();
        env.restart(JOBS).await;
        env.advance(seconds(20)).await;
        assert_eq!(env.api.truth().len(), calls, "no call under a clock that is behind");
        env.clock.correct(right.plus(seconds(20)));
        env.advance(seconds(60)).await;
        assert!(env.api.truth().len() >= calls + 4);
        assert_eq!(complete(&env).await, []);
    }
}

on_both!(clock_behind_for_a_minute_at_the_start_destroys_no_account);
async fn clock_behind_for_a_minute_at_the_start_destroys_no_account(database: Database) {
    let mut env = Env::idle(database, beginning(), |_| {}).await;
    // Nobody was at work a day before.
    lived(&env, 7, (hours(24 * 90), hours(26))).await;
    lived(&env, 8, (hours(22), Duration::ZERO)).await;
    env.restart(JOBS).await;
    for error in errors() {
        env.down_for(minutes(1));
        env.restart(JOBS).await;
        env.advance(minutes(1)).await;
        let (right, before) = (env.clock.now(), history(&env).await);
        env.down_for(Duration::ZERO);
        env.clock.correct(right.minus(error));
        env.restart(JOBS).await;
        env.advance(minutes(1)).await;
        env.clock.correct(right.plus(minutes(1)));
        env.advance(minutes(2)).await;
        assert!(history(&env).await.starts_with(&before));
        assert_eq!(complete(&env).await, []);
    }
}

#[tokio::test]
async fn clock_that_stays_behind_a_lived_time_is_believed_after_ten_minutes() {
    let mut env = Env::idle(databases::sqlite(), beginning(), |_| {}).await;
    lived(&env, 7, (hours(30), Duration::ZERO)).await;
    env.clock.correct(beginning().minus(hours(24)));
    env.restart(JOBS).await;
    env.advance(seconds(30)).await;
    assert!(env.clock.now() >= beginning(), "the archive's last time");
    env.advance(seconds(30)).await;
    assert!(observed(&env).await >= 2, "it resumes within a minute");
    let before = history(&env).await;
    env.clock_says_for(env.clock.machine(), minutes(10)).await;
    assert_eq!(env.clock.now(), env.clock.machine(), "it is right again");
    assert!(env.clock.now() < beginning());
    env.advance(hours(1)).await;
    assert!(history(&env).await.starts_with(&before));
}

on_both!(clock_fast_for_longer_than_its_error_is_right_again);
async fn clock_fast_for_longer_than_its_error_is_right_again(database: Database) {
    let mut env = Env::idle(database, beginning(), |_| {}).await;
    lived(&env, 7, (hours(2), Duration::ZERO)).await;
    env.restart(JOBS).await;
    env.advance(minutes(2)).await;
    env.clock_says(env.clock.now().plus(minutes(20))).await;
    env.advance(minutes(40)).await;
    let before = history(&env).await;
    env.clock_says_for(env.clock.now().minus(minutes(20)), minutes(11)).await;
    let now = env.clock.now();
    assert!(now == env.clock.machine() && now < beginning().plus(minutes(55)), "{now}");
    env.advance(minutes(20)).await;
    assert!(history(&env).await.starts_with(&before));
    assert_eq!(complete(&env).await, []);
    let calls = i64::try_from(env.api.truth().len()).unwrap();
    let paid = "select count(*) from slots where outcome = 'observed'";
    assert_eq!(count(&env.store, paid).await, calls, "no slot is paid for twice");
}

#[tokio::test]
async fn fires_that_another_daemon_decided_ahead_of_the_server_are_taken_back() {
    let mut env = Env::new(databases::postgres().await, JOBS).await;
    env.advance(minutes(2)).await;
    let mut tx = env.store.begin().await.unwrap();
    let job = tx.jobs().await.unwrap().remove(0);
    let ahead = job.fired_through.plus(hours(24 * 365));
    let backlog = Some((job.fired_through, ahead.minus(hours(1))));
    assert!(tx.advance_job(job.job_id, job.fired_through, ahead, backlog).await.unwrap());
    tx.commit().await.unwrap();
    env.advance(minutes(2)).await;
    assert_eq!(complete(&env).await, []);
}

#[tokio::test]
async fn step_of_the_server_is_followed_at_once_and_nothing_sent_for_a_while() {
    let mut env = Env::new(databases::postgres().await, JOBS).await;
    env.advance(minutes(2)).await;
    let (calls, later) = (env.api.truth().len(), env.clock.now().plus(hours(1)));
    env.clock_says_for(later, Duration::ZERO).await;
    assert_eq!(env.clock.now(), later);
    env.advance(seconds(29)).await;
    assert_eq!(env.api.truth().len(), calls);
    env.advance(seconds(1)).await;
    assert_eq!(env.api.truth().len(), calls + 1);
}

on_both!(clock_ahead_at_the_start_is_taken_back);
async fn clock_ahead_at_the_start_is_taken_back(database: Database) {
    let mut env = Env::new(database, JOBS).await;
    for error in errors() {
        for restarts in [false, true] {
            env.advance(seconds(60)).await;
            let right = env.clock.now();
            env.down_for(Duration::ZERO);
            env.clock.correct(right.plus(error));
            env.restart(JOBS).await;
            env.advance(seconds(20)).await;
            if restarts {
                env.down_for(Duration::ZERO);
                env.clock.correct(right.plus(seconds(20)));
                env.restart(JOBS).await;
                if env.waits() {
                    env.clock_says(env.clock.machine()).await;
                }
            } else {
                env.clock_says(right.plus(seconds(20))).await;
            }
            let before = observed(&env).await;
            env.advance(seconds(60)).await;
            assert!(observed(&env).await > before, "it resumes within a minute");
            // Until the backlog has its turn.
            env.advance(seconds(40)).await;
            let ahead = complete(&env).await;
            assert!(ahead.iter().all(|(_, outcome)| outcome.as_deref() == Some("observed")));
            let year = right.plus(hours(24 * 300));
            let is_held = env.store.is_sqlite() && ahead.iter().any(|(due, _)| *due > year);
            assert!(!is_held, "a start far ahead of the archive waits");
        }
    }
}

on_both!(step_of_a_running_clock_that_is_soon_corrected_changes_nothing);
async fn step_of_a_running_clock_that_is_soon_corrected_changes_nothing(database: Database) {
    let mut env = Env::new(database, JOBS).await;
    for error in errors() {
        for wrong in [beginning().plus(error), beginning().minus(error)] {
            env.advance(seconds(20)).await;
            let right = env.clock.now().plus(seconds(20));
            env.clock_says_for(wrong, seconds(20)).await;
            env.clock_says_for(right, seconds(20)).await;
        }
    }
    env.advance(minutes(1)).await;
    assert_eq!(complete(&env).await, []);
    if env.store.is_sqlite() {
        assert_eq!(observed(&env).await, 42);
    }
}

on_both!(step_back_to_a_lived_time_decides_no_fire_again);
async fn step_back_to_a_lived_time_decides_no_fire_again(database: Database) {
    let mut env = Env::new(database, JOBS).await;
    env.advance(minutes(5)).await;
    env.clock_says(beginning().plus(minutes(2))).await;
    let said = env.ask("select clock from processes where clock is not null").await;
    assert!(said[0].contains("behind"), "{said:?}");
    env.clock_says_for(env.clock.machine(), minutes(10)).await;
    assert_eq!(env.clock.now(), env.clock.machine());
    env.advance(minutes(6)).await;
    assert_eq!(complete(&env).await, []);
}

#[tokio::test]
async fn archive_begun_under_a_clock_behind_has_no_slots_of_the_time_between() {
    let begun = beginning().minus(hours(24));
    let mut env = Env::idle(databases::sqlite(), begun, |_| {}).await;
    env.restart(JOBS).await;
    env.advance(seconds(20)).await;
    env.clock_says(beginning()).await;
    env.advance(seconds(60)).await;
    let sql = "select due_at, outcome from slots where outcome = 'missed'";
    assert_eq!(rows::<(Time, Option<String>)>(&env.store, sql).await, []);
    assert!((8..=12).contains(&observed(&env).await));
}

on_both!(archive_is_not_begun_under_an_impossible_clock);
async fn archive_is_not_begun_under_an_impossible_clock(database: Database) {
    let mut env = Env::idle(database, beginning().minus(hours(24 * 365)), |_| {}).await;
    env.restart(JOBS).await;
    env.advance(minutes(3)).await;
    assert_eq!(env.ask("select name from jobs").await, [""; 0]);
    env.clock.correct(beginning());
    env.advance(minutes(1)).await;
    assert_eq!(complete(&env).await, []);
    assert_eq!(observed(&env).await, 6);
}
