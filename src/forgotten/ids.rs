//! Ids that are looked for in answers, all of them at once.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use anyhow::Result;

/// A shorter id may stand for anything where no field says that it is one.
const TELLING: usize = 12;

/// Ids of one platform.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    all: BTreeSet<String>,
    /// `None` where there are none.
    finder: Option<AhoCorasick>,
}

impl Ids {
    /// These ids; empty ones are left out.
    ///
    /// # Errors
    /// When there are gigabytes of them.
    pub(crate) fn of(ids: impl IntoIterator<Item = String>) -> Result<Self> {
        let all: BTreeSet<_> = ids.into_iter().filter(|id| !id.is_empty()).collect();
        let build = || AhoCorasick::builder().match_kind(MatchKind::Standard).build(&all);
        let finder = (!all.is_empty()).then(build).transpose()?;
        Ok(Self { all, finder })
    }

    /// Whether a text is one of them.
    pub(super) fn are(&self, text: &str) -> bool {
        self.all.contains(text)
    }

    /// Whether one of them stands in a text as a word of its own.
    pub(crate) fn occur_in(&self, text: &str) -> bool {
        self.found(text, 0)
    }

    /// Whether one of them stands there that is long enough to be nothing else.
    pub(super) fn stand_in(&self, text: &str) -> bool {
        self.found(text, TELLING)
    }

    fn found(&self, text: &str, least: usize) -> bool {
        let Some(finder) = &self.finder else { return false };
        let is_inner = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = text.as_bytes();
        finder.find_overlapping_iter(text).any(|found| {
            let before = found.start().checked_sub(1).and_then(|at| bytes.get(at));
            found.len() >= least && !is_inner(before) && !is_inner(bytes.get(found.end()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn an_id_is_found_as_a_word_and_not_inside_another() {
        let ids = Ids::of(["7601234567890123456".to_owned(), "4711".to_owned(), String::new()]);
        let ids = ids.expect("they are few");
        assert!(ids.occur_in("/video/7601234567890123456?") && ids.stand_in("7601234567890123456"));
        assert!(!ids.occur_in("76012345678901234567") && !ids.occur_in("a4711"));
        assert!(ids.occur_in("\"4711\"") && !ids.stand_in("\"4711\""));
        assert!(!Ids::default().occur_in("4711"));
    }
}
