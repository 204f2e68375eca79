//! Entities that wait: answers came that are older than others about them. Their rows are derived
//! from all their documents, a few at a time, outside the transactions that save answers.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::{batches, read, refused};
use crate::model::Entity;
use crate::store::{
    Attempts, ColdReader, Derivation, Kept, Place, Store, TombstoneVersion, Tx, in_time,
};

/// How often an entity is read from the beginning because documents came before others that were
/// read, until it is kept waiting for the next pass.
const READINGS: u32 = 3;

/// One pass over the entities that wait.
#[derive(Debug, Default)]
pub struct Pass {
    after: Option<Entity>,
    reading: Option<Reading>,
    attempts: Attempts,
}

/// Derives the rows of every entity that waits. Returns how many documents were read.
///
/// # Errors
/// When the database fails.
pub async fn derive_waiting(store: &Store) -> Result<usize> {
    let (mut pass, mut documents) = (Pass::default(), 0);
    while let Some(read) = pass.step(store).await? {
        documents += read;
    }
    Ok(documents)
}

impl Pass {
    /// Reads some documents of an entity that waits, and derives its rows once all are read. Returns
    /// how many documents were read, and `None` where no entity is left. Cancel safe.
    ///
    /// # Errors
    /// When the database fails, or does not answer in time; the next step goes on after this entity.
    pub async fn step(&mut self, store: &Store) -> Result<Option<usize>> {
        let error = match in_time(self.go_on(store)).await {
            Ok(read) => {
                self.attempts = Attempts::default();
                return Ok(read);
            }
            Err(error) => error,
        };
        let after = self.attempts.after(error).await;
        if after.is_err() {
            (self.reading, self.attempts) = (None, Attempts::default());
        }
        after.map(|()| Some(0))
    }

    async fn go_on(&mut self, store: &Store) -> Result<Option<usize>> {
        let reading = match &mut self.reading {
            Some(reading) => reading,
            None => {
                let mut tx = store.read_by_keys().await?;
                let next = tx.stale_after(self.after.as_ref()).await?;
                let Some(entity) = next else { return Ok(None) };
                self.after = Some(entity.clone());
                self.reading.insert(Reading::of(&mut tx, entity).await?)
            }
        };
        let read = if reading.tries.is_some() {
            let mut tx = store.begin_by_keys().await?;
            tx.lock_entity(&reading.entity).await?;
            let (read, has_rejected) = reading.try_on(&mut tx).await?;
            // What was tried is undone otherwise.
            if has_rejected {
                tx.commit().await?;
                // What else the document spoke of may come before this entity.
                self.after = None;
            }
            read
        } else {
            reading.read_on(&mut store.read_by_keys().await?).await?
        };
        if reading.is_read() && (reading.put(store).await? || reading.readings >= READINGS) {
            self.reading = None;
        }
        Ok(Some(read))
    }
}

/// What a derivation rests on.
#[derive(Debug, PartialEq)]
struct Basis {
    places: Vec<Place>,
    /// An erasure changes documents in place.
    tombstones: TombstoneVersion,
}

impl Basis {
    async fn of(tx: &mut Tx, entity: &Entity) -> Result<Self> {
        let tombstones = tx.tombstone_version().await?;
        Ok(Self { places: tx.documents_of(entity).await?, tombstones })
    }
}

/// An entity of which some documents are read.
#[derive(Debug)]
struct Reading {
    entity: Entity,
    basis: Basis,
    /// How many documents, from the first, the derivation contains.
    read: usize,
    derivation: Derivation,
    /// The database has refused the rows: how many documents to add before it is asked again.
    tries: Option<usize>,
    /// How often it was read from the beginning since documents came in between.
    readings: u32,
    cold: ColdReader,
}

impl Reading {
    async fn of(tx: &mut Tx, entity: Entity) -> Result<Self> {
        let basis = Basis::of(tx, &entity).await?;
        let derivation = Derivation::of(entity.clone());
        let cold = ColdReader::default();
        Ok(Self { entity, basis, read: 0, derivation, tries: None, readings: 0, cold })
    }

    fn begin_again(&mut self) {
        (self.read, self.derivation) = (0, Derivation::of(self.entity.clone()));
    }

    fn is_read(&self) -> bool {
        self.read == self.basis.places.len()
    }

    fn next(&self) -> &[Place] {
        batches(&self.basis.places[self.read..]).next().unwrap_or_default()
    }

