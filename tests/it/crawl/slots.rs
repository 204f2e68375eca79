//! Slots, from schedule to rows.

use std::time::Duration;

use tidewatch::simulator::Replay;

use crate::databases::{Database, on_both};
use crate::env::{Env, hours, minutes, world};

/// A job that watches the first `count` notes every hour.
fn hourly_notes(count: usize) -> String {
    let notes = world().notes(count).iter().map(|id| format!("{id:?}")).collect::<Vec<_>>();
    format!(
        "[[job]]\nname = \"campaign\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = [{}]\n",
        notes.join(", ")
    )
}

/// Slots by outcome and reason, as `observed 3`, `missed empty 1`.
const SLOTS: &str = "select outcome || coalesce(' ' || reason, '') || ' ' || count(*)
                     from slots group by outcome, reason order by 1";

on_both!(every_observation_adds_a_snapshot_and_keeps_the_note);
async fn every_observation_adds_a_snapshot_and_keeps_the_note(database: Database) {
    let mut env = Env::new(database, &hourly_notes(2)).await;
    env.advance(hours(3)).await;
    assert_eq!(env.ask(SLOTS).await, ["observed 6"]);
    assert_eq!(env.ask("select '' || count(*) from notes").await, ["2"]);
    assert_eq!(env.ask("select '' || count(*) from note_metrics").await, ["6"]);
    assert_eq!(env.ask("select '' || count(distinct document_id) from note_metrics").await, ["6"]);
    let rising = "select '' || count(*) from note_metrics a join note_metrics b
                  on a.note_id = b.note_id and a.observed_at < b.observed_at and a.likes > b.likes";
    assert_eq!(env.ask(rising).await, ["0"]);
}

on_both!(downtime_misses_slots_and_catches_up_the_latest);
async fn downtime_misses_slots_and_catches_up_the_latest(database: Database) {
    let mut env = Env::new(database, &hourly_notes(1)).await;
    env.advance(hours(2)).await;
    env.down_for(hours(5));
    env.restart(&hourly_notes(1)).await;
    env.advance(hours(1)).await;
    assert_eq!(env.ask(SLOTS).await, ["missed daemon_down 4", "observed 4"]);
}

on_both!(schedule_changed_during_downtime_loses_no_slot_of_the_old_one);
async fn schedule_changed_during_downtime_loses_no_slot_of_the_old_one(database: Database) {
    let jobs = hourly_notes(1);
    let mut env = Env::new(database, &jobs).await;
    env.advance(hours(1)).await;
    env.down_for(hours(3));
    env.restart(&jobs.replace("@hourly", "0 */6 * * *")).await;
    env.advance(hours(2)).await;
    // Hourly: at 1 observed, 2 to 4 missed; six-hourly: in Shanghai the next is at 18:00, 10 h UTC.
    assert_eq!(env.ask(SLOTS).await, ["missed daemon_down 3", "observed 1"]);
    env.advance(hours(4)).await;
    assert_eq!(env.ask(SLOTS).await, ["missed daemon_down 3", "observed 2"]);
}

on_both!(retry_within_a_slot_puts_every_attempt_on_the_ledger);
async fn retry_within_a_slot_puts_every_attempt_on_the_ledger(database: Database) {
    let mut env = Env::new(database, &hourly_notes(1)).await;
    env.fails("note@1=301; note@2=drop");
    env.advance(minutes(90)).await;
    assert_eq!(env.ask(SLOTS).await, ["observed 1"]);
    let ledger = "select attempt || ' ' || outcome || ' ' || billed || ' ' || price_micros
                  from calls order by call_id";
    let expected = ["1 retryable no 150000", "2 transport unknown 150000", "3 ok yes 150000"];
    assert_eq!(env.ask(ledger).await, expected);
}

on_both!(failed_slot_is_missed_with_its_reason_and_adds_no_rows);
async fn failed_slot_is_missed_with_its_reason_and_adds_no_rows(database: Database) {
    let reasons = [
        ("301", "upstream_failure"),
        ("302", "rate_limited"),
        ("empty", "empty"),
        ("201", "empty"),
        ("wrong-id", "unreadable"),
        ("300", "unreadable"),
        ("not-json", "upstream_failure"),
        ("cut", "transport"),
        // Last: a refused request is not repeated.
        ("400", "bad_request"),
    ];
    let mut env = Env::new(database, &hourly_notes(1)).await;
    // To the last second before a fire, so that each slot meets one fault only.
    env.advance(Duration::from_secs(3599)).await;
    for (fault, _) in reasons {
        env.fails(&format!("note={fault}"));
        env.advance(hours(1)).await;
        env.resume().await;
    }
    let missed = env.ask("select reason from slots where outcome = 'missed' order by due_at").await;
    assert_eq!(missed, reasons.map(|(_, reason)| reason));
    for table in ["select '' || count(*) from notes", "select '' || count(*) from note_metrics"] {
        assert_eq!(env.ask(table).await, ["0"]);
    }
    let kept = "select outcome || coalesce(' ' || substr(drift, 1, 5), '') from documents
                where outcome <> 'retryable' and outcome <> 'transport' order by document_id";
    let kept = env.ask(kept).await;
    assert_eq!(kept[..3], ["empty", "empty", "unreadable asked"], "{kept:?}");
}

