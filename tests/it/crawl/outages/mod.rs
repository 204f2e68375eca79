//! Outages of the database: the daemon waits, reports it, sends nothing, loses no answer, and recovers.

mod cluster;
mod starts;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection, SqliteConnection};
use tidewatch::api::Provider;
use tidewatch::config::{Config, Environment};
use tidewatch::daemon::Daemon;
use tidewatch::ops::health;
use tidewatch::simulator::{Faults, Simulator};
use tidewatch::store::Store;
use tidewatch::time::{Clock, Time};
use tokio_util::sync::CancellationToken;

use self::cluster::Cluster;
use crate::crawl::crash::{self, TOKEN};
use crate::databases::{Database, count, on_both, postgres, sqlite};
use crate::ops::health::free_port;
use crate::program::{PATIENCE, Place, Running, wait_for, waited_for};

/// Latency at which calls are in flight whenever the database fails.
const LATENCY: Duration = Duration::from_millis(150);

/// How long no call must arrive in an outage, after those in flight.
const OUTAGE: Duration = Duration::from_secs(3);

/// Duration of an outage in which the daemon must stay alive: longer than a loop may be stuck.
const LONG_OUTAGE: Duration = Duration::from_secs(75);

/// Size of SQLite's WAL after some dozens of calls, in bytes.
const CRAMPED: u64 = 3_000_000;

const FAILS: &str = "the database fails";
const ANSWERS: &str = "the database answers again";

/// Daemons on one database.
struct Scene {
    simulator: Simulator,
    place: Place,
    daemons: Vec<Running>,
    began: Time,
}

impl Scene {
    /// Daemons that have begun to send calls.
    async fn new(database: &Database, daemons: usize) -> Self {
        Self::with(database, |place| (0..daemons).map(|_| place.start(&["run"])).collect()).await
    }

    /// A daemon that sends calls and serves health checks.
    async fn listening(database: &Database, address: SocketAddr) -> Self {
        let listen = address.to_string();
        Self::with(database, |place| vec![place.start(&["run", "--listen", &listen])]).await
    }

    async fn with(database: &Database, start: impl FnOnce(&Place) -> Vec<Running>) -> Self {
        database.open().await.close().await;
        let simulator = crash::simulate(LATENCY).await;
        let jobs = crash::jobs(&simulator);
        let place = Place::new(database, &jobs).with_upstream(&simulator, TOKEN);
        let began = Clock::system().now();
        let daemons = start(&place);
        let scene = Self { simulator, place, daemons, began };
        scene.goes_on().await;
        scene
    }

    /// Waits for new calls.
    async fn goes_on(&self) {
        let before = self.simulator.truth().len();
        let calls = async || self.simulator.truth().len() > before + 30;
        assert!(waited_for(PATIENCE, calls).await, "no calls come\n{}", self.place.said());
    }

    /// Waits until the message was logged this often in total.
    async fn said(&self, words: &str, times: usize) {
        let said = async || self.place.said().matches(words).count() >= times;
        assert!(waited_for(PATIENCE, said).await, "nobody says {words}\n{}", self.place.said());
    }

    /// Waits until all work is done and stops the daemons: no answer may be lost and no daemon reaped.
    /// Returns their logs.
    async fn ends_well(self, database: &Database) -> String {
        let store = Store::connect(database.url()).await.unwrap();
        self.goes_on().await;
        self.simulator.set_faults(Faults::default());
        let settled = crash::worked_off(&store).await;
        for daemon in self.daemons {
            daemon.ask_to_stop();
            assert_eq!(daemon.end().await.code(), Some(0), "{}", self.place.said());
        }
        all_is_kept(&store, &self.simulator, self.began, settled).await;
        self.place.said()
    }
}

/// The health checks of a daemon.
struct Health(SocketAddr);

impl Health {
    async fn is_ready(&self) -> bool {
        health::ask(self.0, "/readyz").await.is_ok_and(|(ready, _)| ready)
    }

