//! Shutdown by signals, and several processes on one archive.

use std::time::Duration;

use tidewatch::simulator::Simulator;
use tidewatch::store::Store;
use tokio::net::TcpListener;

use crate::databases::{Database, count, on_both, postgres, rows, sqlite};
use crate::program::{PATIENCE, Place, Running, wait_for};
use crate::upstream;

/// Watched notes.
const NOTES: usize = 6;

/// Latency at which a signal arrives while calls are in flight.
const SLOW: Duration = Duration::from_millis(800);

/// Longer than any timeout.
const ENDLESS: Duration = Duration::from_secs(50);

const TOKEN: &str = "signals-test-token";

/// A place that fetches all its notes at once, on a migrated database.
async fn place(database: &Database, simulator: &Simulator) -> (Place, Store) {
    let jobs = format!(
        "[justoneapi]\nrate_per_second = 1000\n[[job]]\nname = \"n\"\nkind = \"notes\"\n\
         schedule = \"*/10 * * * * *\"\nnotes = {:?}\n",
        simulator.world().notes(NOTES)
    );
    let place = Place::new(database, &jobs).with_upstream(simulator, TOKEN);
    (place, database.open().await)
}

async fn wait_for_calls(simulator: &Simulator, calls: usize) {
    wait_for("calls", PATIENCE, async || simulator.truth().len() >= calls).await;
}

async fn wait_until_said(place: &Place, words: &str) {
    wait_for(words, PATIENCE, async || place.said().contains(words)).await;
}

async fn stops_well(daemon: Running, place: &Place) {
    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
}

on_both!(first_signal_drains_and_saves_calls_in_flight);
async fn first_signal_drains_and_saves_calls_in_flight(database: Database) {
    let simulator = upstream::simulate(TOKEN, SLOW).await;
    let (place, store) = place(&database, &simulator).await;
    let daemon = place.start(&["run"]);
    wait_for_calls(&simulator, 1).await;
    stops_well(daemon, &place).await;
    let seen = i64::try_from(simulator.truth().len()).unwrap();
    assert_eq!(count(&store, "select count(*) from documents").await, seen);
    assert_eq!(count(&store, "select count(*) from calls where outcome = 'ok'").await, seen);
    assert_eq!(count(&store, "select count(*) from calls").await, seen);
    assert!(place.said().contains("draining the calls in flight"), "{}", place.said());
}

