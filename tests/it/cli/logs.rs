//! Log output: one line per run, throttled failures, and no control characters for the terminal.

use std::time::Duration;

use serde_json::Value;
use tidewatch::simulator::{Options, Replay, Simulator};

use crate::databases::{Database, on_both, sqlite};
use crate::program::{PATIENCE, Place, wait_for};
use crate::upstream;

const TOKEN: &str = "logs-test-token";

/// Number of notes.
const NOTES: usize = 60;

fn jobs(simulator: &Simulator) -> String {
    format!(
        "[justoneapi]\nnote_detail_version = \"v1\"\nrate_per_second = 1000\n\
         price = {{ \"xiaohongshu/get-note-detail\" = 0.15 }}\n\
         [[job]]\nname = \"spring\"\nkind = \"notes\"\nschedule = \"*/10 * * * * *\"\n\
         notes = {:?}\n",
        simulator.world().notes(NOTES)
    )
}

/// The lines on stderr, each a JSON object.
fn lines(place: &Place) -> Vec<Value> {
    let text = std::fs::read_to_string(place.output("stderr")).unwrap();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

fn with_message<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    let fields = lines.iter().map(|line| &line["fields"]);
    fields.filter(|fields| fields["message"] == message).collect()
}

on_both!(run_is_one_line_and_failures_are_throttled);
async fn run_is_one_line_and_failures_are_throttled(database: Database) {
    database.open().await.close().await;
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    simulator.set_faults("note=404".parse().unwrap());
    let place = Place::new(&database, &jobs(&simulator)).with_upstream(&simulator, TOKEN);
    let daemon = place.start(&["--log-format", "json", "run"]);
    wait_for("a run's line", PATIENCE, async || {
        !with_message(&lines(&place), "run finished").is_empty()
    })
    .await;
    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
    let lines = lines(&place);
    let finished = with_message(&lines, "run finished");
    let mut numbers: Vec<_> = finished.iter().map(|run| run["run_id"].as_i64()).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), finished.len(), "a run has one line");
    let run = finished[0];
    assert_eq!((&run["job"], &run["due"]), (&"spring".into(), &NOTES.into()), "{run}");
    assert_eq!((&run["observed"], &run["missed"]), (&0.into(), &NOTES.into()), "{run}");
    assert_eq!(run["missed_by"], format!("bad_request {NOTES}"));
    assert_eq!((&run["calls"], &run["billed"]), (&NOTES.into(), &0.into()), "{run}");
    for field in ["unknown", "cost_micros", "duration_ms"] {
        assert!(run[field].is_u64(), "{field} of {run}");
    }
    assert!(run["due_at"].is_string());
    let missed = with_message(&lines, "slot missed");
    assert_eq!(missed.len(), 1, "{missed:?}");
    assert!(missed[0]["call_id"].is_u64() && missed[0]["asked"].is_string(), "{missed:?}");
}

#[tokio::test]
async fn manual_fetch_logs_its_result() {
    let (database, simulator) = (sqlite(), upstream::simulate(TOKEN, Duration::ZERO).await);
    let place = Place::new(&database, &jobs(&simulator)).with_upstream(&simulator, TOKEN);
    let note = simulator.world().notes(1).remove(0);
    assert_eq!(place.run(&["--log-format", "json", "fetch", "note", &note]).await, 0);
    let lines = lines(&place);
    let finished = with_message(&lines, "run finished");
    assert_eq!(finished.len(), 1);
    assert_eq!((&finished[0]["job"], &finished[0]["observed"]), (&"fetch".into(), &1.into()));
    assert_eq!(finished[0]["cost_micros"], 150_000);
}

#[tokio::test]
async fn upstream_text_cannot_control_the_terminal() {
    let said = "a\u{1b}]0;x\u{7}\u{1b}[2Jb\r\nERROR forged\u{202e}c\u{9b}31md\u{200f}";
    let body = serde_json::json!({ "code": 400, "message": said, "data": null });
    let replay = |path: &str| Replay {
        path: path.to_owned(),
        status: 200,
        body: serde_json::to_vec(&body).unwrap(),
    };
    let simulator = upstream::start(Options {
        replay: vec![replay("/api/xiaohongshu/get-note-detail/v1")],
        ..upstream::options(TOKEN)
    })
    .await;
    for flags in [&["-vv"][..], &[], &["--log-format", "json"]] {
        let database = sqlite();
        let place = Place::new(&database, &jobs(&simulator)).with_upstream(&simulator, TOKEN);
        let note = simulator.world().notes(1).remove(0);
        let fetch = [flags, &["fetch", "note", &note]].concat();
        assert_eq!(place.run(&fetch).await, 1, "{}", place.said());
        assert_eq!(place.run(&[flags, &["status"]].concat()).await, 0);
        let said = place.said();
        assert!(said.contains("forged"), "{said}");
        // JSON is for programs: the message in one line, unescaped.
        let is_json = flags.contains(&"json");
        let harmful = said.chars().find(|c| match c {
            '\n' => false,
            '\0'..='\x1f' => true,
            '\x7f'..='\u{9f}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => !is_json,
            _ => false,
        });
        assert_eq!(harmful, None, "{said:?}");
        assert!(!said.lines().any(|line| line.starts_with("ERROR forged")), "{said}");
    }
}
