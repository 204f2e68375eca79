//! The simulated world: its items and their fates.

use super::catalogue::{note_of_code, short_code, work_of_code};
use super::items::{Fate, Fates};
use super::notes::Note;
use super::vocabulary::THEMES;
use super::works::Work;
use crate::time::Time;

/// A world derived from its seed: every well-formed id, keyword and filter names an item, always
/// the same one.
///
/// The lists of examples ([`World::notes`] and so on) also depend on the day the world is built
/// for: their items were published in the three weeks before it, so that their counts still change.
#[derive(Clone, Debug)]
pub struct World {
    pub(super) seed: u64,
    pub(super) around: Time,
    pub(super) fates: Fates,
}

impl World {
    /// The world of `seed`, with examples published in the weeks before `around`.
    pub fn new(seed: u64, around: Time, fates: Fates) -> Self {
        Self { seed, around, fates }
    }

    /// The ids of `count` notes.
    pub fn notes(&self, count: usize) -> Vec<String> {
        (0..count).map(|index| self.note_behind(&short_code(self.seed, "note", index))).collect()
    }

    /// The ids of `count` works.
    pub fn works(&self, count: usize) -> Vec<String> {
        (0..count).map(|index| self.work_behind(&short_code(self.seed, "work", index))).collect()
    }

    /// Short links to the first `count` of [`World::notes`], in their order.
    pub fn note_links(&self, count: usize) -> Vec<String> {
        let link = |index| format!("http://xhslink.com/a/{}", short_code(self.seed, "note", index));
        (0..count).map(link).collect()
    }

    /// Short links to the first `count` of [`World::works`], in their order.
    pub fn work_links(&self, count: usize) -> Vec<String> {
        let link =
            |index| format!("https://v.douyin.com/{}/", short_code(self.seed, "work", index));
        (0..count).map(link).collect()
    }

    /// Keywords with many suggestions.
    pub fn keywords(&self) -> Vec<&'static str> {
        THEMES.iter().map(|theme| theme.name).collect()
    }

    /// The fate of a note.
    pub fn note_fate(&self, id: &str) -> Fate {
        self.note(id).fate
    }

    /// The fate of a work.
    pub fn work_fate(&self, id: &str) -> Fate {
        self.work(id).fate
    }

    pub(super) fn note(&self, id: &str) -> Note {
        Note::of(self.seed, id, self.fates)
    }

    pub(super) fn work(&self, id: &str) -> Work {
        Work::of(self.seed, id, self.fates)
    }

    pub(super) fn note_behind(&self, code: &str) -> String {
        note_of_code(self.seed, self.around, code)
    }

    pub(super) fn work_behind(&self, code: &str) -> String {
        work_of_code(self.seed, self.around, code)
    }
}
