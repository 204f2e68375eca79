use serde_json::{Value, json};

use super::super::{Billed, Endpoint};
use super::*;
use crate::document::JsonText;
use crate::model::{Batch, WorkMetrics};

const VIDEO: &str = include_str!("../../../tests/fixtures/work_video.json");
const ALBUM: &str = include_str!("../../../tests/fixtures/work_album.json");
const VIDEO_ID: &str = "7601234567890123456";
const ALBUM_ID: &str = "7603456789012345678";

fn ask(key: &str) -> Ask {
    Ask { key: key.to_owned(), page: 1 }
}

fn read(work_id: &str, body: &str) -> Reading {
    Endpoint::WorkDetail.read(&ask(work_id), 200, &JsonText::of(body))
}

#[test]
fn a_video_gives_its_row() {
    let reading = read(VIDEO_ID, VIDEO);
    assert_eq!((reading.outcome, reading.billed), (Outcome::Ok, Billed::Yes));
    let work = &reading.facts.works[0];
    assert_eq!(work.work_id, VIDEO_ID);
    assert_eq!(work.work_type.as_deref(), Some("video"));
    assert_eq!((work.aweme_type, work.duration_ms), (Some(0), Some(63_001)));
    assert_eq!(work.title.as_deref(), Some("出海第一天"));
    assert_eq!(work.published_at, "2026-01-30 19:06:40".parse().ok());
    assert_eq!((work.region.as_deref(), work.city.as_deref()), (None, Some("350200")));
    assert_eq!(work.video_id.as_deref(), Some("v0d00fg10000inventedvideo"));
    assert_eq!((work.video_width, work.video_height), (Some(1920), Some(1080)));
    assert_eq!(work.share_url.as_deref(), Some("https://www.douyin.com/video/7601234567890123456"));
    assert_eq!((work.series_id.as_deref(), work.mix_episode), (None, Some(3)));
    assert_eq!(work.mix_id.as_deref(), Some("7550000000000000001"));
    assert_eq!((work.is_deleted, work.is_private), (Some(false), Some(false)));
}

#[test]
fn ids_beyond_two_to_the_53_come_from_their_text_twins() {
    let batch = read(VIDEO_ID, VIDEO).batch;
    assert_eq!(batch.works[0].author_id.as_deref(), Some("100200300400"));
    assert_eq!(batch.works[0].music_id.as_deref(), Some("7602222222222222222"));
    let music = &batch.music[0];
    assert_eq!((music.duration_ms, music.is_original), (Some(63_000), Some(true)));
    let author = &batch.authors[0];
    assert_eq!(author.handle.as_deref(), Some("1600700800"), "unique_id is empty");
    assert_eq!(author.nickname.as_deref(), Some("橘子船长"));
}

#[test]
fn hidden_plays_are_unknown_and_no_comments_are_zero() {
    assert_eq!(
        read(VIDEO_ID, VIDEO).batch.work_metrics,
        [WorkMetrics {
            work_id: VIDEO_ID.to_owned(),
            likes: Some(46_001),
            comments: Some(0),
            collects: Some(1066),
            shares: Some(854),
            plays: None,
            recommends: Some(12),
            downloads: Some(23),
            admires: None,
            exact: true,
        }]
    );
}

#[test]
fn a_repeated_hashtag_stands_twice_in_the_work_and_once_among_the_hashtags() {
    let reading = read(VIDEO_ID, VIDEO);
    let places: Vec<(i64, &str)> = reading
        .batch
        .work_hashtags
        .iter()
        .map(|tag| (tag.position, tag.hashtag_id.as_str()))
        .collect();
    let (sailing, fujian) = ("1600000000000101", "1600000000000102");
    assert_eq!(places, [(0, sailing), (1, sailing), (2, fujian)]);
    assert_eq!(reading.facts.hashtags.len(), 2);
    assert_eq!(
        reading.drift.as_deref(),
        Some("1 of text_extra hashtags without id or name skipped")
    );
}

#[test]
fn mentions_are_cut_from_the_text_by_utf16_offsets() {
    let mentions = read(VIDEO_ID, VIDEO).batch.work_mentions;
    let names: Vec<(i64, Option<&str>)> =
        mentions.iter().map(|mention| (mention.position, mention.nickname.as_deref())).collect();
    // The first follows an emoji; the second starts at -1, the third beyond the text.
    assert_eq!(names, [(0, Some("阿帆")), (1, None), (2, None)]);
    assert_eq!(mentions[2].sec_uid, None);
}

#[test]
fn offsets_that_cut_an_emoji_in_half_or_run_backwards_give_no_name() {
    for (start, end) in [(2, 3), (3, 4), (9, 2), (0, 0), (-5, 2), (0, i64::MAX)] {
        let extra = json!([{ "type": 0, "user_id": "1", "start": start, "end": end }]);
        let detail = json!({ "aweme_id": VIDEO_ID, "desc": "出海🚤第一天", "text_extra": extra });
        let reading = normalise(&ask(VIDEO_ID), &(&json!({ "aweme_detail": detail })).into());
        assert_eq!(reading.facts.work_mentions[0].nickname, None, "{start}..{end}");
    }
}

