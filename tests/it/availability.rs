//! Targets that cannot be seen: marked on evidence, seldom asked about, and back.

use tidewatch::model::{Kind, Target, Unavailability};

use crate::databases::{Database, on_both};
use crate::env::{Env, hours, world};

/// An hourly job that looks at the first `count` works.
fn hourly_works(count: usize) -> String {
    format!(
        "[[job]]\nname = \"works\"\nkind = \"works\"\nschedule = \"@hourly\"\nurls = {:?}\n",
        world().works(count)
    )
}

fn hourly_notes(count: usize) -> String {
    format!(
        "[[job]]\nname = \"notes\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = {:?}\n",
        world().notes(count)
    )
}

/// Every stretch, as `gone 03-02 01:00:00 to 03-02 05:00:00, 3 answers`.
const STRETCHES: &str = "select state || ' ' || substr(cast(since as text), 6, 14) || ' to '
    || coalesce(substr(cast(until as text), 6, 14), 'now') || ', ' || confirmations
    || ' answers' from availability order by since, availability_id";

/// When calls were made, as `03-02 01`.
const CALLS: &str = "select substr(cast(sent_at as text), 6, 8) from calls order by call_id";

/// Slots by outcome and reason.
const SLOTS: &str = "select outcome || coalesce(' ' || reason, '') || ' ' || count(*)
                     from slots group by outcome, reason order by 1";

on_both!(a_verdict_marks_a_work_gone_and_it_is_asked_about_ever_more_seldom_until_it_answers);
async fn a_verdict_marks_a_work_gone_and_it_is_asked_about_ever_more_seldom_until_it_answers(
    database: Database,
) {
    let mut env = Env::new(database, &hourly_works(1)).await;
    env.fails("amagi=gone");
    env.advance(hours(18 * 24)).await;
    // After a day, two, four, and then seven at the most.
    assert_eq!(env.ask(CALLS).await, ["03-02 01", "03-03 01", "03-05 01", "03-09 01", "03-16 01"]);
    assert_eq!(env.ask(STRETCHES).await, ["gone 03-02 01:00:00 to now, 5 answers"]);
    let evidence = env.ask("select evidence from availability").await.remove(0);
    assert!(evidence.starts_with("gone, code 500: ") && evidence.contains("status_"), "{evidence}");
    assert_eq!(env.ask(SLOTS).await, ["missed gone 432"]);
    env.fails("");
    env.advance(hours(6 * 24)).await;
    let back = "gone 03-02 01:00:00 to 03-23 01:00:00, 5 answers";
    assert_eq!(env.ask(STRETCHES).await, [back]);
    let ended = "select c.outcome from availability a join calls c on c.call_id = a.ended_call_id";
    assert_eq!(env.ask(ended).await, ["ok"]);
    assert_eq!(env.ask(SLOTS).await, ["missed gone 504", "observed 72"]);
    // Gone again is a stretch of its own.
    env.fails("amagi=gone");
    env.advance(hours(1)).await;
    assert_eq!(env.ask(STRETCHES).await, [back, "gone 03-26 01:00:00 to now, 1 answers"]);
}

on_both!(empty_answers_make_a_note_gone_only_when_they_keep_coming_for_a_day);
async fn empty_answers_make_a_note_gone_only_when_they_keep_coming_for_a_day(database: Database) {
    let mut env = Env::new(database, &hourly_notes(1)).await;
    // An observation in between begins the count anew; a failure does not.
    env.fails("note@1-20=empty; note@21=none; note@22=empty; note@23-25=503; note=empty");
    env.advance(hours(44)).await;
    assert_eq!(env.ask("select '' || count(*) from availability").await, ["0"]);
    env.advance(hours(2)).await;
    assert_eq!(env.ask(STRETCHES).await, ["gone 03-02 22:00:00 to now, 25 answers"]);
    assert_eq!(env.ask("select evidence from availability").await, ["empty, code 0"]);
    assert_eq!(env.ask("select '' || count(*) from note_metrics").await, ["1"]);
    // Asked by hand, it is asked; and it is back for the schedule as well.
    env.fails("");
    env.look_by_hand(&[Target { kind: Kind::Note, key: world().notes(1).remove(0) }]).await;
    env.advance(hours(2)).await;
    assert_eq!(env.ask("select '' || count(*) from availability where until is null").await, ["0"]);
    assert_eq!(env.ask(SLOTS).await, ["missed empty 45", "observed 4"]);
}

