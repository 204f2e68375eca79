//! Content of an answer: the state of the world at one time, in the shape of one endpoint.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::catalogue::{code_in, note_id_in, seconds, work_id_in};
use super::curves::Counts;
use super::route::{Call, Endpoint};
use super::shapes::Signature;
use super::works::Work;
use super::world::World;
use super::{douyin, pugongying, xiaohongshu};
use crate::time::Time;

/// Balance of the simulated account; calls do not lower it.
const BALANCE: &str = "75.0000";

/// `data`, and its figures for the truth file.
#[derive(Default)]
pub(super) struct Content {
    pub(super) data: Value,
    pub(super) metrics: BTreeMap<String, i64>,
    pub(super) items: Vec<String>,
    /// Douyin's reason for showing no work.
    pub(super) filtered: Option<&'static str>,
}

impl Content {
    /// The answer to `call` in `world` at `at`.
    pub(super) fn of(world: &World, call: &Call, at: Time) -> Self {
        let signature = Signature::of(world.seed, &call.key, at);
        match call.endpoint {
            Endpoint::Note => Self::note(world, call, &signature),
            Endpoint::Suggestions => {
                let texts = xiaohongshu::suggested(world.seed, &call.key, at);
                let data = xiaohongshu::suggestions(world.seed, &call.key, &texts, at);
                Self::listed(data, texts)
            }
            Endpoint::Kols => {
                let page = pugongying::page(world, &call.query, call.page.unwrap_or(1), at);
                let ids = page.followers.iter().map(|(id, _)| id.clone()).collect();
                let metrics = page.followers.into_iter().collect();
                Self { metrics, ..Self::listed(page.data, ids) }
            }
            Endpoint::Work | Endpoint::Amagi => Self::work(world, call, &signature),
            Endpoint::NoteLink => {
                let id = note_id(world, &call.key);
                Self::listed(xiaohongshu::redirect(&world.note(&id), &signature), vec![id])
            }
            Endpoint::WorkLink => {
                let id = work_id(world, &call.key);
                Self::listed(douyin::redirect(&world.work(&id), &signature), vec![id])
            }
            Endpoint::Balance => {
                Self::listed(json!({ "balance": BALANCE, "currency": "CNY" }), Vec::new())
            }
        }
    }

    fn listed(data: Value, items: Vec<String>) -> Self {
        Self { data, items, ..Self::default() }
    }

    fn note(world: &World, call: &Call, signature: &Signature) -> Self {
        let note = world.note(&call.key);
        let data = match note.fate.is_deleted(signature.at) {
            true => json!([]),
            false if call.path.ends_with("/v6") => xiaohongshu::bare(&note, signature),
            false => xiaohongshu::wrapped(&note, signature),
        };
        let shown = data != json!([]);
        let metrics = if shown { metrics(note.counts(signature.at)) } else { BTreeMap::new() };
        Self { data, metrics, ..Self::default() }
    }

    fn work(world: &World, call: &Call, signature: &Signature) -> Self {
        Self::of_work(&world.work(&work_id(world, &call.key)), signature)
    }

    fn of_work(work: &Work, signature: &Signature) -> Self {
        let filtered = douyin::reason(work, signature.at);
        let metrics = match filtered {
            None => metrics(work.counts(signature.at)),
            Some(_) => BTreeMap::new(),
        };
        Self { data: douyin::platform(work, signature), metrics, items: Vec::new(), filtered }
    }

    /// The answer for a deleted work, whatever its fate; a short link leads to the home page. Other
    /// endpoints answer as if empty.
    pub(super) fn gone(world: &World, call: &Call, at: Time) -> Self {
        let home = match call.endpoint {
            Endpoint::Work | Endpoint::Amagi => None,
            Endpoint::NoteLink => Some("https://www.xiaohongshu.com/?from=share"),
            Endpoint::WorkLink => Some("https://www.douyin.com/?from=share"),
            _ => return Self::nothing(world, call, at),
        };
        if let Some(home) = home {
            return Self::listed(json!({ "redirect_url": home }), Vec::new());
        }
        let mut work = world.work(&work_id(world, &call.key));
        work.fate.deleted_at = Some(work.born());
        Self::of_work(&work, &Signature::of(world.seed, &call.key, at))
    }

    /// A successful answer without content.
    pub(super) fn nothing(world: &World, call: &Call, at: Time) -> Self {
        let data = match call.endpoint {
            Endpoint::Note => json!([]),
            Endpoint::Kols => json!({ "kols": [], "total": 0 }),
            Endpoint::Work | Endpoint::Amagi => json!({ "status_code": 0, "aweme_detail": null,
                "extra": { "now": seconds(at) * 1000 } }),
            Endpoint::Suggestions => json!({ "items": [], "word_request_id":
                Signature::of(world.seed, &call.key, at).trace() }),
            Endpoint::NoteLink | Endpoint::WorkLink | Endpoint::Balance => Value::Null,
        };
        Self { data, ..Self::default() }
    }
}

/// The note a link refers to.
fn note_id(world: &World, key: &str) -> String {
    resolved(key, "xhslink.com/", note_id_in, |code| world.note_behind(code))
}

/// The work an id or a link refers to.
fn work_id(world: &World, key: &str) -> String {
    resolved(key, "v.douyin.com/", work_id_in, |code| world.work_behind(code))
}

fn resolved(
    key: &str,
    host: &str,
    id_in: impl Fn(&str) -> Option<&str>,
    behind: impl Fn(&str) -> String,
) -> String {
    match (id_in(key), code_in(key, host)) {
        (Some(id), _) => id.to_owned(),
        (None, Some(code)) => behind(code),
        (None, None) => key.to_owned(),
    }
}

fn metrics(counts: Counts) -> BTreeMap<String, i64> {
    let Counts { likes, collects, comments, shares } = counts;
    [("likes", likes), ("collects", collects), ("comments", comments), ("shares", shares)]
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect()
}
