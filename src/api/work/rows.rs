//! Rows of a Douyin work, from the platform's `aweme_detail`.

use super::{categories, lists};
use crate::api::counts::CountReader;
use crate::api::json::{self, Json};
use crate::api::reading::{Odd, Reading};
use crate::model::{Author, Counts, Facts, Field, Item, Music, Platform, Work};

/// `aweme_type` of an album.
const ALBUM: i64 = 68;

/// `media_type` of images.
const IMAGES: i64 = 2;

/// What is kept of a chapter, of what a link leads to, and of goods.
const CHAPTER: [&str; 3] = ["desc", "detail", "timestamp"];
const ANCHOR: [&str; 4] = ["id", "type", "keyword", "title"];
const PROMOTION: [&str; 4] = ["promotion_id", "product_id", "title", "price"];

/// What the answer says of the work, its author and its music.
pub(super) fn of(detail: Json<'_>, work_id: &str) -> Reading {
    let mut odd = Odd::default();
    let author = author(json::at(detail, "/author"), &mut odd);
    let music = music(json::at(detail, "/music"), &mut odd);
    let item = Item {
        row: row(detail, work_id, author.as_ref(), music.as_ref()),
        images: lists::images(detail, &mut odd),
        hashtags: lists::hashtags(detail, &mut odd),
        mentions: lists::mentions(detail, &mut odd),
        creators: lists::creators(detail, &mut odd),
        counts: counts(detail, &mut odd),
    };
    let facts = Facts {
        works: vec![item],
        authors: author.into_iter().collect(),
        music: music.into_iter().collect(),
        ..Facts::default()
    };
    Reading::facts(facts, odd)
}

/// `author_user_id` and `author.user_id` are numbers that JavaScript has rounded: not read.
fn author(author: Json<'_>, odd: &mut Odd) -> Option<Author> {
    let author_id = json::id(author, "/uid")?;
    let short_id = json::text(author, "/short_id");
    let mut counts = CountReader::of(author);
    let row = Author {
        platform: Platform::Douyin,
        author_id,
        sec_uid: json::text(author, "/sec_uid"),
        handle: json::first([json::text(author, "/unique_id"), json::zero_is_none(short_id)]),
        nickname: json::text(author, "/nickname"),
        avatar_url: json::text(author, "/avatar_thumb/url_list/0"),
        is_verified: json::flag(author, "/is_verified"),
        verification_type: json::int(author, "/verification_type"),
        verification: json::first(
            ["/custom_verify", "/enterprise_verify_reason"].map(|path| json::text(author, path)),
        ),
        signature: json::text(author, "/signature"),
        followers: counts.shown("/follower_count"),
        following: counts.shown("/following_count"),
        likes_received: counts.shown("/total_favorited"),
        works: counts.shown("/aweme_count"),
    };
    odd.counts(counts);
    Some(row)
}

fn music(music: Json<'_>, odd: &mut Odd) -> Option<Music> {
    let music_id = json::first_id(music, &["/id_str", "/mid"])?;
    let mut counts = CountReader::of(music);
    let row = Music {
        music_id,
        title: json::text(music, "/title"),
        author: json::text(music, "/author"),
        duration_ms: json::shown(music, "/duration").and_then(|seconds| seconds.checked_mul(1_000)),
        is_original: json::flag(music, "/is_original_sound"),
        album: json::text(music, "/album"),
        is_commerce: json::flag(music, "/is_commerce_music"),
        owner_id: json::zero_is_none(json::text(music, "/owner_id")),
        owner_name: json::text(music, "/owner_nickname"),
        users: counts.shown("/user_count"),
    };
    odd.counts(counts);
    Some(row)
}

