//! Verbs that work in spite of an invalid jobs.toml.

use crate::databases::{Database, count, on_both, sqlite};
use crate::ops::health::free_port;
use crate::program::{PATIENCE, Place, wait_for};

on_both!(a_mistake_in_the_settings_keeps_nobody_from_stopping_what_costs_money);
async fn a_mistake_in_the_settings_keeps_nobody_from_stopping_what_costs_money(database: Database) {
    let store = database.open().await;
    let place = Place::new(&database, "[[job]\nname = 5\n")
        .with("JUSTONEAPI_TOKEN", "")
        .with("JUSTONEAPI_BASE_URL", "nowhere");
    let paused = "select count(*) from pauses where ended_at is null";
    assert_eq!(place.run(&["pause", "provider", "justoneapi"]).await, 0, "{}", place.said());
    assert_eq!(count(&store, paused).await, 1);
    assert_eq!(place.run(&["resume", "provider", "justoneapi"]).await, 0, "{}", place.said());
    assert_eq!(count(&store, paused).await, 0);
    assert_eq!(place.run(&["backfill", "list"]).await, 0, "{}", place.said());
    assert_eq!(place.run(&["backfill", "cancel", "none"]).await, 2, "{}", place.said());
    let said = place.said();
    assert!(said.contains("unknown backfill none"), "{said}");
    assert!(said.contains("jobs.toml is invalid, using the default zone"), "{said}");
}

#[tokio::test]
async fn warnings_end_a_check_with_78_where_they_are_denied() {
    let job =
        "[[job]]\nname = \"a\"\nkind = \"keywords\"\nschedule = \"@hourly\"\nkeywords = [\"x\"]\n";
    let over = format!("[budget]\nmax_calls_per_day = 5\n{job}");
    for (jobs, code) in [(job, 0), (over.as_str(), 78)] {
        let place = Place::new(&sqlite(), jobs).with("JUSTONEAPI_TOKEN", "unused-in-this-test");
        assert_eq!(place.run(&["check"]).await, 0, "{}", place.said());
        assert_eq!(place.run(&["check", "--deny-warnings"]).await, code, "{}", place.said());
    }
}

on_both!(a_wrong_token_is_no_mistake_in_the_settings);
async fn a_wrong_token_is_no_mistake_in_the_settings(database: Database) {
    database.open().await.close().await;
    let place = Place::new(&database, "").with("JUSTONEAPI_TOKEN", "");
    assert_eq!(place.run(&["status"]).await, 0, "{}", place.said());
    assert!(!place.said().contains("is invalid"), "{}", place.said());
}

on_both!(a_healthy_daemon_is_healthy_whatever_becomes_of_its_file);
async fn a_healthy_daemon_is_healthy_whatever_becomes_of_its_file(database: Database) {
    database.open().await.close().await;
    let health = format!("[health]\nlisten = \"{}\"\n", free_port().await);
    let place = Place::new(&database, &health);
    let daemon = place.start(&["run"]);
    wait_for("a healthy daemon", PATIENCE, async || place.run(&["healthcheck"]).await == 0).await;
    place.write("jobs.toml", &format!("[[job]\nname = 5\n{health}"));
    assert_eq!(place.run(&["healthcheck"]).await, 0, "{}", place.said());
    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
}
