//! Reloads: settings that change while the daemon runs.

use std::time::Duration;

use tidewatch::api::Provider;
use tidewatch::model::{Pause, PauseReason, PauseScope};
use tidewatch::simulator::Simulator;
use tidewatch::store::Store;
use tidewatch::time::Clock;

use crate::databases::{Database, count, on_both, rows, sqlite};
use crate::env::{Env, hours, minutes};
use crate::program::{PATIENCE, Place, Running, wait_for};
use crate::upstream;

/// A job that watches keywords.
fn job(name: &str, schedule: &str, words: &[&str]) -> String {
    format!(
        "[[job]]\nname = {name:?}\nkind = \"keywords\"\nschedule = {schedule:?}\n\
         timezone = \"UTC\"\nkeywords = {words:?}\n"
    )
}

/// Slots as `job target outcome reason count`.
const SLOTS: &str =
    "select t.key || ' ' || s.outcome || ' ' || coalesce(s.reason, '-') || ' ' || count(*)
                     from slots s join targets t on t.target_id = s.target_id
                     group by t.key, s.outcome, s.reason order by 1";

on_both!(target_removed_by_reload_stops_and_keeps_its_history);
async fn target_removed_by_reload_stops_and_keeps_its_history(database: Database) {
    let mut env = Env::new(database, &job("a", "@hourly", &["露营", "美食"])).await;
    env.advance(minutes(150)).await;
    env.reload(&job("a", "@hourly", &["美食", "旅行"])).await;
    env.advance(hours(2)).await;
    assert_eq!(
        env.ask(SLOTS).await,
        ["旅行 observed - 2", "美食 observed - 4", "露营 observed - 2"]
    );
    let words = env.ask("select distinct keyword from keyword_suggestions order by 1").await;
    assert_eq!(words.len(), 3, "the history of what left stays");
}

on_both!(fires_before_a_reload_follow_the_old_settings);
async fn fires_before_a_reload_follow_the_old_settings(database: Database) {
    let mut env = Env::new(database, &job("a", "@hourly", &["露营"])).await;
    env.advance(minutes(90)).await;
    // The machine sleeps until 02:00, and that fire is undecided when the settings change.
    env.clock.jump_to(env.clock.now().plus(minutes(30)));
    env.reload(&job("b", "30 * * * *", &["美食"])).await;
    env.advance(hours(1)).await;
    let expected = ["美食 observed - 1", "露营 missed daemon_down 1", "露营 observed - 1"];
    assert_eq!(env.ask(SLOTS).await, expected);
    let jobs = "select name || ' ' || case when is_active then 'active' else 'gone' end
                from jobs order by name";
    assert_eq!(env.ask(jobs).await, ["a gone", "b active"]);
    let loads = "select '' || count(*) from config_loads where error is null";
    assert_eq!(env.ask(loads).await, ["2"]);
}

on_both!(schedule_changed_by_reload_begins_with_its_next_fire);
async fn schedule_changed_by_reload_begins_with_its_next_fire(database: Database) {
    let hourly = job("a", "@hourly", &["露营"]);
    let mut env = Env::new(database, &hourly).await;
    env.advance(minutes(150)).await;
    env.reload(&hourly.replace("@hourly", "*/10 * * * *")).await;
    env.advance(minutes(20)).await;
    env.reload(&(hourly.clone() + "active = [\"05:00-06:00\"]\n")).await;
    env.advance(hours(10)).await;
    let due = "select substr('' || due_at, 12, 5) from slots order by due_at";
    assert_eq!(env.ask(due).await, ["01:00", "02:00", "02:40", "02:50", "05:00"]);
    assert_eq!(env.ask("select '' || count(*) from slots where outcome = 'observed'").await, ["5"]);
}

on_both!(lease_changed_by_reload_changes_the_heartbeat);
async fn lease_changed_by_reload_changes_the_heartbeat(database: Database) {
    let jobs = job("a", "@daily", &["露营"]);
    let mut env = Env::new(database, &jobs).await;
    env.reload(&format!("{jobs}[daemon]\nlease_seconds = 5\n")).await;
    // With a lease of 60 s, ten heartbeats take 50 s.
    let mut beats = 0;
    wait_for("ten beats", PATIENCE, async || {
        let mut tx = env.store.read().await.unwrap();
        let daemons = tx.unfinished_processes("run", env.clock.now()).await.unwrap();
        if daemons[0].beat_at == Some(env.clock.now()) {
            beats += 1;
            env.clock.jump_to(env.clock.now().plus(Duration::from_secs(1)));
        }
        beats == 10
    })
    .await;
}

