//! Entities: the subjects of facts, by their identity.

use super::named::named;
use super::{Author, Facts, Item, Kol, KolFacts, Music, Note, Platform, Work};

named! {
    /// Kind of an entity. Authors and music come after the items that lead to their documents.
    EntityKind {
        /// A Xiaohongshu note.
        Note = "note",
        /// A Douyin work.
        Work = "work",
        /// A KOL of Pugongying.
        Kol = "kol",
        /// The author of notes or works.
        Author = "author",
        /// The music of works.
        Music = "music",
    }
}

/// An entity: the subject of facts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entity {
    /// Its kind.
    pub kind: EntityKind,
    /// Its platform.
    pub platform: Platform,
    /// The platform's id.
    pub id: String,
}

impl Entity {
    /// A note.
    pub fn note(id: &str) -> Self {
        Self { kind: EntityKind::Note, platform: Platform::Xiaohongshu, id: id.to_owned() }
    }

    /// A work.
    pub fn work(id: &str) -> Self {
        Self { kind: EntityKind::Work, platform: Platform::Douyin, id: id.to_owned() }
    }

    /// A KOL.
    pub fn kol(id: &str) -> Self {
        Self { kind: EntityKind::Kol, platform: Platform::Xiaohongshu, id: id.to_owned() }
    }

    /// An author.
    pub fn author(platform: Platform, id: &str) -> Self {
        Self { kind: EntityKind::Author, platform, id: id.to_owned() }
    }

    /// A piece of music.
    pub fn music(id: &str) -> Self {
        Self { kind: EntityKind::Music, platform: Platform::Douyin, id: id.to_owned() }
    }
}

impl Facts {
    /// What it says of entities and the other does not say just so.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        fn minus<T: PartialEq + Clone>(one: &[T], other: &[T]) -> Vec<T> {
            one.iter().filter(|it| !other.contains(it)).cloned().collect()
        }
        Self {
            notes: minus(&self.notes, &other.notes),
            works: minus(&self.works, &other.works),
            authors: minus(&self.authors, &other.authors),
            kols: minus(&self.kols, &other.kols),
            music: minus(&self.music, &other.music),
            keyword_suggestions: Vec::new(),
            kol_search_results: Vec::new(),
        }
    }

    /// Everything that an answer speaks of.
    pub fn entities(&self) -> impl Iterator<Item = Entity> {
        // Without `..`: a new kind of entity must not be forgotten.
        let Self {
            notes,
            works,
            authors,
            kols,
            music,
            keyword_suggestions: _,
            kol_search_results: _,
        } = self;
        let notes =
            notes.iter().map(|Item { row: Note { note_id, .. }, .. }| Entity::note(note_id));
        let works =
            works.iter().map(|Item { row: Work { work_id, .. }, .. }| Entity::work(work_id));
        let kols = kols.iter().map(|KolFacts { row: Kol { kol_id, .. }, .. }| Entity::kol(kol_id));
        let authors = authors
            .iter()
            .map(|Author { platform, author_id, .. }| Entity::author(*platform, author_id));
        let music = music.iter().map(|Music { music_id, .. }| Entity::music(music_id));
        notes.chain(works).chain(kols).chain(authors).chain(music)
    }
}
