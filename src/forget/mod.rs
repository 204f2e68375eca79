//! Forgetting: a note, a work or a person is deleted from the archive, with what other answers say of
//! them, and is not let in again.
//!
//! All of it is one transaction, with nobody else at work. The documents are gone through once for
//! what is to go, and once more for the rows that they had a share in, which are made anew of what is
//! left: so the rows stay a pure function of the documents.

mod traces;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use serde::Serialize;

use crate::api::Endpoint;
use crate::forgotten::{AUTHOR, Forgotten, Heeded, Ids};
use crate::json_text::JsonText;
use crate::model::{Batch, Kind, Platform, Target};
use crate::process;
use crate::replay::{self, PLACES_AT_ONCE};
use crate::store::{Body, Kept, Place, Presence, Redacted, Store, Tombstone, Traces, Tx};
use crate::time::Time;

/// Who or what is to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A note or work, by its id or a short link.
    Item(Target),
    /// A person, by the platform's id: an author, a KOL, somebody who is mentioned.
    Author(Platform, String),
    /// The notes and works that were last seen before this.
    NotSeenSince(Time),
}

/// What forgetting came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// What is forgotten by this: notes and works, people, and short links.
    pub forgotten: Vec<Tombstone>,
    /// Rows that are deleted, by table.
    pub rows: BTreeMap<&'static str, i64>,
    /// Answers that are deleted.
    pub documents_deleted: i64,
    /// Answers that something is cut out of.
    pub documents_redacted: i64,
}

/// A forgetting that is done and can still be undone: it is by being dropped.
#[derive(Debug)]
pub struct Forgetting {
    tx: Tx,
    // Until it is committed nobody else begins to work.
    _presence: Presence,
    /// What it came to.
    pub summary: Summary,
}

impl Forgetting {
    /// Forgets these, for the reason `note`.
    ///
    /// # Errors
    /// When another process is at work, a short link is not known, or the database fails.
    pub async fn begin(
        store: &Store,
        subjects: &[Subject],
        note: Option<&str>,
        now: Time,
    ) -> Result<Self> {
        let presence = process::alone(store).await?;
        let mut tx = store.begin_to_delete().await?;
        tx.take_time().await?;
        keep_others_out(&mut tx).await?;
        let before = tx.count_rows().await?;
        let tombstones = tombstones(&mut tx, subjects, note, now).await?;
        let mut work = Work::new(&mut tx, tombstones, now).await?;
        work.search().await?;
        work.derive().await?;
        let summary = work.bury(&before).await?;
        Ok(Self { tx, _presence: presence, summary })
    }

    /// Makes it so.
    ///
    /// # Errors
    /// When the database cannot; then nothing is forgotten.
    pub async fn commit(self) -> Result<Summary> {
        self.tx.commit().await?;
        Ok(self.summary)
    }
}

/// Permits something to be watched again, with all that was forgotten because of it; how many these
/// are. What was deleted does not come back.
///
/// # Errors
/// When another process is at work, or the database fails.
pub async fn permit_again(store: &Store, kind: &str, platform: Platform, id: &str) -> Result<u64> {
    let _presence = process::alone(store).await?;
    let mut tx = store.begin().await?;
    keep_others_out(&mut tx).await?;
    let permitted = tx.permit_again(kind, platform, id).await?;
    tx.commit().await?;
    Ok(permitted)
}

async fn keep_others_out(tx: &mut Tx) -> Result<()> {
    match tx.keep_others_out().await? {
        Some(verb) => bail!("tidewatch {verb} is at work on this archive: stop it first"),
        None => Ok(()),
    }
}

