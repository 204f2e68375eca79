//! Parts of an answer that are kept as JSON, each in one form: the same content always gives the
//! same text. Links are left out, because most are signed and differ in every answer.

use serde_json::{Map, Value as Tree};

use super::json::{self, Json, Value};
use crate::model::Field;

/// A list as a JSON array; a single text as the only item of one.
pub(super) fn list_text(value: Json<'_>, path: &str) -> Field<String> {
    match json::at(value, path) {
        Value::Str(text) if !text.is_empty() => Field::Value(Tree::from(vec![&**text]).to_string()),
        list @ (Value::Str(_) | Value::Array(_)) => content(list),
        _ => Field::Absent,
    }
}

/// An object as JSON.
pub(super) fn object_text(value: Json<'_>, path: &str) -> Field<String> {
    match json::at(value, path) {
        object @ Value::Object(_) => content(object),
        _ => Field::Absent,
    }
}

/// A list of objects as a JSON array, each with only those of its fields.
pub(super) fn objects(value: Json<'_>, path: &str, fields: &[&str]) -> Field<String> {
    json::list(value, path).and_then(|items| {
        let known = |item: Json<'_>| {
            let fields = fields.iter().filter_map(|name| {
                Some(((*name).to_owned(), without_links(json::field(item, name)?)?))
            });
            fields.collect::<Map<_, _>>()
        };
        let items: Vec<Tree> =
            items.iter().map(known).filter(|item| !item.is_empty()).map(Tree::Object).collect();
        (!items.is_empty()).then(|| Tree::Array(items).to_string())
    })
}

fn content(value: Json<'_>) -> Field<String> {
    if json::is_nothing(value) {
        return Field::Empty;
    }
    without_links(value).map(|value| value.to_string()).into()
}

/// The value with sorted keys; `None` where nothing but links is in it.
fn without_links(value: Json<'_>) -> Option<Tree> {
    match value {
        Value::Null => None,
        Value::Str(text) if text.contains("://") => None,
        Value::Str(text) => Some(Tree::from(text.replace('\0', "\u{FFFD}"))),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => {
            let items: Vec<Tree> = items.iter().filter_map(without_links).collect();
            (!items.is_empty()).then_some(Tree::Array(items))
        }
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .filter_map(|(name, value)| Some((name.to_owned(), without_links(value)?)));
            let fields: Map<String, Tree> = fields.collect();
            (!fields.is_empty()).then_some(Tree::Object(fields))
        }
        Value::Bool(_) | Value::Number(_) => Some(Tree::from(value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_text_is_the_same_for_the_same_content() {
        let one = r#"{"goods": {"b": 1, "a": [{"y": "x", "icon": "https://i/1?sign=2"}]}}"#;
        let other = r#"{"goods": {"a": [{"icon": "https://i/1?sign=9", "y": "x"}], "b": 1}}"#;
        let [one, other] = [one, other].map(|text| {
            let tree: Value<'_> = serde_json::from_str(text).unwrap();
            object_text(&tree, "/goods")
        });
        assert_eq!(one, Field::Value(r#"{"a":[{"y":"x"}],"b":1}"#.to_owned()));
        assert_eq!(one, other);
    }

    #[test]
    fn lists_and_objects_say_whether_they_are_empty() {
        let data = json!({
            "tags": ["a", "b"], "tag": "a", "none": "", "empty": [], "object": {}, "null": null,
            "topics": [{ "id": "1", "image": "https://i/1", "name": "露营" }, { "x": 1 }],
        });
        let data = Value::from(&data);
        let is = |text: &str| Field::Value(text.to_owned());
        assert_eq!(list_text(&data, "/tags"), is(r#"["a","b"]"#));
        assert_eq!(list_text(&data, "/tag"), is(r#"["a"]"#));
        assert_eq!(list_text(&data, "/none"), Field::Empty);
        assert_eq!(list_text(&data, "/empty"), Field::Empty);
        assert_eq!(list_text(&data, "/null"), Field::Absent);
        assert_eq!(object_text(&data, "/object"), Field::Empty);
        assert_eq!(objects(&data, "/topics", &["id", "name"]), is(r#"[{"id":"1","name":"露营"}]"#));
        assert_eq!(objects(&data, "/topics", &["unknown"]), Field::Absent);
        assert_eq!(objects(&data, "/empty", &["id"]), Field::Empty);
    }
}