fn row(detail: Json<'_>, work_id: &str, author: Option<&Author>, music: Option<&Music>) -> Work {
    let work_type = work_type(detail);
    let page = if work_type == Some("images") { "note" } else { "video" };
    let id = |path| json::zero_is_none(json::text(detail, path));
    let int = |path| json::int(detail, path);
    let flag = |path| json::flag(detail, path);
    Work {
        work_id: work_id.to_owned(),
        work_type: work_type.map(str::to_owned).into(),
        aweme_type: int("/aweme_type"),
        title: json::text(detail, "/item_title"),
        body: json::text(detail, "/desc"),
        caption: caption(detail),
        language: json::text(detail, "/desc_language"),
        ocr_text: json::text(detail, "/seo_info/ocr_content"),
        category_1: categories::name(detail, 1),
        category_2: categories::name(detail, 2),
        category_3: categories::name(detail, 3),
        category_1_id: categories::id(detail, 1),
        category_2_id: categories::id(detail, 2),
        category_3_id: categories::id(detail, 3),
        suggested_words: lists::suggested_words(detail),
        chapters: json::objects(detail, "/chapter_list", &CHAPTER),
        anchors: json::objects(detail, "/anchors", &ANCHOR),
        promotions: json::objects(detail, "/promotions", &PROMOTION),
        author_id: author.map(|author| author.author_id.clone()).into(),
        published_at: json::hidden_if_empty(json::time(detail, "/create_time")),
        duration_ms: json::first(
            ["/duration", "/video/duration"].map(|path| json::positive(detail, path)),
        ),
        region: json::text(detail, "/region"),
        city: json::text(detail, "/city"),
        video_id: json::text(detail, "/video/play_addr/uri"),
        video_width: json::shown(detail, "/video/width"),
        video_height: json::shown(detail, "/video/height"),
        video_ratio: json::text(detail, "/video/ratio"),
        video_bytes: json::shown(detail, "/video/play_addr/data_size"),
        video_hash: json::text(detail, "/video/play_addr/file_hash"),
        video_bit_rates: lists::bit_rates(detail),
        video_url: json::text(detail, "/video/play_addr/url_list/0"),
        cover_url: json::text(detail, "/video/cover/url_list/0"),
        share_url: work_type.map(|_| format!("https://www.douyin.com/{page}/{work_id}")).into(),
        music_id: music.map(|music| music.music_id.clone()).into(),
        series_id: id("/series_basic_info/series_id"),
        mix_id: id("/mix_info/mix_id"),
        mix_name: json::text(detail, "/mix_info/mix_name"),
        mix_episode: json::positive(detail, "/mix_info/statis/current_episode"),
        is_deleted: flag("/status/is_delete"),
        is_prohibited: flag("/status/is_prohibited"),
        is_private: int("/status/private_status").map(|status| status != 0),
        with_goods: flag("/status/with_goods"),
        pinned: flag("/is_top"),
        is_ad: flag("/is_ads").or_else(|| flag("/commerce_info/is_ad")),
        allows_comments: flag("/comment_permission_info/can_comment")
            .or_else(|| flag("/status/allow_comment")),
        comment_permission: int("/comment_permission_info/comment_permission_status"),
        allows_sharing: flag("/status/allow_share"),
        allows_download: flag("/video_control/allow_download"),
        allows_duet: flag("/video_control/allow_duet"),
        in_review: flag("/status/in_reviewing"),
        review_status: int("/status/review_result/review_status"),
        reviewed: int("/status/reviewed"),
        is_self_see: flag("/status/self_see"),
        part_see: int("/status/part_see"),
        risk_type: int("/risk_infos/type"),
        risk_text: json::text(detail, "/risk_infos/content"),
        risk_warns: flag("/risk_infos/warn"),
        risk_sinks: flag("/risk_infos/risk_sink"),
        risk_votes: flag("/risk_infos/vote"),
        creator_count: json::shown(detail, "/cooperation_info/co_creator_nums"),
        cooperation_tag: json::text(detail, "/cooperation_info/tag"),
    }
}

/// The caption, where it says something else than the text.
fn caption(detail: Json<'_>) -> Field<String> {
    match json::text(detail, "/caption") {
        Field::Value(caption) if json::text(detail, "/desc").value() == Some(&caption) => {
            Field::Empty
        }
        caption => caption,
    }
}

/// The music of an album may stand under `video`, so images weigh more, and a video alone, where
/// neither a type nor images are spoken of, is no sign.
fn work_type(detail: Json<'_>) -> Option<&'static str> {
    let aweme_type = json::int(detail, "/aweme_type").into_value();
    let media_type = json::int(detail, "/media_type").into_value();
    let is_typed = aweme_type.is_some() || media_type.is_some();
    let images = json::list(detail, "/images");
    let has_video = json::id(detail, "/video/play_addr/uri").is_some();
    if aweme_type == Some(ALBUM) || media_type == Some(IMAGES) {
        return Some("images");
    }
    match images {
        Field::Value(_) if !is_typed || !has_video => Some("images"),
        _ if is_typed => Some("video"),
        Field::Empty if has_video => Some("video"),
        _ => None,
    }
}

/// `None` where no count is shown: then the answer is no observation of them.
fn counts(detail: Json<'_>, odd: &mut Odd) -> Option<Counts> {
    let mut reader = CountReader::of(json::at(detail, "/statistics"));
    let counts = Counts {
        likes: reader.expect(&["/digg_count"]),
        comments: reader.expect(&["/comment_count"]),
        collects: reader.expect(&["/collect_count"]),
        shares: reader.expect(&["/share_count"]),
        // Everybody but the author is shown 0.
        views: reader.take(&["/play_count"]).filter(|plays| *plays > 0),
        recommends: reader.take(&["/recommend_count"]),
        downloads: reader.take(&["/download_count"]),
        admires: reader.take(&["/admire_count"]),
        granularity: reader.granularity,
    };
    odd.counts(reader);
    counts.any().then_some(counts)
}