/// Settings with a keyword job every ten seconds, on `simulator`.
fn settings(simulator: &Simulator, words: &[&str]) -> String {
    let url = simulator.base_url(Provider::JustOneApi);
    let job = job("a", "*/10 * * * * *", words);
    format!("[justoneapi]\nbase_url = {url:?}\nrate_per_second = 1000\n{job}")
}

/// A place with its settings and token in files.
fn place(database: &Database, settings: &str, token: &str) -> Place {
    let place = Place::new(database, settings);
    place.write("token.txt", token);
    let file = place.output("token.txt").display().to_string();
    place.with("JUSTONEAPI_TOKEN_FILE", file)
}

async fn wait_until_said(place: &Place, words: &str, times: usize) {
    wait_for(words, PATIENCE, async || place.said().matches(words).count() >= times).await;
}

async fn stops_well(daemon: Running, place: &Place) {
    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
}

async fn observed(store: &Store) -> i64 {
    count(store, "select count(*) from slots where outcome = 'observed'").await
}

on_both!(sighup_reloads_settings_without_losing_calls);
async fn sighup_reloads_settings_without_losing_calls(database: Database) {
    let slow = upstream::simulate("token-one", Duration::from_secs(2)).await;
    let other = upstream::simulate("token-two", Duration::ZERO).await;
    let place = place(&database, &settings(&slow, &["露营", "美食"]), "token-one");
    let store = database.open().await;
    let daemon = place.start(&["run"]);
    wait_for("calls", PATIENCE, async || {
        count(&store, "select count(*) from calls where outcome is null").await == 2
    })
    .await;
    place.write("token.txt", "token-two");
    place.write("jobs.toml", &settings(&other, &["旅行"]));
    daemon.signal("-HUP");
    wait_until_said(&place, "jobs.toml reloaded", 1).await;
    wait_for("a call by the new settings", PATIENCE, async || !other.truth().is_empty()).await;
    wait_for("its row", PATIENCE, async || observed(&store).await >= 3).await;
    stops_well(daemon, &place).await;
    assert_eq!(slow.truth().len(), 2, "nobody asks there any more");
    let outcomes: Vec<(String,)> = rows(&store, "select distinct outcome from calls").await;
    assert_eq!(outcomes, [("ok".to_owned(),)]);
    let addresses = "select count(distinct base_url) from config_load_providers
                     where provider = 'justoneapi'";
    assert_eq!(count(&store, addresses).await, 2);
}

on_both!(new_token_lifts_refusals_of_the_old_one);
async fn new_token_lifts_refusals_of_the_old_one(database: Database) {
    let simulator = upstream::simulate("token-one", Duration::ZERO).await;
    let place = place(&database, &settings(&simulator, &["露营"]), "token-old");
    let store = database.open().await;
    let daemon = place.start(&["run"]);
    wait_for("a pause", PATIENCE, async || {
        count(&store, "select count(*) from pauses where reason = 'bad_credentials'").await == 1
    })
    .await;
    place.write("token.txt", "token-one");
    wait_for("an observation", PATIENCE, async || observed(&store).await >= 1).await;
    stops_well(daemon, &place).await;
    let pauses: Vec<(String,)> = rows(&store, "select ended_by from pauses").await;
    assert_eq!(pauses, [("settings".to_owned(),)]);
}

