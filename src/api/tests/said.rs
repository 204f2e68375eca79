//! Everything that an answer says, and what must hold of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fixtures;
use crate::api::{Ask, Endpoint};
use crate::document::JsonText;
use crate::model::catalogue::{Cell, Field, Role, Row};
use crate::model::{Facts, Item};

/// What an answer says of one column of one row; of a list, the texts of its rows.
pub(super) type Said = Field<Cell>;

/// Everything that an answer says, by table, key and column.
pub(super) fn of(facts: &Facts) -> BTreeMap<String, Said> {
    let mut all = BTreeMap::new();
    let out = &mut all;
    facts.notes.iter().for_each(|note| item(out, note));
    facts.works.iter().for_each(|work| item(out, work));
    rows(out, "", &facts.authors);
    rows(out, "", &facts.music);
    rows(out, "", &facts.keyword_suggestions);
    rows(out, "", &facts.kol_search_results);
    for kol in &facts.kols {
        let owner = row(out, "", &kol.row);
        for tags in [&kol.content_tags, &kol.feature_tags, &kol.personal_tags] {
            let kind = tags.value().and_then(|tags| tags.first()).map(|tag| tag.tag_kind.as_str());
            list(out, &format!("{owner} {}", kind.unwrap_or_default()), tags);
        }
        list(out, &owner, &kol.notes);
        rows(out, &owner, std::slice::from_ref(&kol.figures));
    }
    all
}

fn item<R: Row>(out: &mut BTreeMap<String, Said>, item: &Item<R>) {
    let owner = row(out, "", &item.row);
    list(out, &owner, &item.images);
    list(out, &owner, &item.hashtags);
    list(out, &owner, &item.mentions);
    list(out, &owner, &item.creators);
    rows(out, &owner, item.counts.as_slice());
}

fn list<R: Row>(out: &mut BTreeMap<String, Said>, owner: &str, list: &Field<Vec<R>>) {
    let texts = |row: &R| {
        row.cells().into_iter().filter_map(|cell| match cell {
            Field::Value(Cell::Text(text)) => Some(text),
            _ => None,
        })
    };
    let texts = |rows: &Vec<R>| Cell::Text(rows.iter().flat_map(texts).collect());
    let state = match list {
        Field::Absent => Field::Absent,
        Field::Empty => Field::Empty,
        Field::Value(rows) => Field::Value(texts(rows)),
    };
    out.insert(format!("{owner} {}", R::TABLE.name), state);
}

fn rows<R: Row>(out: &mut BTreeMap<String, Said>, owner: &str, rows: &[R]) {
    for it in rows {
        row(out, owner, it);
    }
}

/// The table and the key of the row.
fn row<R: Row>(out: &mut BTreeMap<String, Said>, owner: &str, row: &R) -> String {
    let columns: Vec<_> = R::TABLE.columns.iter().zip(row.cells()).collect();
    let keys = columns.iter().filter(|(column, _)| column.role == Role::Key);
    let key: Vec<_> = keys.map(|(_, cell)| cell).collect();
    let name = format!("{owner} {} {key:?}", R::TABLE.name);
    out.extend(
        columns.iter().map(|(column, cell)| (format!("{name}.{}", column.name), cell.clone())),
    );
    name
}

/// Where every key of a document is: the pointer of its object, and its name.
fn keys(value: &Value, at: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::Array(items) => {
            for (nth, item) in items.iter().enumerate() {
                keys(item, &format!("{at}/{nth}"), out);
            }
        }
        Value::Object(fields) => {
            for (name, child) in fields {
                out.push((at.to_owned(), name.clone()));
                keys(child, &format!("{at}/{name}"), out);
            }
        }
        _ => {}
    }
}

#[test]
fn a_missing_key_never_empties_a_field() {
    for (endpoint, key, fixture) in [
        (Endpoint::NoteDetailV7, "6a01b2c3000000000e00d4e5", "note_detail_image.json"),
        (Endpoint::NoteDetailV7, "698877660000000025021234", "note_detail_video.json"),
        (Endpoint::NoteDetailV6, "6a02c3d4000000001d00e5f6", "note_detail_video_v6.json"),
        (Endpoint::WorkDetail, "7601234567890123456", "work_video.json"),
        (Endpoint::WorkDetail, "7603456789012345678", "work_album.json"),
        (Endpoint::KolSearch, "{}", "kol_search_page1.json"),
        (Endpoint::KolSearch, "{}", "kol_search_full.json"),
        (Endpoint::SearchSuggestions, "露营", "suggestions.json"),
    ] {
        let ask = Ask { key: key.to_owned(), page: 1 };
        let read = |body: &Value| endpoint.read(&ask, 200, &JsonText::of(&body.to_string()));
        let (_, text) = fixtures().into_iter().find(|(name, _)| name == fixture).unwrap();
        let full: Value = serde_json::from_str(&text).unwrap();
        let before = of(&read(&full).facts);
        assert!(!before.is_empty(), "{fixture}");
        let mut all = Vec::new();
        keys(&full, "", &mut all);
        for (at, name) in all {
            let mut thin = full.clone();
            let object = thin.pointer_mut(&at).and_then(Value::as_object_mut).unwrap();
            object.remove(&name);
            // `{}` says itself that there is nothing.
            if object.is_empty() {
                continue;
            }
            for (field, said) in of(&read(&thin).facts) {
                let emptied = said == Field::Empty && before.get(&field) != Some(&Field::Empty);
                assert!(!emptied, "{field}, without {at}/{name}");
            }
        }
    }
}

/// Every number below a value, with its pointer.
fn numbers(value: &Value, at: &str, out: &mut Vec<(String, f64)>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(nth, it)| numbers(it, &format!("{at}/{nth}"), out));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, it)| numbers(it, &format!("{at}/{name}"), out));
        }
        Value::Number(number) => out.extend(number.as_f64().map(|number| (at.to_owned(), number))),
        _ => {}
    }
}

/// Each number of the fixture is another one, but for the twins that differ only by case.
#[test]
fn each_number_of_a_kol_has_a_column() {
    let (_, text) =
        fixtures().into_iter().find(|(name, _)| name == "kol_search_full.json").unwrap();
    let body: Value = serde_json::from_str(&text).unwrap();
    let ask = Ask { key: "{}".to_owned(), page: 1 };
    let said = of(&Endpoint::KolSearch.read(&ask, 200, &JsonText::of(&text)).facts);
    let mut all = Vec::new();
    numbers(&body["data"]["kols"][0], "", &mut all);
    assert!(all.len() > 83, "{}", all.len());
    for (path, number) in all {
        let has = |said: &Said| match said {
            Field::Value(Cell::Int(value)) => *value as f64 == number,
            Field::Value(Cell::Real(value)) => *value == number,
            // `noteType` of a listed note.
            Field::Value(Cell::Text(text)) => text.contains(&number.to_string()),
            _ => false,
        };
        // Hidden in a search, and read only where `fansNum` is missing.
        assert!(path == "/fansCount" || said.values().any(has), "{path}: {number}");
    }
}
