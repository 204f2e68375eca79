//! `/metrics` and `contrib/prometheus/`, checked by promtool.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use tidewatch::ops::health;

use crate::databases::{Database, on_both};
use crate::ops::health::{free_port, get};
use crate::ops::metrics::series;
use crate::program::{PATIENCE, Place, wait_for};

const README: &str = include_str!("../../../README.md");

/// Runs promtool in the root of this repository; returns its output on success.
pub(crate) fn promtool(arguments: &[&str], input: &str) -> String {
    let mut tool = Command::new("promtool")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("there is no promtool: run the tests with `bash tests/run.sh`");
    tool.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = tool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success(), "{arguments:?}: {said}");
    said
}

/// The names of our metrics in a text, without the suffixes of histograms.
pub(crate) fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| word.starts_with("tidewatch_"))
        .map(|name| {
            ["_bucket", "_sum", "_count"].iter().fold(name, |it, end| it.trim_end_matches(end))
        })
        .collect()
}

/// The metrics that README.md documents.
pub(crate) fn documented() -> BTreeSet<&'static str> {
    names(README)
}

on_both!(scrape_passes_promtool_and_has_every_documented_metric);
async fn scrape_passes_promtool_and_has_every_documented_metric(database: Database) {
    database.open().await.close().await;
    let address = free_port().await;
    let jobs = format!(
        "[justoneapi]\nprice = {{ \"xiaohongshu/get-note-detail\" = 0.15 }}\n\
         [budget]\nmax_calls_per_day = 5\nmax_cost_per_day = 1\n\
         [[job]]\nname = \"a \\\"b\\\" \\\\ 露营\"\nkind = \"notes\"\nschedule = \"@daily\"\n\
         notes = [\"68a1b2c3d4e5f60718293a4b\"]\n[health]\nlisten = \"{address}\"\n"
    );
    let place = Place::new(&database, &jobs).with("JUSTONEAPI_TOKEN", "unused-in-this-test");
    let daemon = place.start(&["run"]);
    wait_for("the daemon to be ready", PATIENCE, async || {
        health::ask(address, "/readyz").await.is_ok_and(|(ready, _)| ready)
    })
    .await;
    assert_eq!(place.run(&["pause", "provider", "justoneapi"]).await, 0, "{}", place.said());
    assert_eq!(place.run(&["backup", "--record"]).await, 0, "{}", place.said());
    let host = format!("Host: {address}\r\n");
    let (status, text) = get(address, "/metrics", &host).await;
    assert_eq!(status, 200);
    assert_eq!(get(address, "/metrics", "Host: evil.test\r\n").await.0, 421);
    let said = promtool(&["check", "metrics"], &format!("{text}\n"));
    assert_eq!(said, "", "promtool has a complaint");
    let seen = series(&text);
    assert_eq!(seen["tidewatch_database_up"], 1.0);
    assert!(seen["process_resident_memory_bytes"] > 1e6);
    assert!(!text.contains("68a1b2c3d4e5f60718293a4b"), "an item is a label");
    let known = documented();
    // A series exists only after its first event.
    let unseen = [
        "tidewatch_api_calls_total",
        "tidewatch_api_cost_yuan_total",
        "tidewatch_balance",
        "tidewatch_cold_last_pack_timestamp_seconds",
        "tidewatch_cold_oldest_verified_timestamp_seconds",
        "tidewatch_last_success_timestamp_seconds",
        "tidewatch_oldest_due_timestamp_seconds",
    ];
    let expected: BTreeSet<_> = known.iter().copied().filter(|it| !unseen.contains(it)).collect();
    assert_eq!(names(&text), expected);
    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
}

#[test]
fn contrib_alert_rules_pass_their_tests() {
    promtool(&["check", "config", "contrib/prometheus/prometheus.yml"], "");
    promtool(&["test", "rules", "tests/fixtures/alerts_test.yml"], "");
    let rules = include_str!("../../../contrib/prometheus/alerts.yml");
    let lines =
        |what: &str| rules.lines().filter(|line| line.trim_start().starts_with(what)).count();
    assert_eq!(lines("- alert:"), lines("runbook:"));
    let unknown: Vec<_> = names(rules).difference(&documented()).copied().collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
