//! JSON Schema of `jobs.toml`, generated from the types that read it, for completion and validation
//! in editors.

use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::Condition;
use super::alert::{LANGUAGES, MOST_SILENT_AFTER, SILENT_AFTER, WEBHOOKS};
use super::firing::{CATCHUP, MISFIRES, MOST_CATCHUP, OVERLAPS};
use super::job::{KINDS, LONGEST_NAME};
use super::load::{DEFAULT_ZONE, written_key};
use super::provider::{
    LEASE_SECONDS, LEASES, LOW_BALANCE, MOST_CONCURRENCY, MOST_RATE, MOST_TIMEOUT_SECONDS,
    TIMEOUT_SECONDS,
};
use super::wire::{
    AlertEntry, Archive, Budget, Daemon, Douyin, Health, JobEntry, ProviderSection, TopLevel,
};
use crate::api::{LAST_PAGE, Provider};
use crate::model::Kind;
use crate::watchlist::known_filters;

/// The schema of the whole file.
pub fn schema() -> Value {
    let mut generator = SchemaGenerator::default();
    let mut schema = TopLevel::json_schema(&mut generator).to_value();
    let list = |items: Schema| json_schema!({ "type": "array", "items": items });
    let sections = [
        ("douyin", generator.subschema_for::<Douyin>()),
        ("daemon", generator.subschema_for::<Daemon>()),
        ("archive", generator.subschema_for::<Archive>()),
        ("budget", generator.subschema_for::<Budget>()),
        ("health", generator.subschema_for::<Health>()),
        ("alert", list(generator.subschema_for::<AlertEntry>())),
        ("job", list(generator.subschema_for::<JobEntry>())),
    ];
    let provider = ProviderSection::json_schema(&mut generator).to_value();
    let mut definitions = generator.take_definitions(true);
    definitions.values_mut().for_each(without_defaults);
    for it in Provider::ALL {
        definitions.insert(it.as_str().to_owned(), provider_section(it, &provider));
        schema["properties"][it.as_str()] = json!({ "$ref": format!("#/$defs/{it}") });
    }
    without_defaults(&mut schema);
    for (section, key, more) in details() {
        let of = definitions.get_mut(section).and_then(|it| it.pointer_mut(&pointer(key)));
        if let (Some(Value::Object(property)), Value::Object(more)) = (of, more) {
            property.extend(more);
        }
    }
    rules_of_jobs(&mut definitions);
    schema["properties"]["timezone"]["default"] = DEFAULT_ZONE.name().into();
    for (name, section) in sections {
        schema["properties"][name] = section.into();
    }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "jobs.toml of tidewatch".into();
    schema["$defs"] = definitions.into();
    schema
}

/// Removes the types' defaults: TOML cannot express an absent value.
fn without_defaults(definition: &mut Value) {
    let properties = definition.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        if let Some(property) = property.as_object_mut() {
            property.remove("default");
        }
    }
}

/// An integer with its default and range.
fn number(default: u32, least: u32, most: u32) -> Value {
    json!({ "default": default, "minimum": least, "maximum": most })
}

/// The section of a provider: the keys that it has, under its own names.
fn provider_section(provider: Provider, section: &Value) -> Value {
    let (mut section, profile) = (section.clone(), provider.profile());
    without_defaults(&mut section);
    let mut properties = Map::new();
    for (key, property) in section["properties"].as_object().into_iter().flatten() {
        let name = written_key(provider, key);
        let more = match key.as_str() {
            "base_url" => json!({ "default": profile.base_url }),
            "concurrency" => number(profile.concurrency, 1, MOST_CONCURRENCY),
            "rate_per_second" => number(profile.rate_per_second, 1, MOST_RATE),
            "timeout_seconds" => number(TIMEOUT_SECONDS, 1, MOST_TIMEOUT_SECONDS),
            "choice" => profile.choice.as_ref().map_or(Value::Null, |choice| {
                let values: Vec<_> = choice.values.iter().map(|it| it.0).collect();
                json!({ "default": choice.default, "enum": values })
            }),
            "low_balance" => {
                json!({ "default": LOW_BALANCE, "type": ["number", "string"], "minimum": 0 })
            }
            "price" => prices(provider),
            _ => json!({}),
        };
        let (Some(name), Value::Object(more)) = (name, more) else { continue };
        let mut property = property.clone();
        if let Some(property) = property.as_object_mut() {
            property.extend(more);
        }
        properties.insert(name.to_owned(), property);
    }
    section["properties"] = properties.into();
    section["title"] = profile.title.into();
    section["description"] = format!("`[{provider}]`: {}.", profile.title).into();
    section
}

