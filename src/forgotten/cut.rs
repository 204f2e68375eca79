//! Cutting what is forgotten out of an answer: null in its place, and every other byte as it came.

mod mentions;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use self::mentions::Names;
use super::ids::Ids;

/// The text of an answer without the objects that are about one of these ids, the texts that hold
/// one, and these names where somebody is mentioned by them; `None` where that would leave nothing,
/// or the text is none that can be cut.
pub(super) fn cut(json: &str, ids: &Ids, names: &[String]) -> Option<String> {
    let names = Names::of(names, json)?;
    let mut cutter = Cutter { json, ids, names, cuts: Vec::new() };
    cutter.value(json.trim(), false)?;
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
    names: Names<'a>,
    /// From where to where, in order, and what stands there instead.
    cuts: Vec<(usize, usize, Cow<'static, str>)>,
}

impl Cutter<'_> {
    /// Cuts what is to be cut of a value that stands in the answer, in a field for ids or elsewhere;
    /// `None` when it cannot be read.
    fn value(&mut self, value: &str, in_ids: bool) -> Option<()> {
        // Most of an answer speaks of nobody.
        let mentions = !self.names.is_empty() && value.contains('@');
        if !mentions && !self.ids.occur_in(value) {
            return Some(());
        }
        match value.bytes().next()? {
            b'{' => self.object(value),
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(value).ok()?;
                items.into_iter().try_for_each(|item| self.value(item.get(), in_ids))
            }
            _ if in_ids && self.ids.are(&scalar(value)) => self.replace(value, CUT),
            b'"' => self.text(value),
            _ if self.ids.stand_in(value) => self.replace(value, CUT),
            _ => Some(()),
        }
    }

    fn object(&mut self, value: &str) -> Option<()> {
        let Fields(fields) = serde_json::from_str(value).ok()?;
        let is_about = |(key, value): &(Cow<'_, str>, &RawValue)| {
            self.ids.stand_in(key)
                || (OWN_IDS.contains(&&**key) && self.ids.are(&scalar(value.get())))
        };
        if fields.iter().any(is_about) {
            return self.replace(value, CUT);
        }
        fields.into_iter().try_for_each(|(key, value)| self.value(value.get(), holds_ids(&key)))
    }

    fn text(&mut self, value: &str) -> Option<()> {
        let text: String = serde_json::from_str(value).ok()?;
        if self.ids.stand_in(&text) {
            return self.replace(value, CUT);
        }
        let masked = self.names.masked(&text);
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

/// What the endpoints call the id of what an object is about, and of who made it.
const OWN_IDS: [&str; 20] = [
    "id",
    "id_str",
    "uid",
    "userid",
    "userId",
    "user_id",
    "authorId",
    "author_id",
    "author_user_id",
    "ownerId",
    "owner_id",
    "kolId",
    "kol_id",
    "noteId",
    "note_id",
    "awemeId",
    "aweme_id",
    "itemId",
    "item_id",
    "item_id_str",
];

/// Whether a field of this name holds nothing but ids of people and items: `uids`, `reply_to_userid`,
/// `group_id_list_a`. What others call themselves, `unique_id` or `redId`, is none of them.
fn holds_ids(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('_', "");
    ["ids", "uid", "userid"].iter().any(|end| key.ends_with(end)) || key.contains("idlist")
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
        let json = r#"{"likes":471100,"text":"471100 apples","by":{"uid":471100,"nickname":"x"},
            "seen_uids":["471100",[471100,7]],"x_id_list":[471100],"reply_to_userid":471100}"#;
        let left = r#"{"likes":471100,"text":"471100 apples","by":null,
            "seen_uids":[null,[null,7]],"x_id_list":[null],"reply_to_userid":null}"#;
        assert_eq!(without("471100", &[], json).as_deref(), Some(left));
        let json = r#"{"seconds":1769000000,"uid":["59991932303"],"n":59991932303}"#;
        let left = r#"{"seconds":1769000000,"uid":[null],"n":null}"#;
        assert_eq!(without("59991932303", &[], json).as_deref(), Some(left), "11 digits tell");
        assert_eq!(without("1769000000", &[], json).as_deref(), Some(json), "10 do not");
    }

    #[test]
    fn what_somebody_calls_themselves_is_no_id() {
        let json = r#"{"a":{"red_id":"471100","x":1},"b":{"unique_id":"471100"},"c":{"redId":"471100"},
            "d":{"short_id":"471100"},"e":{"valid":471100},"f":{"videoId":471100}}"#;
        assert_eq!(without("471100", &[], json).as_deref(), Some(json));
        let json = format!(r#"{{"a":{{"origin_note_id":"{ANNA}","x":1}},"inviter_id":"{ANNA}"}}"#);
        let left = r#"{"a":{"origin_note_id":null,"x":1},"inviter_id":null}"#;
        assert_eq!(without(ANNA, &[], &json).as_deref(), Some(left));
    }

    #[test]
    fn an_id_or_a_link_behind_an_escape_is_seen() {
        let json = format!(
            r#"{{"a":"x\n{ANNA}","b":"\u548c{ANNA}","c":"{{\"t\":\"\\n{ANNA}\"}}","d":"\/{ANNA}","e":1}}"#
        );
        let left = r#"{"a":null,"b":null,"c":null,"d":null,"e":1}"#;
        assert_eq!(without(ANNA, &[], &json).as_deref(), Some(left));
        let json =
            r#"{"share":"https:\/\/v.douyin.com\/abc\/","e":"https:\/\/v.douyin.com\/abcd\/"}"#;
        let left = r#"{"share":null,"e":"https:\/\/v.douyin.com\/abcd\/"}"#;
        assert_eq!(without("https://v.douyin.com/abc/", &[], json).as_deref(), Some(left));
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
            values in proptest::collection::vec(r#"("(a|\\n|\\u548c|\\\\n|\\/|@a |%2F){0,3}( |\\t|\\u00e9|\\ud83d\\ude00|%3D)5b9f6b99000000006258b977"|"@a 5b9f6b99000000006258b977"|1\.0|\[\]|\{"uid":"5b9f6b99000000006258b977"\}|"\\u0035")"#, 1..6),
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
