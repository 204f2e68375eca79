//! Kills at any moment: no slot is lost, no observation repeated, and every possible cost is on the
//! ledger.

pub(crate) mod checks;

use std::time::Duration;

use tidewatch::api::Provider;
use tidewatch::simulator::{Faults, Options, Simulator};
use tidewatch::store::Store;
use tidewatch::time::{Clock, Time};

use self::checks::Agreement;
use crate::databases::{Database, count, on_both, rows};
use crate::flags;
use crate::program::{PATIENCE, Place, wait_for, waited_for};
use crate::upstream;

/// Calls of each provider in flight at once.
const JUSTONEAPI_CONCURRENCY: i64 = 8;
const AMAGI_CONCURRENCY: i64 = 2;

/// Calls of a daemon in flight at once.
pub(crate) const IN_FLIGHT: i64 = JUSTONEAPI_CONCURRENCY + AMAGI_CONCURRENCY;

/// Note jobs: one fires every second, so that the daemon is nearly always busy.
const NOTE_JOBS: usize = 10;

/// Notes of each of these jobs.
const NOTES_EACH: usize = 30;

/// Watched works.
const WORKS: usize = 8;

/// Pages of the KOL search.
pub(crate) const PAGES: i64 = 3;

/// Minimum latency of an answer.
const LATENCY: Duration = Duration::from_millis(40);

/// Calls in the budget.
const BUDGET: usize = 100;

/// Slow calls and temporary failures.
const FAULTS: &str =
    "note=slow:20:0.3,slow:150:0.1,301:0.02,drop:0.01; amagi=slow:60:0.5; kols=slow:200";

/// How long a daemon may take until its first call: a job fires every second.
const AT_WORK_WITHIN: Duration = Duration::from_secs(30);

pub(crate) const TOKEN: &str = "crash-test-token";

/// An upstream with at least this latency.
pub(crate) async fn simulate(latency: Duration) -> Simulator {
    let faults = FAULTS.parse().unwrap();
    upstream::start(Options { latency, faults, ..upstream::options(TOKEN) }).await
}

/// Jobs of every kind, at different seconds.
pub(crate) fn jobs(simulator: &Simulator) -> String {
    let world = simulator.world();
    let mut text = format!(
        r#"
        [justoneapi]
        concurrency = {JUSTONEAPI_CONCURRENCY}
        rate_per_second = 1000
        timeout_seconds = 10
        [amagi]
        base_url = "{}"
        concurrency = {AMAGI_CONCURRENCY}
        rate_per_second = 1000
        timeout_seconds = 10
        "#,
        simulator.base_url(Provider::Amagi)
    );
    // The first note is behind the short link.
    for (n, notes) in world.notes(1 + NOTE_JOBS * NOTES_EACH)[1..].chunks(NOTES_EACH).enumerate() {
        text += &job(&format!("notes-{n}"), "notes", n, &format!("notes = {notes:?}"));
    }
    text += &job("link", "notes", 5, &format!("notes = {:?}", world.note_links(1)));
    text += &job("works", "works", 2, &format!("urls = {:?}", world.works(WORKS)));
    text += &job("words", "keywords", 4, &format!("keywords = {:?}", &world.keywords()[..3]));
    let filter = r#"filter = { searchType = "NOTE", keyword = "阅读" }"#;
    text + &job("kols", "kols", 8, &format!("{filter}\nmax_pages = {PAGES}"))
}

/// A job that fires every ten seconds, at this second.
fn job(name: &str, kind: &str, second: usize, list: &str) -> String {
    let seconds: Vec<_> = (0..6).map(|ten| (ten * 10 + second).to_string()).collect();
    let schedule = format!("{} * * * * *", seconds.join(","));
    format!("[[job]]\nname = \"{name}\"\nkind = \"{kind}\"\nschedule = \"{schedule}\"\n{list}\n")
}

/// A number from 0 to 999 for the nth daemon, reproducible in every run.
fn chance(n: u64) -> u64 {
    let mixed = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (mixed >> 33) % 1000
}

/// Starts the nth daemon and kills it: one in four during startup, the others during calls.
async fn start_and_kill(place: &Place, simulator: &Simulator, n: u64) {
    let before = simulator.truth().len();
    let daemon = place.start(&["run"]);
    let mut lifetime = Duration::from_millis(chance(n));
    if !n.is_multiple_of(4) {
        waited_for(AT_WORK_WITHIN, async || simulator.truth().len() > before).await;
        lifetime /= 3;
    }
    tokio::time::sleep(lifetime).await;
    daemon.kill();
}

