//! Ids that are looked for in answers, all of them at once.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use anyhow::Result;

use crate::store::MIN_ID_LEN;

/// A slash as it may stand in an answer: in JSON, in JSON within a text of JSON, and in an address
/// within an address.
const SLASHES: [&str; 5] = ["/", r"\/", r"\\/", r"\\\/", "%2F"];

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
        let spellings: Vec<_> = all.iter().flat_map(|id| spellings(id)).collect();
        let build = || AhoCorasick::builder().match_kind(MatchKind::Standard).build(&spellings);
        let finder = (!all.is_empty()).then(build).transpose()?;
        Ok(Self { all, finder })
    }

    /// Whether a text is one of them.
    pub(super) fn are(&self, text: &str) -> bool {
        self.all.contains(text)
    }

    /// Whether one of them stands in a text as a word of its own, be it the text of an answer as it
    /// came or what it says. An id whose own letters are escaped is not seen: nobody writes that.
    pub(crate) fn occur_in(&self, text: &str) -> bool {
        self.found(text, 0)
    }

    /// Whether one of them stands there that is long enough to be nothing else.
    pub(super) fn stand_in(&self, text: &str) -> bool {
        self.found(text, MIN_ID_LEN)
    }

    fn found(&self, text: &str, least: usize) -> bool {
        let Some(finder) = &self.finder else { return false };
        finder.find_overlapping_iter(text).any(|found| {
            let (before, rest) = text.as_bytes().split_at(found.start());
            let (word, after) = rest.split_at(found.len());
            word.len() >= least && may_begin(before) && ends(word, after)
        })
    }
}

/// How an id may be written: a short link with whatever slashes, and without its scheme.
fn spellings(id: &str) -> Vec<String> {
    let Some((_, link)) = id.split_once("://") else { return vec![id.to_owned()] };
    let link = link.trim_end_matches('/');
    SLASHES.iter().map(|slash| link.replace('/', slash)).collect()
}

/// Whether a word may begin behind this: nothing that goes on, or an escape, `\n`, `\u548c` or `%2F`.
fn may_begin(before: &[u8]) -> bool {
    let are_digits = |code: &[u8]| code.iter().all(u8::is_ascii_hexdigit);
    match before {
        [.., b'\\', b'b' | b'f' | b'n' | b'r' | b't'] => true,
        [.., b'\\', b'u', a, b, c, d] if are_digits(&[*a, *b, *c, *d]) => true,
        [.., b'%', a, b] if are_digits(&[*a, *b]) => true,
        [.., last] => !last.is_ascii_alphanumeric(),
        [] => true,
    }
}

/// Whether a word ends before this; the code of a short link may go on with more than an id.
fn ends(word: &[u8], after: &[u8]) -> bool {
    let is_link = word.contains(&b'.');
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || (is_link && b"-_".contains(byte));
    !after.first().is_some_and(goes_on)
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

    #[test]
    fn a_word_begins_behind_an_escape() {
        let ids = Ids::of(["5b9f6b99000000006258b977".to_owned()]).expect("it is one");
        for before in [
            r"\n",
            r"\t",
            r"\\n",
            r"\u548c",
            r"\ud83d\ude00",
            "%2F",
            "%3D",
            r"\/",
            "和",
            "% /",
            r"\user/",
        ] {
            let text = format!("\"x{before}5b9f6b99000000006258b977\"");
            assert!(ids.occur_in(&text) && ids.stand_in(&text), "{text}");
        }
        for before in ["n", "u548c", "2F", r"\n0"] {
            let text = format!("\"x{before}5b9f6b99000000006258b977\"");
            assert!(!ids.occur_in(&text), "{text}");
        }
    }

    #[test]
    fn a_short_link_is_found_with_whatever_slashes_and_not_inside_another() {
        let ids = Ids::of(["https://v.douyin.com/aB-c/".to_owned()]).expect("it is one");
        for link in [
            "https://v.douyin.com/aB-c/",
            "http://v.douyin.com/aB-c",
            r"https:\/\/v.douyin.com\/aB-c\/",
            r"https:\\/\\/v.douyin.com\\/aB-c\\/",
            r"https:\\\/\\\/v.douyin.com\\\/aB-c\\\/",
            "https%3A%2F%2Fv.douyin.com%2FaB-c%2F",
        ] {
            assert!(ids.occur_in(&format!("看 {link}")), "{link}");
        }
        for other in ["https://v.douyin.com/aB-c_d/", "https://v.douyin.com/ab-c/"] {
            assert!(!ids.occur_in(other), "{other}");
        }
    }
}