on_both!(answer_unfit_for_jsonb_is_kept_exactly_beside_a_cleaned_one);
async fn answer_unfit_for_jsonb_is_kept_exactly_beside_a_cleaned_one(database: Database) {
    let mut env = Env::new(database, &hourly_notes(1)).await;
    for fault in ["nul", "surrogate", "dup"] {
        env.fails(&format!("note={fault}"));
        env.advance(hours(1)).await;
    }
    assert_eq!(env.ask(SLOTS).await, ["observed 3"]);
    let cleaned = "select cleaned from documents where length(exact) > 1000 order by document_id";
    assert_eq!(env.ask(cleaned).await, ["null character", "lone surrogate", "duplicate keys"]);
    assert_eq!(env.ask("select '' || count(*) from note_metrics").await, ["3"]);
}

on_both!(search_stores_a_document_for_each_page);
async fn search_stores_a_document_for_each_page(database: Database) {
    let jobs = "[[job]]\nname = \"kols\"\nkind = \"kols\"\nschedule = \"@hourly\"\nmax_pages = 3\n\
                filter = { searchType = \"NOTE\", keyword = \"阅读\" }\n";
    let mut env = Env::new(database, jobs).await;
    env.fails("kols@1=503");
    env.advance(minutes(90)).await;
    assert_eq!(env.ask(SLOTS).await, ["observed 1"]);
    let pages = "select page || ' ' || outcome from calls order by call_id";
    let expected = ["1 retryable", "1 ok", "2 retryable", "2 ok", "3 retryable", "3 ok"];
    assert_eq!(env.ask(pages).await, expected);
    let listed = "select '' || count(distinct kol_id) from kol_search_results";
    assert_eq!(env.ask(listed).await, env.ask("select '' || count(*) from kol_metrics").await);
}

on_both!(search_is_observed_when_it_ends_at_an_empty_page);
async fn search_is_observed_when_it_ends_at_an_empty_page(database: Database) {
    let jobs = "[[job]]\nname = \"kols\"\nkind = \"kols\"\nschedule = \"@hourly\"\nmax_pages = 3\n\
                filter = { searchType = \"NOTE\", keyword = \"阅读\" }\n";
    let mut env = Env::new(database, jobs).await;
    // The second page disappears while its retry waits.
    env.fails("kols@1=503");
    env.advance(hours(1) + Duration::from_secs(9)).await;
    env.fails("kols=201");
    env.advance(minutes(30)).await;
    let pages = "select page || ' ' || outcome from calls order by call_id";
    assert_eq!(env.ask(pages).await, ["1 retryable", "1 ok", "2 retryable", "2 empty"]);
    assert_eq!(env.ask(SLOTS).await, ["observed 1"]);
    // An empty listing is no observation.
    env.advance(hours(1)).await;
    assert_eq!(env.ask(SLOTS).await, ["missed empty 1", "observed 1"]);
}

on_both!(jobs_with_the_same_target_share_one_slot);
async fn jobs_with_the_same_target_share_one_slot(database: Database) {
    let hourly = hourly_notes(1);
    let other = hourly.replace("campaign", "other").replace("@hourly", "0 */2 * * *");
    let mut env = Env::new(database, &(hourly + &other)).await;
    env.advance(hours(4)).await;
    assert_eq!(env.ask(SLOTS).await, ["observed 4"]);
    let runs = "select j.name || ' ' || count(*) from job_runs r join jobs j on j.job_id = r.job_id
                group by j.name order by 1";
    assert_eq!(env.ask(runs).await, ["campaign 4", "other 2"]);
}

