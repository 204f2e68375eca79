//! Rows of a Douyin work, from the platform's `aweme_detail`.

use std::collections::BTreeSet;

use crate::api::json::{self, Counts, Json};
use crate::api::reading::{Odd, Reading};
use crate::model::{
    Author, Batch, Hashtag, Music, Platform, Work, WorkCreator, WorkHashtag, WorkImage,
    WorkMention, WorkMetrics,
};

/// `aweme_type` of an album.
const ALBUM: i64 = 68;

/// `media_type` of images.
const IMAGES: i64 = 2;

/// `text_extra[].type` of a mention.
const MENTION: i64 = 0;

/// `text_extra[].type` of a hashtag.
const HASHTAG: i64 = 1;

/// Rows of the work.
pub(super) fn of(detail: Json<'_>, work_id: &str) -> Reading {
    let mut odd = Odd::default();
    let author = author(json::at(detail, "/author"));
    let music = music(json::at(detail, "/music"));
    let mut batch = Batch {
        works: vec![work(detail, work_id, author.as_ref(), music.as_ref())],
        work_images: images(detail, work_id),
        work_metrics: vec![metrics(detail, work_id, &mut odd)],
        ..Batch::default()
    };
    batch.authors.extend(author);
    batch.music.extend(music);
    hashtags(detail, work_id, &mut batch, &mut odd);
    mentions(detail, work_id, &mut batch, &mut odd);
    creators(detail, work_id, &mut batch, &mut odd);
    Reading::rows(batch, odd)
}

/// `author_user_id` and `author.user_id` are numbers that JavaScript has rounded: not read.
fn author(author: Json<'_>) -> Option<Author> {
    Some(Author {
        platform: Platform::Douyin,
        author_id: json::text(author, "/uid")?,
        sec_uid: json::text(author, "/sec_uid"),
        handle: json::text(author, "/unique_id")
            .or_else(|| json::text(author, "/short_id").filter(|id| id != "0")),
        nickname: json::text(author, "/nickname"),
        avatar_url: json::text(author, "/avatar_thumb/url_list/0"),
    })
}

fn music(music: Json<'_>) -> Option<Music> {
    Some(Music {
        music_id: id(music, "/id_str").or_else(|| id(music, "/mid"))?,
        title: json::text(music, "/title"),
        author: json::text(music, "/author"),
        duration_ms: json::positive(music, "/duration")
            .and_then(|seconds| seconds.checked_mul(1_000)),
        is_original: json::flag(music, "/is_original_sound"),
    })
}

/// An id; `0` stands for none.
fn id(value: Json<'_>, path: &str) -> Option<String> {
    json::text(value, path).filter(|id| id != "0")
}

fn work(detail: Json<'_>, work_id: &str, author: Option<&Author>, music: Option<&Music>) -> Work {
    let work_type = work_type(detail);
    let page = if work_type == Some("images") { "note" } else { "video" };
    Work {
        work_id: work_id.to_owned(),
        work_type: work_type.map(str::to_owned),
        aweme_type: json::int(detail, "/aweme_type"),
        title: json::text(detail, "/item_title"),
        body: json::text(detail, "/desc"),
        author_id: author.map(|author| author.author_id.clone()),
        published_at: json::time(detail, "/create_time"),
        duration_ms: json::positive(detail, "/duration")
            .or_else(|| json::positive(detail, "/video/duration")),
        region: json::text(detail, "/region"),
        city: json::text(detail, "/city"),
        video_id: json::text(detail, "/video/play_addr/uri"),
        video_width: json::positive(detail, "/video/width"),
        video_height: json::positive(detail, "/video/height"),
        cover_url: json::text(detail, "/video/cover/url_list/0"),
        share_url: Some(format!("https://www.douyin.com/{page}/{work_id}")),
        music_id: music.map(|music| music.music_id.clone()),
        series_id: id(detail, "/series_basic_info/series_id"),
        mix_id: id(detail, "/mix_info/mix_id"),
        mix_episode: json::positive(detail, "/mix_info/statis/current_episode"),
        is_deleted: json::flag(detail, "/status/is_delete"),
        is_prohibited: json::flag(detail, "/status/is_prohibited"),
        is_private: json::int(detail, "/status/private_status").map(|status| status != 0),
        with_goods: json::flag(detail, "/status/with_goods"),
    }
}

