//! Health checks of a daemon that runs, waits, is stuck, or stops.

use std::net::SocketAddr;
use std::time::Duration;

use tidewatch::daemon::TAKEN;
use tidewatch::ops::health::{self, HealthServer};
use tidewatch::ops::health_state::HealthState;
use tidewatch::ops::metrics::Metrics;
use tidewatch::store::Store;
use tidewatch::time::Clock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::databases::{Database, on_both, sqlite};
use crate::env::beginning;
use crate::ops::metrics::settings;
use crate::program::{PATIENCE, Place, wait_for};

const JOBS: &str = "[[job]]\nname = \"n\"\nkind = \"notes\"\nschedule = \"@daily\"\n\
                    notes = [\"68a1b2c3d4e5f60718293a4b\"]\n";

/// Status line and body of the answer to a request with this `Host`.
pub(crate) async fn get(address: SocketAddr, path: &str, host: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let question = format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    (status.parse().unwrap(), body.trim_end().to_owned())
}

/// A free port.
pub(crate) async fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

on_both!(stuck_loop_is_unhealthy_and_failing_database_is_unready);
async fn stuck_loop_is_unhealthy_and_failing_database_is_unready(database: Database) {
    let (state, clock) = (HealthState::default(), Clock::standing(beginning()));
    let store = database.open().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let metrics = Metrics::begin(&store, &clock).await.unwrap();
    let server = HealthServer {
        state: state.clone(),
        store: store.clone(),
        clock: clock.clone(),
        metrics,
        settings: settings(),
    };
    tokio::spawn(server.serve(listener));
    let ask = async |path| health::ask(address, path).await.unwrap();
    let (yes, no) = ((true, "ok".to_owned()), |why: &str| (false, why.to_owned()));

    assert_eq!(ask("/healthz").await, no("the daemon is starting"));
    state.beat(clock.now());
    assert_eq!(ask("/healthz").await, yes);
    assert_eq!(ask("/readyz").await, no("the daemon is starting"));
    state.ticked(clock.now());
    assert_eq!(ask("/readyz").await, yes);

    clock.jump_to(beginning().plus(Duration::from_secs(60)));
    assert_eq!(ask("/healthz").await, yes);
    clock.jump_to(beginning().plus(Duration::from_secs(61)));
    let stuck = no("no heartbeat of the loop since 2026-03-02 00:00:00 UTC");
    assert_eq!(ask("/healthz").await, stuck);
    clock.correct(beginning().minus(Duration::from_secs(3600)));
    assert_eq!(ask("/healthz").await, stuck, "a clock that was put back hides nothing");

    state.beat(clock.now());
    state.database_fails("the disk is full");
    assert_eq!(ask("/healthz").await, yes, "it waits, and comes round");
    assert_eq!(ask("/readyz").await, no("the database fails: the disk is full"));
    state.ticked(clock.now());
    assert_eq!(ask("/readyz").await, yes);

    add_newer_migration(&store).await;
    assert_eq!(ask("/readyz").await, no("the database's schema is too new"));
    state.stopping();
    assert_eq!(ask("/readyz").await, no("the daemon is stopping"));
    store.close().await;
    assert_eq!(ask("/healthz").await, yes);
}

#[expect(clippy::disallowed_methods, reason = "plays a newer program")]
async fn add_newer_migration(store: &Store) {
    let sql = "insert into _sqlx_migrations
               (version, description, success, checksum, execution_time)
               select 9999, description, success, checksum, execution_time
               from _sqlx_migrations limit 1";
    match store {
        Store::Sqlite { writer, .. } => drop(sqlx::query(sql).execute(writer).await.unwrap()),
        Store::Postgres(pool) => drop(sqlx::query(sql).execute(pool).await.unwrap()),
    }
}

on_both!(healthcheck_asks_the_daemon_over_its_port);
async fn healthcheck_asks_the_daemon_over_its_port(database: Database) {
    database.open().await.close().await;
    let address = free_port().await;
    let jobs = format!("{JOBS}[health]\nlisten = \"{address}\"\n");
    let place = Place::new(&database, &jobs).with("JUSTONEAPI_TOKEN", "unused-in-this-test");
    assert_eq!(place.run(&["healthcheck"]).await, 1, "nobody is there");
    let daemon = place.start(&["run"]);
    wait_for("the daemon to be ready", PATIENCE, async || {
        health::ask(address, "/readyz").await.is_ok_and(|(ready, _)| ready)
    })
    .await;
    assert_eq!(place.run(&["healthcheck"]).await, 0, "{}", place.said());
    assert_eq!(place.run(&["healthcheck", "--ready"]).await, 0, "{}", place.said());
    let name = address.to_string();
    assert_eq!(place.run(&["healthcheck", "--listen", &name]).await, 0, "{}", place.said());

    let at = |host: &str| format!("Host: {host}\r\n");
    for host in [name.as_str(), "localhost", "[::1]:1"] {
        assert_eq!(get(address, "/healthz", &at(host)).await, (200, "ok".into()), "{host}");
    }
    for host in [at("evil.test"), at("10.0.0.1:9464"), at("127.0.0.1.evil.test"), String::new()] {
        for path in ["/healthz", "/readyz"] {
            let (status, _) = get(address, path, &host).await;
            assert!(matches!(status, 400 | 421), "{host}: {status}");
        }
    }
    assert_eq!(get(address, "/", &at("localhost")).await.0, 404);

    let other = Place::new(&database, &jobs).with("JUSTONEAPI_TOKEN", "unused-in-this-test");
    assert_eq!(other.run(&["run"]).await, 2, "the port is in use, and on SQLite the file");
    let why = match database.url().starts_with("sqlite:") {
        true => TAKEN.to_owned(),
        false => format!("cannot serve health checks on {address}"),
    };
    assert!(other.said().contains(&why), "{}", other.said());

    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
    assert_eq!(place.run(&["healthcheck"]).await, 1, "nobody is there any more");
}

#[tokio::test]
async fn health_server_listens_on_loopback_only() {
    let database = sqlite();
    for address in ["0.0.0.0:9464", "[::]:9464", "192.168.1.2:9464", "localhost:9464", "9464"] {
        let place = Place::new(&database, &format!("{JOBS}[health]\nlisten = \"{address}\"\n"));
        assert_eq!(place.run(&["check"]).await, 78, "{address}: {}", place.said());
        let place = Place::new(&database, JOBS);
        assert_eq!(place.run(&["run", "--listen", address]).await, 2, "{}", place.said());
        assert!(place.said().contains("invalid value"), "{}", place.said());
    }
    let place = Place::new(&database, JOBS);
    assert_eq!(place.run(&["healthcheck"]).await, 2, "there is no port to ask");
    assert!(place.said().contains("no address of health checks"), "{}", place.said());
}
