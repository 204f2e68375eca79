//! Rows of a note and its author.

use super::media;
use crate::api::counts::CountReader;
use crate::api::json::{self, Json};
use crate::api::reading::{Odd, Reading};
use crate::model::{Author, Counts, Facts, Field, Item, ItemHashtag, Mention, Note, Platform};

/// What the answer says of the note and its author; the card may name the author instead.
pub(super) fn of(card: Json<'_>, note: Json<'_>, note_id: &str) -> Reading {
    let mut odd = Odd::default();
    let author = author(json::at(note, "/user")).or_else(|| author(json::at(card, "/user")));
    let item = Item {
        row: row(note, note_id, author.as_ref()),
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
    })
}

fn row(note: Json<'_>, note_id: &str, author: Option<&Author>) -> Note {
    let video = media::video(note);
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
        share_url: json::text(note, "/share_info/link").map(|link| without_query(&link)),
        video_duration_ms: video.duration_ms,
        video_url: video.url,
        video_width: video.width,
        video_height: video.height,
    }
}

/// Queries of share links carry tokens.
fn without_query(link: &str) -> String {
    link.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// `topics` holds only some of the tags of `hash_tag`.
fn hashtags(note: Json<'_>, odd: &mut Odd) -> Field<Vec<ItemHashtag>> {
    odd.rows(json::list(note, "/hash_tag"), "hash_tag without id or name", |position, tag| {
        Some(ItemHashtag {
            position,
            hashtag_id: json::id(tag, "/id")?,
            name: json::text(tag, "/name").into_value()?,
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
