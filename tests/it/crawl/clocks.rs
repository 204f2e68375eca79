//! The real program under clocks that jump, and suspended and continued.

use std::time::Duration;

use tidewatch::simulator::Simulator;
use tidewatch::store::Store;
use tidewatch::time::{Clock, Time};

use crate::databases::{Database, count, on_both, rows, sqlite};
use crate::flags;
use crate::program::{PATIENCE, Place, Running, wait_for};
use crate::upstream;

const TOKEN: &str = "clocks-test-token";

/// A place with a keyword job every ten seconds.
fn place(database: &Database, simulator: &Simulator) -> Place {
    let jobs = "[justoneapi]\nrate_per_second = 1000\n[[job]]\nname = \"n\"\nkind = \"keywords\"\n\
                schedule = \"*/10 * * * * *\"\nkeywords = [\"露营\"]\n";
    Place::new(database, jobs).with_upstream(simulator, TOKEN)
}

async fn stops_well(daemon: Running, place: &Place) {
    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
}

/// Waits for `more` observations.
async fn wait_for_observations(store: &Store, more: i64) {
    let observed = "select count(*) from slots where outcome = 'observed'";
    let before = count(store, observed).await;
    wait_for("observations", PATIENCE, async || count(store, observed).await >= before + more)
        .await;
}

/// Due times and outcomes of the slots.
async fn slots(store: &Store) -> Vec<(Time, Option<String>)> {
    rows(store, "select due_at, outcome from slots order by due_at").await
}

/// Asserts that every fire between these times has a slot and every slot an outcome.
fn assert_complete(slots: &[(Time, Option<String>)], from: Time, until: Time) {
    let within = slots.iter().filter(|(due, _)| *due >= from && *due <= until);
    let within: Vec<_> = within.collect();
    assert!(within.len() > 1, "{slots:?}");
    for pair in within.windows(2) {
        assert_eq!(pair[1].0.since(pair[0].0), Duration::from_secs(10), "{slots:?}");
    }
    assert!(within.iter().all(|(_, outcome)| outcome.is_some()), "{slots:?}");
}

on_both!(a_daemon_that_was_suspended_goes_on_and_accounts_for_the_time_between);
async fn a_daemon_that_was_suspended_goes_on_and_accounts_for_the_time_between(database: Database) {
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let place = place(&database, &simulator);
    let store = database.open().await;
    let daemon = place.start(&["run"]);
    wait_for_observations(&store, 1).await;
    daemon.signal("-STOP");
    tokio::time::sleep(Duration::from_secs(25)).await;
    let asked = simulator.truth().len();
    daemon.signal("-CONT");
    wait_for_observations(&store, 2).await;
    stops_well(daemon, &place).await;
    let slots = slots(&store).await;
    assert_complete(&slots, slots[0].0, slots[slots.len() - 1].0);
    let missed: Vec<(String, i64)> =
        rows(&store, "select reason, count(*) from slots where outcome = 'missed' group by reason")
            .await;
    assert!(matches!(missed.as_slice(), [(reason, 1..)] if reason == "superseded"), "{missed:?}");
    let ok = count(&store, "select count(*) from calls where outcome = 'ok'").await;
    assert_eq!(ok, i64::try_from(simulator.truth().len()).unwrap());
    assert!(simulator.truth().len() > asked);
}

/// libfaketime.
#[expect(clippy::disallowed_methods, reason = "tests/run.sh says where it is")]
fn faketime() -> String {
    std::env::var("TEST_FAKETIME_LIBRARY").expect(
        "TEST_FAKETIME_LIBRARY names no libfaketime: run the tests with `bash tests/run.sh`, \
         which installs it",
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clock_jumping_ahead_and_back_stops_nothing() {
    let (database, simulator, clock) =
        (sqlite(), upstream::simulate(TOKEN, Duration::ZERO).await, Clock::system());
    let place = place(&database, &simulator);
    let offset = place.output("offset").display().to_string();
    let place = place
        .with("LD_PRELOAD", faketime())
        .without("FAKETIME")
        .with("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .with("FAKETIME_TIMESTAMP_FILE", offset)
        .with("FAKETIME_NO_CACHE", "1")
        .with("NO_FAKE_STAT", "1");
    // From the date at which the suite runs.
    let jump =
        |seconds: i64| place.write("offset", &format!("{:+}", flags::date_offset() + seconds));
    let store = database.open().await;
    jump(0);
    let began = clock.now();
    let daemon = place.start(&["run"]);
    wait_for_observations(&store, 1).await;
    for (seconds, more) in [(86_400, 1), (0, 1), (-3600, 1), (0, 4)] {
        jump(seconds);
        wait_for_observations(&store, more).await;
    }
    stops_well(daemon, &place).await;
    assert!(place.said().contains("the clock stepped"), "{}", place.said());
    // A jump that lasts is believed; either way no slot is missed but those of the time that passed.
    let missed = "select count(*) from slots where outcome = 'missed'";
    let fires = i64::try_from(clock.now().since(began).as_secs() / 10).unwrap();
    assert!(count(&store, missed).await <= fires, "{:?}", slots(&store).await);
    let ok = count(&store, "select count(*) from calls where outcome = 'ok'").await;
    assert_eq!(ok, i64::try_from(simulator.truth().len()).unwrap());
    let observed = "select count(*) from slots where outcome = 'observed'";
    assert_eq!(count(&store, observed).await, ok, "no slot was paid for twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daemon_whose_clock_differs_from_the_server_follows_the_server() {
    let (database, clock) = (crate::databases::postgres().await, Clock::system());
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let right = place(&database, &simulator);
    let wrong = place(&database, &simulator)
        .with("LD_PRELOAD", faketime())
        .with("FAKETIME", format!("{:+}", flags::date_offset() + 86_400))
        .with("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let store = database.open().await;
    let began = clock.now();
    let daemons = [right.start(&["run"]), wrong.start(&["run"])];
    wait_for_observations(&store, 3).await;
    for daemon in daemons {
        stops_well(daemon, &wrong).await;
    }
    assert!(wrong.said().contains("the database server, which is used"), "{}", wrong.said());
    let (all, now) = (slots(&store).await, clock.now());
    assert_complete(&all, began, now);
    assert!(all.iter().all(|(due, _)| *due > began && *due < now), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fetch_on_a_machine_that_is_ahead_takes_the_time_of_the_server() {
    let (database, clock) = (crate::databases::postgres().await, Clock::system());
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let place = place(&database, &simulator)
        .with("LD_PRELOAD", faketime())
        .with("FAKETIME", format!("{:+}", flags::date_offset() + 86_400))
        .with("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let store = database.open().await;
    assert_eq!(place.start(&["fetch", "keyword", "露营"]).end().await.code(), Some(0));
    let soon = clock.now().plus(Duration::from_secs(3600));
    let times = "select opened_at from calls union all select fetched_at from documents
                 union all select beat_at from processes union all select due_at from slots";
    let times: Vec<(Time,)> = rows(&store, times).await;
    assert!(times.len() >= 4 && times.iter().all(|(at,)| *at < soon), "{times:?}");
}
