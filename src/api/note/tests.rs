use serde_json::{Value, json};

use super::super::{Billed, Endpoint};
use super::*;
use crate::document::JsonText;

const IMAGE_NOTE: &str = include_str!("../../../tests/fixtures/note_detail_image.json");
const VIDEO_NOTE: &str = include_str!("../../../tests/fixtures/note_detail_video.json");
const VIDEO_NOTE_V6: &str = include_str!("../../../tests/fixtures/note_detail_video_v6.json");
const IMAGE_ID: &str = "6a01b2c3000000000e00d4e5";
const VIDEO_ID: &str = "698877660000000025021234";
const V6_ID: &str = "6a02c3d4000000001d00e5f6";

fn ask(note_id: &str) -> Ask {
    Ask { key: note_id.to_owned(), page: 1 }
}

fn read(note_id: &str, body: &str) -> Reading {
    Endpoint::NoteDetailV7.read(&ask(note_id), 200, &JsonText::of(body))
}

/// The first note of the image fixture, changed.
fn changed(change: impl FnOnce(&mut Value)) -> Reading {
    let mut body: Value = serde_json::from_str(IMAGE_NOTE).unwrap();
    change(&mut body["data"][0]["note_list"][0]);
    read(IMAGE_ID, &body.to_string())
}

#[test]
fn an_image_note_gives_its_row_and_its_author() {
    let reading = read(IMAGE_ID, IMAGE_NOTE);
    assert_eq!((reading.outcome, reading.billed), (Outcome::Ok, Billed::Yes));
    assert_eq!((reading.code.as_deref(), reading.drift), (Some("0"), None));
    assert_eq!(
        reading.facts.notes,
        [Note {
            note_id: IMAGE_ID.to_owned(),
            note_type: Some("normal".to_owned()),
            title: Some("去海边的1️⃣0️⃣个理由❤️‍🔥".to_owned()),
            body: Some(
                "日落🌅时分 @灯塔看守人 #海边日落[话题]# #海边日落[话题]# #周末去哪儿[话题]#"
                    .to_owned()
            ),
            language: Some("zh".to_owned()),
            author_id: Some("5f00aa11000000000101bb22".to_owned()),
            published_at: "2026-05-11 11:46:40".parse().ok(),
            edited_at: "2026-05-12 11:46:40".parse().ok(),
            ip_location: Some("福建".to_owned()),
            pinned: Some(false),
            has_goods: Some(false),
            share_url: Some(format!("https://www.xiaohongshu.com/discovery/item/{IMAGE_ID}")),
            video_duration_ms: None,
            video_url: None,
            video_width: None,
            video_height: None,
        }]
    );
    let author = &reading.facts.authors[0];
    assert_eq!(author.platform, Platform::Xiaohongshu);
    assert_eq!(author.author_id, "5f00aa11000000000101bb22");
    assert_eq!(author.handle.as_deref(), Some("star_0917"));
    assert_eq!(author.nickname.as_deref(), Some("夜航星🌙"));
}

#[test]
fn a_zero_comment_count_is_zero_and_a_zero_view_count_is_unknown() {
    let reading = read(IMAGE_ID, IMAGE_NOTE);
    assert_eq!(
        reading.facts.note_metrics,
        [NoteMetrics {
            note_id: IMAGE_ID.to_owned(),
            likes: Some(1234),
            collects: Some(567),
            comments: Some(0),
            shares: Some(89),
            views: None,
            exact: true,
        }]
    );
    let seen = changed(|note| note["view_count"] = json!(519));
    assert_eq!(seen.batch.note_metrics[0].views, Some(519));
}

#[test]
fn a_time_in_milliseconds_is_the_same_instant_as_in_seconds() {
    let reading = changed(|note| note["time"] = json!(1_778_500_000_000_i64));
    assert_eq!(reading.facts.notes[0].published_at, "2026-05-11 11:46:40".parse().ok());
    let never = changed(|note| note["time"] = json!(0));
    assert_eq!(never.batch.notes[0].published_at, None);
}