on_both!(second_signal_stops_at_once_and_leaves_calls_open);
async fn second_signal_stops_at_once_and_leaves_calls_open(database: Database) {
    let simulator = upstream::simulate(TOKEN, ENDLESS).await;
    let (place, store) = place(&database, &simulator).await;
    let daemon = place.start(&["run"]);
    wait_for_calls(&simulator, NOTES).await;
    daemon.ask_to_stop();
    wait_until_said(&place, "draining the calls in flight").await;
    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(1), "{}", place.said());
    let open = "select count(*) from calls where outcome is null and billed = 'unknown'";
    assert_eq!(count(&store, open).await, i64::try_from(NOTES).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn second_daemon_on_one_sqlite_file_is_refused() {
    let (database, simulator) = (sqlite(), upstream::simulate(TOKEN, Duration::ZERO).await);
    let (place, _store) = place(&database, &simulator).await;
    let daemon = place.start_to_watch().await;
    assert_eq!(place.run(&["run"]).await, 2);
    let why = "error: another tidewatch process uses this SQLite file: stop it first";
    assert!(place.said().contains(why), "{}", place.said());
    stops_well(daemon, &place).await;
    stops_well(place.start_to_watch().await, &place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_daemons_on_one_postgresql_fetch_each_note_once() {
    let (database, simulator) =
        (postgres().await, upstream::simulate(TOKEN, Duration::from_millis(100)).await);
    let (place, store) = place(&database, &simulator).await;
    let daemons = [place.start_to_watch().await, place.start_to_watch().await];
    wait_for_calls(&simulator, 2 * NOTES).await;
    for daemon in daemons {
        stops_well(daemon, &place).await;
    }
    let seen = i64::try_from(simulator.truth().len()).unwrap();
    assert_eq!(count(&store, "select count(*) from calls where outcome = 'ok'").await, seen);
    let observed = "select count(*) from slots where outcome = 'observed'";
    assert_eq!(count(&store, observed).await, seen, "a slot was fetched twice");
}

on_both!(fetch_beside_a_daemon_is_sent_once);
async fn fetch_beside_a_daemon_is_sent_once(database: Database) {
    let simulator = upstream::simulate(TOKEN, Duration::from_millis(100)).await;
    let (place, store) = place(&database, &simulator).await;
    let note = simulator.world().notes(NOTES + 1).remove(NOTES);
    let daemon = place.start_to_watch().await;
    assert_eq!(place.run(&["fetch", "note", &note]).await, 0, "{}", place.said());
    stops_well(daemon, &place).await;
    let seen = simulator.truth().iter().filter(|row| row.key == note).count();
    assert_eq!(seen, 1);
    let slots: Vec<(String, Option<String>)> = rows(
        &store,
        "select t.key, s.outcome from slots s join targets t on t.target_id = s.target_id
         join job_runs r on r.run_id = s.run_id where r.origin = 'fetch'",
    )
    .await;
    assert_eq!(slots, [(note, Some("observed".to_owned()))]);
    if store.is_sqlite() {
        let owners = "select count(distinct owner) from calls";
        assert_eq!(count(&store, owners).await, 1, "the daemon has the file");
    }
}

on_both!(status_shows_daemons_with_heartbeat_and_dead_ones);
async fn status_shows_daemons_with_heartbeat_and_dead_ones(database: Database) {
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let (place, _store) = place(&database, &simulator).await;
    let status = async |words: &str| {
        let shown = async || {
            assert_eq!(place.run(&["status"]).await, 0, "{}", place.said());
            place.said().contains(words)
        };
        wait_for(words, PATIENCE, shown).await;
    };
    let first = place.start_to_watch().await;
    status("last heartbeat").await;
    first.kill();
    status("expired daemons: 1").await;
    let second = place.start_to_watch().await;
    stops_well(second, &place).await;
    status("no daemon is running\nexpired daemons: 1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fetch_beside_a_daemon_ends_on_signal_and_on_pause() {
    let (database, simulator) = (sqlite(), upstream::simulate(TOKEN, Duration::ZERO).await);
    let (place, store) = place(&database, &simulator).await;
    let note = simulator.world().notes(NOTES + 1).remove(NOTES);
    simulator.set_faults(format!("note#{note}=301").parse().unwrap());
    let daemon = place.start_to_watch().await;
    let fetch = place.start(&["fetch", "note", &note]);
    wait_until_said(&place, "uses this file: a daemon, which fetches the slots").await;
    let retrying = "select count(*) from slots where reason = 'upstream_failure'
                      and lease_owner is null";
    wait_for("a try", PATIENCE, async || count(&store, retrying).await == 1).await;
    fetch.ask_to_stop();
    assert_eq!(fetch.end().await.code(), Some(1), "{}", place.said());
    let given_up = "select count(*) from slots s join job_runs r on r.run_id = s.run_id
                    where r.origin = 'fetch' and s.outcome = 'missed'";
    assert_eq!(count(&store, given_up).await, 1, "{}", place.said());
    let pause = ["pause", "endpoint", "xiaohongshu/get-note-detail"];
    assert_eq!(place.run(&pause).await, 0);
    assert_eq!(place.run(&["fetch", "note", &note]).await, 1);
    assert!(place.said().contains("paused: no calls until a manual resume"));
    assert_eq!(count(&store, given_up).await, 2);
    assert_eq!(count(&store, "select count(*) from slots where reason = 'paused'").await, 1);
    stops_well(daemon, &place).await;
}

on_both!(second_signal_stops_fetch_at_once);
async fn second_signal_stops_fetch_at_once(database: Database) {
    let simulator = upstream::simulate(TOKEN, ENDLESS).await;
    let (place, store) = place(&database, &simulator).await;
    let fetch = place.start(&["fetch", "note", &simulator.world().notes(1)[0]]);
    wait_for_calls(&simulator, 1).await;
    fetch.ask_to_stop();
    wait_until_said(&place, "draining the calls in flight").await;
    fetch.ask_to_stop();
    assert_eq!(fetch.end().await.code(), Some(1), "{}", place.said());
    let open = "select count(*) from calls where outcome is null and billed = 'unknown'";
    assert_eq!(count(&store, open).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fetch_takes_over_when_its_daemon_dies() {
    let (database, simulator) = (sqlite(), upstream::simulate(TOKEN, ENDLESS).await);
    let (place, store) = place(&database, &simulator).await;
    let daemon = place.start_to_watch().await;
    let note = simulator.world().notes(1).remove(0);
    wait_for_calls(&simulator, NOTES).await;
    let fetch = place.start(&["fetch", "note", &note]);
    wait_until_said(&place, "another tidewatch process uses this file").await;
    daemon.kill();
    let other = simulator.truth().len();
    wait_for_calls(&simulator, other + 1).await;
    assert_eq!(simulator.truth()[other].key, note);
    drop(fetch);
    let interrupted = "select count(*) from calls where outcome = 'interrupted'";
    assert_eq!(count(&store, interrupted).await, i64::try_from(NOTES).unwrap());
}

#[tokio::test]
async fn a_signal_before_the_database_answers_stops_gracefully() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://tidewatch@{}/none", silent.local_addr().unwrap());
    let place = Place::new(&Database::at(&url), "").with("JUSTONEAPI_TOKEN", TOKEN);
    place.write("words.txt", "露营");
    let backfill = ["backfill", "words.txt", "--kind", "keywords"];
    for (arguments, code) in
        [(&["run"][..], 0), (&["serve"], 0), (&["fetch", "keyword", "露营"], 1), (&backfill, 1)]
    {
        let running = place.start(arguments);
        let _connection = silent.accept().await.unwrap();
        running.ask_to_stop();
        assert_eq!(running.end().await.code(), Some(code), "{arguments:?}: {}", place.said());
    }
}
