//! Pickers over an answer's JSON: each takes what it understands and gives `None` for the rest.
//!
//! Paths are JSON pointers (`/user/userid`, `/url_list/0`). Nothing here panics on any JSON.

pub(super) use serde_json_borrow::Value;

use crate::time::Time;

/// A part of an answer.
pub(super) type Json<'v> = &'v Value<'v>;

/// What stands at a path where nothing does.
static NOTHING: Value<'static> = Value::Null;

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

/// The list at a path; empty where there is none.
pub(super) fn list<'v>(value: Json<'v>, path: &str) -> &'v [Value<'v>] {
    at(value, path).as_array().unwrap_or_default()
}

/// A text that is not empty; a number is written out, because ids come in both forms.
///
/// U+0000 becomes U+FFFD: PostgreSQL's jsonb refuses it.
pub(super) fn text(value: Json<'_>, path: &str) -> Option<String> {
    match at(value, path) {
        Value::Str(text) if !text.is_empty() => Some(text.replace('\0', "\u{FFFD}")),
        Value::Number(number) => Some(serde_json::Number::from(*number).to_string()),
        _ => None,
    }
}

/// The first of several paths that holds a text.
pub(super) fn first_text(value: Json<'_>, paths: &[&str]) -> Option<String> {
    paths.iter().find_map(|path| text(value, path))
}

/// An integer of either sign: a number without a fraction, or its decimal text.
pub(super) fn int(value: Json<'_>, path: &str) -> Option<i64> {
    match at(value, path) {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(integral)),
        Value::Str(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number above zero: of sizes, lengths, and counts whose zero means "hidden".
pub(super) fn positive(value: Json<'_>, path: &str) -> Option<i64> {
    int(value, path).filter(|number| *number > 0)
}

/// A finite number, or its decimal text.
pub(super) fn float(value: Json<'_>, path: &str) -> Option<f64> {
    let number = match at(value, path) {
        Value::Number(number) => number.as_f64(),
        Value::Str(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number: &f64| number.is_finite())
}

/// A truth value, or 0 or 1.
pub(super) fn flag(value: Json<'_>, path: &str) -> Option<bool> {
    match at(value, path) {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        _ => None,
    }
}

/// An instant, from seconds or milliseconds; zero means "never".
pub(super) fn time(value: Json<'_>, path: &str) -> Option<Time> {
    int(value, path).and_then(Time::from_upstream)
}

/// Reads counts and remembers what was odd about them.
pub(super) struct Counts<'v> {
    value: Json<'v>,
    /// False once a count was read from a rounded text.
    pub(super) exact: bool,
    /// What was missing or not understood.
    pub(super) odd: Vec<String>,
}

impl<'v> Counts<'v> {
    /// Counts of an object.
    pub(super) fn of(value: Json<'v>) -> Self {
        Self { value, exact: true, odd: Vec::new() }
    }

    /// The count at the first of several paths that holds anything, zero or more.
    pub(super) fn take(&mut self, paths: &[&str]) -> Option<i64> {
        let path = paths.iter().find(|path| !is_nothing(at(self.value, path)))?;
        let found = at(self.value, path);
        let count = match found {
            Value::Str(text) => display_count(text),
            _ => int(found, "").map(|number| (number, true)),
        };
        match count {
            Some((number, exact)) if number >= 0 => {
                self.exact &= exact;
                Some(number)
            }
            // Upstream writes -1 for "not known".
            Some(_) => None,
            None => {
                self.odd.push(format!("{} is not a count", path.trim_start_matches('/')));
                None
            }
        }
    }

    /// As [`take`](Self::take), for a count that every answer should have.
    pub(super) fn expect(&mut self, paths: &[&str]) -> Option<i64> {
        if paths.iter().all(|path| at(self.value, path).is_null()) {
            let name = paths.first().copied().unwrap_or_default();
            self.odd.push(format!("{} is missing", name.trim_start_matches('/')));
        }
        self.take(paths)
    }
}

/// A count as people are shown it (`1.2万`, `10+`, `3亿`), and whether it is exact.
fn display_count(text: &str) -> Option<(i64, bool)> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Some((number, true));
    }
    let rounded = text.trim_end_matches('+');
    let (digits, unit) = ["万", "w", "W", "千", "k", "K", "亿"]
        .into_iter()
        .find_map(|unit| rounded.strip_suffix(unit).map(|digits| (digits, unit)))
        .unwrap_or((rounded, ""));
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let unit = match unit {
        "万" | "w" | "W" => 10_000.0,
        "千" | "k" | "K" => 1_000.0,
        "亿" => 100_000_000.0,
        _ => 1.0,
    };
    let number: f64 = digits.parse().ok()?;
    let exact = unit == 1.0 && rounded == text;
    let value = if exact { number } else { (number * unit).round() };
    Some((integral(value)?, exact))
}

