//! Cost estimate of a list of targets, and creation of its backfill.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Bound;
use std::time::Duration;

use anyhow::{Result, bail};
use sha2::{Digest as _, Sha256};

use crate::api::Endpoint;
use crate::config::Config;
use crate::model::{BackfillState, Target};
use crate::store::{BackfillRow, Limits, NewBackfill, Store};
use crate::time::Time;

/// Targets per query of the archive.
const ASKED_AT_ONCE: usize = 1000;

/// Slots made per transaction.
const PLANNED_AT_ONCE: usize = 1000;

/// Batches of slots per message.
const BATCHES_PER_MESSAGE: u64 = 100;

/// Calls to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct EndpointCalls {
    /// The endpoint's name.
    pub endpoint: &'static str,
    /// Number of calls if none fails.
    pub calls: i64,
    /// Price of a call in millionths of a yuan; `None` if unknown.
    pub price_micros: Option<i64>,
}

/// Cost of fetching each target once if no call fails.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Estimate {
    /// Number of targets.
    pub targets: usize,
    /// Calls by endpoint.
    pub endpoints: Vec<EndpointCalls>,
}

impl Estimate {
    /// The estimate for `targets`. A short link that has to be resolved takes one more call.
    pub fn of(config: &Config, targets: &BTreeSet<Target>) -> Self {
        let mut calls: BTreeMap<Endpoint, i64> = BTreeMap::new();
        for target in targets {
            *calls.entry(config.endpoint(target.kind)).or_default() += i64::from(target.pages());
            if let Some(resolver) = config.resolver(target) {
                *calls.entry(resolver).or_default() += 1;
            }
        }
        let endpoints = calls.into_iter().map(|(endpoint, calls)| EndpointCalls {
            endpoint: endpoint.as_str(),
            calls,
            price_micros: config.price_micros(endpoint),
        });
        Self { targets: targets.len(), endpoints: endpoints.collect() }
    }

    /// The number of calls.
    pub fn calls(&self) -> i64 {
        self.endpoints.iter().map(|row| row.calls).sum()
    }

    /// The known part of the cost, in millionths of a yuan.
    pub fn cost_micros(&self) -> i64 {
        let costs = self.endpoints.iter().map(|row| row.calls * row.price_micros.unwrap_or(0));
        costs.sum()
    }

    /// Endpoints with unknown prices.
    pub fn unpriced(&self) -> Vec<&'static str> {
        let rows = self.endpoints.iter().filter(|row| row.price_micros.is_none());
        rows.map(|row| row.endpoint).collect()
    }
}

/// Replaces resolved short links by their items.
pub async fn resolve_known(store: &Store, targets: &mut BTreeSet<Target>) -> Result<()> {
    let links: Vec<_> = targets.iter().filter(|it| it.is_short_link()).cloned().collect();
    let mut tx = store.read().await?;
    for chunk in links.chunks(ASKED_AT_ONCE) {
        let mut behind = tx.items_behind(chunk).await?;
        for link in chunk {
            if let Some(key) = behind.remove(&link.key) {
                targets.remove(link);
                targets.insert(Target { kind: link.kind, key });
            }
        }
    }
    Ok(())
}

/// Removes targets that have an answer in the archive, and returns their number.
pub async fn drop_archived(store: &Store, targets: &mut BTreeSet<Target>) -> Result<usize> {
    let (all, mut after) = (targets.len(), None);
    let mut tx = store.read().await?;
    loop {
        let from = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let rest = targets.range((from, Bound::Unbounded));
        let some: Vec<_> = rest.take(ASKED_AT_ONCE).cloned().collect();
        let Some(last) = some.last() else { return Ok(all - targets.len()) };
        for target in tx.archived(&some).await? {
            targets.remove(&target);
        }
        after = Some(last.clone());
    }
}

/// A requested backfill.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its name; `None`: derived from the date and the source.
    pub name: Option<String>,
    /// Source of the targets, for display.
    pub source: String,
    /// Identifies the list.
    pub digest: String,
    /// Whether repeating it can fetch something new.
    pub repeatable: bool,
    /// Its limits.
    pub limits: Limits,
}

/// What a request refers to among the existing backfills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A new backfill with this name.
    New(String),
    /// An unfinished backfill.
    Existing(BackfillRow),
}

