//! Redaction: null takes the place of what an answer says of the erased.

use serde_json::{Map, Value};

use super::ids::Ids;

/// What the endpoints call the id of an object, or of whoever made it: lower case, without `_`.
const OWN_IDS: [&str; 12] = [
    "id",
    "idstr",
    "uid",
    "userid",
    "authorid",
    "authoruserid",
    "ownerid",
    "kolid",
    "noteid",
    "awemeid",
    "itemid",
    "itemidstr",
];

/// What the endpoints call somebody's name.
const NAMES: [&str; 4] = ["nickname", "nickName", "nick_name", "name"];

/// From here on Unicode has the pictures that people put into their names.
const FIRST_EMOJI: char = '\u{1f000}';

/// What becomes of an answer's text.
#[derive(Debug, PartialEq)]
pub(super) enum Redaction {
    /// It says nothing of the erased.
    Unchanged,
    /// This is left.
    Text(String),
    /// Nothing would be left, or it is no JSON.
    Impossible,
}

/// Takes out of an answer the objects about one of these ids, the strings that hold one, and
/// mentions (`@name`) of the people that those objects name, or who are `mentioned`.
pub(super) fn redact(json: &str, ids: &Ids, mentioned: Vec<String>) -> Redaction {
    let Ok(mut root) = serde_json::from_str(json) else { return Redaction::Impossible };
    let mut walk = Walk { ids, names: mentioned, changed: false };
    walk.redact(&mut root, false);
    if root.is_null() {
        return Redaction::Impossible;
    }
    walk.names.retain(|name| !name.is_empty());
    walk.names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    walk.mask(&mut root);
    let text = root.to_string();
    // Of a key that an object has twice only one value was read.
    match walk.changed || ids.long_occur_in(json) {
        _ if ids.long_occur_in(&text) => Redaction::Impossible,
        false => Redaction::Unchanged,
        true => Redaction::Text(text),
    }
}

struct Walk<'a> {
    ids: &'a Ids,
    /// Names of the erased, in the end longer ones before shorter ones.
    names: Vec<String>,
    changed: bool,
}

impl Walk<'_> {
    /// Puts null in the place of what is about the erased; `in_ids`: in a field that holds ids.
    fn redact(&mut self, value: &mut Value, in_ids: bool) {
        let is_erased = match value {
            Value::Object(fields) => {
                let is_about = self.is_about(fields);
                for (key, value) in fields {
                    match value {
                        Value::String(name) if is_about && NAMES.contains(&key.as_str()) => {
                            self.names.push(name.clone());
                        }
                        value if !is_about => self.redact(value, holds_ids(key)),
                        _ => {}
                    }
                }
                is_about
            }
            Value::Array(items) => {
                items.iter_mut().for_each(|item| self.redact(item, in_ids));
                false
            }
            Value::String(text) => {
                self.ids.long_occur_in(text) || (in_ids && self.ids.contain(text))
            }
            Value::Number(number) => {
                let text = number.to_string();
                self.ids.long_occur_in(&text) || (in_ids && self.ids.contain(&text))
            }
            Value::Null | Value::Bool(_) => false,
        };
        if is_erased {
            *value = Value::Null;
            self.changed = true;
        }
    }

    fn is_about(&self, fields: &Map<String, Value>) -> bool {
        fields.iter().any(|(key, value)| {
            let is_id = || match value {
                Value::String(text) => self.ids.contain(text),
                Value::Number(number) => self.ids.contain(&number.to_string()),
                _ => false,
            };
            self.ids.long_occur_in(key) || (OWN_IDS.contains(&plain(key).as_str()) && is_id())
        })
    }

    /// Masks the mentions of the erased in all strings.
    fn mask(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => fields.values_mut().for_each(|it| self.mask(it)),
            Value::Array(items) => items.iter_mut().for_each(|it| self.mask(it)),
            Value::String(text) if text.contains('@') => {
                let masked = self.masked(text);
                self.changed |= masked != *text;
                *text = masked;
            }
            _ => {}
        }
    }

    /// A text with stars for the erased where they are mentioned: as many as the name has units of
    /// UTF-16, by which the platforms count the letters of a text.
    fn masked(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('@') {
            masked.push_str(before);
            masked.push('@');
            let name = self.names.iter().find(|name| is_mentioned(name, after));
            let stars = |name: &String| "*".repeat(name.encode_utf16().count());
            masked.push_str(&name.map(stars).unwrap_or_default());
            rest = name.and_then(|name| after.strip_prefix(&**name)).unwrap_or(after);
        }
        masked + rest
    }
}

/// Whether what follows an `@` begins with this name: the apps put a space behind a mention, and a
/// longer word is another's name.
fn is_mentioned(name: &str, after: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || c == '_' || c >= FIRST_EMOJI;
    after.strip_prefix(name).is_some_and(|rest| !rest.starts_with(goes_on))
}

fn plain(key: &str) -> String {
    key.to_ascii_lowercase().replace('_', "")
}

