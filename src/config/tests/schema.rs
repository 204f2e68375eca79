//! The schema for editors accepts the same files and knows the same keys as the program.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use super::*;

/// Longer documents of other tests test sizes.
const LONGEST: usize = 20_000;

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let schema = super::super::schema();
    jsonschema::meta::validate(&schema).expect("it is a schema");
    jsonschema::validator_for(&schema).expect("it is a schema")
});

/// The schema's errors for a document.
fn complaints(document: &Value) -> Vec<String> {
    VALIDATOR
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Asserts that the schema accepts what the program accepts, and rejects the keys it rejects;
/// called for every document of these tests.
pub(super) fn agrees(text: &str, read: &Result<Config, ConfigError>) {
    if text.len() > LONGEST {
        return;
    }
    let Ok(document) = toml::from_str::<Value>(text) else { return };
    let complaints = complaints(&document);
    match read {
        Ok(_) => assert!(complaints.is_empty(), "{complaints:?}\n{text}"),
        Err(error) => {
            let error = error.to_string();
            let key = ["unknown key", "is not a key of jobs of kind", "did you mean the section"];
            if key.iter().any(|part| error.contains(part)) {
                assert!(!complaints.is_empty(), "{error}\n{text}");
            }
        }
    }
}

#[test]
fn schema_describes_keys_for_editors() {
    let schema = super::super::schema();
    let at = |pointer: &str| schema.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    let job = "/$defs/JobEntry/properties";
    let schedule = at(&format!("{job}/schedule/description")).as_str().expect("a text");
    assert!(schedule.starts_with("When it fires: cron"), "{schedule}");
    assert_eq!(
        at(&format!("{job}/kind/enum")),
        &serde_json::json!(["notes", "keywords", "kols", "works"])
    );
    assert_eq!(at(&format!("{job}/misfire/default")), "once");
    assert_eq!(at("/$defs/justoneapi/properties/concurrency/maximum"), 256);
    assert_eq!(at("/$defs/AlertEntry/properties/on/items/enum/0"), "stopped");
    assert_eq!(at("/properties/timezone/default"), "Asia/Shanghai");
}

#[test]
fn schema_keys_are_described_and_not_null() {
    let schema = super::super::schema();
    let definitions = schema["$defs"].as_object().expect("definitions");
    let all = definitions.values().chain([&schema]);
    let mut keys = 0;
    for (key, property) in all.flat_map(|it| it["properties"].as_object().expect("properties")) {
        let described =
            ["description", "$ref", "items"].iter().any(|it| property.get(it).is_some());
        assert!(described, "{key}: {property}");
        assert_ne!(property.get("default"), Some(&Value::Null), "{key}");
        keys += 1;
    }
    assert!(keys > 50, "{keys}");
}

#[test]
fn schema_refuses_wrong_types_ranges_and_choices() {
    for (right, wrong) in [
        ("schedule = \"@daily\"", "schedule = 5"),
        ("kind = \"keywords\"", "kind = \"keyword\""),
        ("[[job]]", "[justoneapi]\nconcurrency = 257\n[[job]]"),
        ("[[job]]", "[daemon]\nlease_seconds = 4\n[[job]]"),
        ("[[job]]", "[justoneapi.price]\n\"amagi/fetch_one_work\" = 1\n[[job]]"),
        ("[[job]]", "[job]"),
        ("schedule = \"@daily\"", "schedule = \"@daily\"\nmisfire = \"twice\""),
        ("name = \"a\"", "name = \"\""),
        ("schedule = \"@daily\"", ""),
    ] {
        let text = JOB.replace(right, wrong);
        refused(&text);
        let document = toml::from_str(&text).expect("it is TOML");
        assert!(!complaints(&document).is_empty(), "{text}");
    }
}
