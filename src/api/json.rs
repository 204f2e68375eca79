//! Pickers over an answer's JSON: each gives a [`Field`] and says whether the answer speaks of it.
//!
//! A key that is missing, null or of a wrong type is absent; `""` and `[]` are empty. Paths are
//! JSON pointers (`/user/userid`, `/url_list/0`). Nothing here panics on any JSON.

pub(super) use serde_json_borrow::Value;

pub(super) use super::json_text::{list_text, object_text, objects};

use crate::model::Field;
use crate::time::Time;

/// A part of an answer.
pub(super) type Json<'v> = &'v Value<'v>;

/// What stands at a path where nothing does.
pub(super) static NOTHING: Value<'static> = Value::Null;

/// Integers beyond this are not exact in a float.
const EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

/// What upstream sends for "nothing": absent, null, `""`, `[]`, `{}`, or a list of only those.
pub(super) fn is_nothing(value: Json<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::Str(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// The value of a field; of two of one name the last, as in `jsonb`.
pub(super) fn field<'v>(value: Json<'v>, name: &str) -> Option<Json<'v>> {
    let named = value.as_object()?.iter().filter(|(key, _)| *key == name);
    named.last().map(|(_, value)| value)
}

/// The value at a path; null where there is none.
pub(super) fn at<'v>(value: Json<'v>, path: &str) -> Json<'v> {
    let step = |value: Json<'v>, name: &str| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => field(value, name),
    };
    path.split('/').skip(1).try_fold(value, step).unwrap_or(&NOTHING)
}

/// The list at a path.
pub(super) fn list<'v>(value: Json<'v>, path: &str) -> Field<&'v [Value<'v>]> {
    match at(value, path) {
        Value::Array(items) if items.is_empty() => Field::Empty,
        Value::Array(items) => Field::Value(items),
        _ => Field::Absent,
    }
}

/// The items at a path, where only they matter.
pub(super) fn items<'v>(value: Json<'v>, path: &str) -> &'v [Value<'v>] {
    list(value, path).into_value().unwrap_or_default()
}

/// A text; a number is written out, because ids come in both forms.
///
/// U+0000 becomes U+FFFD: PostgreSQL's jsonb refuses it.
pub(super) fn text(value: Json<'_>, path: &str) -> Field<String> {
    match at(value, path) {
        Value::Str(text) if text.is_empty() => Field::Empty,
        Value::Str(text) => Field::Value(text.replace('\0', "\u{FFFD}")),
        Value::Number(number) => Field::Value(serde_json::Number::from(*number).to_string()),
        _ => Field::Absent,
    }
}

/// A text that identifies something; `0` identifies nothing.
pub(super) fn id(value: Json<'_>, path: &str) -> Option<String> {
    text(value, path).into_value().filter(|id| id != "0")
}

/// The id at the first of several paths that holds one.
pub(super) fn first_id(value: Json<'_>, paths: &[&str]) -> Option<String> {
    paths.iter().find_map(|path| id(value, path))
}

/// The first value of several fields; empty only when all of them are, because one that is
/// missing might have said otherwise.
pub(super) fn first<T, const N: usize>(fields: [Field<T>; N]) -> Field<T> {
    let mut found = Field::Empty;
    for field in fields {
        match field {
            Field::Value(_) => return field,
            Field::Absent => found = Field::Absent,
            Field::Empty => {}
        }
    }
    found
}

/// The same, absent where it is empty: there a zero or an empty text hides the value.
pub(super) fn hidden_if_empty<T>(field: Field<T>) -> Field<T> {
    Field::from(field.into_value())
}

/// An integer of either sign: a number without a fraction, or its decimal text.
pub(super) fn int(value: Json<'_>, path: &str) -> Field<i64> {
    match at(value, path) {
        Value::Number(number) => {
            Field::from(number.as_i64().or_else(|| number.as_f64().and_then(integral)))
        }
        Value::Str(text) if text.is_empty() => Field::Empty,
        Value::Str(text) => Field::from(text.trim().parse().ok()),
        _ => Field::Absent,
    }
}

/// A number above zero; a zero says that there is none.
pub(super) fn positive(value: Json<'_>, path: &str) -> Field<i64> {
    match int(value, path) {
        Field::Value(0) => Field::Empty,
        number => number.and_then(|number| (number > 0).then_some(number)),
    }
}

/// A number above zero; a zero hides it.
pub(super) fn shown(value: Json<'_>, path: &str) -> Field<i64> {
    hidden_if_empty(positive(value, path))
}

/// A finite number, or its decimal text.
pub(super) fn float(value: Json<'_>, path: &str) -> Field<f64> {
    let number = match at(value, path) {
        Value::Number(number) => number.as_f64(),
        Value::Str(text) if text.is_empty() => return Field::Empty,
        Value::Str(text) => text.trim().parse().ok(),
        _ => None,
    };
    Field::from(number.filter(|number: &f64| number.is_finite()))
}

