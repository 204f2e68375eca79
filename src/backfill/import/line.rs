//! Parses a line into an answer: what was asked, when, and the response.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use chrono::DateTime;
use serde_json::Value;
use serde_json::value::RawValue;

use super::ImportOptions;
use crate::api::client::Scrubber;
use crate::api::{Ask, Endpoint, Outcome, Reading};
use crate::model::{Kind, KolSearch, Target};
use crate::store::{Body, Document, Import, Resolved};
use crate::time::Time;
use crate::watchlist::{self, kol_filter};

/// Tolerated clock difference to the machine that recorded the answer.
const CLOCK_SLIP: Duration = Duration::from_secs(60);

/// A parsed line.
pub(super) enum Parsed {
    Answer(Box<Import>),
    Failure,
    Refused(String),
}

type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

impl ImportOptions {
    pub(super) fn parse(&self, line: &str, scrubber: &Scrubber, now: Time) -> Parsed {
        let Ok(fields) = serde_json::from_str::<Fields<'_>>(line) else {
            return Parsed::Refused("the line is not a JSON object".to_owned());
        };
        match self.answer(line, &fields, scrubber, now) {
            Ok(answer) => answer,
            Err(why) => Parsed::Refused(why),
        }
    }

    fn answer(
        &self,
        line: &str,
        fields: &Fields<'_>,
        scrubber: &Scrubber,
        now: Time,
    ) -> Result<Parsed, String> {
        let endpoint = self.endpoint(fields)?;
        let fetched_at = fetched_at(fields, self.fetched_at_field.as_deref(), now)?;
        let http_status = number(fields, "http_status")?.unwrap_or(200);
        let page = number(fields, "page")?.unwrap_or(1);
        let text = match fields.get("body") {
            // A string in a string is escaped twice.
            Some(body) => scrubber.body_text(body_text(body)),
            // The line is the answer itself; the parsers ignore the extra key with the time.
            None if self.endpoint.is_some() => line.to_owned(),
            None => {
                return Err(
                    "`body` is missing; with --endpoint a line may be the answer itself".to_owned()
                );
            }
        };
        let (target, ask) = asked(endpoint, fields, &text, page)?;
        let bytes = text.len();
        let (body, reading) =
            Body::read(text.into_bytes(), |body| endpoint.read(&ask, http_status, body));
        Ok(match reading.outcome {
            Outcome::Ok | Outcome::Empty | Outcome::Gone | Outcome::Unreadable => {
                let document = Document {
                    endpoint: endpoint.as_str(),
                    page: i64::from(page),
                    fetched_at,
                    http_status,
                    drift: reading.drift.clone(),
                    body,
                    imported_at: Some(now),
                    redacted_at: None,
                };
                Parsed::Answer(Box::new(import(target, ask, reading, document, bytes)))
            }
            _ => Parsed::Failure,
        })
    }

    fn endpoint(&self, fields: &Fields<'_>) -> Result<Endpoint, String> {
        let named = match fields.get("endpoint") {
            // In a line without `body` the key belongs to the answer.
            Some(name) if self.endpoint.is_none() || fields.contains_key("body") => text(name),
            _ => None,
        };
        match (named, self.endpoint) {
            (Some(name), _) => Endpoint::parse(&name).ok_or_else(|| no_endpoint(&name)),
            (None, Some(endpoint)) => Ok(endpoint),
            (None, None) => {
                Err("`endpoint` is missing: --endpoint names it for all lines".to_owned())
            }
        }
    }
}

/// Error message for an unknown endpoint name.
pub fn no_endpoint(name: &str) -> String {
    let names: Vec<_> = Endpoint::ALL.iter().map(|it| it.as_str()).collect();
    let near = crate::suggest::nearest(name, names.iter().copied());
    match near {
        Some(near) => format!("unknown endpoint {name:?}; did you mean {near}?"),
        None => format!("unknown endpoint {name:?}; known: {}", names.join(", ")),
    }
}

fn import(target: Target, ask: Ask, reading: Reading, document: Document, bytes: usize) -> Import {
    let link = target.is_short_link().then(|| target.key.clone());
    Import {
        asked: ask.key,
        code: reading.code,
        outcome: reading.outcome,
        message: reading.message,
        bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        document,
        facts: reading.facts,
        resolved: reading.resolved.zip(link).map(|(item_id, link)| Resolved {
            kind: target.kind,
            link,
            item_id,
        }),
        erased: false,
        target,
    }
}

/// The answer's text: a JSON object as written, or the content of a string.
fn body_text(body: &RawValue) -> String {
    text(body).unwrap_or_else(|| body.get().to_owned())
}

fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

