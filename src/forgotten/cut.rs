//! Cutting what is forgotten out of an answer: null in its place, and every other byte as it came.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::ids::Ids;

/// The text of an answer without the objects that are about one of these ids, the texts that hold
/// one, and these names where somebody is mentioned by them; `None` where that would leave nothing,
/// or the text is none that can be cut.
pub(super) fn cut(json: &str, ids: &Ids, names: &[String]) -> Option<String> {
    let mut cutter = Cutter { json, ids, names, cuts: Vec::new() };
    cutter.value(json.trim())?;
    let mut text = String::with_capacity(json.len());
    let mut kept = 0;
    for (from, to, instead) in &cutter.cuts {
        text.push_str(json.get(kept..*from)?);
        text.push_str(instead);
        kept = *to;
    }
    text.push_str(json.get(kept..)?);
    let is_all = cutter.cuts.first().is_some_and(|(from, to, _)| to - from == json.trim().len());
    (!is_all && !ids.stand_in(&text)).then_some(text)
}

/// What stands where something was cut out.
const CUT: &str = "null";

struct Cutter<'a> {
    json: &'a str,
    ids: &'a Ids,
    names: &'a [String],
    /// From where to where, in order, and what stands there instead.
    cuts: Vec<(usize, usize, Cow<'static, str>)>,
}

impl Cutter<'_> {
    /// Cuts what is to be cut of a value that stands in the answer; `None` when it cannot be read.
    fn value(&mut self, value: &str) -> Option<()> {
        // Most of an answer speaks of nobody.
        let mentions = !self.names.is_empty() && value.contains('@');
        if !mentions && !self.ids.occur_in(value) {
            return Some(());
        }
        match value.bytes().next()? {
            b'{' => self.object(value),
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(value).ok()?;
                items.into_iter().try_for_each(|item| self.value(item.get()))
            }
            b'"' => self.text(value),
            _ if self.ids.stand_in(value) => self.replace(value, CUT),
            _ => Some(()),
        }
    }

    fn object(&mut self, value: &str) -> Option<()> {
        let Fields(fields) = serde_json::from_str(value).ok()?;
        let is_about = |(key, value): &(Cow<'_, str>, &RawValue)| {
            self.ids.stand_in(key) || (names_an_id(key) && self.ids.are(&scalar(value.get())))
        };
        if fields.iter().any(is_about) {
            return self.replace(value, CUT);
        }
        fields.into_iter().try_for_each(|(_, value)| self.value(value.get()))
    }

    fn text(&mut self, value: &str) -> Option<()> {
        let text: String = serde_json::from_str(value).ok()?;
        if self.ids.stand_in(&text) {
            return self.replace(value, CUT);
        }
        let masked = self.names.iter().fold(text.clone(), |text, name| {
            text.replace(&format!("@{name}"), &format!("@{}", stars(name)))
        });
        match masked == text {
            true => Some(()),
            false => self.replace(value, serde_json::to_string(&masked).ok()?),
        }
    }

    /// Puts something else where a part of the answer stands.
    fn replace(&mut self, part: &str, instead: impl Into<Cow<'static, str>>) -> Option<()> {
        // The part lies within the answer: nothing was copied on the way here.
        let from = (part.as_ptr() as usize).checked_sub(self.json.as_ptr() as usize)?;
        self.cuts.push((from, from + part.len(), instead.into()));
        Some(())
    }
}

/// As many stars as a name has units of UTF-16, by which the platforms count the letters of a text.
fn stars(name: &str) -> String {
    "*".repeat(name.encode_utf16().count())
}

/// Whether a field of this name says what its object is about: `id`, `userId`, `aweme_id`, `id_str`.
fn names_an_id(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.ends_with("id") || key.ends_with("id_str") || key.ends_with("idstr")
}

/// A text without its quotes, or a number as it is written.
fn scalar(value: &str) -> Cow<'_, str> {
    match serde_json::from_str::<Text<'_>>(value) {
        Ok(Text(text)) => text,
        Err(_) => Cow::Borrowed(value),
    }
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The fields of an object in their order, a name that stands there twice among them.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

struct InOrder<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for InOrder<'a> {
    type Value = Fields<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((Text(key), value)) = map.next_entry()? {
            fields.push((key, value));
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: &str = "5b9f6b99000000006258b977";

    fn without(id: &str, names: &[&str], json: &str) -> Option<String> {
        let ids = Ids::of([id.to_owned()]).expect("it is one");
        cut(json, &ids, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn an_object_about_somebody_is_null_and_the_rest_stands_byte_by_byte() {
        let json = format!(
            r#" {{"total": 1.10, "kols":[ {{"userId":"{ANNA}","name":"安娜","n":{{"a":1}}}}, {{"userId":"b", "x":12345678901234567890123, "x":"\u00e9"}}]}} "#
        );
        let left = r#" {"total": 1.10, "kols":[ null, {"userId":"b", "x":12345678901234567890123, "x":"\u00e9"}]} "#;
        assert_eq!(without(ANNA, &[], &json).as_deref(), Some(left));
    }

    #[test]
    fn a_text_that_holds_an_id_is_null_and_a_longer_word_is_another() {
        let json =
            format!(r#"{{"a":"https://x.test/user/{ANNA}?t=1","b":"{ANNA}0","c":["{ANNA}"]}}"#);
        let left = format!(r#"{{"a":null,"b":"{ANNA}0","c":[null]}}"#);
        assert_eq!(without(ANNA, &[], &json), Some(left));
    }

    #[test]
    fn a_short_id_is_only_an_id_where_a_field_says_so() {
        let json = r#"{"likes":4711,"text":"4711 apples","by":{"uid":4711,"nickname":"x"}}"#;
        let left = r#"{"likes":4711,"text":"4711 apples","by":null}"#;
        assert_eq!(without("4711", &[], json).as_deref(), Some(left));
    }

    #[test]
    fn a_mention_in_a_text_is_masked_at_its_length() {
        let json = r#"{"desc":"\u548c@小满😀 去","ats":[{"id":"5b9f6b99000000006258b977"}]}"#;
        let left = r#"{"desc":"和@**** 去","ats":[null]}"#;
        assert_eq!(without(ANNA, &["小满😀"], json).as_deref(), Some(left));
    }

    #[test]
    fn what_would_leave_nothing_or_is_no_json_is_not_cut() {
        for whole in [
            format!(r#"{{"id":"{ANNA}"}}"#),
            format!(r#"{{"x":{{"{ANNA}":1}}, "id": "{ANNA}"}}"#),
            format!(r#""<html>{ANNA}""#),
            format!("<html>{ANNA}"),
        ] {
            assert_eq!(without(ANNA, &[], &whole), None, "{whole}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_cut_is_json_without_the_id(
            keys in proptest::collection::vec("(id|name|x|5b9f6b99000000006258b977)", 1..6),
            values in proptest::collection::vec(r#"("5b9f6b99000000006258b977"|"@a 5b9f6b99000000006258b977"|1\.0|\[\]|\{"uid":"5b9f6b99000000006258b977"\}|"\\u0035")"#, 1..6),
        ) {
            let fields: Vec<_> =
                keys.iter().zip(&values).map(|(key, value)| format!("\"{key}\": {value}")).collect();
            let json = format!("[{{{}}}, 7]", fields.join(", "));
            let left = without(ANNA, &["a"], &json).expect("an element is left");
            assert!(serde_json::from_str::<serde_json::Value>(&left).is_ok(), "{left}");
            assert!(!left.contains(ANNA), "{left}");
        }
    }
}
