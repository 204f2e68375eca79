//! Entities that wait: answers came that are older than others about them. Their rows are derived
//! from all their documents, outside the transactions that save answers.

use anyhow::Result;

use super::{batches, read};
use crate::model::Entity;
use crate::store::{Attempts, Derivation, Place, Store, TombstoneVersion, Tx, in_time, is_refused};

/// How often an entity is read while answers about it keep coming, before they are kept waiting.
const READINGS: u32 = 3;

/// One pass over the entities that wait.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    after: Option<Entity>,
}

/// Derives the rows of every entity that waits. Returns how many documents were read. Entities that
/// the database refuses are logged, and go on waiting.
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
    /// Derives the rows of the next entity that waits. Returns how many documents were read, and
    /// `None` where none is left.
    ///
    /// # Errors
    /// When the database fails; the next step goes on after this entity.
    pub(crate) async fn step(&mut self, store: &Store) -> Result<Option<usize>> {
        let next = async { store.read_by_keys().await?.stale_after(self.after.as_ref()).await };
        let Some(entity) = in_time(next).await? else { return Ok(None) };
        self.after = Some(entity.clone());
        let mut attempts = Attempts::default();
        loop {
            match derive(store, &entity).await {
                Ok(read) => return Ok(Some(read)),
                Err(error) if is_refused(&error) => {
                    let (kind, id, error) = (entity.kind, &entity.id, format!("{error:#}"));
                    tracing::error!(%kind, id, error, "the database rejected derived rows");
                    return Ok(Some(0));
                }
                Err(error) => attempts.after(error).await?,
            }
        }
    }
}

/// What a derivation rests on.
#[derive(PartialEq)]
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

/// Derives the rows of an entity: reads without a transaction that would hold up others, and writes
/// where nothing has changed since.
async fn derive(store: &Store, entity: &Entity) -> Result<usize> {
    let mut documents = 0;
    for _ in 0..READINGS {
        let basis = async { Basis::of(&mut store.read_by_keys().await?, entity).await };
        let basis = in_time(basis).await?;
        let mut derivation = Derivation::of(entity.clone());
        for batch in batches(&basis.places) {
            let kept = async { store.read_by_keys().await?.kept(batch).await };
            for kept in in_time(kept).await? {
                let read = read(&kept);
                derivation.add(&read.facts, read.document_id, read.fetched_at);
            }
        }
        documents += basis.places.len();
        if in_time(put(store, entity, &basis, derivation)).await? {
            return Ok(documents);
        }
    }
    let mut tx = store.begin_by_keys().await?;
    documents += derive_again(&mut tx, vec![entity.clone()]).await?;
    tx.commit().await?;
    Ok(documents)
}

/// Writes a derivation, unless it rests on something else by now. True if the entity waits no more.
async fn put(
    store: &Store,
    entity: &Entity,
    basis: &Basis,
    derivation: Derivation,
) -> Result<bool> {
    let mut tx = store.begin_by_keys().await?;
    tx.lock_entity(entity).await?;
    if !tx.unmark_stale(entity).await? {
        return Ok(true);
    }
    if Basis::of(&mut tx, entity).await? != *basis {
        return Ok(false);
    }
    tx.put_derivation(derivation).await?;
    tx.commit().await?;
    Ok(true)
}

/// Derives the rows of every entity that waits, within a transaction.
pub(crate) async fn derive_all(tx: &mut Tx) -> Result<()> {
    while let Some(entity) = tx.stale_after(None).await? {
        derive_again(tx, vec![entity]).await?;
    }
    Ok(())
}

/// Derives the rows of entities from all their documents, in the order in which they were fetched,
/// within a transaction; they wait no more. Returns how many documents were read.
pub(crate) async fn derive_again(tx: &mut Tx, mut entities: Vec<Entity>) -> Result<usize> {
    // Items first: which documents speak of an author follows from their rows.
    entities.sort();
    entities.dedup();
    let mut documents = 0;
    for entity in entities {
        tx.lock_entity(&entity).await?;
        tx.unmark_stale(&entity).await?;
        let places = tx.documents_of(&entity).await?;
        documents += places.len();
        let mut derivation = Derivation::of(entity);
        for batch in batches(&places) {
            for kept in tx.kept(batch).await? {
                let read = read(&kept);
                derivation.add(&read.facts, read.document_id, read.fetched_at);
            }
        }
        tx.put_derivation(derivation).await?;
    }
    Ok(documents)
}