fn number<T: serde::de::DeserializeOwned>(
    fields: &Fields<'_>,
    name: &str,
) -> Result<Option<T>, String> {
    // In a line without `body` the key belongs to the answer.
    let Some(value) = fields.get(name).filter(|_| fields.contains_key("body")) else {
        return Ok(None);
    };
    serde_json::from_str(value.get())
        .map(Some)
        .map_err(|_| format!("`{name}` is not a number in range"))
}

/// The fetch time: an RFC 3339 time with a zone, or seconds or milliseconds since 1970.
fn fetched_at(fields: &Fields<'_>, field: Option<&str>, now: Time) -> Result<Time, String> {
    let name = field.unwrap_or("fetched_at");
    let missing = || format!("`{name}` is missing; --fetched-at-field names another key");
    let value = fields.get(name).ok_or_else(missing)?;
    let at = match serde_json::from_str::<Value>(value.get()) {
        Ok(Value::String(text)) => zoned(name, text.trim())?,
        Ok(Value::Number(number)) => {
            number.as_i64().and_then(Time::from_upstream).ok_or_else(|| {
                format!("`{name}` is not a number of seconds or milliseconds since 1970")
            })?
        }
        _ => return Err(format!("`{name}` is not a time")),
    };
    if at > now.plus(CLOCK_SLIP) {
        return Err(format!("`{name}` is in the future: {at} UTC"));
    }
    Ok(at)
}

fn zoned(name: &str, text: &str) -> Result<Time, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(Time::new(at.to_utc()));
    }
    // Our own time format has no zone; say so.
    Err(match text.replace('T', " ").parse::<Time>() {
        Ok(_) => {
            format!("`{name}` has no zone: write 2026-01-02T03:04:05Z, or +08:00 at the end")
        }
        Err(_) => {
            format!(
                "`{name}` is not a time such as 2026-01-02T03:04:05Z or 2026-01-02T11:04:05+08:00"
            )
        }
    })
}

/// The target: what the line says was asked, otherwise the id in the answer.
fn asked(
    endpoint: Endpoint,
    fields: &Fields<'_>,
    body: &str,
    page: u32,
) -> Result<(Target, Ask), String> {
    let said = fields.get("asked").filter(|_| fields.contains_key("body"));
    let said: Option<Value> = said.and_then(|value| serde_json::from_str(value.get()).ok());
    let kind = endpoint.kind();
    let target = match said {
        Some(Value::Object(filter)) if kind == Kind::KolSearch => search(filter)?,
        Some(Value::String(key)) if kind == Kind::KolSearch => {
            let search =
                KolSearch::from_key(&key).ok_or("`asked` is not a filter of a KOL search")?;
            Target { kind, key: search.to_key() }
        }
        Some(Value::String(text)) => {
            watchlist::parse_exact(kind, &text).map_err(|why| format!("`asked`: {why}"))?
        }
        Some(Value::Number(id)) => watchlist::parse_exact(kind, &id.to_string())
            .map_err(|why| format!("`asked`: {why}"))?,
        _ => {
            let id = endpoint
                .subject(body)
                .ok_or("`asked` is missing, and the answer contains no id")?;
            watchlist::parse_exact(kind, &id)
                .map_err(|why| format!("the answer's own id: {why}"))?
        }
    };
    let resolves = endpoint.is_resolver();
    let takes_links = endpoint.resolver().is_none();
    if resolves && !target.is_short_link() || !takes_links && target.is_short_link() {
        let wanted = if resolves { "the short link" } else { "an id" };
        return Err(format!("`asked` must be {wanted} for this endpoint"));
    }
    let ask = Ask { key: target.key.clone(), page };
    Ok((target, ask))
}

/// A KOL search from its filter, or from its key as an object.
fn search(mut fields: serde_json::Map<String, Value>) -> Result<Target, String> {
    let max_pages = fields.remove("max_pages").and_then(|it| u32::try_from(it.as_u64()?).ok());
    let filter = match fields.remove("filter") {
        Some(Value::Object(filter)) => filter,
        _ => fields,
    };
    let typed = filter.into_iter().map(|(name, value)| {
        let value = toml::Value::try_from(&value)
            .map_err(|_| format!("`asked.{name}` is not a valid value"))?;
        Ok((name, value))
    });
    let filter =
        kol_filter::read(&typed.collect::<Result<_, String>>()?).map_err(|complaints| {
            let said: Vec<_> = complaints.iter().map(|it| it.message.as_str()).collect();
            format!("`asked`: {}", said.join("; "))
        })?;
    let search = KolSearch { filter, max_pages: max_pages.unwrap_or(1) };
    Ok(Target { kind: Kind::KolSearch, key: search.to_key() })
}
