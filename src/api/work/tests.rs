use serde_json::{Value, json};

use super::super::{Billed, Endpoint};
use super::*;
use crate::document::JsonText;
use crate::model::{Counts, Facts, Field, Item, Work};

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

fn is(text: &str) -> Field<String> {
    Field::Value(text.to_owned())
}

fn work(reading: &Reading) -> &Item<Work> {
    &reading.facts.works[0]
}

#[test]
fn a_video_gives_its_row() {
    let reading = read(VIDEO_ID, VIDEO);
    assert_eq!((reading.outcome, reading.billed), (Outcome::Ok, Billed::Yes));
    let work = &work(&reading).row;
    assert_eq!(work.work_id, VIDEO_ID);
    assert_eq!(work.work_type, is("video"));
    assert_eq!((work.aweme_type.value(), work.duration_ms.value()), (Some(&0), Some(&63_001)));
    assert_eq!(work.title, is("出海第一天"));
    assert_eq!(work.published_at, "2026-01-30 19:06:40".parse().ok().into());
    assert_eq!((&work.region, &work.city), (&Field::Empty, &is("350200")));
    assert_eq!(work.video_id, is("v0d00fg10000inventedvideo"));
    assert_eq!((work.video_width.value(), work.video_height.value()), (Some(&1920), Some(&1080)));
    assert_eq!(work.share_url, is("https://www.douyin.com/video/7601234567890123456"));
    assert_eq!((&work.series_id, &work.mix_episode), (&Field::Absent, &Field::Value(3)));
    assert_eq!(work.mix_id, is("7550000000000000001"));
    assert_eq!((&work.is_deleted, &work.is_private), (&Field::Value(false), &Field::Value(false)));
}

#[test]
fn ids_beyond_two_to_the_53_come_from_their_text_twins() {
    let reading = read(VIDEO_ID, VIDEO);
    let row = &work(&reading).row;
    assert_eq!((&row.author_id, &row.music_id), (&is("100200300400"), &is("7602222222222222222")));
    let music = &reading.facts.music[0];
    assert_eq!(
        (music.duration_ms.value(), music.is_original.value()),
        (Some(&63_000), Some(&true))
    );
    let author = &reading.facts.authors[0];
    assert_eq!(author.handle, is("1600700800"), "unique_id is empty");
    assert_eq!(author.nickname, is("橘子船长"));
}

#[test]
fn hidden_plays_are_unknown_and_no_comments_are_zero() {
    assert_eq!(
        work(&read(VIDEO_ID, VIDEO)).counts,
        Some(Counts {
            likes: Some(46_001),
            comments: Some(0),
            collects: Some(1066),
            shares: Some(854),
            views: None,
            recommends: Some(12),
            downloads: Some(23),
            admires: None,
            granularity: None,
        })
    );
}

#[test]
fn a_repeated_hashtag_stands_twice_in_the_work() {
    let reading = read(VIDEO_ID, VIDEO);
    let tags = work(&reading).hashtags.value().unwrap().iter();
    let places: Vec<(i64, Option<&str>)> =
        tags.map(|tag| (tag.position, tag.hashtag_id.value().map(String::as_str))).collect();
    let (sailing, fujian) = (Some("1600000000000101"), Some("1600000000000102"));
    // The last one has no page.
    assert_eq!(places, [(0, sailing), (1, sailing), (2, fujian), (3, None)]);
    assert_eq!(reading.drift, None);
}

#[test]
fn extras_of_other_types_leave_no_hashtags_and_unreadable_ones_an_unknown_list() {
    let tag = json!({ "type": 1, "hashtag_name": "海" });
    for (extra, hashtags) in [
        (json!([]), Field::Empty),
        (json!([{ "type": 5 }]), Field::Empty),
        (json!([{ "type": 5 }, {}]), Field::Absent),
        (json!([{ "type": 5 }, null]), Field::Absent),
        (json!([tag, {}]), Field::Absent),
        (json!([tag, { "type": 1, "hashtag_id": "9" }]), Field::Absent),
        (json!(null), Field::Absent),
    ] {
        let detail = json!({ "aweme_id": VIDEO_ID, "text_extra": extra });
        let reading = normalise(&ask(VIDEO_ID), &(&json!({ "aweme_detail": detail })).into());
        assert_eq!(work(&reading).hashtags, hashtags, "{extra}");
    }
}