/// A float without a fraction, as an integer.
fn integral(number: f64) -> Option<i64> {
    if number.fract() != 0.0 || number.abs() > EXACT_FLOAT {
        return None;
    }
    format!("{number:.0}").parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_come_as_integers_integral_floats_and_texts() {
        for (given, count) in [
            (json!(158), Some((158, true))),
            (json!(158.0), Some((158, true))),
            (json!("158"), Some((158, true))),
            (json!("158.0"), Some((158, true))),
            (json!(0), Some((0, true))),
            (json!("1.2万"), Some((12_000, false))),
            (json!("10万+"), Some((100_000, false))),
            (json!("1千+"), Some((1_000, false))),
            (json!("10+"), Some((10, false))),
            (json!("1.2w"), Some((12_000, false))),
            (json!("3亿"), Some((300_000_000, false))),
            (json!(-1), None),
            (json!("-1"), None),
            (json!(1.5), None),
            (json!("赞"), None),
            (json!("万"), None),
            (json!("nan"), None),
            (json!("1e400"), None),
            (json!("1e30亿"), None),
            (json!(u64::MAX), None),
            (json!(null), None),
            (json!([1]), None),
            (json!({"n": 1}), None),
        ] {
            let object = json!({ "n": given });
            let object = Value::from(&object);
            let mut counts = Counts::of(&object);
            let read = counts.take(&["/n"]).map(|number| (number, counts.exact));
            assert_eq!(read, count, "{given}");
        }
    }

    #[test]
    fn a_count_that_is_missing_or_not_understood_is_named() {
        let object = json!({ "likes": "赞", "shares": null, "views": -1 });
        let object = Value::from(&object);
        let mut counts = Counts::of(&object);
        for path in ["/likes", "/shares", "/views", "/collects"] {
            assert_eq!(counts.expect(&[path]), None);
        }
        assert_eq!(
            counts.odd,
            ["likes is not a count", "shares is missing", "collects is missing"]
        );
    }

    #[test]
    fn the_second_name_of_a_count_is_read_when_the_first_holds_nothing() {
        let object = json!({ "liked_count": null, "likes": 7 });
        let object = Value::from(&object);
        assert_eq!(Counts::of(&object).expect(&["/liked_count", "/likes"]), Some(7));
    }

    #[test]
    fn texts_are_never_empty_and_hold_no_nul() {
        let object = json!({ "a": "", "b": "x\0y", "c": 137_000_000_000_000_001_u64, "d": " z " });
        let object = Value::from(&object);
        assert_eq!(text(&object, "/a"), None);
        assert_eq!(text(&object, "/b").as_deref(), Some("x\u{FFFD}y"));
        assert_eq!(text(&object, "/c").as_deref(), Some("137000000000000001"));
        assert_eq!(text(&object, "/d").as_deref(), Some(" z "));
        // A number that was rounded must not look like an id.
        let rounded: Value<'_> = serde_json::from_str("[5.0, 137000000000000000001]").unwrap();
        assert_eq!(text(&rounded, "/0").as_deref(), Some("5.0"));
        assert_eq!(text(&rounded, "/1").as_deref(), Some("1.37e+20"));
        assert_eq!(first_text(&object, &["/a", "/none", "/d"]).as_deref(), Some(" z "));
    }

    #[test]
    fn floats_come_as_numbers_and_decimal_texts_and_are_finite() {
        let object = json!({ "a": 5, "b": 5.26, "c": "0.31", "d": "inf", "e": "x", "f": true });
        let object = Value::from(&object);
        let read = ["/a", "/b", "/c", "/d", "/e", "/f"].map(|path| float(&object, path));
        assert_eq!(read, [Some(5.0), Some(5.26), Some(0.31), None, None, None]);
    }

    #[test]
    fn flags_come_as_truth_values_and_as_zero_and_one() {
        let object = json!({ "a": true, "b": 0, "c": 1, "d": 2, "e": "true" });
        let object = Value::from(&object);
        let read = ["/a", "/b", "/c", "/d", "/e"].map(|path| flag(&object, path));
        assert_eq!(read, [Some(true), Some(false), Some(true), None, None]);
    }

    #[test]
    fn of_two_fields_of_one_name_the_last_counts_and_no_path_leads_astray() {
        let value: Value<'_> = serde_json::from_str(r#"{"a": 1, "a": [{"b": "x"}]}"#).unwrap();
        assert_eq!(text(&value, "/a/0/b").as_deref(), Some("x"));
        for path in ["/a/1/b", "/a/b", "/a/-1", "/a/0/b/c", "/b", "/", "/a/0/"] {
            assert_eq!(at(&value, path), &Value::Null, "{path}");
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
