//! The rows derived again from the documents, offline: read as the step reads them, and saved as
//! it saves them, in the order in which they were fetched.

use anyhow::{Context as _, Result};

use crate::api::{Ask, Endpoint, Reading};
use crate::document::JsonText;
use crate::model::{Entity, Facts};
use crate::process;
use crate::store::{Derivation, Kept, Place, Replayed, Store, Tx};

/// Documents whose places are fetched at once: each time all documents are gone through.
pub(crate) const PLACES_AT_ONCE: i64 = 100_000;

/// Documents saved in one transaction at the most.
const SAVE_AT_ONCE: usize = 200;

/// Bytes of documents read at once at the most, unless a single one is larger.
const READ_BYTES: i64 = 16 << 20;

/// Drops every row that was made of documents and makes them anew; `progress` is told how many
/// documents are done, and of how many. How many there were. One that was interrupted leaves rows
/// missing, until it is done again.
///
/// # Errors
/// When another process is at work, which only SQLite and other replays tell; or the database
/// fails.
pub async fn replay(store: &Store, mut progress: impl FnMut(i64, i64)) -> Result<i64> {
    let _presence = process::exclusive(store).await?;
    let mut tx = store.begin().await?;
    tx.disable_timeout().await?;
    let total = tx.count_documents().await?;
    tx.drop_rows().await?;
    tx.commit().await?;
    let (mut after, mut done) = (None, 0);
    loop {
        let mut tx = store.read().await?;
        tx.disable_timeout().await?;
        let places = tx.documents_after(after, PLACES_AT_ONCE).await?;
        drop(tx);
        let Some(last) = places.last() else { return Ok(done) };
        after = Some(*last);
        for batch in batches(&places) {
            save(store, batch).await?;
            done += i64::try_from(batch.len())?;
            progress(done, total);
        }
    }
}

/// Documents in groups that are read at once.
pub(crate) fn batches(mut rest: &[Place]) -> impl Iterator<Item = &[Place]> {
    std::iter::from_fn(move || {
        let (batch, others) = rest.split_at_checked(batch(rest))?;
        rest = others;
        Some(batch)
    })
}

/// How many of these documents to take at once.
fn batch(places: &[Place]) -> usize {
    let mut sum = 0;
    let fits = |place: &&Place| {
        sum += place.bytes;
        sum <= READ_BYTES
    };
    places.iter().take(SAVE_AT_ONCE).take_while(fits).count().max(1)
}

async fn save(store: &Store, places: &[Place]) -> Result<()> {
    let kept = store.read().await?.kept(places).await?;
    let replayed: Vec<_> = kept.iter().map(read).collect();
    let mut tx = store.begin_by_keys().await?;
    let stale = tx.put_replayed(&replayed).await.with_context(|| {
        let ids = (places.first().map(|it| it.document_id), places.last().map(|it| it.document_id));
        format!("the rows of the documents from {:?} to {:?}", ids.0, ids.1)
    })?;
    derive_again(&mut tx, stale).await?;
    tx.commit().await
}

/// Derives the rows of entities from all their documents, in the order in which they were fetched.
///
/// # Errors
/// When the database fails.
pub async fn derive_again(tx: &mut Tx, mut entities: Vec<Entity>) -> Result<()> {
    // Items first: which documents speak of an author follows from their rows.
    entities.sort();
    entities.dedup();
    for entity in entities {
        tx.lock_entity(&entity).await?;
        let places = tx.documents_of(&entity).await?;
        let mut derivation = Derivation::of(entity);
        for batch in batches(&places) {
            for kept in tx.kept(batch).await? {
                let read = read(&kept);
                derivation.add(&read.facts, read.document_id, read.fetched_at);
            }
        }
        tx.put_derivation(derivation).await?;
    }
    Ok(())
}

/// What a document says. One of an endpoint that is no more says nothing.
fn read(kept: &Kept) -> Replayed {
    match reading(kept) {
        Some(reading) => kept.read_again(reading.facts, reading.drift),
        None => kept.read_again(Facts::default(), Some("its endpoint is not known".to_owned())),
    }
}

/// The same as it was read when it came; `None` where its endpoint is no more.
pub(crate) fn reading(kept: &Kept) -> Option<Reading> {
    let (ask, http_status) = asked(kept);
    Some(Endpoint::parse(&kept.endpoint)?.read(&ask, http_status, &JsonText::of(&kept.text())))
}

/// What a document was the answer to, and its HTTP status.
pub(crate) fn asked(kept: &Kept) -> (Ask, u16) {
    let ask = Ask { key: kept.asked.clone(), page: u32::try_from(kept.page).unwrap_or(1) };
    (ask, u16::try_from(kept.http_status).unwrap_or_default())
}