/// What is to be forgotten: an author with all notes or works, and each of them with its short links.
async fn tombstones(
    tx: &mut Tx,
    subjects: &[Subject],
    note: Option<&str>,
    now: Time,
) -> Result<Vec<Tombstone>> {
    let mut roots: BTreeMap<Target, Option<String>> = BTreeMap::new();
    let mut all = Vec::new();
    for subject in subjects {
        match subject {
            Subject::Item(target) => {
                roots.entry(item_of(tx, target).await?).or_default();
            }
            Subject::Author(platform, id) => {
                all.push(Tombstone::new(AUTHOR, *platform, id, now));
                for item in tx.items_of_author(*platform, id).await? {
                    roots.insert(item, Some(id.clone()));
                }
            }
            Subject::NotSeenSince(at) => {
                for item in tx.items_not_seen_since(*at).await? {
                    roots.entry(item).or_default();
                }
            }
        }
    }
    let items: Vec<_> = roots.keys().cloned().collect();
    let links = tx.links_to(&items).await?;
    for (item, because) in roots {
        let of = |id: &str, because: Option<String>| Tombstone {
            because,
            ..Tombstone::new(item.kind.as_str(), item.kind.platform(), id, now)
        };
        let mine = links.iter().filter(|(_, id)| *id == item.key);
        all.extend(
            mine.map(|(link, _)| {
                of(link, Some(because.clone().unwrap_or_else(|| item.key.clone())))
            }),
        );
        all.push(of(&item.key, because));
    }
    all.iter_mut().for_each(|it| it.note = note.map(str::to_owned));
    Ok(all)
}

/// The item that is meant: a short link means what the archive knows it to lead to.
async fn item_of(tx: &mut Tx, target: &Target) -> Result<Target> {
    if !target.is_short_link() {
        return Ok(target.clone());
    }
    match tx.items_behind(std::slice::from_ref(target)).await?.remove(&target.key) {
        Some(key) => Ok(Target { kind: target.kind, key }),
        None => bail!(
            "the archive does not know where {} leads: name the {} by its id",
            target.key,
            target.kind.as_str()
        ),
    }
}

/// A forgetting under way.
struct Work<'a> {
    tx: &'a mut Tx,
    now: Time,
    forgotten: Forgotten,
    tombstones: Vec<Tombstone>,
    /// The targets that go.
    targets: BTreeSet<i64>,
    /// What has rows to go, or to be made anew.
    traces: Traces,
    deleted: Vec<i64>,
    redacted: i64,
}

impl<'a> Work<'a> {
    async fn new(tx: &'a mut Tx, tombstones: Vec<Tombstone>, now: Time) -> Result<Self> {
        let targets = tx.targets_of(&tombstones).await?.into_iter().collect();
        let mut all = tx.forgotten().await?;
        all.extend(tombstones.iter().cloned());
        let mut traces = Traces::default();
        for Tombstone { platform, kind, id, .. } in &tombstones {
            let platform = Platform::parse(platform);
            match (Kind::parse(kind), platform) {
                (Some(Kind::Note), _) => drop(traces.notes.insert(id.clone())),
                (Some(Kind::Work), _) => drop(traces.works.insert(id.clone())),
                (_, Some(platform)) => {
                    traces.authors.insert((platform, id.clone()));
                    traces.kols.extend((platform == Platform::Xiaohongshu).then(|| id.clone()));
                }
                (_, None) => {}
            }
        }
        let forgotten = Forgotten::of(all)?;
        let deleted = Vec::new();
        Ok(Self { tx, now, forgotten, tombstones, targets, traces, deleted, redacted: 0 })
    }

    /// Goes through all documents, deletes those about what is to go, and cuts it out of the others.
    async fn search(&mut self) -> Result<()> {
        let mut after = 0;
        loop {
            let places = self.tx.documents_numbered_after(after, PLACES_AT_ONCE).await?;
            let Some(last) = places.last() else { return Ok(()) };
            after = last.document_id;
            for places in replay::batches(&places) {
                let (mut gone, mut cut) = (Vec::new(), Vec::new());
                for kept in self.tx.kept(places).await? {
                    self.heed(&kept, &mut gone, &mut cut);
                }
                self.tx.delete_documents(&gone).await?;
                self.tx.redact_documents(&cut).await?;
                self.traces.documents.extend(&gone);
                self.traces.documents.extend(cut.iter().map(|it| it.document_id));
                self.redacted += i64::try_from(cut.len())?;
                self.deleted.append(&mut gone);
            }
        }
    }

