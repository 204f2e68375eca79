//! What of a received body fits into `jsonb`, and what has to be kept beside it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Deeper than this neither database takes JSON (SQLite's own limit is 1000).
const DEEPEST: usize = 900;

/// Why a body is text that the database took as nothing else.
pub const REFUSED: &str = "refused by the database";

/// A received body, ready for a `jsonb` column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// JSON that both databases take: the received text itself wherever that is possible.
    pub json: String,
    /// Why `json` is not the received text, if it is not.
    pub cleaned: Option<&'static str>,
    /// The bytes as received, where `json` does not hold them faithfully.
    pub exact: Option<Vec<u8>>,
}

impl Body {
    /// Keeps the received text where `jsonb` holds it faithfully, else a cleaned form and the bytes.
    pub fn new(bytes: &[u8]) -> Self {
        match Self::clean(bytes) {
            (Cow::Borrowed(json), None) => {
                Self { json: json.to_owned(), cleaned: None, exact: None }
            }
            (json, cleaned) => Self {
                json: json.into_owned(),
                cleaned: Some(cleaned.unwrap_or("cleaned")),
                exact: Some(bytes.to_vec()),
            },
        }
    }

    /// The body as one JSON text value: for an answer that a database refuses as JSON after all.
    pub fn as_text(bytes: &[u8], why: &'static str) -> Self {
        Self { json: quoted(bytes), cleaned: Some(why), exact: Some(bytes.to_vec()) }
    }

    fn clean(bytes: &[u8]) -> (Cow<'_, str>, Option<&'static str>) {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return (Cow::Owned(quoted(bytes)), Some("not UTF-8"));
        };
        let (text, bom) = match text.strip_prefix('\u{feff}') {
            Some(rest) => (rest, Some("byte order mark")),
            None => (text, None),
        };
        let (storable, escapes) = replace_unstorable(text);
        let why = match serde_json::from_str::<UniqueKeys>(&storable) {
            Ok(UniqueKeys(true)) => None,
            Ok(UniqueKeys(false)) => Some("duplicate keys"),
            // It nests deeper than is checked, a number is too large, or it is no JSON at all.
            Err(_) if serde_json::from_str::<IgnoredAny>(text).is_err() => {
                return (Cow::Owned(quoted(bytes)), Some("not JSON"));
            }
            Err(_) if depth(text) > DEEPEST => {
                return (Cow::Owned(quoted(bytes)), Some("nested too deep"));
            }
            Err(_) => Some("beyond what was checked"),
        };
        (storable, escapes.or(why).or(bom))
    }
}

/// Any bytes as one JSON text value.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
    serde_json::Value::String(text).to_string()
}

/// How deep arrays and objects nest.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Replaces `\u0000` and lone surrogates, which `jsonb` refuses, by `\ufffd`.
fn replace_unstorable(json: &str) -> (Cow<'_, str>, Option<&'static str>) {
    let mut clean = String::new();
    let (mut kept, mut at, mut why) = (0, 0, None);
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        let escape = at + found;
        let Some(code) = unicode_escape(json, escape) else {
            at = escape + 2;
            continue;
        };
        at = escape + 6;
        let reason = match code {
            0 => "null character",
            0xD800..=0xDBFF if matches!(unicode_escape(json, at), Some(0xDC00..=0xDFFF)) => {
                at += 6;
                continue;
            }
            0xD800..=0xDFFF => "lone surrogate",
            _ => continue,
        };
        clean.push_str(json.get(kept..escape).unwrap_or_default());
        clean.push_str("\\ufffd");
        (kept, why) = (at, why.or(Some(reason)));
    }
    if why.is_none() {
        return (Cow::Borrowed(json), None);
    }
    clean.push_str(json.get(kept..).unwrap_or_default());
    (Cow::Owned(clean), why)
}

/// The code of a `\uXXXX` at this place.
fn unicode_escape(json: &str, at: usize) -> Option<u32> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    u32::from_str_radix(digits, 16).ok()
}

/// Whether every object in a JSON text has each key once.
struct UniqueKeys(bool);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueKeys(true))
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Self, A::Error> {
        while let Some(UniqueKeys(unique)) = seq.next_element()? {
            self.0 &= unique;
        }
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = Vec::new();
        while let Some((Key(key), UniqueKeys(unique))) = map.next_entry()? {
            self.0 &= unique;
            keys.push(key);
        }
        // Objects are small: sorting is cheaper than a table of hashes.
        keys.sort_unstable();
        self.0 &= keys.windows(2).all(|pair| pair[0] != pair[1]);
        Ok(self)
    }
}

/// A key, borrowed from the text unless it has an escape.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(bytes: &[u8]) -> (String, Option<&'static str>, bool) {
        let body = Body::new(bytes);
        (body.json, body.cleaned, body.exact.as_deref() == Some(bytes))
    }

    #[test]
    fn an_ordinary_answer_is_kept_as_received() {
        let text =
            r#"{"a": 1.10, "b": "\u4e2d\ud83d\ude00 \\u0000", "n": 12345678901234567890123}"#;
        assert_eq!(cleaned(text.as_bytes()), (text.to_owned(), None, false));
    }

    #[test]
    fn what_jsonb_refuses_is_replaced_and_the_bytes_are_kept() {
        let cases: [(&[u8], &str, &str); 7] = [
            (br#"{"a":"x\u0000y"}"#, r#"{"a":"x\ufffdy"}"#, "null character"),
            (br#"["\ud83d!"]"#, r#"["\ufffd!"]"#, "lone surrogate"),
            (br#"["\ude00\ud83d"]"#, r#"["\ufffd\ufffd"]"#, "lone surrogate"),
            (br#"{"a":1,"a":2}"#, r#"{"a":1,"a":2}"#, "duplicate keys"),
            (b"\xef\xbb\xbf[1]", "[1]", "byte order mark"),
            (b"<html>", r#""<html>""#, "not JSON"),
            (b"\xff\x00", "\"\u{fffd}\u{fffd}\"", "not UTF-8"),
        ];
        for (received, json, why) in cases {
            assert_eq!(cleaned(received), (json.to_owned(), Some(why), true));
        }
    }

    #[test]
    fn what_is_nested_too_deep_or_too_large_to_check_keeps_its_bytes() {
        let deep = "[".repeat(2000) + &"]".repeat(2000);
        assert_eq!(cleaned(deep.as_bytes()).1, Some("nested too deep"));
        let middling = "[".repeat(300) + &"]".repeat(300);
        assert_eq!(cleaned(middling.as_bytes()), (middling, Some("beyond what was checked"), true));
        assert_eq!(cleaned(b"[1e400]"), ("[1e400]".into(), Some("beyond what was checked"), true));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_give_json_without_what_jsonb_refuses(bytes: Vec<u8>) {
            let body = Body::new(&bytes);
            assert!(serde_json::from_str::<IgnoredAny>(&body.json).is_ok());
        }

        #[test]
        fn any_text_of_escapes_gives_json_that_parses(text in r#"(\\u(0000|d83d|de00|00e9)|\\\\|\\n|a){0,20}"#) {
            let body = Body::new(format!("\"{text}\"").as_bytes());
            assert!(serde_json::from_str::<String>(&body.json).is_ok_and(|text| !text.contains('\0')));
        }
    }
}
