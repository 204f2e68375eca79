//! What is forgotten, by its name: what lists are held against, for which nothing is searched.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::model::{Kind, Platform, Target};
use crate::store::Tombstone;

/// What an author is called among the kinds of what is forgotten.
pub const AUTHOR: &str = "author";

/// Entries of a job that are named one by one; the others are counted.
const ENTRIES_NAMED: usize = 5;

/// The tombstones of all that is forgotten, by kind and id.
#[derive(Clone, Debug, Default)]
pub struct Tombstones(BTreeMap<(String, String), Tombstone>);

impl Tombstones {
    /// These.
    pub fn of(tombstones: impl IntoIterator<Item = Tombstone>) -> Self {
        let key = |it: &Tombstone| (kind_of(it), it.id.clone());
        Self(tombstones.into_iter().map(|it| (key(&it), it)).collect())
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Tombstone> {
        self.0.values()
    }

    /// Adds one; false where it is there.
    pub(crate) fn add(&mut self, tombstone: Tombstone) -> bool {
        let is_new = !self.has(&tombstone);
        if is_new {
            self.0.insert((kind_of(&tombstone), tombstone.id.clone()), tombstone);
        }
        is_new
    }

    /// Whether the same is forgotten already.
    pub fn has(&self, tombstone: &Tombstone) -> bool {
        self.named(&kind_of(tombstone), &tombstone.id).is_some()
    }

    /// The tombstone of a note, a work or a short link.
    pub fn target(&self, target: &Target) -> Option<&Tombstone> {
        self.item(target.kind, &target.key)
    }

    pub(super) fn item(&self, kind: Kind, key: &str) -> Option<&Tombstone> {
        self.named(kind.as_str(), key)
    }

    pub(super) fn author(&self, platform: Platform, id: Option<&str>) -> Option<&Tombstone> {
        self.named(&format!("{AUTHOR} {}", platform.as_str()), id?)
    }

    fn named(&self, kind: &str, id: &str) -> Option<&Tombstone> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&(kind.to_owned(), id.to_owned()))
    }

    /// What to say of a job that names what is forgotten: each entry with its place.
    pub fn named_by(&self, config: &Config) -> Vec<String> {
        let mut said = Vec::new();
        for job in &config.jobs {
            let found = job.targets.iter().enumerate().filter_map(|(at, target)| {
                let tombstone = self.target(target)?;
                Some(format!(
                    "{}: {} is not fetched by {}: {}",
                    job.positions.of(at, &config.path),
                    target.key,
                    job.name,
                    said_of(tombstone)
                ))
            });
            let found: Vec<_> = found.collect();
            let more = found.len().saturating_sub(ENTRIES_NAMED);
            said.extend(found.into_iter().take(ENTRIES_NAMED));
            if more > 0 {
                said.push(format!("{}: {more} more entries are forgotten", job.name));
            }
        }
        said
    }
}

/// What is to be said of something that is forgotten.
pub fn said_of(tombstone: &Tombstone) -> String {
    let Tombstone { kind, platform, id, because, forgotten_at, .. } = tombstone;
    let of = if kind == AUTHOR { format!("{AUTHOR} {platform}") } else { kind.clone() };
    let again = match because {
        Some(because) => {
            format!("with {because}; `tidewatch forget … {because} --undo` permits both again")
        }
        None => format!("`tidewatch forget {of} {id} --undo` permits it again"),
    };
    let day = forgotten_at.utc().format("%Y-%m-%d");
    format!("it was forgotten on {day} (UTC); {again}")
}

/// A kind, which of authors says the platform, too.
fn kind_of(tombstone: &Tombstone) -> String {
    match tombstone.kind.as_str() {
        AUTHOR => format!("{AUTHOR} {}", tombstone.platform),
        kind => kind.to_owned(),
    }
}
