//! The rows derived again from the documents, offline: read as the step reads them, and saved as
//! it saves them, in the order in which they were fetched.

mod waiting;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::api::{Ask, Endpoint, Reading};
use crate::document::JsonText;
use crate::model::Facts;
use crate::process;
use crate::store::{
    Attempts, ColdReader, Kept, Place, Replayed, Store, TombstoneVersion, is_refused,
};

pub use waiting::{Pass, derive_waiting};
pub(crate) use waiting::{derive_again, derive_all};

/// Documents whose places are fetched at once: each time all documents are gone through.
pub(crate) const PLACES_AT_ONCE: i64 = 100_000;

/// Documents whose cold ones are read at once, file by file, at the most: what they say stays in memory
/// until it is their turn, and a file is read once for all of its documents among them.
const COLD_AT_ONCE: usize = 20_000;

/// The same in bytes of documents.
const COLD_BYTES: i64 = 512 << 20;

/// Documents saved in one transaction at the most.
const SAVE_AT_ONCE: usize = 200;

/// Drift of a document whose rows the database refuses.
const REJECTED: &str = "the database rejected its JSON or its rows";

/// Bytes of documents read at once at the most, unless a single one is larger.
const READ_BYTES: i64 = 16 << 20;

/// Drops every row that was made of documents and makes them anew; `progress` is told how many
/// documents are done, and of how many. How many there were. One that was interrupted leaves rows
/// missing, until it is done again.
///
/// # Errors
/// When another process is at work, which only SQLite and other replays tell; or a cold file is
/// damaged, or the database fails.
pub async fn replay(store: &Store, mut progress: impl FnMut(i64, i64)) -> Result<i64> {
    let _presence = process::exclusive(store).await?;
    require_readable(store).await?;
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
        let Some(last) = places.last() else { break };
        after = Some(*last);
        for stretch in groups(&places, COLD_AT_ONCE, COLD_BYTES) {
            let mut cold = read_cold(store, stretch).await?;
            for batch in batches(stretch) {
                save(store, batch, &mut cold).await?;
                done += i64::try_from(batch.len())?;
                progress(done, total);
            }
        }
    }
    derive_waiting(store).await?;
    Ok(done)
}

/// Refuses while a cold file is damaged: rows cannot be made anew of answers that cannot be read.
async fn require_readable(store: &Store) -> Result<()> {
    let mut tx = store.read().await?;
    tx.disable_timeout().await?;
    tx.require_known_files().await?;
    for file in tx.cold_files().await? {
        tx.open_cold_file(file.cold_file_id).await?;
    }
    Ok(())
}

/// Documents in groups that are read at once.
pub(crate) fn batches(places: &[Place]) -> impl Iterator<Item = &[Place]> {
    groups(places, SAVE_AT_ONCE, READ_BYTES)
}

/// Documents in groups of at most so many, and so many bytes, unless a single one has more.
pub(crate) fn groups(
    mut rest: &[Place],
    documents: usize,
    bytes: i64,
) -> impl Iterator<Item = &[Place]> {
    std::iter::from_fn(move || {
        let mut sum = 0;
        let fits = |place: &&Place| {
            sum += place.bytes;
            sum <= bytes
        };
        let count = rest.iter().take(documents).take_while(fits).count().max(1);
        let (group, others) = rest.split_at_checked(count)?;
        rest = others;
        Some(group)
    })
}

/// What cold documents say, read while the tombstones had this version.
struct Cold {
    tombstones: TombstoneVersion,
    said: BTreeMap<i64, Replayed>,
}

/// What the cold ones of these documents say. They are read in the order of their files, not in their
/// own: a batch in the order of answers has a few of each of many files.
async fn read_cold(store: &Store, places: &[Place]) -> Result<Cold> {
    let tombstones = store.read().await?.tombstone_version().await?;
    let mut tx = store.read().await?;
    tx.disable_timeout().await?;
    let (mut said, mut cold) = (BTreeMap::new(), ColdReader::default());
    for file in tx.cold_among(places).await? {
        for batch in batches(&file) {
            let kept = tx.kept_by(&mut cold, batch).await?;
            said.extend(kept.iter().map(|it| (it.document_id, offered_again(it))));
        }
    }
    Ok(Cold { tombstones, said })
}

