//! Imported answers become documents, rows and snapshots as if fetched at their time.

use serde_json::{Value, json};
use tidewatch::store::Store;

use crate::databases::{Database, count, on_both, rows, sqlite};
use crate::env::{Env, hours, world};
use crate::program::{PATIENCE, Place, wait_for};

const NOTE: &str = "6a01b2c3000000000e00d4e5";
const NOTE_V7: &str = "xiaohongshu/get-note-detail/v7";

fn fixture(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A line with an answer about [`NOTE`].
fn line(fetched_at: &str, body: &Value) -> String {
    json!({ "endpoint": NOTE_V7, "fetched_at": fetched_at, "asked": NOTE, "body": body })
        .to_string()
}

async fn place(database: &Database) -> (Place, Store) {
    (Place::new(database, ""), database.open().await)
}

/// The last line of stdout of the last program but one.
fn summary(place: &Place) -> Value {
    let said = std::fs::read_to_string(place.output("stdout")).unwrap();
    serde_json::from_str(said.lines().last().unwrap()).unwrap()
}

const IMPORT: [&str; 4] = ["backfill", "--from-jsonl", "answers.jsonl", "--json"];

on_both!(answer_is_imported_once_with_its_time_and_no_cost);
async fn answer_is_imported_once_with_its_time_and_no_cost(database: Database) {
    let (place, store) = place(&database).await;
    let answer = fixture("note_detail_image.json");
    let text = [
        line("2026-01-02T03:04:05Z", &answer),
        line("2026-01-03T11:04:05.25+08:00", &answer),
        line("2026-01-02T03:04:05Z", &answer),
        line("2026-01-04T03:04:05Z", &json!({ "code": 303, "message": "quota" })),
        line("2026-01-05T03:04:05Z", &json!({ "code": 0, "data": 7 })),
    ];
    place.write("answers.jsonl", &text.join("\n"));
    assert_eq!(place.run(&IMPORT).await, 0, "{}", place.said());
    let expected = json!({ "imported": 3, "already_there": 1, "same_time": 0, "unreadable": 1, "failures": 1, "forgotten": 0, "refused": 0 });
    assert_eq!(summary(&place), expected);
    assert_eq!(place.run(&IMPORT).await, 0, "{}", place.said());
    let again = json!({ "imported": 0, "already_there": 4, "same_time": 0, "unreadable": 0, "failures": 1, "forgotten": 0, "refused": 0 });
    assert_eq!(summary(&place), again);
    let seen: Vec<(tidewatch::time::Time,)> =
        rows(&store, "select observed_at from note_metrics order by 1").await;
    let times = ["2026-01-02 03:04:05", "2026-01-03 03:04:05.25"].map(|it| (it.parse().unwrap(),));
    assert_eq!(seen, times);
    let free = "select count(*) from calls where billed = 'no' and imported_at is not null and price_micros is null";
    assert_eq!(count(&store, free).await, 3);
    assert_eq!(
        count(&store, "select count(*) from documents where imported_at is not null").await,
        3
    );
    assert_eq!(
        count(
            &store,
            "select count(*) from documents where outcome = 'unreadable' and drift is not null"
        )
        .await,
        1
    );
    assert_eq!(count(&store, "select count(*) from slots").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_line_rejects_the_file() {
    let database = sqlite();
    let (place, store) = place(&database).await;
    let answer = fixture("note_detail_image.json");
    let lines = [
        ("{\"endpoint\"", "the line is not a JSON object"),
        (&line("2999-01-02T03:04:05Z", &answer), "`fetched_at` is in the future"),
        (&line("2026-01-02T03:04:05", &answer), "`fetched_at` has no zone"),
        (&line("yesterday", &answer), "`fetched_at` is not a time"),
        (
            &line("2026-01-02T03:04:05Z", &answer).replace("detail/v7", "detail/v9"),
            "unknown endpoint",
        ),
        (
            &line("2026-01-02T03:04:05Z", &answer).replace(NOTE, "x"),
            "`asked`: there is neither a link",
        ),
        (
            "{\"endpoint\":\"xiaohongshu/search-recommend/v1\",\"fetched_at\":1767323045,\"body\":{}}",
            "`asked` is missing",
        ),
        (&format!("{{\"endpoint\":\"{NOTE_V7}\",\"fetched_at\":1767323045}}"), "`body` is missing"),
    ];
    let mut text: Vec<_> = lines.iter().map(|(line, _)| (*line).to_owned()).collect();
    text.push(line("2026-01-02T03:04:05Z", &answer));
    place.write("answers.jsonl", &text.join("\n"));
    assert_eq!(place.run(&IMPORT).await, 2);
    for (number, (_, why)) in (1..).zip(&lines) {
        let said = format!("answers.jsonl:{number}: {why}");
        assert!(place.said().contains(&said), "{said} in {}", place.said());
    }
    assert!(place.said().contains("8 lines invalid, nothing imported"), "{}", place.said());
    assert_eq!(count(&store, "select count(*) from calls").await, 0);
    assert_eq!(place.run(&[&IMPORT[..], &["--skip-bad"]].concat()).await, 0, "{}", place.said());
    assert_eq!(summary(&place)["imported"], 1);
    assert_eq!(summary(&place)["refused"], 8);
}

on_both!(piped_answers_before_an_invalid_line_are_kept);
async fn piped_answers_before_an_invalid_line_are_kept(database: Database) {
    let (place, store) = place(&database).await;
    let answer = fixture("note_detail_image.json");
    let lines = [
        line("2026-01-02T03:04:05Z", &answer),
        line("2026-01-03T03:04:05Z", &answer),
        "nonsense".to_owned(),
        line("2026-01-04T03:04:05Z", &answer),
    ];
    place.write("stdin", &lines.join("\n"));
    let stdin = std::fs::File::open(place.output("stdin")).unwrap();
    let import = ["backfill", "--from-jsonl", "-"];
    let status = place.start_reading(&import, stdin.into()).end().await;
    assert_eq!(status.code(), Some(2), "{}", place.said());
    assert!(place.said().contains("earlier lines are imported"), "{}", place.said());
    assert_eq!(count(&store, "select count(*) from documents").await, 2);
    let ended = "select count(*) from processes where verb = 'import' and stopped_at is not null";
    assert_eq!(count(&store, ended).await, 1);
}

on_both!(bare_answers_identify_their_target);
async fn bare_answers_identify_their_target(database: Database) {
    let (place, store) = place(&database).await;
    for (endpoint, name) in [
        (NOTE_V7, "note_detail_image.json"),
        ("xiaohongshu/get-note-detail/v6", "note_detail_video_v6.json"),
        ("douyin/get-video-detail/v2", "work_video.json"),
        ("amagi/fetch_one_work", "work_amagi_5.json"),
        ("amagi/fetch_one_work?url", "work_amagi_bare.json"),
    ] {
        let mut answer = fixture(name);
        answer["seen"] = json!(1_767_323_045_000_i64);
        place.write("answers.jsonl", &answer.to_string());
        let arguments = ["--endpoint", endpoint, "--fetched-at-field", "seen"];
        assert_eq!(place.run(&[&IMPORT[..], &arguments].concat()).await, 0, "{}", place.said());
        assert_eq!(summary(&place)["imported"], 1, "{name}: {}", place.said());
        assert_eq!(summary(&place)["unreadable"], 0, "{name}: {}", place.said());
    }
    assert_eq!(count(&store, "select count(*) from notes").await, 2);
    assert_eq!(count(&store, "select count(*) from works").await, 1);
    let said = [
        json!({ "endpoint": "xiaohongshu/search-recommend/v1", "asked": "露营", "body": fixture("suggestions.json") }),
        json!({ "endpoint": "xiaohongshu-pgy/kol-search/v1", "asked": { "keyword": "露营" }, "body": fixture("kol_search_page1.json") }),
        json!({ "endpoint": "xiaohongshu/share-url-transfer/v1", "asked": "http://xhslink.com/a/AbC", "body": fixture("share_link_note.json").to_string() }),
    ];
    let lines = said.map(|mut line| {
        line["fetched_at"] = json!("2026-01-02T03:04:05Z");
        line.to_string()
    });
    place.write("answers.jsonl", &lines.join("\n"));
    assert_eq!(place.run(&IMPORT).await, 0, "{}", place.said());
    assert_eq!(summary(&place)["imported"], 3, "{}", place.said());
    assert_eq!(summary(&place)["unreadable"], 0, "{}", place.said());
    for table in [
        "select count(*) from keyword_suggestions",
        "select count(*) from kol_metrics",
        "select count(*) from links",
    ] {
        assert!(count(&store, table).await > 0, "{table}");
    }
}

on_both!(discovered_targets_are_note_ids_only);
async fn discovered_targets_are_note_ids_only(database: Database) {
    let (place, store) = place(&database).await;
    let mut answer = fixture("kol_search_page1.json");
    let listed = answer["data"]["kols"][0]["noteList"].as_array_mut().unwrap();
    listed[0]["noteId"] = json!("https://xhslink.com/a/AbC");
    // A list with an entry that is not understood is not known.
    listed.retain(|note| note["noteId"].is_string());
    let line = json!({ "endpoint": "xiaohongshu-pgy/kol-search/v1", "asked": { "keyword": "露营" },
        "fetched_at": "2026-01-02T03:04:05Z", "body": answer });
    place.write("answers.jsonl", &line.to_string());
    assert_eq!(place.run(&IMPORT).await, 0, "{}", place.said());
    let links = "select count(*) from kol_notes where note_id like 'https://%'";
    assert_eq!(count(&store, links).await, 1);
    assert_eq!(place.run(&["backfill", "--discovered", "--dry-run", "--json"]).await, 0);
    let ids = "select count(distinct note_id) from kol_notes where note_id not like 'https://%'";
    assert_eq!(summary(&place)["targets"], count(&store, ids).await);
    assert!(place.said().contains("skipping an invalid note id"), "{}", place.said());
}

on_both!(import_keeps_newer_facts_and_job_history);
async fn import_keeps_newer_facts_and_job_history(database: Database) {
    let note = world().notes(1).remove(0);
    let place = Place::new(&database, "");
    let job = format!(
        "[[job]]\nname = \"campaign\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = [\"{note}\"]\n"
    );
    let mut env = Env::new(database, &job).await;
    env.advance(hours(2)).await;
    let known = "select title || ' ' || last_seen_at from notes";
    let history = "select due_at || ' ' || outcome || ' ' || call_id from slots order by due_at";
    let watched = "select target_id || ' ' || coalesce('' || removed_at, '') from job_targets";
    let (before, slots, list) =
        (env.ask(known).await, env.ask(history).await, env.ask(watched).await);
    let mut old: Value = serde_json::from_str(
        &env.ask("select body from document_texts order by document_id").await[0],
    )
    .unwrap();
    old["data"][0]["note_list"][0]["title"] = json!("an older title");
    let lines = json!({ "endpoint": NOTE_V7, "fetched_at": "2026-01-02T03:04:05Z", "asked": note, "body": old });
    place.write("answers.jsonl", &lines.to_string());
    assert_eq!(place.run(&IMPORT).await, 0, "{}", place.said());
    assert_eq!(env.ask(known).await, before, "{}", place.said());
    assert_eq!(env.ask(history).await, slots);
    assert_eq!(env.ask(watched).await, list);
    let first = env.ask("select '' || first_seen_at from notes").await.remove(0);
    assert!(first.starts_with("2026-01-02 03:04:05"), "{first}");
    assert_eq!(env.ask("select '' || count(*) from note_metrics").await, ["3"]);
    env.advance(hours(1)).await;
    assert_eq!(env.ask("select '' || count(*) from slots where outcome = 'observed'").await, ["3"]);
}

on_both!(killed_import_continues);
async fn killed_import_continues(database: Database) {
    let (place, store) = place(&database).await;
    let answer = fixture("note_detail_image.json");
    let minute = |n: u32| format!("2026-01-02T{:02}:{:02}:00Z", n / 60, n % 60);
    let lines: Vec<_> = (0..400).map(|n| line(&minute(n), &answer)).collect();
    place.write("answers.jsonl", &lines.join("\n"));
    let killed = place.start(&IMPORT);
    wait_for("some of it", PATIENCE, async || {
        count(&store, "select count(*) from documents").await > 0
    })
    .await;
    killed.kill();
    let kept = count(&store, "select count(*) from documents").await;
    assert_eq!(count(&store, "select count(*) from note_metrics").await, kept);
    assert_eq!(count(&store, "select count(*) from calls").await, kept);
    assert_eq!(place.run(&IMPORT).await, 0, "{}", place.said());
    assert_eq!(summary(&place)["already_there"], kept);
    for table in [
        "select count(*) from documents",
        "select count(*) from note_metrics",
        "select count(*) from calls",
    ] {
        assert_eq!(count(&store, table).await, 400, "{table}");
    }
}