/// Whether a field holds ids of people and items only: `uids`, `reply_to_userid`,
/// `group_id_list_a`. A handle, `unique_id` or `redId`, is none of them.
fn holds_ids(key: &str) -> bool {
    let key = plain(key);
    ["ids", "uid", "userid"].iter().any(|end| key.ends_with(end)) || key.contains("idlist")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: &str = "5b9f6b99000000006258b977";

    /// What is left; as JSON, since the order of keys is no matter.
    #[track_caller]
    fn assert_left(id: &str, json: &str, left: &str) {
        let ids = Ids::of([id.to_owned()]).expect("it is one");
        let text = match redact(json, &ids, Vec::new()) {
            Redaction::Unchanged => json.to_owned(),
            Redaction::Text(text) => text,
            Redaction::Impossible => panic!("nothing is left of {json}"),
        };
        let parse = |text: &str| serde_json::from_str::<Value>(text).expect("it is JSON");
        assert_eq!(parse(&text), parse(left));
    }

    #[test]
    fn object_about_the_erased_and_string_with_the_id_become_null() {
        let json = format!(
            r#"{{"total":1.5,"kols":[{{"userId":"{ANNA}","n":{{"a":1}}}},{{"userId":"b"}}],
                "url":"https://x.test/user/{ANNA}?t=1","longer":"{ANNA}0","inviter_id":"{ANNA}",
                "text":"{{\"t\":\"\\n{ANNA}\"}}","by":{{"{ANNA}":1}}}}"#
        );
        let left = format!(
            r#"{{"total":1.5,"kols":[null,{{"userId":"b"}}],"url":null,"longer":"{ANNA}0",
                "inviter_id":null,"text":null,"by":null}}"#
        );
        assert_left(ANNA, &json, &left);
    }

    #[test]
    fn short_id_counts_only_in_fields_of_ids() {
        let json = r#"{"likes":471100,"text":"471100 apples","by":{"uid":471100,"nickname":"x"},
            "seen_uids":["471100",[471100,7]],"x_id_list":[471100],"reply_to_userid":471100,
            "a":{"red_id":"471100"},"b":{"unique_id":"471100"},"c":{"short_id":"471100"}}"#;
        let left = r#"{"likes":471100,"text":"471100 apples","by":null,
            "seen_uids":[null,[null,7]],"x_id_list":[null],"reply_to_userid":null,
            "a":{"red_id":"471100"},"b":{"unique_id":"471100"},"c":{"short_id":"471100"}}"#;
        assert_left("471100", json, left);
        let json = r#"{"uid":["59991932303"],"n":59991932303}"#;
        assert_left("59991932303", json, r#"{"uid":[null],"n":null}"#);
    }

    #[test]
    fn mention_of_the_erased_is_masked_and_a_longer_name_is_kept() {
        for (text, left) in [
            ("和@小满 去", "和@** 去"),
            ("@小满，@小满[笑哭R]@小满", "@**，@**[笑哭R]@**"),
            ("@小满爱吃 @小满_ @小满😀", "@小满爱吃 @小满_ @小满😀"),
            ("小满 a@b", "小满 a@b"),
        ] {
            let bo = r#"{"id":1,"nickname":"小满爱吃"}"#;
            let anna = format!(r#"{{"id":"{ANNA}","nickname":"小满"}}"#);
            let json = format!(r#"{{"desc":"{text}","ats":[{bo},{anna}]}}"#);
            assert_left(ANNA, &json, &format!(r#"{{"desc":"{left}","ats":[{bo},null]}}"#));
        }
    }

    #[test]
    fn answer_about_the_erased_or_without_json_cannot_be_redacted() {
        let ids = Ids::of([ANNA.to_owned()]).expect("it is one");
        let about = format!(r#"{{"id":"{ANNA}"}}"#);
        for whole in [about, format!(r#""<html>{ANNA}""#), format!("<html>{ANNA}")] {
            assert_eq!(redact(&whole, &ids, Vec::new()), Redaction::Impossible, "{whole}");
        }
    }

    proptest::proptest! {
        #[test]
        fn redacted_answer_is_json_without_the_id(
            keys in proptest::collection::vec("(id|name|x|5b9f6b99000000006258b977)", 1..6),
            values in proptest::collection::vec(r#"("(a|\\n|\\u548c|\\\\n|\\/|@a |%2F){0,3}( |\\t|\\u00e9|\\ud83d\\ude00|%3D)5b9f6b99000000006258b977"|"@a 5b9f6b99000000006258b977"|1\.0|\[\]|\{"uid":"5b9f6b99000000006258b977"\}|"\\u0035")"#, 1..6),
        ) {
            let fields: Vec<_> =
                keys.iter().zip(&values).map(|(key, value)| format!("\"{key}\": {value}")).collect();
            let json = format!("[{{{}}}, 7]", fields.join(", "));
            let ids = Ids::of([ANNA.to_owned()]).expect("it is one");
            let left = match redact(&json, &ids, vec!["a".to_owned()]) {
                Redaction::Text(text) => text,
                Redaction::Unchanged => json,
                Redaction::Impossible => panic!("an element is left of {json}"),
            };
            assert!(serde_json::from_str::<Value>(&left).is_ok(), "{left}");
            assert!(!left.contains(ANNA), "{left}");
        }
    }
}