    /// Finds out what becomes of a document, and which rows it had a share in.
    fn heed(&mut self, kept: &Kept, gone: &mut Vec<i64>, cut: &mut Vec<Redacted>) {
        let is_target = kept.target_id.is_some_and(|target| self.targets.contains(&target));
        let text = kept.text();
        let Some(endpoint) = Endpoint::parse(&kept.endpoint) else {
            let mut all = Platform::ALL.into_iter().map(|platform| self.forgotten.ids(platform));
            gone.extend(
                (is_target || all.any(|ids| ids.occur_in(&text))).then_some(kept.document_id),
            );
            return;
        };
        if !is_target && !self.forgotten.ids(endpoint.kind().platform()).occur_in(&text) {
            return;
        }
        let (ask, status) = replay::asked(kept);
        let mut reading = endpoint.read(&ask, status, &JsonText::of(&text));
        let before = if kept.is_late() { Batch::default() } else { reading.batch.clone() };
        let mut body = Body { json: text.into_owned(), cleaned: None, exact: None };
        let heeded = match is_target {
            true => Heeded::Dropped(Vec::new()),
            false => {
                let came = (status, self.now);
                self.forgotten.heed(endpoint, &ask, came, &mut body, &mut reading)
            }
        };
        match heeded {
            Heeded::Whole => return,
            Heeded::Dropped(also) => {
                self.tombstones.extend(also);
                gone.push(kept.document_id);
                reading.batch = Batch::default();
            }
            Heeded::Redacted => cut.push(Redacted {
                document_id: kept.document_id,
                body,
                drift: reading.drift,
                redacted_at: self.now,
            }),
        }
        let after = if kept.is_late() { Batch::default() } else { reading.batch };
        self.traces.differ(&before, &after);
    }

    /// Deletes the rows of what is gone, and of what it had a share in, and makes those anew.
    async fn derive(&mut self) -> Result<()> {
        self.tx.delete_rows(&self.traces).await?;
        let ids = Ids::of(self.traces.ids())?;
        let mut after = None;
        loop {
            let places = self.tx.documents_after(after, PLACES_AT_ONCE).await?;
            let Some(last) = places.last() else { return Ok(()) };
            after = Some(*last);
            for places in replay::batches(&places) {
                self.make_anew(places, &ids).await?;
            }
        }
    }

    async fn make_anew(&mut self, places: &[Place], ids: &Ids) -> Result<()> {
        let mut rows = Vec::new();
        for kept in self.tx.kept(places).await? {
            let number = kept.document_id;
            if ids.occur_in(&kept.text()) || self.traces.documents.contains(&number) {
                let mut batch = replay::reading(&kept).map_or_else(Batch::default, |it| it.batch);
                self.traces.retain(number, &mut batch);
                rows.push(kept.turned_partly_into(batch));
            }
        }
        self.tx.put_replayed(&rows).await
    }

    /// Puts up the tombstones, and counts.
    async fn bury(mut self, before: &BTreeMap<&'static str, i64>) -> Result<Summary> {
        self.tx.retire(&self.tombstones).await?;
        let after = self.tx.count_rows().await?;
        let gone = |(table, count): (&&'static str, &i64)| {
            let gone = count - after.get(table).unwrap_or(&0);
            (gone != 0).then_some((*table, gone))
        };
        let rows: BTreeMap<_, _> = before.iter().filter_map(gone).collect();
        let documents_deleted = i64::try_from(self.deleted.len())?;
        self.tombstones.iter_mut().for_each(|it| {
            it.rows_deleted = rows.values().sum();
            it.documents_deleted = documents_deleted;
            it.documents_redacted = self.redacted;
        });
        self.tx.put_forgotten(&self.tombstones).await?;
        let documents_redacted = self.redacted;
        Ok(Summary { forgotten: self.tombstones, rows, documents_deleted, documents_redacted })
    }
}