#[test]
fn everybody_who_made_a_work_together_is_listed() {
    let creators = read(VIDEO_ID, VIDEO).batch.work_creators;
    let roles: Vec<(i64, &str, Option<&str>)> = creators
        .iter()
        .map(|creator| (creator.position, creator.author_id.as_str(), creator.role.as_deref()))
        .collect();
    assert_eq!(roles, [(0, "100200300400", Some("作者")), (1, "200300400500", Some("摄影"))]);
}

#[test]
fn an_album_has_images_no_length_and_a_note_link() {
    let reading = read(ALBUM_ID, ALBUM);
    let work = &reading.facts.works[0];
    assert_eq!(work.work_type.as_deref(), Some("images"));
    assert_eq!((work.aweme_type, work.duration_ms), (Some(68), None));
    assert_eq!(work.share_url.as_deref(), Some("https://www.douyin.com/note/7603456789012345678"));
    assert_eq!((work.title.as_deref(), work.body.as_deref()), (None, None));
    assert_eq!((work.music_id.as_deref(), work.is_private), (None, Some(true)));
    assert_eq!(reading.facts.authors[0].handle.as_deref(), Some("orange.captain"));
    let live: Vec<(i64, bool)> =
        reading.facts.work_images.iter().map(|image| (image.position, image.is_live)).collect();
    assert_eq!(live, [(0, false), (1, true)]);
    assert_eq!(reading.facts.work_metrics[0].collects, None);
    assert_eq!(reading.drift.as_deref(), Some("collect_count is missing"));
}

#[test]
fn a_hidden_work_is_gone_and_says_why() {
    let body = include_str!("../../../tests/fixtures/work_deleted.json");
    let reading = read(VIDEO_ID, body);
    assert_eq!((reading.outcome, reading.billed), (Outcome::Gone, Billed::Yes));
    assert_eq!(reading.message.as_deref(), Some("status_self_see"));
    assert_eq!(reading.facts, Facts::default());
    let other = read(ALBUM_ID, body);
    assert_eq!(other.outcome, Outcome::Unreadable, "a verdict about another work is none");
}

#[test]
fn no_work_is_a_verdict_only_with_a_known_reason() {
    for (data, outcome, drift) in [
        (json!({ "aweme_detail": null }), Outcome::Empty, false),
        (json!({ "aweme_detail": {}, "filter_detail": {} }), Outcome::Empty, false),
        (json!({ "filter_detail": { "filter_reason": "author_defriend" } }), Outcome::Gone, false),
        (json!({ "filter_detail": { "filter_reason": "status_deleted" } }), Outcome::Gone, false),
        (json!({ "filter_detail": { "filter_reason": "images_base" } }), Outcome::Empty, false),
        (json!({ "filter_detail": { "filter_reason": "brand_new" } }), Outcome::Empty, true),
        (json!({ "aweme_detail": null, "status_code": 8 }), Outcome::Unreadable, true),
        (json!({ "aweme_detail": { "desc": "x" } }), Outcome::Unreadable, true),
        (json!({ "aweme_detail": "x" }), Outcome::Unreadable, true),
        (json!({ "status_code": 0 }), Outcome::Unreadable, true),
    ] {
        let reading = normalise(&ask(VIDEO_ID), &(&data).into());
        assert_eq!((reading.outcome, reading.drift.is_some()), (outcome, drift), "{data}");
        assert_eq!(reading.facts, Facts::default());
    }
}

#[test]
fn another_work_than_the_one_asked_for_gives_no_row() {
    let reading = read(ALBUM_ID, VIDEO);
    assert_eq!((reading.outcome, reading.billed), (Outcome::Unreadable, Billed::Yes));
    assert_eq!(reading.drift, Some(format!("asked {ALBUM_ID}, got {VIDEO_ID}")));
    assert_eq!(reading.facts, Facts::default());
}

#[test]
fn a_failure_of_the_platform_beside_a_work_gives_no_row() {
    let mut body: Value = serde_json::from_str(VIDEO).unwrap();
    body["data"]["status_code"] = json!(5);
    let reading = read(VIDEO_ID, &body.to_string());
    assert_eq!(reading.outcome, Outcome::Unreadable);
    assert_eq!(reading.drift.as_deref(), Some("aweme_detail beside status_code 5"));
    assert_eq!(reading.facts, Facts::default());
}

#[test]
fn a_link_in_the_place_of_an_id_never_makes_another_work_welcome() {
    let reading = read("https://v.douyin.com/Invented1/", VIDEO);
    assert_eq!(reading.outcome, Outcome::Unreadable);
}