on_both!(repeated_kills_lose_no_slot_and_repeat_no_snapshot);
async fn repeated_kills_lose_no_slot_and_repeat_no_snapshot(database: Database) {
    let kills = flags::kills();
    let simulator = simulate(LATENCY).await;
    let place = Place::new(&database, &jobs(&simulator)).with_upstream(&simulator, TOKEN);
    if database.url().starts_with("postgres:") {
        assert_eq!(place.run(&["migrate"]).await, 0, "{}", place.said());
    }
    let began = Clock::system().now();
    for n in 0..kills {
        start_and_kill(&place, &simulator, n).await;
    }
    let store = Store::connect(database.url()).await.unwrap();
    simulator.set_faults(Faults::default());
    let daemon = place.start(&["run"]);
    // On a slow machine every search may have been interrupted too often.
    let searches = "select count(*) from slots s join targets t on t.target_id = s.target_id
                    where t.kind = 'kol_search' and s.outcome = 'observed'";
    waited_for(PATIENCE, async || count(&store, searches).await > 0).await;
    let settled = worked_off(&store).await;
    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
    let calls = nothing_is_lost_or_doubled(&store, &simulator, began, settled).await;
    let kills = i64::try_from(kills).unwrap();
    report(&store, kills, &calls).await;
    assert!(calls.interrupted <= kills * IN_FLIGHT, "{calls}");
    assert!(calls.unkept <= calls.interrupted, "{calls}");
    assert!(calls.unkept * 2 > kills, "the kills hit few calls in flight: {calls}");
    store.close().await;
}

on_both!(budget_of_a_hundred_calls_holds_across_kills);
async fn budget_of_a_hundred_calls_holds_across_kills(database: Database) {
    let store = database.open().await;
    let simulator = simulate(LATENCY).await;
    let jobs = format!("[budget]\nmax_calls_per_day = {BUDGET}\n{}", jobs(&simulator));
    let place = Place::new(&database, &jobs).with_upstream(&simulator, TOKEN);
    let all = i64::try_from(BUDGET).unwrap();
    let seen = || simulator.truth().len();
    let taken = "select count(*) from calls where outcome is null or outcome <> 'unsent'";
    let mut early = 0;
    for n in 0..flags::kills() / 2 {
        if count(&store, taken).await < all {
            early += 1;
            start_and_kill(&place, &simulator, n).await;
        } else {
            let daemon = place.start(&["run"]);
            tokio::time::sleep(Duration::from_millis(150 + chance(n))).await;
            daemon.kill();
        }
        assert!(seen() <= BUDGET, "the server saw {} calls after {n} kills", seen());
    }
    assert!(early > 1, "the kills came when nothing was left to spend");
    let daemon = place.start_to_watch().await;
    let spent = "select count(*) from calls where outcome is not null and outcome <> 'unsent'";
    let used_up = async || count(&store, spent).await == all;
    assert!(waited_for(PATIENCE, used_up).await, "{} calls\n{}", seen(), place.said());
    let fires = "select count(*) from job_runs";
    let before = count(&store, fires).await;
    wait_for("more fires", PATIENCE, async || count(&store, fires).await > before + 3).await;
    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
    let calls = checks::every_call_is_on_the_ledger(&store, &simulator.truth()).await;
    assert!(calls.noted == all && calls.seen <= all && calls.interrupted > 0, "{calls}");
}

/// Waits until every job has fired and everything due or in flight by now is settled; returns that
/// time.
pub(crate) async fn worked_off(store: &Store) -> Time {
    let now = Clock::system().now();
    let mut open = (0, 0, 0);
    let settled = async || {
        open = checks::open_by(store, now).await;
        open == (0, 0, 0) && checks::every_job_has_fired(store).await
    };
    let settled = waited_for(PATIENCE, settled).await;
    assert!(settled, "these fires, slots and calls are still open: {open:?}");
    now
}

/// Asserts the invariants of the archive; returns the agreement of ledger and server.
pub(crate) async fn nothing_is_lost_or_doubled(
    store: &Store,
    simulator: &Simulator,
    began: Time,
    settled: Time,
) -> Agreement {
    let truth = simulator.truth();
    checks::every_fire_has_a_settled_slot_of_each_target(store, began, settled).await;
    checks::every_observed_slot_has_one_snapshot_and_no_other_slot_has_any(store).await;
    checks::every_snapshot_has_its_document(store).await;
    checks::every_page_of_an_observed_search_is_kept_once(store, PAGES).await;
    checks::every_like_was_answered(store, &truth).await;
    checks::every_call_is_on_the_ledger(store, &truth).await
}

/// Prints the result of a long run, shown with `--nocapture`.
async fn report(store: &Store, kills: i64, calls: &Agreement) {
    let database = if store.is_sqlite() { "SQLite" } else { "PostgreSQL" };
    let slots: Vec<(String, i64)> = rows(
        store,
        "select coalesce(reason, outcome, 'open'), count(*) from slots
         group by coalesce(reason, outcome, 'open') order by count(*) desc",
    )
    .await;
    let due: i64 = slots.iter().map(|(_, count)| count).sum();
    let tenths = calls.unkept * 10 / kills.max(1);
    eprintln!(
        "{database}: {kills} kills; {due} slots: {slots:?}; {calls}; {}.{} answers lost a kill, \
         to be asked for again; 0 slots lost, 0 snapshots doubled",
        tenths / 10,
        tenths % 10
    );
}
