//! Every kind of answer, served over HTTP, is archived and turned into rows.

use serde_json::Value;
use tidewatch::simulator::Amagi;

use crate::databases::{Database, on_both};
use crate::env::{Env, fixture, hours, world};

/// Serves a fixture on a path, looks once with this job, and gives the environment.
pub(crate) async fn look_at(database: Database, path: &str, name: &str, job: &str) -> Env {
    let job = job.replacen("[[job]]", "[[job]]\nname = \"job\"\nschedule = \"@hourly\"", 1);
    let replay = fixture(path, name);
    let served: Value = serde_json::from_slice(&replay.body).unwrap();
    let mut env = Env::with(database, &job, |options| {
        options.replay = vec![replay];
    })
    .await;
    env.advance(hours(1)).await;
    let kept = env.ask("select body from document_texts").await;
    let kept: Value = serde_json::from_str(&kept[0]).unwrap();
    assert_eq!(kept, served, "the answer is kept as it came");
    env
}

on_both!(every_version_of_the_note_detail_is_archived);
async fn every_version_of_the_note_detail_is_archived(database: Database) {
    // One after the other on one database: each looks at its note.
    let notes = [
        ("v1", "note_detail_image.json", "6a01b2c3000000000e00d4e5"),
        ("v3", "note_detail_video.json", "698877660000000025021234"),
        ("v6", "note_detail_video_v6.json", "6a02c3d4000000001d00e5f6"),
        ("v7", "note_detail_image.json", "6a01b2c3000000000e00d4e5"),
    ];
    let replays = notes.map(|(version, name, _)| {
        fixture(&format!("/api/xiaohongshu/get-note-detail/{version}"), name)
    });
    let job = |(version, _, id): (&str, &str, &str)| {
        format!(
            "note_detail_version = \"{version}\"\n[[job]]\nname = \"{version}\"\nkind = \"notes\"\n\
             schedule = \"@hourly\"\nnotes = [\"{id}\"]\n"
        )
    };
    let mut env =
        Env::with(database, &job(notes[0]), |options| options.replay = replays.into()).await;
    for note in notes {
        env.restart(&job(note)).await;
        env.advance(hours(1)).await;
    }
    let looks = env.ask("select endpoint || ' ' || outcome from calls order by call_id").await;
    let expected = notes.map(|(version, ..)| format!("xiaohongshu/get-note-detail/{version} ok"));
    assert_eq!(looks, expected);
    let types = "select note_id || ' ' || note_type from notes order by note_id";
    let expected = [
        "698877660000000025021234 video",
        "6a01b2c3000000000e00d4e5 normal",
        "6a02c3d4000000001d00e5f6 video",
    ];
    assert_eq!(env.ask(types).await, expected);
    let images = "select '' || position from images where item_id like '6a01%' order by position";
    assert!(env.ask(images).await.len() > 1);
    assert_eq!(env.ask("select '' || count(*) from note_metrics where views is null").await, ["4"]);
}

on_both!(suggestions_are_archived_in_their_order);
async fn suggestions_are_archived_in_their_order(database: Database) {
    let job = "[[job]]\nkind = \"keywords\"\nkeywords = [\"露营\"]\n";
    let path = "/api/xiaohongshu/search-recommend/v1";
    let env = look_at(database, path, "suggestions.json", job).await;
    let ranks = env.ask("select '' || rank from keyword_suggestions order by rank").await;
    assert_eq!(ranks, ["1", "2", "3", "4"]);
}

on_both!(a_page_of_kols_is_archived);
async fn a_page_of_kols_is_archived(database: Database) {
    let job = "[[job]]\nkind = \"kols\"\nfilter = { keyword = \"露营\" }\n";
    let path = "/api/xiaohongshu-pgy/api/solar/cooperator/blogger/v2/v1";
    let env = look_at(database, path, "kol_search_page1.json", job).await;
    let kols = env.ask("select kol_id from kols order by kol_id").await;
    assert!(!kols.is_empty());
    assert_eq!(env.ask("select kol_id from kol_metrics order by kol_id").await, kols);
    assert!(!env.ask("select kol_id from kol_tags").await.is_empty());
}