on_both!(short_link_is_resolved_once);
async fn short_link_is_resolved_once(database: Database) {
    let link = world().work_links(1).remove(0);
    let jobs = format!(
        "[[job]]\nname = \"works\"\nkind = \"works\"\nschedule = \"@hourly\"\nurls = [\"{link}\"]\n"
    );
    let mut env = Env::new(database, &jobs).await;
    env.advance(hours(2)).await;
    env.restart(&jobs).await;
    env.advance(hours(1)).await;
    let calls =
        env.ask("select endpoint || ' ' || count(*) from calls group by endpoint order by 1");
    assert_eq!(calls.await, ["amagi/fetch_one_work 3", "douyin/share-url-transfer/v1 1"]);
    assert_eq!(env.ask(SLOTS).await, ["observed 3"]);
    let works = world().works(1);
    assert_eq!(env.ask("select work_id from works").await, works);
    assert_eq!(env.ask("select item_id from links").await, works);
}

on_both!(clock_corrected_from_ahead_stops_nothing);
async fn clock_corrected_from_ahead_stops_nothing(database: Database) {
    let mut env = Env::new(database, &hourly_notes(1)).await;
    env.advance(hours(2)).await;
    let right = env.clock.now();
    env.clock_says(right.plus(hours(24))).await;
    env.advance(minutes(50)).await;
    env.clock_says(right.plus(hours(1))).await;
    env.advance(hours(27)).await;
    // Every hour has its slot, and none has two.
    let slots = "select count(*) || ' ' || count(distinct due_at) || ' ' || max(due_at) from slots";
    let slots = env.ask(slots).await.remove(0);
    assert!(slots.starts_with("30 30 2026-03-03 06:00:00"), "{slots}");
}

on_both!(watchlist_changed_during_downtime_applies_from_the_start);
async fn watchlist_changed_during_downtime_applies_from_the_start(database: Database) {
    let (first, both) = (hourly_notes(1), hourly_notes(2));
    let second = both.replace(&format!("{:?}, ", world().notes(1)[0]), "");
    let mut env = Env::new(database, &first).await;
    env.advance(hours(1)).await;
    env.down_for(hours(4));
    env.restart(&second).await;
    env.advance(hours(1)).await;
    let slots =
        "select t.key || ' ' || s.outcome || coalesce(' ' || s.reason, '') || ' ' || count(*)
                 from slots s join targets t on t.target_id = s.target_id
                 group by t.key, s.outcome, s.reason order by min(s.due_at), 1";
    let notes = world().notes(2);
    let expected = [
        format!("{} observed 1", notes[0]),
        format!("{} missed daemon_down 3", notes[0]),
        format!("{} missed unwatched 1", notes[0]),
        format!("{} observed 1", notes[1]),
    ];
    assert_eq!(env.ask(slots).await, expected);
}

on_both!(oversized_answer_is_billed_once_and_its_beginning_kept);
async fn oversized_answer_is_billed_once_and_its_beginning_kept(database: Database) {
    let path = "/api/xiaohongshu/get-note-detail/v1".to_owned();
    let large = Replay { path, status: 200, body: vec![b'['; 17 << 20] };
    let mut env = Env::with(database, &hourly_notes(1), |set| set.replay = vec![large]).await;
    env.advance(minutes(90)).await;
    assert_eq!(env.ask(SLOTS).await, ["missed unreadable 1"]);
    assert_eq!(env.ask("select outcome || ' ' || billed from calls").await, ["unreadable unknown"]);
    assert_eq!(env.ask("select '' || length(exact) from documents").await, ["65536"]);
}

on_both!(item_without_any_count_is_kept_and_not_observed);
async fn item_without_any_count_is_kept_and_not_observed(database: Database) {
    let note = serde_json::json!({ "id": world().notes(1)[0], "type": "normal", "title": "海边",
                                   "desc": "", "liked_count": -1 });
    let body = serde_json::json!({ "code": 0, "data": [{ "note_list": [note] }] });
    let path = "/api/xiaohongshu/get-note-detail/v7".to_owned();
    let bare = Replay { path, status: 200, body: body.to_string().into_bytes() };
    let jobs = format!("note_detail_version = \"v7\"\n{}", hourly_notes(1));
    let mut env = Env::with(database, &jobs, |set| set.replay = vec![bare]).await;
    env.advance(minutes(90)).await;
    assert_eq!(env.ask(SLOTS).await, ["missed unreadable 1"]);
    let call = "select outcome || ' ' || billed || ' ' || attempt from calls";
    assert_eq!(env.ask(call).await, ["ok yes 1"]);
    assert_eq!(env.ask("select title from notes").await, ["海边"]);
    let counts = "select '' || (select count(*) from snapshots) || ' ' || sum(due) || ' ' ||
                         sum(observed + missed + open) from coverage";
    assert_eq!(env.ask(counts).await, ["0 1 1"]);
    assert_eq!(env.ask("select '' || upstream from coverage").await, ["1"]);
}
