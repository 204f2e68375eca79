//! The categories that Douyin gives a work, of three levels.

use crate::api::json::{self, Json};
use crate::model::Field;

/// The name of the category of a level.
pub(super) fn name(detail: Json<'_>, level: i64) -> Field<String> {
    of(detail, level, |tag| json::text(tag, "/tag_name"))
}

/// The id of the category of a level.
pub(super) fn id(detail: Json<'_>, level: i64) -> Field<i64> {
    of(detail, level, |tag| json::positive(tag, "/tag_id"))
}

/// What is picked of the tag of a level; empty where every tag is of another one.
fn of<T>(detail: Json<'_>, level: i64, pick: impl Fn(Json<'_>) -> Field<T>) -> Field<T> {
    let tags = match json::list(detail, "/video_tag") {
        Field::Value(tags) => tags,
        Field::Empty => return Field::Empty,
        Field::Absent => return Field::Absent,
    };
    let level_of = |tag| json::int(tag, "/level").into_value();
    match tags.iter().find(|tag| level_of(tag) == Some(level)) {
        Some(tag) => pick(tag),
        None if tags.iter().all(|tag| level_of(tag).is_some()) => Field::Empty,
        None => Field::Absent,
    }
}
