//! Rows of a note and its author.

use super::media;
use crate::api::counts::CountReader;
use crate::api::json::{self, Json};
use crate::api::reading::{Odd, Reading};
use crate::model::{Author, Counts, Facts, Field, Item, ItemHashtag, Mention, Note, Platform};

/// What is kept of a brand that a note is made for. Upstream documents none of it.
const COOPERATION: [&str; 8] =
    ["id", "name", "nickname", "user_id", "brand_id", "brand_name", "bind_type", "type"];

/// What is kept of a topic.
const TOPIC: [&str; 3] = ["id", "name", "discuss_num"];

/// What the answer says of the note and its author; the card may name the author instead.
pub(super) fn of(card: Json<'_>, note: Json<'_>, note_id: &str) -> Reading {
    let mut odd = Odd::default();
    let author = author(json::at(note, "/user")).or_else(|| author(json::at(card, "/user")));
    let item = Item {
        row: row(note, note_id, author.as_ref(), &mut odd),
        images: media::images(note, &mut odd),
        hashtags: hashtags(note, &mut odd),
        mentions: mentions(note, &mut odd),
        creators: Field::Absent,
        counts: counts(note, &mut odd),
    };
    let facts =
        Facts { notes: vec![item], authors: author.into_iter().collect(), ..Facts::default() };
    Reading::facts(facts, odd)
}

fn author(user: Json<'_>) -> Option<Author> {
    Some(Author {
        platform: Platform::Xiaohongshu,
        author_id: json::first_id(user, &["/userid", "/id"])?,
        sec_uid: Field::Absent,
        handle: json::text(user, "/red_id"),
        nickname: json::text(user, "/nickname"),
        avatar_url: json::first([json::text(user, "/image"), json::text(user, "/images")]),
        is_verified: json::flag(user, "/red_official_verified"),
        verification_type: json::int(user, "/red_official_verify_type"),
        verification: Field::Absent,
        signature: Field::Absent,
        followers: Field::Absent,
        following: Field::Absent,
        likes_received: Field::Absent,
        works: Field::Absent,
    })
}

fn row(note: Json<'_>, note_id: &str, author: Option<&Author>, odd: &mut Odd) -> Note {
    let video = media::video(note);
    let mut counts = CountReader::of(note);
    let sound_uses = counts.take(&["/native_voice_info/use_count"]);
    odd.counts(counts);
    Note {
        note_id: note_id.to_owned(),
        note_type: json::text(note, "/type"),
        title: json::text(note, "/title"),
        body: json::text(note, "/desc"),
        language: json::text(note, "/text_language_code"),
        author_id: author.map(|author| author.author_id.clone()).into(),
        published_at: json::hidden_if_empty(json::time(note, "/time")),
        edited_at: json::time(note, "/last_update_time"),
        ip_location: json::text(note, "/ip_location"),
        pinned: json::flag(note, "/sticky"),
        has_goods: json::flag(note, "/has_related_goods"),
        cooperations: json::objects(note, "/cooperate_binds", &COOPERATION),
        goods: json::object_text(note, "/goods_info"),
        has_brand_lottery: json::flag(note, "/enable_brand_lottery"),
        is_red_envelope: json::flag(note, "/red_envelope_note"),
        may_have_red_packet: json::flag(note, "/may_have_red_packet"),
        in_censor: json::flag(note, "/in_censor"),
        privacy_type: json::int(note, "/privacy/type"),
        topics: json::objects(note, "/topics", &TOPIC),
        has_music: json::flag(note, "/has_music"),
        sound_id: json::text(note, "/native_voice_info/sound_id"),
        sound_name: json::text(note, "/native_voice_info/name"),
        sound_duration_ms: json::shown(note, "/native_voice_info/duration"),
        sound_uses: sound_uses.into(),
        is_co_produced: json::flag(note, "/has_co_produce"),
        may_be_co_produced: json::flag(note, "/enable_co_produce"),
        cover_url: json::first(
            [
                "/share_info/image",
                "/video_info_v2/image/thumbnail",
                "/video_info_v2/image/first_frame",
            ]
            .map(|path| json::text(note, path)),
        ),
        share_url: json::text(note, "/share_info/link").map(|link| without_query(&link)),
        video_duration_ms: video.duration_ms,
        video_url: video.url,
        video_width: video.width,
        video_height: video.height,
        video_id: json::text(note, "/video_info_v2/media/video_id"),
        video_codec: video.codec,
        video_bytes: video.bytes,
        video_bit_rate: video.bit_rate,
    }
}

/// Queries of share links carry tokens.
fn without_query(link: &str) -> String {
    link.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// `topics` holds only some of the tags of `hash_tag`.
fn hashtags(note: Json<'_>, odd: &mut Odd) -> Field<Vec<ItemHashtag>> {
    odd.rows(json::list(note, "/hash_tag"), "hash_tag without name", |position, tag| {
        Some(ItemHashtag {
            position,
            hashtag_id: json::text(tag, "/id"),
            name: json::text(tag, "/name").into_value()?,
            tag_type: json::text(tag, "/type"),
            is_commerce: Field::Absent,
        })
    })
}

fn mentions(note: Json<'_>, odd: &mut Odd) -> Field<Vec<Mention>> {
    odd.rows(json::list(note, "/ats"), "ats without id", |position, mention| {
        Some(Mention {
            position,
            user_id: json::first_id(mention, &["/id", "/user_id"])?,
            sec_uid: Field::Absent,
            nickname: json::text(mention, "/nickname"),
        })
    })
}

/// `None` where no count is shown: then the answer is no observation of them.
fn counts(note: Json<'_>, odd: &mut Odd) -> Option<Counts> {
    let mut reader = CountReader::of(note);
    let counts = Counts {
        likes: reader.expect(&["/liked_count", "/likes"]),
        collects: reader.expect(&["/collected_count"]),
        comments: reader.expect(&["/comments_count"]),
        shares: reader.expect(&["/shared_count", "/share_count"]),
        // Nobody but the author is shown the views; everybody else is shown 0.
        views: reader.take(&["/view_count"]).filter(|views| *views > 0),
        recommends: None,
        downloads: None,
        admires: None,
        granularity: reader.granularity,
    };
    odd.counts(reader);
    counts.any().then_some(counts)
}