on_both!(an_empty_search_is_an_empty_search);
async fn an_empty_search_is_an_empty_search(database: Database) {
    let jobs = "[[job]]\nname = \"words\"\nkind = \"keywords\"\nschedule = \"@hourly\"\n\
                keywords = [\"美食\"]\n[[job]]\nname = \"kols\"\nkind = \"kols\"\n\
                schedule = \"@hourly\"\nfilter = { searchType = \"NOTE\" }\n";
    let mut env = Env::new(database, jobs).await;
    env.fails("*=empty");
    env.advance(hours(48)).await;
    assert_eq!(env.ask("select '' || count(*) from availability").await, ["0"]);
    assert_eq!(env.ask("select '' || count(*) from calls").await, ["96"]);
}

on_both!(what_upstream_refuses_is_not_asked_again_until_its_entry_comes_back);
async fn what_upstream_refuses_is_not_asked_again_until_its_entry_comes_back(database: Database) {
    let mut env = Env::new(database, &hourly_notes(2)).await;
    let second = world().notes(2).remove(1);
    env.fails(&format!("note#{second}=400"));
    env.advance(hours(3)).await;
    env.restart(&hourly_notes(2)).await;
    env.advance(hours(3)).await;
    assert_eq!(env.ask(STRETCHES).await, ["refused 03-02 01:00:00 to now, 1 answers"]);
    let evidence = env.ask("select evidence from availability").await;
    assert_eq!(evidence, ["bad_request, code 400: INVALID PARAMETERS"]);
    let asked = "select '' || count(*) from calls where outcome = 'bad_request'";
    assert_eq!(env.ask(asked).await, ["1"]);
    assert_eq!(env.ask(SLOTS).await, ["missed bad_request 6", "observed 6"]);
    // It leaves the watchlist and comes back.
    env.restart(&hourly_notes(1)).await;
    env.advance(hours(1)).await;
    env.restart(&hourly_notes(2)).await;
    env.advance(hours(2)).await;
    assert_eq!(env.ask(asked).await, ["2"]);
    env.fails("");
    env.look_by_hand(&[Target { kind: Kind::Note, key: second }]).await;
    env.advance(hours(2)).await;
    assert_eq!(
        env.ask(STRETCHES).await,
        [
            "refused 03-02 01:00:00 to 03-02 07:00:00, 1 answers",
            "refused 03-02 08:00:00 to 03-02 09:00:01, 1 answers"
        ]
    );
    let after = "select outcome || ' ' || count(*) from slots where due_at > '2026-03-02 09:30:00'
                 group by outcome";
    assert_eq!(env.ask(after).await, ["observed 4"]);
}

on_both!(what_another_endpoint_refused_or_did_not_show_is_asked_of_the_new_one);
async fn what_another_endpoint_refused_or_did_not_show_is_asked_of_the_new_one(database: Database) {
    let jobs = hourly_notes(2);
    let mut env = Env::new(database, &jobs).await;
    let notes = world().notes(2);
    env.fails(&format!("note#{}=404; note#{}=empty", notes[0], notes[1]));
    env.advance(hours(26)).await;
    assert_eq!(
        env.ask(STRETCHES).await,
        ["refused 03-02 01:00:00 to now, 1 answers", "gone 03-02 01:00:00 to now, 25 answers"]
    );
    env.fails("");
    env.restart(&format!("note_detail_version = \"v3\"\n{jobs}")).await;
    env.advance(hours(1)).await;
    let last = "select endpoint || ' ' || outcome from calls where due_at = '2026-03-03 03:00:00'";
    assert_eq!(env.ask(last).await, ["xiaohongshu/get-note-detail/v3 ok"; 2]);
    assert_eq!(
        env.ask(STRETCHES).await,
        [
            "refused 03-02 01:00:00 to 03-03 02:00:00, 1 answers",
            "gone 03-02 01:00:00 to 03-03 03:00:00, 25 answers"
        ]
    );
}

on_both!(a_probe_that_fails_is_made_again_at_the_next_look);
async fn a_probe_that_fails_is_made_again_at_the_next_look(database: Database) {
    let mut env = Env::new(database, &hourly_works(1)).await;
    env.fails("amagi=gone");
    env.advance(hours(24)).await;
    env.fails("amagi=risk");
    env.advance(hours(2)).await;
    assert_eq!(env.ask(STRETCHES).await, ["gone 03-02 01:00:00 to now, 1 answers"]);
    env.fails("amagi=gone");
    env.advance(hours(2)).await;
    assert_eq!(env.ask(STRETCHES).await, ["gone 03-02 01:00:00 to now, 2 answers"]);
    assert_eq!(env.ask(SLOTS).await, ["missed gone 27", "missed upstream_failure 1"]);
}