#[test]
fn mentions_are_cut_from_the_text_by_utf16_offsets() {
    let reading = read(VIDEO_ID, VIDEO);
    let mentions = work(&reading).mentions.value().unwrap();
    let names: Vec<&Field<String>> = mentions.iter().map(|mention| &mention.nickname).collect();
    // The first follows an emoji; the second starts at -1, the third beyond the text.
    assert_eq!(names, [&is("阿帆"), &Field::Absent, &Field::Absent]);
    assert_eq!(mentions[2].sec_uid, Field::Empty);
}

#[test]
fn offsets_that_cut_an_emoji_in_half_or_run_backwards_give_no_name() {
    for (start, end) in [(2, 3), (3, 4), (9, 2), (0, 0), (-5, 2), (0, i64::MAX)] {
        let extra = json!([{ "type": 0, "user_id": "1", "start": start, "end": end }]);
        let detail = json!({ "aweme_id": VIDEO_ID, "desc": "出海🚤第一天", "text_extra": extra });
        let reading = normalise(&ask(VIDEO_ID), &(&json!({ "aweme_detail": detail })).into());
        let mention = &work(&reading).mentions.value().unwrap()[0];
        assert!(mention.nickname.is_absent(), "{start}..{end}");
    }
}

#[test]
fn everybody_who_made_a_work_together_is_listed() {
    let reading = read(VIDEO_ID, VIDEO);
    let creators = work(&reading).creators.value().unwrap().iter();
    let roles: Vec<(i64, &str, &Field<String>)> = creators
        .map(|creator| (creator.position, creator.author_id.as_str(), &creator.role))
        .collect();
    assert_eq!(roles, [(0, "100200300400", &is("作者")), (1, "200300400500", &is("摄影"))]);
}

#[test]
fn an_album_has_images_no_length_and_a_note_link() {
    let reading = read(ALBUM_ID, ALBUM);
    let album = &work(&reading).row;
    assert_eq!(album.work_type, is("images"));
    assert_eq!((&album.aweme_type, &album.duration_ms), (&Field::Value(68), &Field::Empty));
    assert_eq!(album.share_url, is("https://www.douyin.com/note/7603456789012345678"));
    assert_eq!((&album.title, &album.body), (&Field::Empty, &Field::Empty));
    assert_eq!((&album.music_id, &album.is_private), (&Field::Absent, &Field::Value(true)));
    assert_eq!(reading.facts.authors[0].handle, is("orange.captain"));
    let images = work(&reading).images.value().unwrap().iter();
    let live: Vec<(i64, Option<&bool>)> =
        images.map(|image| (image.position, image.is_live.value())).collect();
    assert_eq!(live, [(0, None), (1, Some(&true))]);
    assert_eq!(work(&reading).counts.as_ref().unwrap().collects, None);
    assert_eq!(reading.drift.as_deref(), Some("collect_count is missing"));
}

