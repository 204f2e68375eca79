//! The sweep through the documents: those about what is erased are deleted, others redacted, and
//! the entities that they spoke of derived again from what is left.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Summary;
use super::filter::{Filter, Verdict};
use super::redact::Known;
use super::tombstones::{AUTHOR, Tombstones};
use crate::api::Endpoint;
use crate::model::{Entity, Facts, Kind, Platform};
use crate::replay::{self, PLACES_AT_ONCE};
use crate::store::{
    Body, ColdReader, DamagedColdFile, Document, Kept, KnownAs, Place, Redacted, Tombstone, Tx,
};
use crate::time::Time;

/// A sweep under way.
pub(super) struct Sweep<'a> {
    tx: &'a mut Tx,
    now: Time,
    filter: Filter,
    /// What is erased by this.
    erased: Tombstones,
    /// What the last documents have shown to be erased, too.
    found: Vec<Tombstone>,
    /// The targets of what is erased.
    targets: BTreeSet<i64>,
    /// Entities of which a document has said something that it says no more.
    affected: BTreeSet<Entity>,
    deleted: BTreeSet<i64>,
    redacted: BTreeSet<i64>,
}

/// Erases what answers have shown to be erased, and records it: what the archive has of it came
/// before that was known. What other documents say of it stays until the next erasure. Whether
/// anything was: then entities wait to be derived.
pub(crate) async fn erase_found(tx: &mut Tx, filter: &Filter) -> Result<bool> {
    let Some(first) = filter.found().first() else { return Ok(false) };
    let mut sweep = Sweep::new(tx, Filter::default(), filter.found().to_vec(), first.forgotten_at);
    sweep.learn().await?;
    let targets: Vec<_> = sweep.targets.iter().copied().collect();
    let places = sweep.tx.documents_of_targets(&targets).await?;
    let cold = sweep.tx.cold_among(&places).await?;
    let is_cold: BTreeSet<_> = cold.iter().flatten().map(|it| it.document_id).collect();
    for places in cold {
        match sweep.pass_cold(&places).await {
            // Answers that come in are saved all the same: an erasure finds these once they can be read.
            Err(error) if error.is::<DamagedColdFile>() => {
                tracing::error!("answers about something erased cannot be deleted: {error:#}");
            }
            passed => passed?,
        }
    }
    let hot: Vec<_> = places.into_iter().filter(|it| !is_cold.contains(&it.document_id)).collect();
    sweep.pass(&hot).await?;
    sweep.empty().await?;
    let Sweep { tx, now, erased, deleted, .. } = sweep;
    let erased: Vec<_> = erased.all().cloned().collect();
    if !deleted.is_empty() {
        tx.leave_uncleared(now).await?;
    }
    tx.retire_targets(&erased, &[]).await?;
    tx.put_tombstones(&erased).await?;
    Ok(true)
}

/// Erases what these tombstones stand for from all documents and rows.
pub(super) async fn erase(
    tx: &mut Tx,
    tombstones: Vec<Tombstone>,
    note: Option<&str>,
    now: Time,
) -> Result<Summary> {
    tx.require_known_files().await?;
    let before = tx.count_rows().await?;
    let version = tx.tombstone_version().await?;
    let filter = Filter::of(version, tx.tombstones().await?)?;
    let mut sweep = Sweep::new(tx, filter, tombstones, now);
    // Once more for what was only found on the way.
    while sweep.learn().await? {
        for file in sweep.tx.cold_files().await? {
            let places = sweep.tx.documents_of_cold_file(file.cold_file_id).await?;
            sweep.pass_cold(&places).await?;
        }
        let mut after = 0;
        loop {
            let places = sweep.tx.hot_documents_after(after, PLACES_AT_ONCE).await?;
            let Some(last) = places.last() else { break };
            after = last.document_id;
            sweep.pass(&places).await?;
        }
    }
    sweep.derive().await?;
    let Sweep { tx, filter, erased, deleted, redacted, .. } = sweep;
    let mut erased: Vec<_> = erased.all().cloned().collect();
    let names = filter.known().flat_map(|it| it.names.iter().chain(&it.handles));
    tx.retire_targets(&erased, &names.cloned().collect::<Vec<_>>()).await?;
    tx.leave_uncleared(now).await?;
    let mut rows = before;
    for (table, left) in tx.count_rows().await? {
        rows.entry(table).and_modify(|count| *count -= left);
    }
    rows.retain(|_, gone| *gone != 0);
    let documents_deleted = i64::try_from(deleted.len())?;
    let documents_redacted = i64::try_from(redacted.difference(&deleted).count())?;
    for it in &mut erased {
        it.note = note.map(str::to_owned);
        it.rows_deleted = rows.values().sum();
        (it.documents_deleted, it.documents_redacted) = (documents_deleted, documents_redacted);
    }
    tx.put_tombstones(&erased).await?;
    Ok(Summary { forgotten: erased, rows, documents_deleted, documents_redacted })
}

impl<'a> Sweep<'a> {
    fn new(tx: &'a mut Tx, filter: Filter, tombstones: Vec<Tombstone>, now: Time) -> Self {
        Self {
            tx,
            now,
            filter,
            erased: Tombstones::default(),
            found: tombstones,
            targets: BTreeSet::new(),
            affected: BTreeSet::new(),
            deleted: BTreeSet::new(),
            redacted: BTreeSet::new(),
        }
    }

    /// Adds what was found to what is erased, with the short links to it; false where nothing is new.
    async fn learn(&mut self) -> Result<bool> {
        let mut found = std::mem::take(&mut self.found);
        found.extend(self.tx.links_with(&found).await?);
        for it in found.clone() {
            found.extend(self.known(&it).await?);
        }
        found.retain(|it| self.erased.add(it.clone()));
        self.targets.extend(self.tx.targets_of(&found).await?);
        self.affected.extend(found.iter().flat_map(entities));
        // What is on record already may be erased again: its tombstone is in the filter.
        self.filter.add(found.clone())?;
        Ok(!found.is_empty())
    }

