//! Forgetting: a note, a work or a person is deleted from the archive, with what other answers say of
//! them, and is not let in again.
//!
//! All of it is one transaction, with nobody else at work. The documents are gone through for what
//! is to go, again where that shows more of it, and once more for the rows that they had a share in,
//! which are made anew of what is left: so the rows stay a pure function of the documents.

mod traces;
mod work;

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use serde::Serialize;

use self::work::Work;
use crate::forgotten::{AUTHOR, Tombstones, said_of};
use crate::model::{Platform, Target};
use crate::process;
use crate::store::{ProcessLock, Store, Tombstone, Tx};
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
    presence: ProcessLock,
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
        let presence = process::exclusive(store).await?;
        let (tx, summary) = asked.forget().await?;
        Ok(Self { asked, tx: Some(tx), presence, summary })
    }

    /// Undoes it for as long as somebody is asked, so that readers do not wait for people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_aside(&mut self) -> Result<()> {
        match self.tx.take() {
            Some(tx) => tx.rollback().await,
            None => Ok(()),
        }
    }

    /// Makes it so. Nobody else begins to work while what this returns is kept: what deleted rows
    /// left behind can be cleared away.
    ///
    /// # Errors
    /// When the database cannot, or something else would go by now than was found before;
    /// then nothing is forgotten.
    pub async fn commit(self) -> Result<(Summary, ProcessLock)> {
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
        tx.disable_timeout().await?;
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
    let _presence = process::exclusive(store).await?;
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
    let _presence = process::exclusive(store).await?;
    let mut tx = store.begin().await?;
    keep_others_out(&mut tx, now).await?;
    let permitted = tx.permit(kind, platform, id).await?;
    tx.commit().await?;
    Ok(permitted)
}

async fn keep_others_out(tx: &mut Tx, now: Time) -> Result<()> {
    match tx.lock_out_writers(process::liveness_timeout(now)).await? {
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
                for item in tx.items_not_observed_since(*at).await? {
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
    match Tombstones::of(tx.tombstones().await?).target(target) {
        Some(tombstone) => bail!("{key} is forgotten already: {}", said_of(tombstone)),
        None => {
            bail!("the archive does not know where {key} leads: name the {kind} by its id")
        }
    }
}
