//! Xiaohongshu note detail: v1, v3 and v7 wrap the note in `data[0].note_list[0]`, in v6
//! `data[0]` is the note.

mod media;
mod rows;

use super::json::{self, Json, Value};
use super::{Ask, Outcome, Reading};

/// The id of the first note in an answer.
pub(super) fn subject(data: Json<'_>) -> Option<String> {
    cards(data).iter().flat_map(notes_of).find_map(|note| json::id(note, "/id"))
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
        .filter_map(|(card, note)| Some((card, note, json::id(note, "/id")?)))
        .collect();
    if let Some((card, note, note_id)) = found.iter().find(|(_, _, id)| *id == ask.key) {
        return rows::of(card, note, note_id);
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

#[cfg(test)]
mod tests;