/// Digest of a list's content and source.
pub fn digest(source: &str, targets: &BTreeSet<Target>) -> String {
    let mut hash = Sha256::new();
    hash.update(source);
    for target in targets {
        hash.update([0]);
        hash.update(target.kind.as_str());
        hash.update([0]);
        hash.update(&target.key);
    }
    hash.finalize().iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Resolves a request; `today` is part of a derived name. A request without a name continues an
/// unfinished backfill of the same list. Fails if the name is taken or the same list is already
/// done.
pub async fn find(store: &Store, request: &Request, today: &str) -> Result<Found> {
    let mut tx = store.read().await?;
    if request.name.is_none()
        && let Some(row) = tx.backfill_to_resume(&request.digest).await?
    {
        return Ok(Found::Existing(row));
    }
    let base = request.name.clone().unwrap_or_else(|| format!("{today}-{}", request.source));
    let mut name = base.clone();
    let mut nth = 1;
    while let Some(row) = tx.backfill_named(&name).await? {
        let same = row.digest == request.digest;
        if same && row.ended_at.is_none() && row.state != BackfillState::Cancelled {
            return Ok(Found::Existing(row));
        }
        if same && row.state == BackfillState::Done && !request.repeatable {
            bail!("the backfill {name} of the same list is done: --name NEW fetches it again");
        }
        if request.name.is_some() {
            bail!(
                "the backfill {name} already exists ({}, {}): use another name",
                row.source,
                row.state
            );
        }
        nth += 1;
        name = format!("{base}-{nth}");
    }
    Ok(Found::New(name))
}

/// Creates a backfill of `targets`, or completes one in planning, and returns its run. Its slots are
/// made in batches, each in a transaction of its own, so that others can write; none is claimed before
/// all are made. Fails if it is cancelled meanwhile.
pub async fn begin(
    store: &Store,
    new: &NewBackfill,
    planned: Option<&BackfillRow>,
    targets: &BTreeSet<Target>,
    now: Time,
) -> Result<i64> {
    let (run_id, due_at) = match planned {
        Some(row) => (row.run_id, row.created_at),
        None => {
            let (mut tx, due_at) = (store.begin().await?, beside_schedules(now));
            let run_id = tx.put_backfill(new, due_at).await?;
            tx.commit().await?;
            (run_id, due_at)
        }
    };
    let mut rest = targets.iter();
    for batch in 0.. {
        let some: Vec<_> = rest.by_ref().take(PLANNED_AT_ONCE).cloned().collect();
        if some.is_empty() {
            break;
        }
        let mut tx = store.begin().await?;
        tx.plan_backfill(run_id, due_at, batch, &some).await?;
        tx.commit().await?;
        if rest.len() > 0 && (batch + 1).is_multiple_of(BATCHES_PER_MESSAGE) {
            tracing::info!("{} slots are still to be planned", rest.len());
        }
    }
    let mut tx = store.begin().await?;
    if !tx.start_backfill(run_id).await? {
        bail!("the backfill {} was cancelled while it was planned", new.name);
    }
    tx.commit().await?;
    Ok(run_id)
}

/// Schedules fire at whole seconds; a fractional due time keeps the slots of a backfill apart.
fn beside_schedules(now: Time) -> Time {
    if now.micros() % 1_000_000 == 0 { now.plus(Duration::from_micros(1)) } else { now }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Environment;
    use crate::model::{Kind, KolSearch};

    fn target(kind: Kind, key: &str) -> Target {
        Target { kind, key: key.to_owned() }
    }

    #[test]
    fn estimate_counts_short_links_and_pages() {
        let text = "[justoneapi]\nprice = { \"xiaohongshu/get-note-detail\" = 0.15, \
                    \"xiaohongshu/share-url-transfer/v1\" = 0.05 }\n";
        let config = Config::parse(text, Path::new("jobs.toml"), &Environment::default());
        let config = config.unwrap_or_else(|error| panic!("{error}"));
        let search = KolSearch { filter: BTreeMap::new(), max_pages: 3 };
        let targets = [
            target(Kind::Note, "6a01b2c3000000000e00d4e5"),
            target(Kind::Note, "https://xhslink.com/a/abc"),
            target(Kind::Work, "7601234567890123456"),
            target(Kind::KolSearch, &search.to_key()),
        ];
        let estimate = Estimate::of(&config, &targets.into());
        let rows: Vec<_> = estimate.endpoints.iter().map(|row| (row.endpoint, row.calls)).collect();
        let expected = [
            ("xiaohongshu/get-note-detail/v1", 2),
            ("xiaohongshu-pgy/kol-search/v1", 3),
            ("xiaohongshu/share-url-transfer/v1", 1),
            ("douyin/get-video-detail/v2", 1),
        ];
        assert_eq!(rows, expected);
        assert_eq!((estimate.calls(), estimate.cost_micros()), (7, 350_000));
        let unpriced = ["xiaohongshu-pgy/kol-search/v1", "douyin/get-video-detail/v2"];
        assert_eq!(estimate.unpriced(), unpriced);
    }

    #[test]
    fn backfill_due_time_differs_from_schedule_fires() {
        for text in ["2026-03-02 00:00:00", "2026-03-02 00:00:00.25"] {
            let due = beside_schedules(text.parse().expect("a time"));
            assert_ne!(due.micros() % 1_000_000, 0);
        }
    }
}