#[test]
fn images_that_all_call_themselves_index_zero_are_told_apart_by_their_place() {
    let images = read(IMAGE_ID, IMAGE_NOTE).batch.note_images;
    let places: Vec<(i64, Option<&str>)> =
        images.iter().map(|image| (image.position, image.file_id.as_deref())).collect();
    let repeated = Some("1040aa1100invented02");
    assert_eq!(
        places,
        [(0, Some("notes_uhdr/1040aa1100invented01")), (1, repeated), (2, repeated), (3, None)]
    );
    assert!(images[0].url.as_deref().is_some_and(|url| url.contains("sc=HIGH")));
    assert!(images[3].url.as_deref().is_some_and(|url| url.contains("invented-original")));
}

#[test]
fn a_live_photo_lasts_milliseconds_and_its_video_id_is_text_or_number() {
    let images = read(IMAGE_ID, IMAGE_NOTE).batch.note_images;
    let live: Vec<bool> = images.iter().map(|image| image.is_live).collect();
    assert_eq!(live, [true, true, false, false]);
    // The object beside the stream says 3, in seconds.
    assert_eq!(images[0].live_duration_ms, Some(2733));
    assert!(images[0].live_url.as_deref().is_some_and(|url| url.ends_with("live_66.mp4")));
    assert_eq!(images[0].live_video_id.as_deref(), Some("138000000000000123"));
    assert_eq!(images[1].live_video_id.as_deref(), Some("138000000000000321"));
    assert_eq!((images[0].width, images[0].height), (Some(4032), Some(3024)));
}

#[test]
fn a_repeated_hashtag_stands_twice_in_the_note_and_once_among_the_hashtags() {
    let batch = read(IMAGE_ID, IMAGE_NOTE).batch;
    let places: Vec<(i64, &str)> =
        batch.note_hashtags.iter().map(|tag| (tag.position, tag.hashtag_id.as_str())).collect();
    let (sunset, weekend) = ("6000000000000000000000a1", "6000000000000000000000a2");
    assert_eq!(places, [(0, sunset), (1, sunset), (2, weekend)]);
    let names: Vec<&str> = batch.hashtags.iter().map(|tag| tag.name.as_str()).collect();
    assert_eq!(names, ["海边日落", "周末去哪儿"]);
    assert_eq!(batch.note_mentions[0].user_id, "5f00aa11000000000101cc33");
    assert_eq!(batch.note_mentions[0].nickname.as_deref(), Some("灯塔看守人"));
}

#[test]
fn entries_without_an_id_are_skipped_and_counted() {
    let reading = changed(|note| {
        note["hash_tag"] = json!([{ "name": "x" }, { "id": "t1", "name": "y" }, null, 7]);
        note["ats"] = json!([{ "nickname": "x" }]);
    });
    assert_eq!(reading.outcome, Outcome::Ok);
    assert_eq!(reading.facts.note_hashtags[0].position, 1);
    assert_eq!(
        reading.drift.as_deref(),
        Some("3 of hash_tag without id or name skipped; 1 of ats without id skipped")
    );
}

#[test]
fn a_video_note_without_title_and_video_block_has_none_of_either() {
    let reading = read(VIDEO_ID, VIDEO_NOTE);
    let note = &reading.facts.notes[0];
    assert_eq!(note.note_id, VIDEO_ID, "an id of digits only stays a text");
    assert_eq!((note.title.as_deref(), note.edited_at), (None, None));
    assert_eq!((note.video_duration_ms, note.video_url.as_deref()), (None, None));
    assert_eq!(note.author_id.as_deref(), Some("5f00aa11000000000101dd44"));
}

#[test]
fn a_rounded_count_is_marked_as_not_exact() {
    let metrics = &read(VIDEO_ID, VIDEO_NOTE).batch.note_metrics[0];
    assert_eq!((metrics.likes, metrics.collects, metrics.exact), (Some(12_000), Some(310), false));
}

