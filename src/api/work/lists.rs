//! The lists of a Douyin work: its images, its hashtags, and who is named or took part.

use serde_json::Value as Tree;

use crate::api::json::{self, Json, Value};
use crate::api::reading::Odd;
use crate::model::{Creator, Field, Image, ItemHashtag, Mention};

/// `text_extra[].type` of a mention.
const MENTION: i64 = 0;

/// `text_extra[].type` of a hashtag.
const HASHTAG: i64 = 1;

pub(super) fn images(detail: Json<'_>, odd: &mut Odd) -> Field<Vec<Image>> {
    odd.rows(json::list(detail, "/images"), "images", |position, image| {
        json::is_object(image).then(|| Image {
            position,
            file_id: json::text(image, "/uri"),
            width: json::shown(image, "/width"),
            height: json::shown(image, "/height"),
            url: json::text(image, "/url_list/0"),
            original_url: Field::Absent,
            largest_url: Field::Absent,
            latitude: Field::Absent,
            longitude: Field::Absent,
            is_live: json::holds_any(image, &["/video"]),
            live_url: json::text(image, "/video/play_addr/url_list/0"),
            live_duration_ms: json::shown(image, "/video/duration"),
            live_video_id: json::text(image, "/video/play_addr/uri"),
            live_codec: Field::Absent,
            live_bytes: json::shown(image, "/video/play_addr/data_size"),
            live_width: json::shown(image, "/video/width"),
            live_height: json::shown(image, "/video/height"),
        })
    })
}

/// `cha_list` holds only some of the tags, so it is not read.
pub(super) fn hashtags(detail: Json<'_>, odd: &mut Odd) -> Field<Vec<ItemHashtag>> {
    extras(detail, HASHTAG, odd, "text_extra hashtags without name", |position, extra| {
        Some(ItemHashtag {
            position,
            hashtag_id: json::zero_is_none(json::text(extra, "/hashtag_id")),
            name: json::text(extra, "/hashtag_name").into_value()?,
            tag_type: Field::Absent,
            is_commerce: json::flag(extra, "/is_commerce"),
        })
    })
}

pub(super) fn mentions(detail: Json<'_>, odd: &mut Odd) -> Field<Vec<Mention>> {
    extras(detail, MENTION, odd, "text_extra mentions without user_id", |position, extra| {
        Some(Mention {
            position,
            user_id: json::id(extra, "/user_id")?,
            sec_uid: json::text(extra, "/sec_uid"),
            nickname: mentioned(detail, extra).into(),
        })
    })
}

/// The rows of the entries of `text_extra` of one type, each with its place among them. An entry
/// without a type may be of any: then nothing is known of the list.
fn extras<'v, T>(
    detail: Json<'v>,
    kind: i64,
    odd: &mut Odd,
    of: &str,
    row: impl Fn(i64, Json<'v>) -> Option<T>,
) -> Field<Vec<T>> {
    let Field::Value(extras) = json::list(detail, "/text_extra") else {
        return json::list(detail, "/text_extra").map(|_| Vec::new());
    };
    if extras.iter().any(|extra| !extra.is_null() && type_of(extra).is_none()) {
        odd.note("text_extra without type".to_owned());
        return Field::Absent;
    }
    let of_kind: Vec<Json<'v>> =
        extras.iter().filter(|extra| type_of(extra) == Some(kind)).collect();
    // What null was is not known.
    match of_kind.is_empty() && !extras.iter().any(Value::is_null) {
        true => Field::Empty,
        false => odd.entries(of_kind.into_iter(), of, row).into(),
    }
}

fn type_of(extra: &Value<'_>) -> Option<i64> {
    json::int(extra, "/type").into_value()
}

/// The name after the `@` that `start` and `end` enclose. They count UTF-16 units of `desc`,
/// may be -1, and may lie beyond a text that was cut.
fn mentioned(detail: Json<'_>, extra: Json<'_>) -> Option<String> {
    let units: Vec<u16> = json::text(detail, "/desc").value()?.encode_utf16().collect();
    let offset = |path| usize::try_from(json::int(extra, path).into_value()?).ok();
    let words = units.get(offset("/start")?..offset("/end")?)?;
    let words = String::from_utf16(words).ok()?;
    let name = words.trim().trim_start_matches('@').trim_end();
    (!name.is_empty()).then(|| name.to_owned())
}

pub(super) fn creators(detail: Json<'_>, odd: &mut Odd) -> Field<Vec<Creator>> {
    let list = json::list(detail, "/cooperation_info/co_creators");
    odd.rows(list, "co_creators without uid", |position, creator| {
        Some(Creator {
            position,
            author_id: json::id(creator, "/uid")?,
            sec_uid: json::text(creator, "/sec_uid"),
            nickname: json::text(creator, "/nickname"),
            role: json::text(creator, "/role_title"),
            role_id: json::int(creator, "/role_id"),
            invite_status: json::int(creator, "/invite_status"),
        })
    })
}

/// The words to search for, as a JSON array.
pub(super) fn suggested_words(detail: Json<'_>) -> Field<String> {
    json::list(detail, "/suggest_words/suggest_words").and_then(|groups| {
        let words = groups.iter().flat_map(|group| json::items(group, "/words"));
        json_array(words.filter_map(|word| json::text(word, "/word").into_value()))
    })
}

/// The bit rates on offer, as a JSON array.
pub(super) fn bit_rates(detail: Json<'_>) -> Field<String> {
    json::list(detail, "/video/bit_rate").and_then(|rates| {
        json_array(rates.iter().filter_map(|rate| json::int(rate, "/bit_rate").into_value()))
    })
}

/// `None` where nothing in the list is understood.
fn json_array<T: Into<Tree>>(items: impl Iterator<Item = T>) -> Option<String> {
    let items: Vec<Tree> = items.map(Into::into).collect();
    (!items.is_empty()).then(|| Tree::Array(items).to_string())
}