fn pointer(key: &str) -> String {
    format!("/properties/{key}")
}

/// Details the types lack: type, key, and its default, range or choices.
fn details() -> Vec<(&'static str, &'static str, Value)> {
    let works = Provider::ALL.into_iter().filter(|it| it.endpoint(Kind::Work, None).is_some());
    let choice = |default: &str, choices: &[&str]| json!({ "default": default, "enum": choices });
    let (calls, yuan) =
        (json!({ "minimum": 1 }), json!({ "type": ["number", "string"], "minimum": 0 }));
    let name = json!({ "minLength": 1, "maxLength": LONGEST_NAME });
    let mut details = vec![
        ("Douyin", "provider", json!({ "enum": works.map(Provider::as_str).collect::<Vec<_>>() })),
        ("Daemon", "lease_seconds", number(LEASE_SECONDS, *LEASES.start(), *LEASES.end())),
        ("Budget", "max_calls_per_day", calls.clone()),
        ("Budget", "max_cost_per_day", yuan),
        ("JobEntry", "name", name.clone()),
        ("JobEntry", "kind", json!({ "enum": KINDS.map(|it| it.0) })),
        ("JobEntry", "max_calls_per_day", calls),
        ("JobEntry", "enabled", json!({ "default": true })),
        ("JobEntry", "misfire", choice("once", &MISFIRES)),
        ("JobEntry", "max_catchup", number(CATCHUP, 1, MOST_CATCHUP)),
        ("JobEntry", "overlap", json!({ "enum": OVERLAPS })),
        ("JobEntry", "max_pages", number(1, 1, LAST_PAGE)),
        ("AlertEntry", "name", name),
        ("AlertEntry", "kind", json!({ "enum": WEBHOOKS.map(|it| it.0) })),
        ("AlertEntry", "language", choice("zh", &LANGUAGES)),
        ("AlertEntry", "silent_after", number(SILENT_AFTER, 1, MOST_SILENT_AFTER)),
    ];
    let conditions = Condition::ALL.map(Condition::as_str);
    let on = json!({ "default": conditions, "items": { "type": "string", "enum": conditions } });
    details.push(("AlertEntry", "on", on));
    details
}

/// Required keys of a job, and keys of other kinds.
fn rules_of_jobs(definitions: &mut Map<String, Value>) {
    let rules = KINDS.map(|(name, _, own)| {
        let others = KINDS.iter().flat_map(|(_, _, keys)| *keys).filter(|key| !own.contains(key));
        let refused: Map<_, _> =
            others.map(|key| ((*key).to_owned(), Value::Bool(false))).collect();
        json!({
            "if": { "properties": { "kind": { "const": name } }, "required": ["kind"] },
            "then": { "properties": refused }
        })
    });
    if let Some(Value::Object(job)) = definitions.get_mut("JobEntry") {
        job.insert("required".into(), json!(["name", "kind", "schedule"]));
        job.insert("allOf".into(), rules.to_vec().into());
    }
    if let Some(Value::Object(alert)) = definitions.get_mut("AlertEntry") {
        alert.insert("required".into(), json!(["kind"]));
    }
}

/// Prices: yuan per call by endpoint name, with or without version.
fn prices(provider: Provider) -> Value {
    let names = || provider.endpoints().map(|endpoint| endpoint.as_str());
    let families = names().filter_map(|name| Some(name.rsplit_once('/')?.0));
    let names: BTreeSet<&str> = names().chain(families).collect();
    json!({
        "type": "object",
        "propertyNames": { "enum": names },
        "additionalProperties": { "type": ["number", "string"], "minimum": 0 }
    })
}

/// A search filter: known names for completion; unknown ones are allowed.
pub(super) fn filter(_: &mut SchemaGenerator) -> Schema {
    let value = json!({ "type": ["string", "number", "boolean", "array"] });
    let mut known: Map<_, _> =
        known_filters().map(|name| (name.to_owned(), value.clone())).collect();
    known.insert("page".to_owned(), Value::Bool(false));
    json_schema!({ "type": "object", "properties": known, "additionalProperties": value })
}
