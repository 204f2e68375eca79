//! Every table and every setting is named in both READMEs, and every setting in the sample.

use std::collections::BTreeSet;

use tidewatch::config::schema;
use tidewatch::store::tables;

/// The names between backticks, without what follows a sign.
fn named(text: &str) -> BTreeSet<&str> {
    let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let words = spans.flat_map(|span| {
        span.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|it| !it.is_empty())
    });
    words.collect()
}

/// Section and key of every setting.
fn settings() -> Vec<(String, String)> {
    let schema = schema();
    let properties = schema["properties"].as_object().unwrap();
    let keys = properties.iter().flat_map(|(name, section)| {
        let reference = section["$ref"].as_str().or(section["items"]["$ref"].as_str());
        let at = reference.and_then(|it| schema.pointer(it.strip_prefix('#')?));
        let keys = at.and_then(|it| it["properties"].as_object()).into_iter().flatten();
        let inner: Vec<_> = keys.map(|(key, _)| (name.clone(), key.clone())).collect();
        if inner.is_empty() { vec![(String::new(), name.clone())] } else { inner }
    });
    keys.collect()
}

#[test]
fn every_table_and_setting_is_named_in_both_readmes() {
    for readme in [include_str!("../../../README.md"), include_str!("../../../README.zh-CN.md")] {
        let named = named(readme);
        let missing: Vec<_> = tables().filter(|table| !named.contains(table)).collect();
        assert!(missing.is_empty(), "tables: {missing:?}");
        let settings = settings();
        assert!(settings.len() > 40, "{settings:?}");
        let missing: Vec<_> =
            settings.iter().filter(|(_, key)| !named.contains(key.as_str())).collect();
        assert!(missing.is_empty(), "settings: {missing:?}");
    }
}

#[test]
fn every_setting_is_shown_in_the_sample() {
    let sample = include_str!("../../../jobs.toml");
    let words: BTreeSet<_> =
        sample.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
    let settings = settings();
    let missing: Vec<_> =
        settings.iter().filter(|(_, key)| !words.contains(key.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