    /// Waits until the daemon reports the outage, and then longer than a stuck loop may take.
    async fn fails_and_lives(&self, scene: &Scene) {
        let began = Clock::system().now();
        let (mut said, mut fails) = (false, false);
        while !(said && fails) || Clock::system().now().since(began) < LONG_OUTAGE {
            let (lives, why) = health::ask(self.0, "/healthz").await.unwrap();
            assert!(lives, "{why}\n{}", scene.place.said());
            let (ready, why) = health::ask(self.0, "/readyz").await.unwrap();
            fails = !ready && why.contains("the database fails");
            said |= scene.place.said().contains(FAILS);
            let waited = Clock::system().now().since(began);
            assert!(waited < LONG_OUTAGE + PATIENCE, "{why}\n{}", scene.place.said());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// Asserts that no more calls arrive.
async fn is_quiet(simulator: &Simulator) {
    wait_for("an end of calls without a ledger", PATIENCE, async || {
        let before = simulator.truth().len();
        tokio::time::sleep(OUTAGE).await;
        simulator.truth().len() == before
    })
    .await;
}

async fn all_is_kept(store: &Store, simulator: &Simulator, began: Time, settled: Time) {
    let calls = crash::nothing_is_lost_or_doubled(store, simulator, began, settled).await;
    assert_eq!((calls.interrupted, calls.unkept, calls.late), (0, 0, 0), "{calls}");
    assert!(calls.seen <= calls.noted && calls.seen > 60, "{calls}");
    store.close().await;
}

/// A separate connection to the same database.
async fn outside(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

#[expect(clippy::disallowed_methods, reason = "what happens to the database from outside")]
async fn execute(connection: &mut PgConnection, sql: &str) {
    sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}

/// Cuts every other connection to this database.
const CUT: &str = "select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_daemons_survive_a_server_crash() {
    let cluster = Cluster::start();
    let database = Database::at(&cluster.url());
    let scene = Scene::new(&database, 2).await;
    for _ in 0..3 {
        cluster.crash_and_restart();
        scene.goes_on().await;
    }
    cluster.crash();
    scene.said(FAILS, 2).await;
    is_quiet(&scene.simulator).await;
    cluster.restart();
    let said = scene.ends_well(&database).await;
    assert!(said.matches(ANSWERS).count() >= 2, "{said}");
    assert!(said.matches(FAILS).count() <= 8, "once an outage and daemon\n{said}");
    assert!(!said.contains("reaped an expired worker"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_daemons_survive_cut_connections() {
    let database = postgres().await;
    let scene = Scene::new(&database, 2).await;
    let mut connection = outside(database.url()).await;
    for _ in 0..15 {
        execute(&mut connection, CUT).await;
        tokio::time::sleep(Duration::from_millis(370)).await;
    }
    scene.said("taking the lock again", 1).await;
    let said = scene.ends_well(&database).await;
    assert!(!said.contains("reaped an expired worker"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daemon_waits_while_postgresql_is_read_only() {
    let database = postgres().await;
    let scene = Scene::new(&database, 1).await;
    let (server, name) = database.url().rsplit_once('/').unwrap();
    let mut connection = outside(&format!("{server}/postgres")).await;
    let set = format!("alter database {name} set default_transaction_read_only = on");
    let cut =
        format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
    execute(&mut connection, &set).await;
    execute(&mut connection, &cut).await;
    scene.said("read-only transaction", 1).await;
    is_quiet(&scene.simulator).await;
    execute(&mut connection, &set.replace(" = on", " = off")).await;
    execute(&mut connection, &cut).await;
    let said = scene.ends_well(&database).await;
    assert_eq!(said.matches(FAILS).count(), said.matches(ANSWERS).count(), "{said}");
}

on_both!(daemon_waits_while_another_program_locks_the_database);
async fn daemon_waits_while_another_program_locks_the_database(database: Database) {
    let address = free_port().await;
    let (scene, health) = (Scene::listening(&database, address).await, Health(address));
    wait_for("a daemon that is ready", PATIENCE, async || health.is_ready().await).await;
    if database.url().starts_with("postgres:") {
        let mut connection = outside(database.url()).await;
        let mut tx = connection.begin().await.unwrap();
        execute(&mut tx, "lock table calls in access exclusive mode").await;
        is_quiet(&scene.simulator).await;
        health.fails_and_lives(&scene).await;
        tx.rollback().await.unwrap();
    } else {
        let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
        let tx = connection.begin_with("begin immediate").await.unwrap();
        is_quiet(&scene.simulator).await;
        health.fails_and_lives(&scene).await;
        tx.rollback().await.unwrap();
    }
    wait_for("a daemon that is ready", PATIENCE, async || health.is_ready().await).await;
    scene.ends_well(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daemon_notices_an_unresponsive_server() {
    let cluster = Cluster::start();
    let database = Database::at(&cluster.url());
    let address = free_port().await;
    let (scene, health) = (Scene::listening(&database, address).await, Health(address));
    cluster.freeze();
    health.fails_and_lives(&scene).await;
    cluster.thaw();
    wait_for("a daemon that is ready", PATIENCE, async || health.is_ready().await).await;
    scene.ends_well(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backfill_notices_an_unresponsive_server_and_resumes() {
    let cluster = Cluster::start();
    let database = Database::at(&cluster.url());
    let store = database.open().await;
    let simulator = crash::simulate(LATENCY).await;
    simulator.set_faults(Faults::default());
    let notes = simulator.world().notes(200);
    let place = Place::new(&database, &crash::jobs(&simulator)).with_upstream(&simulator, TOKEN);
    place.write("notes.txt", &notes.join("\n"));
    let backfill = place.start(&["backfill", "notes.txt"]);
    // A process waiting for an answer, not for a connection, would wait for ever.
    let mut other = outside(database.url()).await;
    execute(&mut other, "begin").await;
    execute(&mut other, "lock table documents").await;
    let waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'";
    wait_for("a save that waits", PATIENCE, async || count(&store, waiting).await > 0).await;
    cluster.freeze();
    let noticed = async || place.said().contains("the database does not answer in time");
    assert!(waited_for(PATIENCE, noticed).await, "{}", place.said());
    cluster.thaw();
    execute(&mut other, "rollback").await;
    let observed = "select count(*) from slots where outcome = 'observed'";
    let all = async || count(&store, observed).await == 200;
    assert!(waited_for(PATIENCE, all).await, "{}", place.said());
    assert_eq!(backfill.end().await.code(), Some(0), "{}", place.said());
    assert_eq!(simulator.truth().len(), notes.len(), "a slot was fetched twice, or not at all");
    let kept = count(&store, "select count(*) from note_metrics").await;
    assert_eq!(kept, i64::try_from(notes.len()).unwrap());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daemon_waits_while_the_disk_is_full() {
    let database = sqlite();
    let scene = Scene::with(&database, |place| vec![place.start_cramped(CRAMPED)]).await;
    scene.said(FAILS, 1).await;
    is_quiet(&scene.simulator).await;
    let limit = ["--pid", &scene.daemons[0].id(), "--fsize=unlimited:"];
    assert!(Command::new("prlimit").args(limit).status().unwrap().success());
    let said = scene.ends_well(&database).await;
    assert_eq!((said.matches(FAILS).count(), said.matches(ANSWERS).count()), (1, 1), "{said}");
}

/// Errors that SQLite itself raises in a daemon of this process.
struct Inside {
    simulator: Simulator,
    database: Database,
    store: Store,
    began: Time,
    stop: CancellationToken,
}

impl Inside {
    #[expect(clippy::disallowed_methods, reason = "what happens to the database from outside")]
    async fn tell(&self, sql: &'static str) {
        let Store::Sqlite { writer, .. } = &self.store else { panic!("not SQLite") };
        sqlx::query(sql).execute(writer).await.unwrap();
    }
}

async fn refuses_and_recovers(refuse: &'static str, complaint: &str, relent: &'static str) {
    let simulator = crash::simulate(LATENCY).await;
    let database = sqlite();
    let store = database.open().await;
    let url = format!("[justoneapi]\nbase_url = \"{}\"", simulator.base_url(Provider::JustOneApi));
    let jobs = crash::jobs(&simulator).replacen("[justoneapi]", &url, 1);
    let environment = Environment::of([("JUSTONEAPI_TOKEN", TOKEN)]);
    let config = Config::parse(&jobs, Path::new("jobs.toml"), &environment);
    let config = Arc::new(config.unwrap_or_else(|error| panic!("{error}")));
    let clock = Clock::system();
    let (began, stop) = (clock.now(), CancellationToken::new());
    let mut daemon = Daemon::open(config, store.clone(), clock, "run").await.unwrap();
    let (health, stopping) = (daemon.health(), stop.clone());
    let work = tokio::spawn(async move {
        daemon.run(&stopping).await.unwrap();
        daemon.close().await.unwrap();
    });
    let inside = Inside { simulator, database, store, began, stop };
    let seen = || inside.simulator.truth().len();
    wait_for("calls", PATIENCE, async || seen() > 60).await;
    inside.tell(refuse).await;
    let why = || health.snapshot().database_error.unwrap_or_default();
    wait_for(complaint, PATIENCE, async || why().contains(complaint)).await;
    is_quiet(&inside.simulator).await;
    let before = seen();
    inside.tell(relent).await;
    wait_for("calls", PATIENCE, async || seen() > before + 30).await;
    assert_eq!(health.snapshot().database_error, None);
    inside.simulator.set_faults(Faults::default());
    let settled = crash::worked_off(&inside.store).await;
    inside.stop.cancel();
    work.await.unwrap();
    all_is_kept(&inside.store, &inside.simulator, inside.began, settled).await;
    drop(inside.database);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daemon_waits_while_sqlite_is_full() {
    // Not below the size of the file: it must not grow.
    refuses_and_recovers("pragma max_page_count = 1", "full", "pragma max_page_count = 4294967294")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daemon_waits_while_sqlite_is_read_only() {
    refuses_and_recovers("pragma query_only = on", "readonly", "pragma query_only = off").await;
}