/// A truth value, or 0 or 1.
pub(super) fn flag(value: Json<'_>, path: &str) -> Field<bool> {
    Field::from(match at(value, path) {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        _ => None,
    })
}

/// Whether something stands at one of several paths; absent where there is no such key.
pub(super) fn holds_any(value: Json<'_>, paths: &[&str]) -> Field<bool> {
    let found = paths.iter().map(|path| at(value, path)).filter(|found| !found.is_null());
    found.map(|found| !is_nothing(found)).max().into()
}

/// Whether it is an object.
pub(super) fn is_object(value: Json<'_>) -> bool {
    matches!(value, Value::Object(_))
}

/// An instant, from seconds or milliseconds; zero means "never".
pub(super) fn time(value: Json<'_>, path: &str) -> Field<Time> {
    positive(value, path).and_then(Time::from_upstream)
}

/// A float without a fraction, as an integer.
pub(super) fn integral(number: f64) -> Option<i64> {
    if number.fract() != 0.0 || number.abs() > EXACT_FLOAT {
        return None;
    }
    format!("{number:.0}").parse().ok()
}

/// An id, empty where it is `0`: no such thing.
pub(super) fn zero_is_none(id: Field<String>) -> Field<String> {
    match id {
        Field::Value(id) if id == "0" => Field::Empty,
        id => id,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_hold_no_nul() {
        let object = json!({ "a": "", "b": "x\0y", "c": 137_000_000_000_000_001_u64, "d": " z " });
        let object = Value::from(&object);
        let is = |text: &str| Field::Value(text.to_owned());
        assert_eq!((text(&object, "/a"), text(&object, "/none")), (Field::Empty, Field::Absent));
        assert_eq!(text(&object, "/b"), is("x\u{FFFD}y"));
        assert_eq!(text(&object, "/c"), is("137000000000000001"));
        assert_eq!(text(&object, "/d"), is(" z "));
        // A number that was rounded must not look like an id.
        let rounded: Value<'_> = serde_json::from_str("[5.0, 137000000000000000001]").unwrap();
        assert_eq!((text(&rounded, "/0"), text(&rounded, "/1")), (is("5.0"), is("1.37e+20")));
        assert_eq!(first_id(&object, &["/a", "/none", "/d"]).as_deref(), Some(" z "));
    }

    #[test]
    fn floats_come_as_numbers_and_decimal_texts_and_are_finite() {
        let object = json!({ "a": 5, "b": 5.26, "c": "0.31", "d": "inf", "e": "x", "f": true });
        let object = Value::from(&object);
        let read =
            ["/a", "/b", "/c", "/d", "/e", "/f"].map(|path| float(&object, path).into_value());
        assert_eq!(read, [Some(5.0), Some(5.26), Some(0.31), None, None, None]);
    }

    #[test]
    fn flags_come_as_truth_values_and_as_zero_and_one() {
        let object = json!({ "a": true, "b": 0, "c": 1, "d": 2, "e": "true" });
        let object = Value::from(&object);
        let read = ["/a", "/b", "/c", "/d", "/e"].map(|path| flag(&object, path).into_value());
        assert_eq!(read, [Some(true), Some(false), Some(true), None, None]);
    }

    #[test]
    fn of_two_fields_of_one_name_the_last_counts_and_no_path_leads_astray() {
        let value: Value<'_> = serde_json::from_str(r#"{"a": 1, "a": [{"b": "x"}]}"#).unwrap();
        assert_eq!(id(&value, "/a/0/b").as_deref(), Some("x"));
        for path in ["/a/1/b", "/a/b", "/a/-1", "/a/0/b/c", "/b", "/", "/a/0/"] {
            assert_eq!(at(&value, path), &Value::Null, "{path}");
        }
    }

    #[test]
    fn the_first_value_wins_and_only_all_empty_fields_are_empty() {
        use Field::{Absent, Empty, Value};
        for (fields, expected) in [
            ([Empty, Value(1), Value(2)], Value(1)),
            ([Absent, Empty, Value(2)], Value(2)),
            ([Empty, Empty, Empty], Empty),
            ([Empty, Absent, Empty], Absent),
        ] {
            assert_eq!(first(fields), expected);
        }
    }

    #[test]
    fn nothing_has_many_forms() {
        for nothing in [json!(null), json!(""), json!([]), json!({}), json!([{}]), json!([null])] {
            assert!(is_nothing(&Value::from(&nothing)), "{nothing}");
        }
        for something in [json!(0), json!(false), json!(" "), json!([0]), json!({ "a": null })] {
            assert!(!is_nothing(&Value::from(&something)), "{something}");
        }
    }
}
