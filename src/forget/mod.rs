//! Forgetting: a note, a work or a person is deleted from the archive, with what other answers say of
//! them, and is not let in again.
//!
//! All of it is one transaction, with nobody else at work. The documents are gone through once for
//! what is to go, and once more for the rows that they had a share in, which are made anew of what is
//! left: so the rows stay a pure function of the documents.

mod traces;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use serde::Serialize;

use crate::api::Endpoint;
use crate::forgotten::{AUTHOR, Forgotten, Heeded, Ids, Tombstones, said_of};
use crate::json_text::JsonText;
use crate::model::{Batch, Platform, Target};
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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

/// A forgetting that is done and can still be undone: it is by being dropped. Until then nobody else
/// begins to work.
#[derive(Debug)]
pub struct Forgetting<'a> {
    asked: Asked<'a>,
    /// `None` while somebody is asked.
    tx: Option<Tx>,
    presence: Presence,
    /// What it came to.
    pub summary: Summary,
}

/// What is to be forgotten, where, and why.
#[derive(Clone, Copy, Debug)]
struct Asked<'a> {
    store: &'a Store,
    subjects: &'a [Subject],
    note: Option<&'a str>,
    now: Time,
}

impl<'a> Forgetting<'a> {
    /// Forgets these, for the reason `note`.
    ///
    /// # Errors
    /// When another process is at work, a short link is not known, or the database fails.
    pub async fn begin(
        store: &'a Store,
        subjects: &'a [Subject],
        note: Option<&'a str>,
        now: Time,
    ) -> Result<Self> {
        let asked = Asked { store, subjects, note, now };
        let presence = process::alone(store).await?;
        let (tx, summary) = asked.forget().await?;
        Ok(Self { asked, tx: Some(tx), presence, summary })
    }

    /// Undoes it for as long as somebody is asked, so that readers do not wait for people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_aside(&mut self) -> Result<()> {
        match self.tx.take() {
            Some(tx) => tx.undo().await,
            None => Ok(()),
        }
    }

    /// Makes it so. Nobody else begins to work while what this returns is kept: what deleted rows
    /// left behind can be cleared away.
    ///
    /// # Errors
    /// When the database cannot, or something else would go by now than was found before;
    /// then nothing is forgotten.
    pub async fn commit(self) -> Result<(Summary, Presence)> {
        let Self { asked, tx, presence, summary } = self;
        let tx = match tx {
            Some(tx) => tx,
            None => {
                let (tx, again) = asked.forget().await?;
                ensure!(again == summary, "something else would go by now: try it again");
                tx
            }
        };
        tx.commit().await?;
        Ok((summary, presence))
    }
}

impl Asked<'_> {
    /// Forgets, and leaves it to others to commit that.
    async fn forget(self) -> Result<(Tx, Summary)> {
        let Self { store, subjects, note, now } = self;
        let mut tx = store.begin_to_delete().await?;
        tx.take_time().await?;
        keep_others_out(&mut tx, now).await?;
        let before = tx.count_rows().await?;
        let tombstones = tombstones(&mut tx, subjects, now).await?;
        let mut work = Work::new(&mut tx, tombstones, now).await?;
        work.search().await?;
        work.derive().await?;
        let summary = work.bury(note, &before).await?;
        Ok((tx, summary))
    }
}

/// Clears away what deleted rows left behind, with nobody else at work whom that would hold up.
/// Whether all of it was.
///
/// # Errors
/// When another process is at work, or the database cannot.
pub async fn clear_away(store: &Store) -> Result<bool> {
    let _presence = process::alone(store).await?;
    store.clear_away().await
}

/// Permits something to be watched again, with all that was forgotten because of it; how many these
/// are. What was deleted does not come back.
///
/// # Errors
/// When another process is at work, or the database fails.
pub async fn permit_again(
    store: &Store,
    kind: &str,
    platform: Platform,
    id: &str,
    now: Time,
) -> Result<u64> {
    let _presence = process::alone(store).await?;
    let mut tx = store.begin().await?;
    keep_others_out(&mut tx, now).await?;
    let permitted = tx.permit_again(kind, platform, id).await?;
    tx.commit().await?;
    Ok(permitted)
}

async fn keep_others_out(tx: &mut Tx, now: Time) -> Result<()> {
    match tx.keep_others_out(process::silence(now)).await? {
        Some(verb) => bail!(
            "tidewatch {verb} is at work on this archive: stop it first; one that was killed is known \
             to be gone after a minute"
        ),
        None => Ok(()),
    }
}

