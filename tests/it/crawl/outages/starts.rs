//! Starts without a database, and files that go away.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tidewatch::ops::health;
use tidewatch::simulator::Simulator;

use super::cluster::Cluster;
use super::{FAILS, TOKEN};
use crate::crawl::crash;
use crate::databases::{Database, count, sqlite};
use crate::ops::health::free_port;
use crate::program::{PATIENCE, Place, Running, wait_for};

const JOBS: &str = "[justoneapi]\nrate_per_second = 1000\n[[job]]\nname = \"n\"\nkind = \"keywords\"\n\
                    schedule = \"*/10 * * * * *\"\nkeywords = [\"露营\", \"徒步\", \"美食\"]\n";

/// A size at which no schema fits, in bytes.
const FULL: u64 = 20_000;

async fn place(database: &Database) -> (Place, Simulator) {
    let simulator = crash::simulate(Duration::ZERO).await;
    let place = Place::new(database, JOBS).with_upstream(&simulator, TOKEN);
    (place, simulator)
}

/// Waits until the daemon answers this to `/readyz`.
async fn wait_until(place: &Place, address: SocketAddr, ready: bool, words: &str) {
    wait_for(&format!("{words}: {}", place.said()), PATIENCE, async || {
        let answer = health::ask(address, "/readyz").await;
        answer.is_ok_and(|(is_ready, text)| is_ready == ready && text.contains(words))
    })
    .await;
}

async fn stops_well(daemon: Running, place: &Place) {
    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daemon_that_starts_without_its_server_waits_for_it() {
    let cluster = Cluster::start();
    let database = Database::at(&cluster.url());
    database.open().await.close().await;
    let (place, _simulator) = place(&database).await;
    cluster.crash();
    let address = free_port().await;
    let arguments = ["run", "--listen", &address.to_string()];
    let daemon = place.start(&arguments);
    wait_until(&place, address, false, FAILS).await;
    assert!(health::ask(address, "/healthz").await.is_ok_and(|(lives, _)| lives));
    stops_well(daemon, &place).await;
    let daemon = place.start(&arguments);
    wait_until(&place, address, false, FAILS).await;
    cluster.restart();
    wait_until(&place, address, true, "ok").await;
    stops_well(daemon, &place).await;
    let unknown = place.with("DATABASE_URL", cluster.url().replace("/postgres", "/unknown"));
    assert_eq!(unknown.run(&["run"]).await, 2, "no such database");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daemon_that_starts_on_a_full_disk_waits_for_room() {
    let database = sqlite();
    let address = free_port().await;
    let simulator = crash::simulate(Duration::ZERO).await;
    let jobs = format!("{JOBS}[health]\nlisten = \"{address}\"\n");
    let place = Place::new(&database, &jobs).with_upstream(&simulator, TOKEN);
    let daemon = place.start_cramped(FULL);
    wait_until(&place, address, false, FAILS).await;
    let limit = ["--pid", &daemon.id(), "--fsize=unlimited:"];
    assert!(Command::new("prlimit").args(limit).status().unwrap().success());
    wait_until(&place, address, true, "ok").await;
    stops_well(daemon, &place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daemon_whose_file_goes_away_stops_and_says_so() {
    for end in ["", "-wal"] {
        let database = sqlite();
        let (place, simulator) = place(&database).await;
        let daemon = place.start(&["run"]);
        wait_for("calls", PATIENCE, async || !simulator.truth().is_empty()).await;
        let path = database.url().trim_start_matches("sqlite:").to_owned() + end;
        std::fs::remove_file(&path).unwrap();
        assert_eq!(daemon.end().await.code(), Some(2), "{}", place.said());
        assert!(place.said().contains("nothing more can be kept"), "{}", place.said());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backfill_whose_file_goes_away_asks_for_no_more() {
    let database = sqlite();
    let simulator = crash::simulate(Duration::from_millis(200)).await;
    let jobs = "[justoneapi]\nconcurrency = 2\n";
    let place = Place::new(&database, jobs).with_upstream(&simulator, TOKEN);
    let words: Vec<_> = (0..300).map(|n| format!("露营{n}")).collect();
    place.write("words.txt", &words.join("\n"));
    let backfill = place.start(&["backfill", "words.txt", "--kind", "keywords"]);
    wait_for("calls", PATIENCE, async || !simulator.truth().is_empty()).await;
    std::fs::remove_file(database.url().trim_start_matches("sqlite:")).unwrap();
    let calls = simulator.truth().len();
    assert_eq!(backfill.end().await.code(), Some(2), "{}", place.said());
    assert!(place.said().contains("nothing more can be kept"), "{}", place.said());
    let more = simulator.truth().len() - calls;
    assert!(more <= 10, "{more} calls after the file was gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folder_for_a_file_is_an_error_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (place, _simulator) = place(&sqlite()).await;
    let place = place.with("DATABASE_URL", format!("sqlite:{}", folder.path().display()));
    assert_eq!(place.run(&["run"]).await, 2);
    assert!(place.said().contains("is not a file"), "{}", place.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_with_two_names_has_no_daemon() {
    let database = sqlite();
    database.open().await.close().await;
    let path = database.url().trim_start_matches("sqlite:").to_owned();
    std::fs::hard_link(&path, format!("{path}.other")).unwrap();
    let (place, _simulator) = place(&database).await;
    assert_eq!(place.run(&["run"]).await, 2);
    assert!(place.said().contains("hard links"), "{}", place.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_of_the_page_do_not_starve_the_crawl() {
    let database = sqlite();
    let store = database.open().await;
    let (place, _simulator) = place(&database).await;
    let address = free_port().await;
    let daemon = place.start(&["run", "--serve", &address.to_string()]);
    wait_for("the page", PATIENCE, async || place.said().contains("serving the page")).await;
    let limit = ["--pid", &daemon.id(), "--nofile=192:192"];
    assert!(Command::new("prlimit").args(limit).status().unwrap().success());
    let strangers: Vec<_> = (0..200)
        .filter_map(|_| std::net::TcpStream::connect(address).ok())
        .map(|mut stream| stream.write_all(b"GET ").map(|()| stream))
        .collect();
    let observed = "select count(*) from slots where outcome = 'observed'";
    let before = count(&store, observed).await;
    wait_for("observations", PATIENCE, async || count(&store, observed).await > before + 5).await;
    assert_eq!(count(&store, "select count(*) from pauses").await, 0, "{}", place.said());
    drop(strangers);
    stops_well(daemon, &place).await;
}