/// The music of an album may stand under `video`, so images weigh more.
fn work_type(detail: Json<'_>) -> Option<&'static str> {
    let aweme_type = json::int(detail, "/aweme_type");
    let media_type = json::int(detail, "/media_type");
    let has_images = !json::list(detail, "/images").is_empty();
    let has_video = json::text(detail, "/video/play_addr/uri").is_some();
    if aweme_type == Some(ALBUM) || media_type == Some(IMAGES) || (has_images && !has_video) {
        Some("images")
    } else if has_video || aweme_type.is_some() || media_type.is_some() {
        Some("video")
    } else {
        None
    }
}

fn images(detail: Json<'_>, work_id: &str) -> Vec<WorkImage> {
    let image = |(position, image): (i64, Json<'_>)| WorkImage {
        work_id: work_id.to_owned(),
        position,
        file_id: json::text(image, "/uri"),
        width: json::positive(image, "/width"),
        height: json::positive(image, "/height"),
        url: json::text(image, "/url_list/0"),
        is_live: !json::is_nothing(json::at(image, "/video")),
    };
    (0..).zip(json::list(detail, "/images")).map(image).collect()
}

/// The entries of `text_extra` of one type, each with its place among them.
fn extras<'v>(detail: Json<'v>, kind: i64) -> impl Iterator<Item = (i64, Json<'v>)> {
    let of_kind = json::list(detail, "/text_extra")
        .iter()
        .filter(move |extra| json::int(extra, "/type") == Some(kind));
    (0..).zip(of_kind)
}

/// `cha_list` holds only some of the tags, so it is not read.
fn hashtags(detail: Json<'_>, work_id: &str, batch: &mut Batch, odd: &mut Odd) {
    let mut seen = BTreeSet::new();
    let mut skipped = 0;
    for (position, extra) in extras(detail, HASHTAG) {
        let (Some(hashtag_id), Some(name)) =
            (id(extra, "/hashtag_id"), json::text(extra, "/hashtag_name"))
        else {
            skipped += 1;
            continue;
        };
        batch.work_hashtags.push(WorkHashtag {
            work_id: work_id.to_owned(),
            position,
            hashtag_id: hashtag_id.clone(),
        });
        if seen.insert(hashtag_id.clone()) {
            batch.hashtags.push(Hashtag { platform: Platform::Douyin, hashtag_id, name });
        }
    }
    odd.skipped(skipped, "text_extra hashtags without id or name");
}

fn mentions(detail: Json<'_>, work_id: &str, batch: &mut Batch, odd: &mut Odd) {
    let mut skipped = 0;
    for (position, extra) in extras(detail, MENTION) {
        let Some(user_id) = id(extra, "/user_id") else {
            skipped += 1;
            continue;
        };
        batch.work_mentions.push(WorkMention {
            work_id: work_id.to_owned(),
            position,
            user_id,
            sec_uid: json::text(extra, "/sec_uid"),
            nickname: mentioned(detail, extra),
        });
    }
    odd.skipped(skipped, "text_extra mentions without user_id");
}

/// The name after the `@` that `start` and `end` enclose. They count UTF-16 units of `desc`,
/// may be -1, and may lie beyond a text that was cut.
fn mentioned(detail: Json<'_>, extra: Json<'_>) -> Option<String> {
    let units: Vec<u16> = json::text(detail, "/desc")?.encode_utf16().collect();
    let offset = |path| json::int(extra, path).and_then(|offset| usize::try_from(offset).ok());
    let words = units.get(offset("/start")?..offset("/end")?)?;
    let words = String::from_utf16(words).ok()?;
    let name = words.trim().trim_start_matches('@').trim_end();
    (!name.is_empty()).then(|| name.to_owned())
}

fn creators(detail: Json<'_>, work_id: &str, batch: &mut Batch, odd: &mut Odd) {
    let mut skipped = 0;
    for (position, creator) in (0..).zip(json::list(detail, "/cooperation_info/co_creators")) {
        let Some(author_id) = id(creator, "/uid") else {
            skipped += 1;
            continue;
        };
        batch.work_creators.push(WorkCreator {
            work_id: work_id.to_owned(),
            position,
            author_id,
            sec_uid: json::text(creator, "/sec_uid"),
            nickname: json::text(creator, "/nickname"),
            role: json::text(creator, "/role_title"),
        });
    }
    odd.skipped(skipped, "co_creators without uid");
}

fn metrics(detail: Json<'_>, work_id: &str, odd: &mut Odd) -> WorkMetrics {
    let mut counts = Counts::of(json::at(detail, "/statistics"));
    let metrics = WorkMetrics {
        work_id: work_id.to_owned(),
        likes: counts.expect(&["/digg_count"]),
        comments: counts.expect(&["/comment_count"]),
        collects: counts.expect(&["/collect_count"]),
        shares: counts.expect(&["/share_count"]),
        // Everybody but the author is shown 0.
        plays: counts.take(&["/play_count"]).filter(|plays| *plays > 0),
        recommends: counts.take(&["/recommend_count"]),
        downloads: counts.take(&["/download_count"]),
        admires: counts.take(&["/admire_count"]),
        exact: counts.exact,
    };
    odd.counts(counts);
    metrics
}
