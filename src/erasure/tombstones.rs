//! Tombstones by name, which watchlists are compared with. No text is searched for them here.

use std::collections::BTreeMap;

use super::ids::folded;
use crate::config::Config;
use crate::model::{Kind, Platform, Target};
use crate::store::{MIN_ID_LEN, Tombstone};

/// The kind of a person's tombstone.
pub const AUTHOR: &str = "author";

/// Entries of a job that are named one by one; the others are counted.
const ENTRIES_NAMED: usize = 5;

/// All tombstones, by platform, kind and id.
#[derive(Clone, Debug, Default)]
pub struct Tombstones(BTreeMap<[String; 3], Tombstone>);

impl Tombstones {
    /// These.
    pub fn of(tombstones: impl IntoIterator<Item = Tombstone>) -> Self {
        Self(tombstones.into_iter().map(|it| (key(&it), it)).collect())
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Tombstone> {
        self.0.values()
    }

    /// Adds one; false where it is there.
    pub(super) fn add(&mut self, tombstone: Tombstone) -> bool {
        let is_new = !self.0.contains_key(&key(&tombstone));
        if is_new {
            self.0.insert(key(&tombstone), tombstone);
        }
        is_new
    }

    /// The tombstone of a note, a work or a short link, or of whom or what a search names by its id.
    pub fn target(&self, target: &Target) -> Option<&Tombstone> {
        self.item(target.kind, &target.key).or_else(|| self.searched(target))
    }

    fn searched(&self, target: &Target) -> Option<&Tombstone> {
        if !matches!(target.kind, Kind::Keyword | Kind::KolSearch) {
            return None;
        }
        let key = target.key.to_ascii_lowercase();
        self.all().find(|it| {
            let id = it.id.to_ascii_lowercase();
            key == id || (id.len() >= MIN_ID_LEN && key.contains(&id))
        })
    }

    pub(super) fn item(&self, kind: Kind, key: &str) -> Option<&Tombstone> {
        self.named(kind.platform(), kind.as_str(), key)
    }

    pub(super) fn author(&self, platform: Platform, id: &str) -> Option<&Tombstone> {
        self.named(platform, AUTHOR, id)
    }

    fn named(&self, platform: Platform, kind: &str, id: &str) -> Option<&Tombstone> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&[platform.as_str().to_owned(), kind.to_owned(), folded(id)])
    }

    /// Warnings about a job's entries that are erased, each with its place.
    pub fn warnings(&self, config: &Config) -> Vec<String> {
        let mut warnings = Vec::new();
        for job in &config.jobs {
            let erased = job.targets.iter().enumerate().filter_map(|(at, target)| {
                let tombstone = self.target(target)?;
                let place = job.positions.of(at, &config.path);
                let (key, name, notice) = (&target.key, &job.name, notice(tombstone));
                Some(format!("{place}: {key} is not fetched by {name}: {notice}"))
            });
            let erased: Vec<_> = erased.collect();
            let more = erased.len().saturating_sub(ENTRIES_NAMED);
            warnings.extend(erased.into_iter().take(ENTRIES_NAMED));
            if more > 0 {
                warnings.push(format!("{}: {more} more entries are forgotten", job.name));
            }
        }
        warnings
    }
}

/// When something was erased, and how that is undone.
pub fn notice(tombstone: &Tombstone) -> String {
    let Tombstone { kind, platform, id, because, forgotten_at, .. } = tombstone;
    let of = if kind == AUTHOR { format!("{AUTHOR} {platform}") } else { kind.clone() };
    let undo = match because {
        Some(because) => {
            format!("with {because}; `tidewatch forget … {because} --undo` permits both again")
        }
        None => format!("`tidewatch forget {of} {id} --undo` permits it again"),
    };
    let day = forgotten_at.utc().format("%Y-%m-%d");
    format!("it was forgotten on {day} (UTC); {undo}")
}

fn key(tombstone: &Tombstone) -> [String; 3] {
    let Tombstone { platform, kind, id, .. } = tombstone;
    [platform.clone(), kind.clone(), folded(id)]
}
