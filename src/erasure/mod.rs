//! Erasure: a note, a work or a person is deleted from the archive, with what other answers say of
//! them, and is not let in again.
//!
//! All of it is one transaction in which nobody else is at work. What is erased keeps a tombstone,
//! and every answer is held against the tombstones before it is saved. Afterwards the rows are
//! still a pure function of the documents.

mod filter;
mod ids;
mod redact;
mod sweep;
mod tombstones;

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use serde::Serialize;

pub(crate) use filter::Filter;
pub(crate) use sweep::erase_found;
pub use tombstones::{AUTHOR, Tombstones, notice};

use crate::model::{Platform, Target};
use crate::process;
use crate::replay::derive_all;
use crate::store::{ProcessLock, Store, Tombstone, Tx};
use crate::time::Time;

/// Whom or what to erase.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A note or work, by its id or a short link.
    Item(Target),
    /// A person, by the platform's id: an author, a KOL, somebody who is mentioned.
    Author(Platform, String),
    /// The notes and works that were last seen before this.
    NotSeenSince(Time),
}

/// What an erasure came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// What it erased: notes and works, people, and short links.
    pub forgotten: Vec<Tombstone>,
    /// Rows that are deleted, by table.
    pub rows: BTreeMap<&'static str, i64>,
    /// Answers that are deleted.
    pub documents_deleted: i64,
    /// Answers that are redacted.
    pub documents_redacted: i64,
}

/// What to erase, where, and why.
#[derive(Clone, Copy, Debug)]
pub struct Erasure<'a> {
    /// The archive.
    pub store: &'a Store,
    /// Whom and what.
    pub subjects: &'a [Subject],
    /// Why, for the record.
    pub note: Option<&'a str>,
    /// When.
    pub now: Time,
}

impl Erasure<'_> {
    /// What it would come to. Nothing is held afterwards, so that readers do not wait for people.
    /// Fails where another process is at work, or a short link is not known.
    pub async fn preview(&self) -> Result<Summary> {
        let _lock = process::exclusive(self.store).await?;
        let (tx, summary) = self.begin().await?;
        tx.rollback().await?;
        Ok(summary)
    }

    /// Erases, and fails where it would come to something else than `expected`. Nobody else begins to
    /// work while the lock is kept, so that what deleted rows left behind can be cleared away.
    pub async fn run(&self, expected: Option<&Summary>) -> Result<(Summary, ProcessLock)> {
        let lock = process::exclusive(self.store).await?;
        let (tx, summary) = self.begin().await?;
        let is_expected = expected.is_none_or(|expected| *expected == summary);
        ensure!(is_expected, "something else would go by now: try it again");
        tx.commit().await?;
        Ok((summary, lock))
    }

    async fn begin(&self) -> Result<(Tx, Summary)> {
        let mut tx = self.store.begin_to_delete().await?;
        tx.disable_timeout().await?;
        lock_out_writers(&mut tx, self.now).await?;
        // Whose items they are is read from rows.
        derive_all(&mut tx).await?;
        let tombstones = self.tombstones(&mut tx).await?;
        let summary = sweep::erase(&mut tx, tombstones, self.note, self.now).await?;
        Ok((tx, summary))
    }

    /// Tombstones of the subjects; those of a person come with all their notes and works.
    async fn tombstones(&self, tx: &mut Tx) -> Result<Vec<Tombstone>> {
        let mut items: BTreeMap<Target, Option<String>> = BTreeMap::new();
        let mut all = Vec::new();
        for subject in self.subjects {
            match subject {
                Subject::Item(target) => {
                    items.insert(item_of(tx, target).await?, None);
                }
                Subject::Author(platform, id) => {
                    all.push(Tombstone::new(AUTHOR, *platform, id, self.now));
                    for item in tx.items_of_author(*platform, id).await? {
                        items.entry(item).or_insert_with(|| Some(id.clone()));
                    }
                }
                Subject::NotSeenSince(at) => {
                    for item in tx.items_not_observed_since(*at).await? {
                        items.insert(item, None);
                    }
                }
            }
        }
        all.extend(items.into_iter().map(|(item, because)| Tombstone {
            because,
            ..Tombstone::new(item.kind.as_str(), item.kind.platform(), &item.key, self.now)
        }));
        Ok(all)
    }
}

/// Clears away what deleted rows left behind, with nobody else at work whom that would hold up.
/// Whether all of it was.
pub async fn clear_away(store: &Store) -> Result<bool> {
    let _lock = process::exclusive(store).await?;
    store.clear_away().await
}

/// Permits something to be watched again, with all that was erased because of it; how many these
/// are. What was deleted does not come back.
pub async fn permit(
    store: &Store,
    kind: &str,
    platform: Platform,
    id: &str,
    now: Time,
) -> Result<u64> {
    let _lock = process::exclusive(store).await?;
    let mut tx = store.begin().await?;
    lock_out_writers(&mut tx, now).await?;
    let permitted = tx.permit(kind, platform, id).await?;
    tx.commit().await?;
    Ok(permitted)
}

async fn lock_out_writers(tx: &mut Tx, now: Time) -> Result<()> {
    match tx.lock_out_writers(process::liveness_timeout(now)).await? {
        Some(verb) => bail!(
            "tidewatch {verb} is at work on this archive: stop it first; one that was killed is known \
             to be gone after a minute"
        ),
        None => Ok(()),
    }
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
    match Tombstones::of(tx.tombstones().await?).target(target) {
        Some(tombstone) => bail!("{key} is forgotten already: {}", notice(tombstone)),
        None => bail!("the archive does not know where {key} leads: name the {kind} by its id"),
    }
}
