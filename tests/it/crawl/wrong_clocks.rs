//! Wrong clocks, at the start and while a daemon runs: slots compared with the schedule.

use std::time::Duration;

use tidewatch::store::ProcessRow;
use tidewatch::time::Time;

use crate::databases::{Database, on_both, rows};
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
        assert!(env.api.truth().len() >= calls + 6);
        assert_eq!(complete(&env).await, []);
    }
}

on_both!(clock_that_stays_behind_a_lived_time_goes_on_from_there);
async fn clock_that_stays_behind_a_lived_time_goes_on_from_there(database: Database) {
    let mut env = Env::idle(database, beginning(), |_| {}).await;
    let mut tx = env.store.begin().await.unwrap();
    let process = ProcessRow {
        owner: 7,
        verb: "run".into(),
        version: String::new(),
        started_at: beginning().minus(hours(30)),
        beat_at: None,
        died_at: None,
        clock: None,
    };
    tx.put_process(&process, &[]).await.unwrap();
    tx.end_process(7, beginning()).await.unwrap();
    tx.commit().await.unwrap();
    env.clock.correct(beginning().minus(hours(24)));
    env.restart(JOBS).await;
    env.advance(seconds(30)).await;
    assert!(env.clock.now() >= beginning(), "the archive's last time");
    env.advance(seconds(30)).await;
    assert!(observed(&env).await >= 2, "it resumes within a minute");
    assert_eq!(complete(&env).await, []);
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
        }
    }
}

on_both!(jump_of_a_running_clock_that_is_soon_corrected_changes_nothing);
async fn jump_of_a_running_clock_that_is_soon_corrected_changes_nothing(database: Database) {
    let mut env = Env::new(database, JOBS).await;
    for error in errors() {
        for wrong in [beginning().plus(error), beginning().minus(error)] {
            env.advance(seconds(20)).await;
            env.clock.set_machine(wrong);
            env.advance(seconds(20)).await;
            env.clock.set_machine(env.clock.now());
            env.advance(seconds(20)).await;
        }
    }
    assert_eq!(complete(&env).await, []);
    assert_eq!(observed(&env).await, 36);
}

on_both!(jump_back_to_a_lived_time_is_not_believed);
async fn jump_back_to_a_lived_time_is_not_believed(database: Database) {
    let mut env = Env::new(database, JOBS).await;
    env.advance(minutes(5)).await;
    env.clock.set_machine(beginning().plus(minutes(2)));
    env.advance(minutes(5)).await;
    assert_eq!(complete(&env).await, []);
    assert_eq!(observed(&env).await, 60);
    let said = env.ask("select clock from processes where clock is not null").await;
    assert!(said[0].contains("until the clock is set right"), "{said:?}");
}

on_both!(archive_begun_under_a_clock_behind_has_no_slots_of_the_time_between);
async fn archive_begun_under_a_clock_behind_has_no_slots_of_the_time_between(database: Database) {
    let mut env = Env::idle(database, beginning().minus(hours(24)), |_| {}).await;
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