/// Saves the rows of documents; where the database refuses them, of each by itself, and of none that
/// it refuses.
async fn save(store: &Store, places: &[Place], cold: &mut Cold) -> Result<()> {
    match save_as(store, places, cold, offered_again).await {
        Err(error) if is_refused(&error) => {}
        other => return other,
    }
    for place in places {
        let one = std::slice::from_ref(place);
        match save_as(store, one, cold, offered_again).await {
            Err(error) if is_refused(&error) => {
                let document_id = place.document_id;
                let error = format!("{error:#}");
                tracing::error!(document_id, error, "the database rejected a document's rows");
                save_as(store, one, cold, refused).await?;
            }
            other => other?,
        }
    }
    Ok(())
}

/// Saves the rows of documents as `read` reads them, or as cold ones were read already. After an
/// erasure they are read again: it may have changed or deleted them.
async fn save_as(
    store: &Store,
    places: &[Place],
    cold: &mut Cold,
    read: fn(&Kept) -> Replayed,
) -> Result<()> {
    let mut attempts = Attempts::default();
    loop {
        let tombstones = store.read().await?.tombstone_version().await?;
        if cold.tombstones != tombstones {
            *cold = Cold { tombstones, said: BTreeMap::new() };
        }
        let is_unread = |it: &&Place| !cold.said.contains_key(&it.document_id);
        let unread: Vec<_> = places.iter().filter(is_unread).copied().collect();
        let kept = store.read().await?.kept(&unread).await?;
        let mut replayed: Vec<_> = kept.iter().map(read).collect();
        replayed.extend(places.iter().filter_map(|it| cold.said.remove(&it.document_id)));
        replayed.sort_by_key(|it| (it.fetched_at, it.document_id));
        match put(store, &replayed, tombstones).await {
            Ok(()) => return Ok(()),
            Err(error) => attempts.after(error).await?,
        }
    }
}

async fn put(store: &Store, replayed: &[Replayed], tombstones: TombstoneVersion) -> Result<()> {
    let mut tx = store.begin_by_keys().await?;
    tx.require_tombstones(tombstones).await?;
    tx.put_replayed(replayed).await.with_context(|| {
        let ids = [replayed.first(), replayed.last()].map(|it| it.map_or(0, |it| it.document_id));
        format!("the rows of the documents from {} to {}", ids[0], ids[1])
    })?;
    tx.commit().await
}

/// What a document says, also one that the database refused once.
fn offered_again(kept: &Kept) -> Replayed {
    let Some(body) = kept.offered_again() else { return read(kept) };
    let (facts, drift) = said(reading_of(kept, &body.json));
    kept.read_again(facts, drift).with_body(body)
}

/// A document whose rows the database refuses.
fn refused(kept: &Kept) -> Replayed {
    kept.read_again(Facts::default(), Some(REJECTED.to_owned()))
}

/// What a document says. One of an endpoint that is no more says nothing.
fn read(kept: &Kept) -> Replayed {
    let (facts, drift) = said(reading(kept));
    kept.read_again(facts, drift)
}

fn said(reading: Option<Reading>) -> (Facts, Option<String>) {
    match reading {
        Some(reading) => (reading.facts, reading.drift),
        None => (Facts::default(), Some("its endpoint is not known".to_owned())),
    }
}

/// The same as it was read when it came; `None` where its endpoint is no more.
pub(crate) fn reading(kept: &Kept) -> Option<Reading> {
    reading_of(kept, &kept.text())
}

fn reading_of(kept: &Kept, text: &str) -> Option<Reading> {
    let (ask, http_status) = asked(kept);
    Some(Endpoint::parse(&kept.endpoint)?.read(&ask, http_status, &JsonText::of(text)))
}

/// What a document was the answer to, and its HTTP status.
pub(crate) fn asked(kept: &Kept) -> (Ask, u16) {
    let ask = Ask { key: kept.asked.clone(), page: u32::try_from(kept.page).unwrap_or(1) };
    (ask, u16::try_from(kept.http_status).unwrap_or_default())
}