on_both!(a_gateway_that_answers_for_upstream_marks_nothing_and_its_outage_is_an_outage);
async fn a_gateway_that_answers_for_upstream_marks_nothing_and_its_outage_is_an_outage(
    database: Database,
) {
    let mut env = Env::new(database, &hourly_notes(8)).await;
    for status in [404, 405, 413, 421] {
        env.fails(&format!("note=http:{status}"));
        env.advance(hours(1)).await;
    }
    assert_eq!(env.ask("select '' || count(*) from availability").await, ["0"]);
    let outcomes = "select distinct outcome || ' ' || billed from calls";
    assert_eq!(env.ask(outcomes).await, ["retryable unknown"]);
    assert_eq!(env.ask("select distinct reason from pauses").await, ["failing"]);
    env.fails("");
    env.advance(hours(2)).await;
    let last = "select outcome || ' ' || count(*) from slots where due_at = '2026-03-02 06:00:00'
                group by outcome";
    assert_eq!(env.ask(last).await, ["observed 8"]);
}

on_both!(a_question_refused_without_a_code_is_asked_again_after_a_week);
async fn a_question_refused_without_a_code_is_asked_again_after_a_week(database: Database) {
    let mut env = Env::new(database, &hourly_notes(1)).await;
    env.fails("note=http:400");
    env.advance(hours(8 * 24)).await;
    assert_eq!(env.ask(CALLS).await, ["03-02 01", "03-09 01"]);
    assert_eq!(env.ask(STRETCHES).await, ["refused 03-02 01:00:00 to now, 2 answers"]);
    env.fails("");
    env.advance(hours(7 * 24)).await;
    assert_eq!(env.ask(STRETCHES).await, ["refused 03-02 01:00:00 to 03-16 01:00:00, 2 answers"]);
    assert_eq!(env.ask(SLOTS).await, ["missed bad_request 336", "observed 24"]);
}

/// A job for works by short links every four hours, resolved and fetched by JustOneAPI.
fn links_job(links: &[String]) -> String {
    format!(
        "[douyin]\nprovider = \"justoneapi\"\n[[job]]\nname = \"links\"\nkind = \"works\"\n\
         schedule = \"0 */4 * * *\"\nurls = {links:?}\n"
    )
}

/// Calls by endpoint and outcome.
const BILLS: &str =
    "select endpoint || ' ' || outcome || ' ' || billed || ' ' || count(*) from calls
                     group by endpoint, outcome, billed order by 1";

/// Pauses, past ones included.
const PAUSES: &str = "select scope || ' ' || reason from pauses";

on_both!(dead_short_link_is_gone_with_evidence_and_probed_seldom);
async fn dead_short_link_is_gone_with_evidence_and_probed_seldom(database: Database) {
    let links = world().work_links(2);
    let mut env = Env::new(database, &links_job(&links)).await;
    env.fails(&format!("work-link#{}=gone", links[0]));
    env.advance(hours(8 * 24)).await;
    // After a day, two and four.
    assert_eq!(
        env.ask(BILLS).await,
        [
            "douyin/get-video-detail/v2 ok yes 48",
            "douyin/share-url-transfer/v1 gone yes 4",
            "douyin/share-url-transfer/v1 ok yes 1"
        ]
    );
    assert_eq!(
        env.ask("select evidence from availability").await,
        ["gone, code 0: the link leads to no work but to a home page: https://www.douyin.com/"]
    );
    assert_eq!(env.ask(SLOTS).await, ["missed gone 48", "observed 48"]);
    assert_eq!(env.ask(PAUSES).await, Vec::<String>::new());
    env.fails("");
    env.advance(hours(7 * 24)).await;
    let open = "select '' || count(*) from availability where until is null";
    assert_eq!(env.ask(open).await, ["0"], "it resolves again");
}

on_both!(empty_short_link_is_gone_after_a_day);
async fn empty_short_link_is_gone_after_a_day(database: Database) {
    let links = world().work_links(1);
    let mut env = Env::new(database, &links_job(&links)).await;
    env.fails("work-link=empty");
    env.advance(hours(48)).await;
    assert_eq!(env.ask(STRETCHES).await, ["gone 03-02 04:00:00 to now, 7 answers"]);
    assert_eq!(env.ask("select '' || count(*) from calls").await, ["7"]);
}

