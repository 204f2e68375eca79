//! Rows of a KOL: itself, its tags, and the notes that are listed with it.

use super::figures;
use super::prices::Prices;
use crate::api::json::{self, Json};
use crate::api::reading::Odd;
use crate::model::{Field, Kol, KolFacts, KolNote, KolTag};

/// What the answer says of a KOL.
pub(super) fn of(kol: Json<'_>, kol_id: &str, odd: &mut Odd) -> KolFacts {
    let prices = Prices::of(kol);
    KolFacts {
        row: row(kol, kol_id, &prices),
        tags: tags(kol),
        notes: notes(kol, odd),
        figures: figures::of(kol, &prices, odd),
    }
}

fn row(kol: Json<'_>, kol_id: &str, prices: &Prices) -> Kol {
    Kol {
        kol_id: kol_id.to_owned(),
        red_id: json::text(kol, "/redId"),
        nickname: json::text(kol, "/name"),
        avatar_url: json::text(kol, "/headPhoto"),
        gender: json::text(kol, "/gender"),
        location: json::text(kol, "/location"),
        level: json::int(kol, "/currentLevel").and_then(|level| (level >= 0).then_some(level)),
        mcn_id: json::text(kol, "/noteSign/userId"),
        mcn_name: json::text(kol, "/noteSign/name"),
        low_active: json::flag(kol, "/lowActive"),
        picture_price: prices.picture.clone(),
        video_price: prices.video.clone(),
        lower_price: prices.lower.clone(),
    }
}

/// The three lists of tags are one; it is empty only when each of them is.
fn tags(kol: Json<'_>) -> Field<Vec<KolTag>> {
    let lists = [content_tags(kol), tags_of(kol, "feature"), tags_of(kol, "personal")];
    if lists.iter().all(|tags| *tags == Field::Empty) {
        return Field::Empty;
    }
    let tags = lists.into_iter().filter_map(Field::into_value).flatten();
    let tags: Vec<KolTag> =
        (0..).zip(tags).map(|(position, tag)| KolTag { position, ..tag }).collect();
    if tags.is_empty() { Field::Absent } else { Field::Value(tags) }
}

fn content_tags(kol: Json<'_>) -> Field<Vec<KolTag>> {
    let below = |content| {
        let category = json::text(content, "/taxonomy1Tag");
        let tags: Vec<Field<String>> = texts(content, "/taxonomy2Tags").map(Field::Value).collect();
        let tags = match category {
            Field::Value(_) if tags.is_empty() => vec![Field::Empty],
            _ => tags,
        };
        tags.into_iter().map(move |tag| KolTag {
            position: 0,
            tag_kind: "content",
            category: category.clone(),
            tag,
        })
    };
    json::list(kol, "/contentTags").map(|contents| contents.iter().flat_map(below).collect())
}

fn tags_of(kol: Json<'_>, tag_kind: &'static str) -> Field<Vec<KolTag>> {
    let path = format!("/{tag_kind}Tags");
    let tag =
        |tag| KolTag { position: 0, tag_kind, category: Field::Empty, tag: Field::Value(tag) };
    json::list(kol, &path).map(|_| texts(kol, &path).map(tag).collect())
}

fn texts<'v>(value: Json<'v>, path: &str) -> impl Iterator<Item = String> + use<'v> {
    json::items(value, path).iter().filter_map(|item| json::text(item, "").into_value())
}

fn notes(kol: Json<'_>, odd: &mut Odd) -> Field<Vec<KolNote>> {
    odd.rows(json::list(kol, "/noteList"), "noteList without noteId", |position, note| {
        Some(KolNote {
            position,
            note_id: json::id(note, "/noteId")?,
            note_type: match json::int(note, "/noteType") {
                Field::Value(1) => Field::Value("normal".to_owned()),
                Field::Value(2) => Field::Value("video".to_owned()),
                _ => json::text(note, "/noteType"),
            },
            content_tag: json::text(note, "/contentTag"),
            image_url: json::text(note, "/imageUrl"),
        })
    })
}
