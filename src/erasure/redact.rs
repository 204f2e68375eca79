//! Redaction: null takes the place of what an answer says of the erased.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::ids::Ids;

/// What the endpoints call the id of an object, or of whoever made it: lower case, without `_`.
const OWN_IDS: [&str; 13] = [
    "id",
    "idstr",
    "uid",
    "secuid",
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

/// What the endpoints call somebody's name: lower case, without `_`.
const NAMES: [&str; 4] = ["nickname", "name", "ownernickname", "author"];

/// What the endpoints call a handle: lower case, without `_`.
const HANDLES: [&str; 3] = ["redid", "uniqueid", "shortid"];

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

/// By what somebody is known besides their ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Known {
    pub(super) names: BTreeSet<String>,
    pub(super) handles: BTreeSet<String>,
}

impl Known {
    pub(super) fn add(&mut self, mut other: Self) {
        self.names.append(&mut other.names);
        self.handles.append(&mut other.handles);
    }

    /// Whether a JSON text may hold one of them where it is looked for.
    pub(super) fn may_occur_in(&self, json: &str) -> bool {
        (!self.names.is_empty() && (json.contains('@') || json.contains(r"\u0040")))
            || self.handles.iter().any(|handle| json.contains(handle.as_str()))
    }
}

/// Takes out of an answer the objects about one of these ids or a known handle, the strings that
/// hold an id, and mentions (`@name`) of the people that those objects name, or who are known.
pub(super) fn redact(json: &str, ids: &Ids, known: Known) -> Redaction {
    let Ok(mut root) = serde_json::from_str(json) else {
        // Without an id in it there is nothing to be sure of.
        let is_safe = !ids.occur_in(json);
        return if is_safe { Redaction::Unchanged } else { Redaction::Impossible };
    };
    let Known { names, handles } = known;
    let names = names.into_iter().collect();
    let mut walk = Walk { ids, handles, names, changed: false };
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
    handles: BTreeSet<String>,
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
                        Value::String(name) if is_about && NAMES.contains(&plain(key).as_str()) => {
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
            let is = |of: &dyn Fn(&str) -> bool| match value {
                Value::String(text) => of(text),
                Value::Number(number) => of(&number.to_string()),
                _ => false,
            };
            let key = plain(key);
            self.ids.long_occur_in(&key)
                || (OWN_IDS.contains(&&*key) && is(&|text| self.ids.contain(text)))
                || (HANDLES.contains(&&*key) && is(&|text| self.handles.contains(text)))
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
    use crate::model::catalogue::ColumnType;

    const ANNA: &str = "5b9f6b99000000006258b977";

    /// What is left; as JSON, since the order of keys is no matter.
    #[track_caller]
    fn assert_left(id: &str, json: &str, left: &str) {
        let ids = Ids::of([id.to_owned()]).expect("it is one");
        let text = match redact(json, &ids, Known::default()) {
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

    /// Columns of the catalogue with ids, names and handles of people and items; redaction looks for
    /// the fields that they come from.
    const OF_THE_ERASED: [&str; 12] = [
        "author",
        "author_id",
        "handle",
        "kol_id",
        "nickname",
        "note_id",
        "owner_id",
        "owner_name",
        "red_id",
        "sec_uid",
        "user_id",
        "work_id",
    ];

    /// Columns with ids and names of something else.
    const OF_OTHERS: [&str; 26] = [
        "category_1_id",
        "category_2_id",
        "category_3_id",
        "clothing_industry_id",
        "efficient_users",
        "file_id",
        "hashtag_id",
        "item_id",
        "live_mcn_id",
        "live_mcn_name",
        "live_video_id",
        "mcn_id",
        "mcn_name",
        "mix_id",
        "mix_name",
        "music_id",
        "name",
        "role_id",
        "search_cpl_id",
        "series_id",
        "sound_id",
        "sound_name",
        "user_type",
        "users",
        "video_id",
        "word_request_id",
    ];

    #[test]
    fn every_column_with_an_id_or_name_is_known_to_redaction() {
        let columns = crate::model::TABLES.iter().flat_map(|table| table.columns);
        for column in columns.filter(|column| column.column_type != ColumnType::Bool) {
            let (name, is_named) = (column.name, OF_THE_ERASED.contains(&column.name));
            let parts = ["_id", "uid", "name", "handle", "author", "user", "owner"];
            let looks_so = parts.iter().any(|part| name.contains(part));
            let is_known = is_named || OF_OTHERS.contains(&name);
            assert!(!looks_so || is_known, "{name}: whose is it? Put it into one of the lists");
            for path in column.doc.split('`').skip(1).step_by(2).filter(|_| is_named) {
                let key = plain(path.rsplit(['.', ' ']).next().unwrap_or(path));
                let is_looked_for = [&OWN_IDS[..], &NAMES, &HANDLES].concat().contains(&&*key);
                let is_id = ["id", "name", "author"].iter().any(|end| key.ends_with(end));
                assert!(!is_id || is_looked_for, "{path} of {name} is not looked for");
            }
        }
    }

    #[test]
    fn object_with_a_known_handle_is_about_the_erased() {
        let ids = Ids::of([ANNA.to_owned()]).expect("it is one");
        let known =
            Known { names: ["小满".to_owned()].into(), handles: ["95379519".to_owned()].into() };
        let json = r#"{"a":{"red_id":"95379519","x":1},"likes":95379519,"desc":"@小满 来"}"#;
        let left = r#"{"a":null,"desc":"@** 来","likes":95379519}"#;
        assert_eq!(redact(json, &ids, known), Redaction::Text(left.to_owned()));
    }

    #[test]
    fn answer_about_the_erased_or_without_json_cannot_be_redacted() {
        let ids = Ids::of([ANNA.to_owned()]).expect("it is one");
        let about = format!(r#"{{"id":"{ANNA}"}}"#);
        for whole in [about, format!(r#""<html>{ANNA}""#), format!("<html>{ANNA}")] {
            assert_eq!(redact(&whole, &ids, Known::default()), Redaction::Impossible, "{whole}");
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
            let known = Known { names: ["a".to_owned()].into(), ..Known::default() };
            let left = match redact(&json, &ids, known) {
                Redaction::Text(text) => text,
                Redaction::Unchanged => json,
                Redaction::Impossible => panic!("an element is left of {json}"),
            };
            assert!(serde_json::from_str::<Value>(&left).is_ok(), "{left}");
            assert!(!left.contains(ANNA), "{left}");
        }
    }
}
