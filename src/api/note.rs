//! Xiaohongshu note detail: v1, v3 and v7 wrap the note in `data[0].note_list[0]`, in v6
//! `data[0]` is the note.

use std::collections::BTreeSet;

use super::json::{self, Counts, Json, Value};
use super::reading::Odd;
use super::{Ask, Outcome, Reading};
use crate::model::{
    Author, Batch, Hashtag, Note, NoteHashtag, NoteImage, NoteMention, NoteMetrics, Platform,
};

/// The id of the first note in an answer.
pub(super) fn subject(data: Json<'_>) -> Option<String> {
    cards(data).iter().flat_map(notes_of).find_map(|note| json::text(note, "/id"))
}

fn cards<'v>(data: Json<'v>) -> &'v [Value<'v>] {
    match data {
        Value::Array(cards) => cards.as_slice(),
        card => std::slice::from_ref(card),
    }
}

/// Rows of the note asked for.
pub(super) fn normalise(ask: &Ask, data: Json<'_>) -> Reading {
    let cards = cards(data);
    let found: Vec<(Json<'_>, Json<'_>, String)> = cards
        .iter()
        .flat_map(|card| notes_of(card).iter().map(move |note| (card, note)))
        .filter_map(|(card, note)| Some((card, note, json::text(note, "/id")?)))
        .collect();
    if let Some((card, note, note_id)) = found.iter().find(|(_, _, id)| *id == ask.key) {
        return rows(card, note, note_id);
    }
    match found.first() {
        Some((_, _, other)) => Reading::about_another(&ask.key, other),
        None if cards.iter().all(has_no_note) => Reading::of(Outcome::Empty),
        None => Reading::unreadable("data[0].note_list[0].id and data[0].id are missing"),
    }
}

/// The notes of a card: those it lists, or itself.
fn notes_of<'v>(card: Json<'v>) -> &'v [Value<'v>] {
    match json::field(card, "note_list") {
        Some(Value::Array(notes)) => notes,
        Some(Value::Null) | None => std::slice::from_ref(card),
        Some(note) => std::slice::from_ref(note),
    }
}

/// Whether a card is well formed, and there is no note in it.
fn has_no_note(card: Json<'_>) -> bool {
    json::is_nothing(card) || json::field(card, "note_list").is_some_and(json::is_nothing)
}

fn rows(card: Json<'_>, note: Json<'_>, note_id: &str) -> Reading {
    let mut odd = Odd::default();
    let author = author(json::at(note, "/user")).or_else(|| author(json::at(card, "/user")));
    let mut batch = Batch {
        notes: vec![note_row(note, note_id, author.as_ref())],
        note_images: images(note, note_id),
        note_metrics: vec![metrics(note, note_id, &mut odd)],
        ..Batch::default()
    };
    batch.authors.extend(author);
    hashtags(note, note_id, &mut batch, &mut odd);
    mentions(note, note_id, &mut batch, &mut odd);
    Reading::rows(batch, odd)
}

fn author(user: Json<'_>) -> Option<Author> {
    Some(Author {
        platform: Platform::Xiaohongshu,
        author_id: json::first_text(user, &["/userid", "/id"])?,
        sec_uid: None,
        handle: json::text(user, "/red_id"),
        nickname: json::text(user, "/nickname"),
        avatar_url: json::first_text(user, &["/image", "/images"]),
    })
}

fn note_row(note: Json<'_>, note_id: &str, author: Option<&Author>) -> Note {
    let video = video(note);
    Note {
        note_id: note_id.to_owned(),
        note_type: json::text(note, "/type"),
        title: json::text(note, "/title"),
        body: json::text(note, "/desc"),
        language: json::text(note, "/text_language_code"),
        author_id: author.map(|author| author.author_id.clone()),
        published_at: json::time(note, "/time"),
        edited_at: json::time(note, "/last_update_time"),
        ip_location: json::text(note, "/ip_location"),
        pinned: json::flag(note, "/sticky"),
        has_goods: json::flag(note, "/has_related_goods"),
        share_url: json::text(note, "/share_info/link").and_then(|link| without_query(&link)),
        video_duration_ms: video.duration_ms,
        video_url: video.url,
        video_width: video.width,
        video_height: video.height,
    }
}

/// Queries of share links carry tokens.
fn without_query(link: &str) -> Option<String> {
    link.split(['?', '#']).next().map(str::to_owned)
}

/// What is known of a note's video.
struct Video {
    duration_ms: Option<i64>,
    url: Option<String>,
    width: Option<i64>,
    height: Option<i64>,
}