    /// Adds the next documents. Returns how many.
    async fn read_on(&mut self, tx: &mut Tx) -> Result<usize> {
        let next = self.next();
        let next = next.to_vec();
        let (count, kept) = (next.len(), tx.kept_by(&mut self.cold, &next).await?);
        kept.iter().for_each(|kept| add(&mut self.derivation, kept));
        self.read += count;
        Ok(count)
    }

    /// Adds the next documents, fewer and fewer, until the database takes the rows: it leaves those
    /// of all that are read. A single one with which it refuses them is rejected. Returns how many
    /// documents were read, and whether one was rejected.
    async fn try_on(&mut self, tx: &mut Tx) -> Result<(usize, bool)> {
        let next = self.next();
        let next = &next[..next.len().min(self.tries.unwrap_or(usize::MAX))];
        let (count, kept) = (next.len(), tx.kept(next).await?);
        let mut derivation = self.derivation.clone();
        kept.iter().for_each(|kept| add(&mut derivation, kept));
        let is_taken = tx.try_derivation(derivation.clone()).await?;
        if is_taken {
            self.derivation = derivation;
        } else if count > 1 {
            self.tries = Some(count / 2);
            return Ok((count, false));
        } else {
            for kept in &kept {
                reject(tx, kept, &self.entity).await?;
            }
            self.basis.places[self.read].is_refused = true;
        }
        self.read += count;
        self.tries = Some(count.max(1) * 2);
        Ok((count, !is_taken))
    }

    /// Writes the rows, unless the database refuses them.
    async fn write(&mut self, tx: &mut Tx) -> Result<bool> {
        let is_taken = tx.try_derivation(self.derivation.clone()).await?;
        if !is_taken {
            ensure!(self.tries.is_none(), "the database refuses rows that it took before");
            self.tries = Some(usize::MAX);
            self.begin_again();
        }
        Ok(is_taken)
    }

    /// Writes the rows, unless they rest on something else by now. True if the entity waits no more.
    async fn put(&mut self, store: &Store) -> Result<bool> {
        let mut tx = store.begin_by_keys().await?;
        tx.lock_entity(&self.entity).await?;
        if !tx.unmark_stale(&self.entity).await? {
            return Ok(true);
        }
        let basis = Basis::of(&mut tx, &self.entity).await?;
        if basis != self.basis {
            self.rest_on(basis);
            return Ok(false);
        }
        let is_written = self.write(&mut tx).await?;
        if is_written {
            tx.commit().await?;
        }
        Ok(is_written)
    }

    /// Goes on with documents that were added at the end, and begins again where others changed.
    fn rest_on(&mut self, basis: Basis) {
        let is_same = basis.tombstones == self.basis.tombstones
            && basis.places.starts_with(&self.basis.places);
        if !is_same {
            self.readings += 1;
            self.begin_again();
        }
        self.basis = basis;
    }
}

fn add(derivation: &mut Derivation, kept: &Kept) {
    let read = read(kept);
    derivation.add(&read.facts, read.document_id, read.fetched_at);
}

/// Keeps a document as a text without rows, since the database refuses those of an entity with it.
/// What else it spoke of waits to be derived without it.
async fn reject(tx: &mut Tx, kept: &Kept, entity: &Entity) -> Result<()> {
    let document_id = kept.document_id;
    tracing::error!(document_id, "the database rejected a document's rows; stored as text");
    let mut others: BTreeSet<_> = read(kept).facts.entities().collect();
    others.remove(entity);
    tx.clear_documents(&[document_id]).await?;
    tx.put_replayed(&[refused(kept).with_body(kept.refused())]).await?;
    tx.mark_stale(&others).await
}

/// Derives the rows of every entity that waits, within a transaction.
pub(crate) async fn derive_all(tx: &mut Tx) -> Result<()> {
    while let Some(entity) = tx.stale_after(None).await? {
        derive_again(tx, vec![entity]).await?;
    }
    Ok(())
}

/// Derives the rows of entities from all their documents, in the order in which they were fetched,
/// within a transaction in which nobody else is at work; they wait no more.
pub(crate) async fn derive_again(tx: &mut Tx, mut entities: Vec<Entity>) -> Result<()> {
    // Items first: which documents speak of an author follows from their rows.
    entities.sort();
    entities.dedup();
    for entity in entities {
        tx.lock_entity(&entity).await?;
        tx.unmark_stale(&entity).await?;
        let mut reading = Reading::of(tx, entity).await?;
        while !(reading.is_read() && reading.write(tx).await?) {
            if reading.tries.is_some() {
                reading.try_on(tx).await?;
            } else {
                reading.read_on(tx).await?;
            }
        }
    }
    Ok(())
}