/// What is to be forgotten: an author with all notes or works, and each of them with its short links.
async fn tombstones(tx: &mut Tx, subjects: &[Subject], now: Time) -> Result<Vec<Tombstone>> {
    let mut items: BTreeMap<Target, Option<String>> = BTreeMap::new();
    let mut all = Vec::new();
    for subject in subjects {
        match subject {
            Subject::Item(target) => {
                items.entry(item_of(tx, target).await?).or_default();
            }
            Subject::Author(platform, id) => {
                all.push(Tombstone::new(AUTHOR, *platform, id, now));
                for item in tx.items_of_author(*platform, id).await? {
                    items.insert(item, Some(id.clone()));
                }
            }
            Subject::NotSeenSince(at) => {
                for item in tx.items_not_seen_since(*at).await? {
                    items.entry(item).or_default();
                }
            }
        }
    }
    all.extend(items.into_iter().map(|(item, because)| Tombstone {
        because,
        ..Tombstone::new(item.kind.as_str(), item.kind.platform(), &item.key, now)
    }));
    Ok(all)
}

/// The item that is meant: a short link means what the archive knows it to lead to.
async fn item_of(tx: &mut Tx, target: &Target) -> Result<Target> {
    if !target.is_short_link() {
        return Ok(target.clone());
    }
    let (key, kind) = (&target.key, target.kind.as_str());
    if let Some(key) = tx.items_behind(std::slice::from_ref(target)).await?.remove(key) {
        return Ok(Target { kind: target.kind, key });
    }
    match Tombstones::of(tx.forgotten().await?).target(target) {
        Some(tombstone) => bail!("{key} is forgotten already: {}", said_of(tombstone)),
        None => {
            bail!("the archive does not know where {key} leads: name the {kind} by its id")
        }
    }
}

/// A forgetting under way.
struct Work<'a> {
    tx: &'a mut Tx,
    now: Time,
    forgotten: Forgotten,
    tombstones: Tombstones,
    /// What a pass through the documents has found besides.
    found: Vec<Tombstone>,
    /// The targets that go.
    targets: BTreeSet<i64>,
    /// What has rows to go, or to be made anew.
    traces: Traces,
    deleted: BTreeSet<i64>,
    redacted: BTreeSet<i64>,
}

impl<'a> Work<'a> {
    async fn new(tx: &'a mut Tx, tombstones: Vec<Tombstone>, now: Time) -> Result<Self> {
        let forgotten = Forgotten::of(tx.forgotten().await?)?;
        let mut work = Self {
            tx,
            now,
            forgotten,
            tombstones: Tombstones::default(),
            found: tombstones,
            targets: BTreeSet::new(),
            traces: Traces::default(),
            deleted: BTreeSet::new(),
            redacted: BTreeSet::new(),
        };
        work.learn().await?;
        Ok(work)
    }

    /// Takes what was found among what is forgotten, with the short links to it; false where there
    /// was nothing new.
    async fn learn(&mut self) -> Result<bool> {
        let mut found = std::mem::take(&mut self.found);
        found.extend(self.tx.links_with(&found).await?);
        found.retain(|it| self.tombstones.add(it.clone()));
        self.targets.extend(self.tx.targets_of(&found).await?);
        self.traces.add(&found);
        let is_new = !found.is_empty();
        if is_new {
            self.forgotten = self.forgotten.with(found)?;
        }
        Ok(is_new)
    }

    /// Goes through all documents, and again for what was only found on the way.
    async fn search(&mut self) -> Result<()> {
        loop {
            self.pass().await?;
            if !self.learn().await? {
                return Ok(());
            }
        }
    }

    /// Goes through all documents, deletes those about what is to go, and cuts it out of the others.
    async fn pass(&mut self) -> Result<()> {
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
                self.redacted.extend(cut.iter().map(|it| it.document_id));
                self.deleted.extend(gone);
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
                self.forgotten.heed(endpoint, (&ask, &ask.key), came, &mut body, &mut reading)
            }
        };
        match heeded {
            Heeded::Whole => return,
            Heeded::Dropped(also) => {
                self.found.extend(also);
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
        self.traces.documents.extend(self.deleted.union(&self.redacted));
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
    async fn bury(
        self,
        note: Option<&str>,
        before: &BTreeMap<&'static str, i64>,
    ) -> Result<Summary> {
        let mut forgotten: Vec<_> = self.tombstones.all().cloned().collect();
        self.tx.retire(&forgotten).await?;
        let after = self.tx.count_rows().await?;
        let gone = |(table, count): (&&'static str, &i64)| {
            let gone = count - after.get(table).unwrap_or(&0);
            (gone != 0).then_some((*table, gone))
        };
        let rows: BTreeMap<_, _> = before.iter().filter_map(gone).collect();
        let documents_deleted = i64::try_from(self.deleted.len())?;
        let documents_redacted = i64::try_from(self.redacted.difference(&self.deleted).count())?;
        forgotten.iter_mut().for_each(|it| {
            it.note = note.map(str::to_owned);
            it.rows_deleted = rows.values().sum();
            it.documents_deleted = documents_deleted;
            it.documents_redacted = documents_redacted;
        });
        self.tx.put_forgotten(&forgotten).await?;
        Ok(Summary { forgotten, rows, documents_deleted, documents_redacted })
    }
}