/// A stream counts milliseconds; the objects around it count seconds, and round them.
fn video(note: Json<'_>) -> Video {
    let media = json::at(note, "/video_info_v2/media");
    let old = json::at(note, "/video");
    let stream = stream(media, &["h264", "h265", "av1", "h266"]);
    let seconds =
        || json::positive(media, "/video/duration").or_else(|| json::positive(old, "/duration"));
    let from = stream.unwrap_or(old);
    Video {
        duration_ms: stream
            .and_then(|stream| json::positive(stream, "/duration"))
            .or_else(|| seconds()?.checked_mul(1_000)),
        url: stream
            .and_then(|stream| json::text(stream, "/master_url"))
            .or_else(|| json::text(old, "/url")),
        width: json::positive(from, "/width"),
        height: json::positive(from, "/height"),
    }
}

/// The first stream in the first of several codecs that has one.
fn stream<'v>(media: Json<'v>, codecs: &[&str]) -> Option<Json<'v>> {
    let streams = json::at(media, "/stream");
    codecs.iter().find_map(|codec| json::list(json::field(streams, codec)?, "").first())
}

/// Images are told apart by their place: `index` is 0 for each, and `fileid` repeats.
fn images(note: Json<'_>, note_id: &str) -> Vec<NoteImage> {
    let image = |(position, image): (i64, Json<'_>)| {
        let media = json::at(image, "/live_photo/media");
        let stream = stream(media, &["h265", "h264"]);
        NoteImage {
            note_id: note_id.to_owned(),
            position,
            file_id: json::first_text(image, &["/fileid", "/trace_id"]),
            width: json::positive(image, "/width"),
            height: json::positive(image, "/height"),
            url: json::first_text(
                image,
                &["/url_multi_level/high", "/url_size_large", "/url", "/original"],
            ),
            is_live: json::text(image, "/live_photo_file_id").is_some()
                || !json::is_nothing(json::at(image, "/live_photo")),
            live_url: stream.and_then(|stream| json::text(stream, "/master_url")),
            live_duration_ms: stream.and_then(|stream| json::positive(stream, "/duration")),
            live_video_id: json::text(media, "/video_id"),
        }
    };
    (0..).zip(json::list(note, "/images_list")).map(image).collect()
}

/// `topics` holds only some of the tags of `hash_tag`, so it is not read.
fn hashtags(note: Json<'_>, note_id: &str, batch: &mut Batch, odd: &mut Odd) {
    let mut seen = BTreeSet::new();
    let mut skipped = 0;
    for (position, tag) in (0..).zip(json::list(note, "/hash_tag")) {
        let (Some(hashtag_id), Some(name)) = (json::text(tag, "/id"), json::text(tag, "/name"))
        else {
            skipped += 1;
            continue;
        };
        batch.note_hashtags.push(NoteHashtag {
            note_id: note_id.to_owned(),
            position,
            hashtag_id: hashtag_id.clone(),
        });
        if seen.insert(hashtag_id.clone()) {
            batch.hashtags.push(Hashtag { platform: Platform::Xiaohongshu, hashtag_id, name });
        }
    }
    odd.skipped(skipped, "hash_tag without id or name");
}

fn mentions(note: Json<'_>, note_id: &str, batch: &mut Batch, odd: &mut Odd) {
    let mut skipped = 0;
    for (position, mention) in (0..).zip(json::list(note, "/ats")) {
        let Some(user_id) = json::first_text(mention, &["/id", "/user_id"]) else {
            skipped += 1;
            continue;
        };
        batch.note_mentions.push(NoteMention {
            note_id: note_id.to_owned(),
            position,
            user_id,
            nickname: json::text(mention, "/nickname"),
        });
    }
    odd.skipped(skipped, "ats without id");
}

fn metrics(note: Json<'_>, note_id: &str, odd: &mut Odd) -> NoteMetrics {
    let mut counts = Counts::of(note);
    let metrics = NoteMetrics {
        note_id: note_id.to_owned(),
        likes: counts.expect(&["/liked_count", "/likes"]),
        collects: counts.expect(&["/collected_count"]),
        comments: counts.expect(&["/comments_count"]),
        shares: counts.expect(&["/shared_count", "/share_count"]),
        // Nobody but the author is shown the views; everybody else is shown 0.
        views: counts.take(&["/view_count"]).filter(|views| *views > 0),
        exact: counts.exact,
    };
    odd.counts(counts);
    metrics
}

#[cfg(test)]
mod tests;