on_both!(unreadable_note_is_asked_three_times_then_seldom);
async fn unreadable_note_is_asked_three_times_then_seldom(database: Database) {
    let jobs = hourly_notes(3).replace("@hourly", "0 */4 * * *");
    let mut env = Env::new(database, &jobs).await;
    let odd = world().notes(1).remove(0);
    env.fails(&format!("note#{odd}=wrong-id"));
    env.advance(hours(8 * 24)).await;
    let asked = "select substr(cast(sent_at as text), 6, 8) from calls where outcome = 'unreadable'
                 order by call_id";
    let seldom = ["03-02 04", "03-02 08", "03-02 12", "03-03 12", "03-05 12", "03-09 12"];
    assert_eq!(env.ask(asked).await, seldom);
    assert_eq!(env.ask(STRETCHES).await, ["unreadable 03-02 04:00:00 to now, 6 answers"]);
    let evidence = env.ask("select evidence from availability").await.remove(0);
    assert!(evidence.starts_with(&format!("unreadable, code 0: asked {odd}, got ")), "{evidence}");
    assert_eq!(env.ask(SLOTS).await, ["missed unreadable 48", "observed 96"]);
    let mut tx = env.store.read().await.unwrap();
    let told = tx.unavailable_items(Unavailability::Unreadable).await.unwrap();
    assert_eq!(told[0].subject, format!("note {odd}"));
    drop(tx);
    env.fails("");
    env.advance(hours(8 * 24)).await;
    let open = "select '' || count(*) from availability where until is null";
    assert_eq!(env.ask(open).await, ["0"]);
}

on_both!(one_readable_answer_probes_the_other_unreadable_targets);
async fn one_readable_answer_probes_the_other_unreadable_targets(database: Database) {
    let mut env = Env::new(database, &hourly_notes(4)).await;
    env.fails("note=wrong-id");
    env.advance(hours(12)).await;
    assert_eq!(env.ask("select '' || count(*) from calls").await, ["12"]);
    env.fails("");
    env.look_by_hand(&[Target { kind: Kind::Note, key: world().notes(1).remove(0) }]).await;
    env.advance(hours(1)).await;
    let last = "select outcome || ' ' || count(*) from slots where due_at = '2026-03-02 13:00:00'
                group by outcome";
    assert_eq!(env.ask(last).await, ["observed 4"]);
}

on_both!(short_gateway_outage_makes_no_target_unreadable);
async fn short_gateway_outage_makes_no_target_unreadable(database: Database) {
    let mut env = Env::new(database, &hourly_notes(3)).await;
    env.fails("note=300");
    env.advance(hours(4)).await;
    let answers = "select '' || (count(*) >= 9) from calls where billed = 'unknown'";
    assert!(["1", "true"].contains(&env.ask(answers).await[0].as_str()), "three a target");
    assert_eq!(env.ask(STRETCHES).await, Vec::<String>::new());
    env.fails("");
    env.advance(hours(1)).await;
    let last = "select outcome || ' ' || count(*) from slots where due_at = '2026-03-02 05:00:00'
                group by outcome";
    assert_eq!(env.ask(last).await, ["observed 3"]);
    env.fails("note=300");
    env.advance(hours(9)).await;
    let unreadable = "select '' || count(*) from availability where state = 'unreadable'";
    assert_eq!(env.ask(unreadable).await, ["3"], "an outage of hours costs no more");
}

on_both!(another_version_asks_about_unreadable_targets_at_once);
async fn another_version_asks_about_unreadable_targets_at_once(database: Database) {
    let jobs = hourly_notes(1);
    let mut env = Env::new(database, &jobs).await;
    let open = "select '' || count(*) from availability where until is null";
    for other in [
        "update processes set version = '0.0.1' returning version",
        "update processes set normaliser = 0 returning version",
    ] {
        env.fails("note=wrong-id");
        env.advance(hours(4)).await;
        env.fails("");
        env.restart(&jobs).await;
        env.advance(hours(1)).await;
        assert_eq!(env.ask(open).await, ["1"], "the same version waits for the probe");
        env.ask(other).await;
        env.restart(&jobs).await;
        env.advance(hours(1)).await;
        assert_eq!(env.ask(open).await, ["0"], "{other}");
    }
}
