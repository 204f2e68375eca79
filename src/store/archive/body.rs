//! Response bodies: what `jsonb` stores faithfully, and what is stored beside it.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::document::JsonText;

/// Maximum nesting depth that both databases accept (SQLite's own limit is 1000).
const DEEPEST: usize = 900;

/// Why a body is stored as a text: the database rejects it otherwise.
pub const REFUSED: &str = "refused by the database";

/// A response body for a `jsonb` column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// JSON that both databases accept: the received text wherever that is possible.
    pub json: String,
    /// Why `json` differs from the received text.
    pub cleaned: Option<&'static str>,
    /// The received bytes, where `json` does not hold them faithfully.
    pub exact: Option<Vec<u8>>,
}

impl Body {
    /// Stores the received text where `jsonb` holds it faithfully, else a cleaned form and the
    /// bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self::read(bytes, |_| ()).0
    }

    /// The same, and the result of `read` on the text, which is parsed once for both.
    pub fn read<R>(bytes: Vec<u8>, read: impl FnOnce(&JsonText<'_>) -> R) -> (Self, R) {
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => return Self::quote(error.into_bytes(), "not UTF-8", read),
        };
        let (after_bom, bom) = match text.strip_prefix('\u{feff}') {
            Some(rest) => (rest, Some("byte order mark")),
            None => (text.as_str(), None),
        };
        let (storable, escapes) = replace_unstorable(after_bom);
        let parsed = JsonText::of(&storable);
        let flaw = match flaw(&parsed) {
            Flaw::Unstorable(why) => return Self::quote(text.into_bytes(), why, read),
            Flaw::Storable(why) => Some(why),
            Flaw::None => None,
        };
        let made = read(&parsed);
        let body = match escapes.or(flaw).or(bom) {
            None => Self { json: text, cleaned: None, exact: None },
            Some(why) => Self {
                json: storable.into_owned(),
                cleaned: Some(why),
                exact: Some(text.into_bytes()),
            },
        };
        (body, made)
    }

    /// The text as it was received.
    pub fn received(&self) -> Cow<'_, str> {
        self.exact.as_deref().map_or(Cow::Borrowed(&self.json), String::from_utf8_lossy)
    }

    /// The body as one JSON string, for an answer that a database rejects as JSON.
    pub fn as_text(bytes: &[u8], why: &'static str) -> Self {
        Self { json: quoted(bytes), cleaned: Some(why), exact: Some(bytes.to_vec()) }
    }

    fn quote<R>(
        bytes: Vec<u8>,
        why: &'static str,
        read: impl FnOnce(&JsonText<'_>) -> R,
    ) -> (Self, R) {
        let json = quoted(&bytes);
        let made = read(&JsonText::of(&json));
        (Self { json, cleaned: Some(why), exact: Some(bytes) }, made)
    }
}

/// Why `jsonb` does not hold a text faithfully.
enum Flaw {
    None,
    /// Accepted, but possibly changed.
    Storable(&'static str),
    /// Rejected.
    Unstorable(&'static str),
}

fn flaw(parsed: &JsonText<'_>) -> Flaw {
    let text = parsed.text();
    match parsed.tree() {
        Some(_) if parsed.has_unique_keys() => Flaw::None,
        Some(_) => Flaw::Storable("duplicate keys"),
        None if serde_json::from_str::<IgnoredAny>(text).is_err() => Flaw::Unstorable("not JSON"),
        None if depth(text) > DEEPEST => Flaw::Unstorable("nested too deep"),
        // Nested too deep, or a number out of range.
        None => Flaw::Storable("beyond what was checked"),
    }
}

/// Any bytes as one JSON string.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
    serde_json::Value::String(text).to_string()
}

/// Nesting depth of arrays and objects.
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

/// Replaces `\u0000` and lone surrogates, which `jsonb` rejects, by `\ufffd`.
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

/// The code of a `\uXXXX` escape at this position.
fn unicode_escape(json: &str, at: usize) -> Option<u32> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(bytes: &[u8]) -> (String, Option<&'static str>, bool) {
        let body = Body::new(bytes.to_vec());
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
            let body = Body::new(bytes);
            assert!(serde_json::from_str::<IgnoredAny>(&body.json).is_ok());
        }

        #[test]
        fn any_text_of_escapes_gives_json_that_parses(text in r#"(\\u(0000|d83d|de00|00e9)|\\\\|\\n|a){0,20}"#) {
            let body = Body::new(format!("\"{text}\"").into_bytes());
            assert!(serde_json::from_str::<String>(&body.json).is_ok_and(|text| !text.contains('\0')));
        }
    }
}
