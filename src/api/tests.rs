mod said;

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;
use crate::model::Facts;
use crate::model::catalogue::{Cell, Field};

/// Every fixture: its name and its text.
fn fixtures() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut fixtures: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    fixtures.sort();
    fixtures
}

/// Reads a body as every endpoint's answer, and checks what holds of every reading.
fn read_everywhere(key: &str, http_status: u16, body: &str) {
    let ask = Ask { key: key.to_owned(), page: 1 };
    for endpoint in Endpoint::ALL {
        let reading = endpoint.read(&ask, http_status, &JsonText::of(body));
        let name = endpoint.as_str();
        if reading.outcome != Outcome::Ok {
            assert_eq!(reading.facts, Facts::default(), "{name}");
            assert_eq!(reading.resolved, None, "{name}");
        }
        if endpoint.provider() == Provider::Amagi {
            assert_eq!(reading.billed, Billed::No, "{name}");
        }
        let has_nul = |said: &Field<Cell>| matches!(said, Field::Value(Cell::Text(text)) if text.contains('\0'));
        assert!(!said::of(&reading.facts).values().any(has_nul), "{name}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec!["", "0", "-1", "1.2万", "10+", "\0", "7601234567890123456"])
            .prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "code",
        "data",
        "message",
        "success",
        "items",
        "kols",
        "note_list",
        "aweme_detail",
        "filter_detail",
        "filter_reason",
        "aweme_id",
        "id",
        "userId",
        "text_extra",
        "type",
        "start",
        "end",
        "desc",
        "redirect_url",
        "images_list",
        "live_photo",
        "media",
        "stream",
        "h265",
    ]);
    leaf.prop_recursive(6, 60, 6, move |inner| {
        let fields = prop::collection::vec((keys.clone(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            fields.prop_map(|fields| {
                let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
                Value::Object(fields.collect::<Map<String, Value>>())
            }),
        ]
    })
}

/// How many values there are in a document.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

/// Puts `new` in the place of the `nth` value of a document, counted from its root.
fn replace(value: &mut Value, nth: usize, new: &Value) {
    if nth == 0 {
        *value = new.clone();
        return;
    }
    let mut nth = nth - 1;
    let children: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    for child in children {
        let within = size(child);
        if nth < within {
            return replace(child, nth, new);
        }
        nth -= within;
    }
}

/// An id that one of the fixtures answers.
fn any_key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "6a01b2c3000000000e00d4e5",
        "698877660000000025021234",
        "6a02c3d4000000001d00e5f6",
        "7601234567890123456",
        "7603456789012345678",
        "https://v.douyin.com/Invented1/",
        r#"{"filter":{},"max_pages":2}"#,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_json_makes_a_reader_panic(http_status in 100..=999_u16, key in any_key(), mut body in any_json(), wrap in any::<bool>()) {
        if wrap {
            body = serde_json::json!({ "code": 0, "data": body });
        }
        read_everywhere(key, http_status, &body.to_string());
    }

    #[test]
    fn no_text_makes_a_reader_panic(http_status in any::<u16>(), key in any::<String>(), body in any::<String>()) {
        read_everywhere(&key, http_status, &body);
    }

    #[test]
    fn no_change_to_a_known_answer_makes_a_reader_panic(
        chosen in any::<prop::sample::Index>(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        new in any_json(),
        key in any_key(),
    ) {
        let fixtures = fixtures();
        let (_, text) = &fixtures[chosen.index(fixtures.len())];
        let mut body: Value = serde_json::from_str(text).unwrap();
        for place in places {
            let nth = place.index(size(&body));
            replace(&mut body, nth, &new);
        }
        read_everywhere(key, 200, &body.to_string());
    }
}

#[test]
fn every_fixture_is_read_by_every_endpoint_without_a_panic() {
    for (_, body) in fixtures() {
        for http_status in [200, 302, 400, 429, 500] {
            read_everywhere("7601234567890123456", http_status, &body);
        }
    }
}

#[test]
fn every_endpoint_is_found_by_its_name_and_asks_below_the_base_url() {
    for endpoint in Endpoint::ALL {
        assert_eq!(Endpoint::parse(endpoint.as_str()), Some(endpoint));
        let request = endpoint.request(&Ask { key: "k".to_owned(), page: 1 });
        assert!(request.path.starts_with('/'));
        assert!(request.query.iter().all(|(name, _)| name != "token"));
    }
    assert_eq!(Endpoint::parse("nobody/knows"), None);
}

#[test]
fn short_links_lead_to_their_items() {
    for (endpoint, body, id) in [
        (
            Endpoint::NoteShareLink,
            include_str!("../../tests/fixtures/share_link_note.json"),
            "6a01b2c3000000000e00d4e5",
        ),
        (
            Endpoint::WorkShareLink,
            include_str!("../../tests/fixtures/share_link_work.json"),
            "7601234567890123456",
        ),
    ] {
        let ask = Ask { key: "https://v.douyin.com/Invented1/".to_owned(), page: 1 };
        let reading = endpoint.read(&ask, 200, &JsonText::of(body));
        assert_eq!((reading.outcome, reading.billed), (Outcome::Ok, Billed::Yes));
        assert_eq!(reading.resolved.as_deref(), Some(id));
    }
}

#[test]
fn a_call_without_an_answer_is_free_only_when_nothing_was_sent() {
    for (endpoint, sent, billed) in [
        (Endpoint::NoteDetailV7, true, Billed::Unknown),
        (Endpoint::NoteDetailV7, false, Billed::No),
        (Endpoint::AmagiWorkById, true, Billed::No),
    ] {
        let reading = Reading::transport(endpoint, "timed out", sent);
        assert_eq!((reading.outcome, reading.billed), (Outcome::Transport, billed));
        assert_eq!(reading.message.as_deref(), Some("timed out"));
    }
}
