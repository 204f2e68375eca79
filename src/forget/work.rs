//! Going through the documents: what is to go is found, deleted and cut out, and rows are made anew.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::Summary;
use crate::api::Endpoint;
use crate::document::JsonText;
use crate::forgotten::{Forgotten, Heeded, Ids, Tombstones};
use crate::model::{Batch, Platform};
use crate::replay::{self, PLACES_AT_ONCE};
use crate::store::{AffectedRows, Body, Kept, Place, Redacted, Tombstone, Tx};
use crate::time::Time;

/// A forgetting under way.
pub(super) struct Work<'a> {
    tx: &'a mut Tx,
    now: Time,
    forgotten: Forgotten,
    tombstones: Tombstones,
    /// What a pass through the documents has found besides.
    found: Vec<Tombstone>,
    /// The targets that go.
    targets: BTreeSet<i64>,
    /// What has rows to go, or to be made anew.
    traces: AffectedRows,
    deleted: BTreeSet<i64>,
    redacted: BTreeSet<i64>,
}

impl<'a> Work<'a> {
    /// Begins with these.
    pub(super) async fn new(tx: &'a mut Tx, tombstones: Vec<Tombstone>, now: Time) -> Result<Self> {
        let forgotten = Forgotten::of(tx.tombstones().await?)?;
        let mut work = Self {
            tx,
            now,
            forgotten,
            tombstones: Tombstones::default(),
            found: tombstones,
            targets: BTreeSet::new(),
            traces: AffectedRows::default(),
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
    pub(super) async fn search(&mut self) -> Result<()> {
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
    pub(super) async fn derive(&mut self) -> Result<()> {
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
    pub(super) async fn bury(
        self,
        note: Option<&str>,
        before: &BTreeMap<&'static str, i64>,
    ) -> Result<Summary> {
        let mut forgotten: Vec<_> = self.tombstones.all().cloned().collect();
        self.tx.retire_targets(&forgotten).await?;
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
        self.tx.put_tombstones(&forgotten).await?;
        Ok(Summary { forgotten, rows, documents_deleted, documents_redacted })
    }
}
