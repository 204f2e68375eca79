//! Several daemons on one PostgreSQL: again and again one is killed and one suspended.

use std::time::Duration;

use tidewatch::store::Store;
use tidewatch::time::Clock;

use crate::crawl::crash::{self, IN_FLIGHT, TOKEN};
use crate::databases::{Database, count, postgres};
use crate::flags;
use crate::program::{PATIENCE, Place, Running, wait_for};

/// The number of daemons.
const DAEMONS: usize = 3;

/// The shortest lease allowed.
const LEASE: Duration = Duration::from_secs(5);

/// Latency at which every daemon always has calls in flight.
const LATENCY: Duration = Duration::from_millis(250);

/// Duration of a short and a long run.
const USUAL: Duration = Duration::from_secs(40);
const LONG: Duration = Duration::from_secs(300);

/// A small generator, reproducible in every run.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn between(&mut self, least_ms: u64, most_ms: u64) -> Duration {
        Duration::from_millis(least_ms + self.roll(most_ms - least_ms))
    }
}

/// What happened to the daemons.
#[derive(Debug, Default)]
struct Done {
    kills: i64,
    suspensions: i64,
}

/// Waits until this many daemons are on record: one that is killed before leaves nothing to reap.
async fn wait_for_records(store: &Store, daemons: i64) {
    let all = "select count(*) from processes";
    wait_for("the daemons", PATIENCE, async || count(store, all).await == daemons).await;
}

/// In each round one daemon is suspended past its lease, and another one is killed and restarted.
async fn trouble(
    store: &Store,
    places: &[Place],
    daemons: &mut [Option<Running>],
    lasting: Duration,
) -> Done {
    let mut dice = Dice(11);
    let mut done = Done::default();
    let clock = Clock::system();
    let began = clock.now();
    while clock.now().since(began) < lasting {
        wait_for_records(store, i64::try_from(places.len()).unwrap() + done.kills).await;
        let sleeper = usize::try_from(dice.roll(DAEMONS as u64)).unwrap();
        let victim = (sleeper + 1 + usize::try_from(dice.roll(2)).unwrap()) % DAEMONS;
        tokio::time::sleep(dice.between(200, 1500)).await;
        daemons[sleeper].as_ref().unwrap().suspend();
        done.suspensions += 1;
        tokio::time::sleep(dice.between(200, 2500)).await;
        daemons[victim].take().unwrap().kill();
        done.kills += 1;
        tokio::time::sleep(dice.between(100, 2000)).await;
        daemons[victim] = Some(places[victim].start(&["run"]));
        tokio::time::sleep(LEASE + dice.between(0, 1500)).await;
        daemons[sleeper].as_ref().unwrap().resume();
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_and_sleeping_daemons_lose_and_repeat_no_slot() {
    let database: Database = postgres().await;
    let store: Store = database.open().await;
    let simulator = crash::simulate(LATENCY).await;
    let jobs =
        format!("[daemon]\nlease_seconds = {}\n{}", LEASE.as_secs(), crash::jobs(&simulator));
    let place = || Place::new(&database, &jobs).with_upstream(&simulator, TOKEN);
    let places: Vec<Place> = (0..DAEMONS).map(|_| place()).collect();
    let said = || places.iter().map(Place::said).collect::<Vec<_>>().join("\n");
    let began = Clock::system().now();
    let start = |place: &Place| Some(place.start(&["run"]));
    let mut daemons: Vec<_> = places.iter().map(start).collect();
    let lasting = if flags::is_long() { LONG } else { USUAL };
    let done = trouble(&store, &places, &mut daemons, lasting).await;
    simulator.set_faults(tidewatch::simulator::Faults::default());
    let settled = crash::worked_off(&store).await;
    for daemon in daemons.into_iter().flatten() {
        daemon.ask_to_stop();
        assert_eq!(daemon.end().await.code(), Some(0), "{}", said());
    }
    let calls = crash::nothing_is_lost_or_doubled(&store, &simulator, began, settled).await;
    let dead = count(&store, "select count(*) from processes where died_at is not null").await;
    eprintln!("{DAEMONS} daemons, {done:?}; {calls}; {dead} buried");
    assert_eq!(dead, done.kills, "who was buried: the killed, and nobody who slept\n{}", said());
    assert!(calls.interrupted <= done.kills * IN_FLIGHT, "{done:?} {calls}");
    assert!(calls.unkept <= calls.interrupted, "{done:?} {calls}");
    assert!(calls.late <= done.suspensions * IN_FLIGHT, "{done:?} {calls}");
    assert!(calls.late > 0, "nobody slept past its lease with calls in flight: {done:?} {calls}");
    assert!(calls.interrupted > 0, "nobody was killed with calls in flight: {done:?} {calls}");
}