on_both!(a_work_from_either_provider_gives_the_same_rows);
async fn a_work_from_either_provider_gives_the_same_rows(database: Database) {
    let path = "/api/douyin/get-video-detail/v2";
    let job = "[douyin]\nprovider = \"justoneapi\"\n[[job]]\nkind = \"works\"\n\
               urls = [\"https://www.douyin.com/video/7601234567890123456\"]\n";
    let mut env = look_at(database, path, "work_video.json", job).await;
    let rows = "select work_id || ' ' || likes || ' ' || coalesce(plays, -1) from work_metrics
                order by observed_at";
    let first = env.ask(rows).await;
    assert_eq!(first.len(), 1);
    assert!(first[0].ends_with(" -1"), "plays are hidden: {first:?}");
    env.restart(
        "[[job]]\nname = \"amagi\"\nkind = \"works\"\nschedule = \"@hourly\"\n\
         urls = [\"7601234567890123456\"]\n",
    )
    .await;
    env.advance(hours(1)).await;
    let endpoints = env.ask("select endpoint from calls order by call_id").await;
    assert_eq!(endpoints, ["douyin/get-video-detail/v2", "amagi/fetch_one_work"]);
    assert_eq!(env.ask("select '' || count(*) from works").await, ["1"]);
    assert_eq!(env.ask("select '' || count(*) from work_metrics").await, ["2"]);
}

on_both!(a_bare_answer_of_amagi_is_archived_and_costs_nothing);
async fn a_bare_answer_of_amagi_is_archived_and_costs_nothing(database: Database) {
    let job = "[[job]]\nkind = \"works\"\nurls = [\"7601234567890123456\"]\n";
    let path = "/amagi/api/douyin/fetch_one_work";
    let env = look_at(database, path, "work_amagi_bare.json", job).await;
    assert_eq!(env.ask("select work_id from work_metrics").await, ["7601234567890123456"]);
    assert_eq!(env.ask("select billed || ' ' || price_micros from calls").await, ["no 0"]);
}

on_both!(an_old_amagi_takes_the_short_link_and_its_answer_says_which_work_it_is);
async fn an_old_amagi_takes_the_short_link_and_its_answer_says_which_work_it_is(
    database: Database,
) {
    let job = format!(
        "[[job]]\nname = \"works\"\nkind = \"works\"\nschedule = \"@hourly\"\nurls = [{:?}]\n",
        world().work_links(1)[0]
    );
    let mut env = Env::with(database, &job, |options| options.amagi = Amagi::Old).await;
    env.advance(hours(2)).await;
    let calls = env.ask("select endpoint || ' ' || outcome from calls order by call_id").await;
    assert_eq!(calls, ["amagi/fetch_one_work?url ok"; 2]);
    assert_eq!(env.ask("select item_id from links").await, world().works(1));
    assert_eq!(env.ask("select '' || count(*) from work_metrics").await, ["2"]);
}

on_both!(a_deleted_work_leaves_its_evidence_and_no_snapshot);
async fn a_deleted_work_leaves_its_evidence_and_no_snapshot(database: Database) {
    let job = "[[job]]\nkind = \"works\"\nurls = [\"7601234567890123456\"]\n";
    let path = "/amagi/api/douyin/fetch_one_work";
    let env = look_at(database, path, "work_amagi_5_deleted.json", job).await;
    assert_eq!(env.ask("select outcome || ' ' || reason from slots").await, ["missed gone"]);
    assert_eq!(env.ask("select outcome from documents").await, ["gone"]);
    assert!(!env.ask("select message from calls").await[0].is_empty());
    assert_eq!(env.ask("select '' || count(*) from work_metrics").await, ["0"]);
}