#[test]
fn music_under_video_makes_no_album_a_video() {
    let music = json!({ "play_addr": { "uri": "https://music.example/1.mp3" } });
    let picture = json!([{ "uri": "i1" }]);
    for (detail, work_type) in [
        (json!({ "video": music }), Field::Absent),
        (json!({ "video": music, "images": null }), Field::Absent),
        (json!({ "video": music, "images": picture }), is("images")),
        (json!({ "video": music, "images": picture, "media_type": 2 }), is("images")),
        (json!({ "video": music, "images": [] }), is("video")),
        (json!({ "video": music, "aweme_type": 68 }), is("images")),
        (json!({ "video": music, "aweme_type": 0 }), is("video")),
    ] {
        let mut detail = detail;
        detail["aweme_id"] = json!(VIDEO_ID);
        let reading = normalise(&ask(VIDEO_ID), &(&json!({ "aweme_detail": detail })).into());
        assert_eq!(work(&reading).row.work_type, work_type, "{detail}");
    }
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

#[test]
fn categories_chapters_links_and_goods_are_columns_of_the_work() {
    let reading = read(VIDEO_ID, VIDEO);
    let row = &work(&reading).row;
    let categories = [&row.category_1, &row.category_2, &row.category_3];
    assert_eq!(categories, [&is("山橘湖"), &is("出海"), &Field::Empty]);
    assert_eq!(row.category_3_id, Field::Value(20_030_070_010));
    assert_eq!(row.ocr_text, is("开船啦"));
    assert_eq!(row.suggested_words, is(r#"["帆雪云"]"#));
    // Signed links are left out.
    assert_eq!(
        row.chapters,
        is(
            r#"[{"desc":"出港","detail":"清晨离开码头","timestamp":0},{"desc":"返航","detail":"","timestamp":41000}]"#
        )
    );
    assert_eq!(row.anchors, is(r#"[{"id":"70011","keyword":"厦门港","type":3}]"#));
    assert_eq!(
        row.promotions,
        is(
            r#"[{"price":2990,"product_id":"3500002","promotion_id":"3600001","title":"防晒面罩"}]"#
        )
    );
    assert_eq!((&row.risk_type, &row.risk_warns), (&Field::Value(1), &Field::Value(true)));
    assert_eq!((&row.pinned, &row.is_ad), (&Field::Value(true), &Field::Value(true)));
    assert_eq!(
        (&row.allows_download, &row.allows_comments),
        (&Field::Value(false), &Field::Value(true))
    );
    assert_eq!((&row.creator_count, &row.cooperation_tag), (&Field::Value(2), &is("共创")));
    assert_eq!((&row.video_ratio, &row.video_bit_rates), (&is("540p"), &is("[310622]")));
    assert_eq!(row.video_hash, is("55d74abd736001e707b73bb57355ddb9"));
}

#[test]
fn a_category_without_a_level_may_be_of_any() {
    let tags = json!([{ "level": 1, "tag_name": "出海" }, { "tag_name": "帆船" }]);
    let detail = json!({ "aweme_id": VIDEO_ID, "video_tag": tags });
    let reading = normalise(&ask(VIDEO_ID), &(&json!({ "aweme_detail": detail })).into());
    let row = &work(&reading).row;
    assert_eq!((&row.category_1, &row.category_2), (&is("出海"), &Field::Absent));
}

#[test]
fn a_caption_like_the_text_is_none() {
    for (caption, expected) in
        [("出海", Field::Empty), ("", Field::Empty), ("第一天", is("第一天"))]
    {
        let detail = json!({ "aweme_id": VIDEO_ID, "desc": "出海", "caption": caption });
        let reading = normalise(&ask(VIDEO_ID), &(&json!({ "aweme_detail": detail })).into());
        assert_eq!(work(&reading).row.caption, expected);
    }
}

#[test]
fn running_numbers_of_authors_and_music_are_absent_where_they_are_hidden() {
    let hidden = read(VIDEO_ID, VIDEO).facts;
    assert!(hidden.authors[0].followers.is_absent());
    assert_eq!(hidden.authors[0].verification, is("海洋摄影师"));
    assert_eq!(
        (&hidden.music[0].users, &hidden.music[0].album),
        (&Field::Value(48), &is("海上的早晨"))
    );
    let shown = &read(ALBUM_ID, ALBUM).facts.authors[0];
    assert_eq!(
        (&shown.followers, &shown.likes_received),
        (&Field::Value(4321), &Field::Value(98_765))
    );
    assert_eq!(shown.verification, is("橘子文化传媒"));
}