on_both!(restart_lifts_refusals_only_for_a_new_token);
async fn restart_lifts_refusals_only_for_a_new_token(database: Database) {
    let simulator = upstream::simulate("token-one", Duration::ZERO).await;
    let place = place(&database, &settings(&simulator, &["露营"]), "token-old");
    let store = database.open().await;
    let paused = "select count(*) from pauses where ended_at is null";
    let daemon = place.start(&["run"]);
    wait_for("a pause", PATIENCE, async || count(&store, paused).await == 1).await;
    let mut tx = store.begin().await.unwrap();
    let now = Clock::system().now();
    for (reason, until) in [("quota", Some(now.plus(hours(9)))), ("by_hand", None)] {
        tx.pause(&Pause {
            scope: PauseScope::Endpoint,
            name: "xiaohongshu/search-recommend/v1".into(),
            reason: PauseReason::parse(reason).unwrap(),
            note: None,
            since: now,
            until,
            probe_at: None,
            failures: 0,
            call_id: None,
        })
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    stops_well(daemon, &place).await;
    let daemon = place.start_to_watch().await;
    assert_eq!(count(&store, paused).await, 3, "the same token");
    stops_well(daemon, &place).await;
    place.write("token.txt", "token-one");
    let daemon = place.start_to_watch().await;
    let left: Vec<(String,)> =
        rows(&store, "select reason from pauses where ended_at is null").await;
    assert_eq!(left, [("by_hand".to_owned(),)]);
    stops_well(daemon, &place).await;
}

on_both!(alert_without_address_is_refused_and_changed_address_file_reloads);
async fn alert_without_address_is_refused_and_changed_address_file_reloads(database: Database) {
    let simulator = upstream::simulate("token-one", Duration::ZERO).await;
    let right = settings(&simulator, &["露营"]);
    let place = place(&database, &right, "token-one");
    database.open().await.close().await;
    let daemon = place.start_to_watch().await;
    let with_alert = |address| format!("{right}[[alert]]\nkind = \"generic\"\n{address}\n");
    place.write("jobs.toml", &with_alert("url_env = \"NOWHERE\""));
    wait_until_said(&place, "jobs.toml is invalid; the previous settings stay in force", 1).await;
    assert!(place.said().contains("the alert generic has no address"), "{}", place.said());
    place.write("hook.txt", "https://127.0.0.1:9/a");
    place.write("jobs.toml", &with_alert("url_file = \"hook.txt\""));
    wait_until_said(&place, "jobs.toml reloaded", 1).await;
    // jobs.toml does not change.
    place.write("hook.txt", "https://127.0.0.1:9/another");
    wait_until_said(&place, "jobs.toml reloaded", 2).await;
    stops_well(daemon, &place).await;
}

#[tokio::test]
async fn unreadable_settings_are_refused_and_old_ones_stay() {
    let (database, simulator) = (sqlite(), upstream::simulate("token-one", Duration::ZERO).await);
    let right = settings(&simulator, &["露营"]);
    let place = place(&database, &right, "token-one");
    let store = database.open().await;
    let daemon = place.start_to_watch().await;
    let (file, refused) = (place.output("jobs.toml"), "error: cannot read jobs.toml");
    std::fs::remove_file(&file).unwrap();
    wait_until_said(&place, refused, 1).await;
    // Unreadable even for root.
    std::fs::create_dir(&file).unwrap();
    wait_until_said(&place, refused, 2).await;
    let before = observed(&store).await;
    wait_for("slots", PATIENCE, async || observed(&store).await > before + 1).await;
    std::fs::remove_dir(&file).unwrap();
    place.write("jobs.toml", &right);
    wait_until_said(&place, "jobs.toml reloaded", 1).await;
    stops_well(daemon, &place).await;
}

#[tokio::test]
async fn changed_health_address_is_reported_to_apply_at_the_next_start() {
    let (database, simulator) = (sqlite(), upstream::simulate("token-one", Duration::ZERO).await);
    let right = settings(&simulator, &["露营"]);
    let place = place(&database, &right, "token-one");
    let daemon = place.start_to_watch().await;
    place.write("jobs.toml", &format!("{right}[health]\nlisten = \"127.0.0.1:1\"\n"));
    wait_until_said(&place, "it applies at the next start", 1).await;
    stops_well(daemon, &place).await;
}

on_both!(invalid_settings_are_refused_once_and_old_ones_stay);
async fn invalid_settings_are_refused_once_and_old_ones_stay(database: Database) {
    let simulator = upstream::simulate("token-one", Duration::ZERO).await;
    let right = settings(&simulator, &["露营"]);
    let place = place(&database, &right, "token-one");
    let store = database.open().await;
    let daemon = place.start_to_watch().await;
    place.write("jobs.toml", &right.replace("keywords =", "keywords_file = \"words.txt\" #"));
    let refused = "jobs.toml is invalid; the previous settings stay in force";
    wait_until_said(&place, refused, 1).await;
    let said = place.said();
    assert!(said.contains("error: cannot read `words.txt`"), "{said}");
    assert!(said.contains(" --> jobs.toml:"), "{said}");
    wait_for("slots by the old settings", PATIENCE, async || observed(&store).await >= 2).await;
    assert_eq!(place.said().matches(refused).count(), 1, "once for each change");
    assert_eq!(place.run(&["status"]).await, 0, "{}", place.said());
    assert!(place.said().contains("was rejected: cannot read"), "{}", place.said());
    // The missing file appears; jobs.toml does not change.
    place.write("words.txt", "旅行\n");
    wait_until_said(&place, "jobs.toml reloaded", 1).await;
    wait_for("a call by the new settings", PATIENCE, async || {
        simulator.truth().iter().any(|row| row.key == "旅行")
    })
    .await;
    // Only the watchlist changes.
    place.write("words.txt", "旅行\n美食\n");
    wait_until_said(&place, "jobs.toml reloaded", 2).await;
    let before = place.said().matches("is refused").count();
    assert_eq!(place.run(&["status"]).await, 0);
    assert_eq!(place.said().matches("is refused").count(), before);
    stops_well(daemon, &place).await;
    let watched = "select count(*) from job_targets where removed_at is null";
    assert_eq!(count(&store, watched).await, 2);
}