    /// Learns by what else somebody is known; tombstones of their other ids.
    async fn known(&mut self, person: &Tombstone) -> Result<Vec<Tombstone>> {
        let Some(platform) = Platform::parse(&person.platform).filter(|_| person.kind == AUTHOR)
        else {
            return Ok(Vec::new());
        };
        let KnownAs { ids, names, handles } = self.tx.known_as(platform, &person.id).await?;
        self.filter.know(platform, Known { names, handles });
        let because = Some(person.because.as_ref().unwrap_or(&person.id));
        let other = |id| Tombstone { id, because: because.cloned(), ..person.clone() };
        Ok(ids.into_iter().map(other).collect())
    }

    /// Goes through documents, deletes those about what is erased, and redacts others.
    async fn pass(&mut self, places: &[Place]) -> Result<()> {
        for places in replay::batches(places) {
            let (mut gone, mut left) = (Vec::new(), Vec::new());
            for kept in self.tx.kept(places).await? {
                self.judge(&kept, &mut gone, &mut left);
            }
            self.erase(gone, &left).await?;
        }
        Ok(())
    }

    /// The same with documents of one cold file, which is written anew at most once.
    async fn pass_cold(&mut self, places: &[Place]) -> Result<()> {
        let (mut gone, mut left) = (Vec::new(), Vec::new());
        let mut cold = ColdReader::default();
        for places in replay::batches(places) {
            for kept in self.tx.kept_by(&mut cold, places).await? {
                self.judge(&kept, &mut gone, &mut left);
            }
        }
        self.erase(gone, &left).await
    }

    async fn erase(&mut self, gone: Vec<i64>, left: &[Redacted]) -> Result<()> {
        self.tx.erase_documents(&gone, left, self.now).await?;
        self.redacted.extend(left.iter().map(|it| it.document_id));
        self.deleted.extend(gone);
        Ok(())
    }

    fn judge(&mut self, kept: &Kept, gone: &mut Vec<i64>, left: &mut Vec<Redacted>) {
        let is_target = kept.target_id.is_some_and(|target| self.targets.contains(&target));
        let text = kept.text();
        let is_meant = is_target || self.filter.is_asked(&kept.asked);
        if !is_meant && !self.filter.may_speak(&text) {
            return;
        }
        // A late document makes no rows, and so does one of an endpoint that is no more.
        let said = |facts| if kept.is_late() { Facts::default() } else { facts };
        let Some(endpoint) = Endpoint::parse(&kept.endpoint).filter(|_| !is_target) else {
            if !is_meant && !self.filter.occurs_in(&text) {
                return;
            }
            let facts = replay::reading(kept).map(|it| said(it.facts)).unwrap_or_default();
            self.affected.extend(facts.entities());
            gone.push(kept.document_id);
            return;
        };
        let mut document = Document {
            endpoint: endpoint.as_str(),
            page: kept.page,
            fetched_at: kept.fetched_at,
            http_status: replay::asked(kept).1,
            drift: None,
            body: Body { json: text.into_owned(), cleaned: None, exact: None },
            imported_at: None,
            redacted_at: None,
        };
        match self.filter.judge(&kept.asked, &kept.asked, &mut document, self.now) {
            Verdict::Untouched => {}
            Verdict::Redacted(before, after, found) => {
                self.found.extend(found);
                let (before, facts) = (said(before), said(after));
                self.affected.extend(before.minus(&facts).entities());
                self.affected.extend(facts.minus(&before).entities());
                left.push(Redacted {
                    document_id: kept.document_id,
                    fetched_at: kept.fetched_at,
                    body: document.body.json,
                    drift: document.drift,
                    redacted_at: document.redacted_at,
                    facts,
                });
            }
            Verdict::Dropped(before, found) => {
                self.affected.extend(said(before).entities());
                self.found.extend(found);
                gone.push(kept.document_id);
            }
        }
    }

    /// Derives again what the documents said otherwise, from those that are left.
    async fn derive(&mut self) -> Result<()> {
        let affected = std::mem::take(&mut self.affected);
        replay::derive_again(self.tx, affected.into_iter().collect()).await
    }

    /// Deletes the rows of what the documents said otherwise, which may hold what is erased. What is
    /// not erased itself waits to be derived from the documents that are left.
    async fn empty(&mut self) -> Result<()> {
        let mut affected = std::mem::take(&mut self.affected);
        for entity in &affected {
            self.tx.lock_entity(entity).await?;
            self.tx.unmark_stale(entity).await?;
            self.tx.delete_entity(entity).await?;
        }
        for it in self.erased.all() {
            let author =
                it.because.clone().map(|id| Tombstone { kind: AUTHOR.into(), id, ..it.clone() });
            for erased in author.iter().chain([it]).flat_map(entities) {
                affected.remove(&erased);
            }
        }
        self.tx.mark_stale(&affected).await
    }
}

/// What the archive has of something that is erased.
fn entities(tombstone: &Tombstone) -> Vec<Entity> {
    let Tombstone { platform, kind, id, .. } = tombstone;
    match (Kind::parse(kind), Platform::parse(platform)) {
        (Some(Kind::Note), _) => vec![Entity::note(id)],
        (Some(Kind::Work), _) => vec![Entity::work(id)],
        (_, Some(platform)) if kind == AUTHOR => {
            let kol = (platform == Platform::Xiaohongshu).then(|| Entity::kol(id));
            [Entity::author(platform, id)].into_iter().chain(kol).collect()
        }
        _ => Vec::new(),
    }
}
