use serde_json::{Value, json};

use super::super::{Billed, Endpoint};
use super::*;
use crate::document::JsonText;
use crate::model::{Author, Counts, Facts, Field, Image, Item, Note, Platform};

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

fn is(text: &str) -> Field<String> {
    Field::Value(text.to_owned())
}

fn note(reading: &Reading) -> &Item<Note> {
    &reading.facts.notes[0]
}

fn images(reading: &Reading) -> &[Image] {
    note(reading).images.value().unwrap()
}

fn counts(reading: &Reading) -> &Counts {
    note(reading).counts.as_ref().unwrap()
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
    assert_eq!((reading.code.as_deref(), &reading.drift), (Some("0"), &None));
    assert_eq!(
        note(&reading).row,
        Note {
            note_id: IMAGE_ID.to_owned(),
            note_type: is("normal"),
            title: is("去海边的1️⃣0️⃣个理由❤️‍🔥"),
            body: is("日落🌅时分 @灯塔看守人 #海边日落[话题]# #海边日落[话题]# #周末去哪儿[话题]#"),
            language: is("zh"),
            author_id: is("5f00aa11000000000101bb22"),
            published_at: "2026-05-11 11:46:40".parse().ok().into(),
            edited_at: "2026-05-12 11:46:40".parse().ok().into(),
            ip_location: is("福建"),
            pinned: Field::Value(false),
            has_goods: Field::Value(false),
            cooperations: Field::Empty,
            goods: Field::Empty,
            has_brand_lottery: Field::Value(false),
            is_red_envelope: Field::Value(false),
            may_have_red_packet: Field::Value(false),
            in_censor: Field::Value(false),
            privacy_type: Field::Value(0),
            topics: is(r#"[{"discuss_num":0,"id":"6000000000000000000000a1","name":"海边日落"}]"#),
            has_music: Field::Value(false),
            sound_id: Field::Absent,
            sound_name: Field::Absent,
            sound_duration_ms: Field::Absent,
            sound_uses: Field::Absent,
            is_co_produced: Field::Value(false),
            may_be_co_produced: Field::Value(true),
            cover_url: note(&reading).row.cover_url.clone(),
            share_url: is(&format!("https://www.xiaohongshu.com/discovery/item/{IMAGE_ID}")),
            video_duration_ms: Field::Absent,
            video_url: Field::Absent,
            video_width: Field::Absent,
            video_height: Field::Absent,
            video_id: Field::Absent,
            video_codec: Field::Absent,
            video_bytes: Field::Absent,
            video_bit_rate: Field::Absent,
        }
    );
    assert_eq!(
        reading.facts.authors,
        [Author {
            platform: Platform::Xiaohongshu,
            author_id: "5f00aa11000000000101bb22".to_owned(),
            sec_uid: Field::Absent,
            handle: is("star_0917"),
            nickname: is("夜航星🌙"),
            ..reading.facts.authors[0].clone()
        }]
    );
}

#[test]
fn a_zero_comment_count_is_zero_and_a_zero_view_count_is_unknown() {
    let reading = read(IMAGE_ID, IMAGE_NOTE);
    assert_eq!(
        *counts(&reading),
        Counts {
            likes: Some(1234),
            collects: Some(567),
            comments: Some(0),
            shares: Some(89),
            views: None,
            recommends: None,
            downloads: None,
            admires: None,
            granularity: None,
        }
    );
    let seen = changed(|note| note["view_count"] = json!(519));
    assert_eq!(counts(&seen).views, Some(519));
}

#[test]
fn a_time_in_milliseconds_is_the_same_instant_as_in_seconds() {
    let reading = changed(|note| note["time"] = json!(1_778_500_000_000_i64));
    let published_at = "2026-05-11 11:46:40".parse().unwrap();
    assert_eq!(note(&reading).row.published_at, Field::Value(published_at));
    let hidden = changed(|note| note["time"] = json!(0));
    assert_eq!(note(&hidden).row.published_at, Field::Absent);
    let never_edited = changed(|note| note["last_update_time"] = json!(0));
    assert_eq!(note(&never_edited).row.edited_at, Field::Empty);
}

#[test]
fn images_that_all_call_themselves_index_zero_are_told_apart_by_their_place() {
    let reading = read(IMAGE_ID, IMAGE_NOTE);
    let images = images(&reading);
    let places: Vec<(i64, Field<String>)> =
        images.iter().map(|image| (image.position, image.file_id.clone())).collect();
    let repeated = is("1040aa1100invented02");
    let first = is("notes_uhdr/1040aa1100invented01");
    assert_eq!(places, [(0, first), (1, repeated.clone()), (2, repeated), (3, Field::Empty)]);
    assert!(images[0].url.value().is_some_and(|url| url.contains("sc=HIGH")));
    assert!(images[3].url.value().is_some_and(|url| url.contains("invented-original")));
}

#[test]
fn a_live_photo_lasts_milliseconds_and_its_video_id_is_text_or_number() {
    let reading = read(IMAGE_ID, IMAGE_NOTE);
    let images = images(&reading);
    let live: Vec<Option<bool>> =
        images.iter().map(|image| image.is_live.value().copied()).collect();
    assert_eq!(live, [Some(true), Some(true), None, None]);
    // The object beside the stream says 3, in seconds.
    assert_eq!(images[0].live_duration_ms, Field::Value(2733));
    assert!(images[0].live_url.value().is_some_and(|url| url.ends_with("live_66.mp4")));
    assert_eq!(images[0].live_video_id, is("138000000000000123"));
    assert_eq!(images[1].live_video_id, is("138000000000000321"));
    let pixels = (images[0].width.value(), images[0].height.value());
    assert_eq!(pixels, (Some(&4032), Some(&3024)));
}

#[test]
fn a_repeated_hashtag_stands_twice_in_the_note() {
    let reading = read(IMAGE_ID, IMAGE_NOTE);
    let note = note(&reading);
    let tags = note.hashtags.value().unwrap().iter();
    let tags: Vec<(i64, &str, &str)> = tags
        .map(|tag| (tag.position, tag.hashtag_id.value().unwrap().as_str(), tag.name.as_str()))
        .collect();
    let (sunset, weekend) = ("6000000000000000000000a1", "6000000000000000000000a2");
    assert_eq!(
        tags,
        [(0, sunset, "海边日落"), (1, sunset, "海边日落"), (2, weekend, "周末去哪儿")]
    );
    let mention = &note.mentions.value().unwrap()[0];
    assert_eq!(mention.user_id, "5f00aa11000000000101cc33");
    assert_eq!(mention.nickname, is("灯塔看守人"));
}

#[test]
fn a_list_with_an_unreadable_entry_is_not_known_and_says_so() {
    let reading = changed(|note| {
        note["hash_tag"] = json!([{ "name": "x" }, { "id": "t1" }, null, 7]);
        note["ats"] = json!([{ "nickname": "x" }, { "id": "u1" }]);
        note["images_list"] = json!([{ "fileid": "f1" }, 7]);
    });
    assert_eq!(reading.outcome, Outcome::Ok);
    let note = note(&reading);
    assert!(note.hashtags.is_absent() && note.mentions.is_absent() && note.images.is_absent());
    assert_eq!(
        reading.drift.as_deref(),
        Some(
            "images_list: 1 unreadable; hash_tag without name: 1 null; \
             hash_tag without name: 2 unreadable; ats without id: 1 unreadable"
        )
    );
}

#[test]
fn a_video_note_without_title_and_video_block_has_none_of_either() {
    let reading = read(VIDEO_ID, VIDEO_NOTE);
    let note = &note(&reading).row;
    assert_eq!(note.note_id, VIDEO_ID, "an id of digits only stays a text");
    assert_eq!((&note.title, &note.edited_at), (&Field::Absent, &Field::Empty));
    assert!(note.video_duration_ms.is_absent() && note.video_url.is_absent());
    assert_eq!(note.author_id, is("5f00aa11000000000101dd44"));
}

#[test]
fn a_rounded_count_keeps_its_step() {
    let reading = read(VIDEO_ID, VIDEO_NOTE);
    let counts = counts(&reading);
    assert_eq!((counts.likes, counts.collects), (Some(12_000), Some(310)));
    assert_eq!(counts.granularity, Some(1_000));
}

#[test]
fn an_answer_without_counts_is_no_observation_of_them() {
    let reading = changed(|note| {
        for count in ["liked_count", "collected_count", "comments_count", "shared_count"] {
            note.as_object_mut().unwrap().remove(count);
        }
    });
    assert_eq!((reading.outcome, &note(&reading).counts), (Outcome::Ok, &None));
}

#[test]
fn what_an_answer_says_is_empty_differs_from_what_it_leaves_out() {
    let said = changed(|note| {
        (note["title"], note["desc"], note["hash_tag"]) = (json!(""), json!(""), json!([]));
    });
    let note = note(&said);
    assert_eq!((&note.row.title, &note.row.body), (&Field::Empty, &Field::Empty));
    assert_eq!(note.hashtags, Field::Empty);
    for value in [json!(null), json!(true), json!({})] {
        let unsaid = changed(|note| {
            (note["title"], note["hash_tag"]) = (value.clone(), value.clone());
        });
        let note = &unsaid.facts.notes[0];
        assert!(note.row.title.is_absent() && note.hashtags.is_absent(), "{value}");
    }
}

#[test]
fn version_six_holds_the_note_itself_and_its_stream_counts_milliseconds() {
    let reading = Endpoint::NoteDetailV6.read(&ask(V6_ID), 200, &JsonText::of(VIDEO_NOTE_V6));
    assert_eq!((reading.outcome, &reading.drift), (Outcome::Ok, &None));
    let note = &note(&reading).row;
    assert_eq!(note.video_duration_ms, Field::Value(10_007));
    assert_eq!((note.video_width.value(), note.video_height.value()), (Some(&1080), Some(&1920)));
    assert!(note.video_url.value().is_some_and(|url| url.ends_with("1080_259.mp4")));
}

#[test]
fn a_video_that_only_says_seconds_is_turned_into_milliseconds() {
    let reading = changed(|note| {
        note["video"] = json!({ "duration": 12, "url": "http://v/1.mp4", "width": 720 });
    });
    let note = &note(&reading).row;
    assert_eq!(note.video_duration_ms, Field::Value(12_000));
    assert_eq!((&note.video_width, &note.video_url), (&Field::Value(720), &is("http://v/1.mp4")));
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
    assert_eq!(note(&reading).row.author_id, is("5f00aa11000000000101bb22"));
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
    assert_eq!((counts(&reading).likes, counts(&reading).shares), (None, None));
    assert_eq!(
        reading.drift.as_deref(),
        Some("liked_count is not a count; shared_count is missing")
    );
}

#[test]
fn commercial_marks_and_the_sound_are_columns_of_the_note() {
    let reading = Endpoint::NoteDetailV6.read(&ask(V6_ID), 200, &JsonText::of(VIDEO_NOTE_V6));
    let row = &note(&reading).row;
    assert_eq!(row.cooperations, is(r#"[{"id":"brand0001","name":"山海户外"}]"#));
    // Without the signed picture.
    assert_eq!(row.goods, is(r#"{"goods_list":[{"id":"g0001","name":"折叠桌"}]}"#));
    let topic = r#"[{"discuss_num":4567,"id":"6000000000000000000000b1","name":"露营"}]"#;
    assert_eq!((&row.topics, &row.privacy_type), (&is(topic), &Field::Value(1)));
    assert_eq!((&row.sound_id, &row.sound_uses), (&is("7127501449940380315"), &Field::Value(1)));
    assert_eq!((&row.video_codec, &row.video_bytes), (&is("h264"), &Field::Value(4_567_890)));
    assert_eq!(reading.facts.authors[0].verification_type, Field::Value(2));
}

#[test]
fn coordinates_and_the_live_photo_are_columns_of_the_image() {
    let reading = read(IMAGE_ID, IMAGE_NOTE);
    let [first, second, ..] = images(&reading) else { panic!("two images") };
    assert_eq!(
        (&first.latitude, &first.longitude),
        (&Field::Value(24.446), &Field::Value(118.0713))
    );
    assert!(second.latitude.is_absent(), "0 hides it");
    assert!(first.largest_url.value().is_some_and(|url| url.contains("sc=PAINTER")));
    assert_eq!((&first.live_codec, &first.live_bytes), (&is("hevc"), &Field::Value(987_654)));
}