#[test]
fn version_six_holds_the_note_itself_and_its_stream_counts_milliseconds() {
    let reading = Endpoint::NoteDetailV6.read(&ask(V6_ID), 200, &JsonText::of(VIDEO_NOTE_V6));
    assert_eq!((reading.outcome, reading.drift), (Outcome::Ok, None));
    let note = &reading.facts.notes[0];
    assert_eq!(note.video_duration_ms, Some(10_007));
    assert_eq!((note.video_width, note.video_height), (Some(1080), Some(1920)));
    assert!(note.video_url.as_deref().is_some_and(|url| url.ends_with("1080_259.mp4")));
}

#[test]
fn a_video_that_only_says_seconds_is_turned_into_milliseconds() {
    let reading = changed(|note| {
        note["video"] = json!({ "duration": 12, "url": "http://v/1.mp4", "width": 720 });
    });
    let note = &reading.facts.notes[0];
    assert_eq!((note.video_duration_ms, note.video_width), (Some(12_000), Some(720)));
    assert_eq!(note.video_url.as_deref(), Some("http://v/1.mp4"));
}

#[test]
fn the_same_note_is_read_from_an_object_in_place_of_a_list() {
    let mut body: Value = serde_json::from_str(IMAGE_NOTE).unwrap();
    body["data"] = body["data"][0].take();
    assert_eq!(read(IMAGE_ID, &body.to_string()), read(IMAGE_ID, IMAGE_NOTE));
}

#[test]
fn the_author_comes_from_the_card_where_the_note_names_none() {
    let reading = changed(|note| note["user"] = Value::Null);
    assert_eq!(reading.facts.notes[0].author_id.as_deref(), Some("5f00aa11000000000101bb22"));
}

#[test]
fn a_note_is_found_behind_a_card_of_another_kind() {
    let mut body: Value = serde_json::from_str(IMAGE_NOTE).unwrap();
    let cards = body["data"].as_array_mut().unwrap();
    cards.insert(0, json!({ "model_type": "ads" }));
    assert_eq!(read(IMAGE_ID, &body.to_string()).outcome, Outcome::Ok);
}

#[test]
fn another_note_than_the_one_asked_for_gives_no_row() {
    let reading = read(V6_ID, IMAGE_NOTE);
    assert_eq!((reading.outcome, reading.billed), (Outcome::Unreadable, Billed::Yes));
    assert_eq!(reading.drift, Some(format!("asked {V6_ID}, got {IMAGE_ID}")));
    assert_eq!(reading.facts, Facts::default());
}

#[test]
fn an_answer_without_a_note_is_empty_or_unreadable_but_never_a_row() {
    for (data, outcome) in [
        (json!([{ "note_list": [], "user": {} }]), Outcome::Empty),
        (json!([{ "note_list": null }]), Outcome::Empty),
        (json!([]), Outcome::Empty),
        (json!([{ "user": { "id": "x" } }]), Outcome::Unreadable),
        (json!([{ "note_list": [{ "title": "x" }] }]), Outcome::Unreadable),
        (json!({ "notes": [] }), Outcome::Unreadable),
        (json!("x"), Outcome::Unreadable),
        (json!(true), Outcome::Unreadable),
    ] {
        let body = json!({ "code": 0, "data": data }).to_string();
        let reading = read(IMAGE_ID, &body);
        assert_eq!((reading.outcome, reading.billed), (outcome, Billed::Yes), "{body}");
        assert_eq!(reading.facts, Facts::default());
        assert_eq!(reading.drift.is_some(), outcome == Outcome::Unreadable, "{body}");
    }
}

#[test]
fn a_missing_count_is_unknown_and_named() {
    let reading = changed(|note| {
        note.as_object_mut().unwrap().remove("shared_count");
        note["liked_count"] = json!("点赞");
    });
    let metrics = &reading.facts.note_metrics[0];
    assert_eq!((metrics.likes, metrics.shares), (None, None));
    assert_eq!(
        reading.drift.as_deref(),
        Some("liked_count is not a count; shared_count is missing")
    );
}
