//! The search for ids in the texts of answers, for all ids at once.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use anyhow::Result;

use crate::store::MIN_ID_LEN;

/// A slash as it may stand in an answer: in JSON, in JSON within a string of JSON, and in a URL
/// within a URL.
const SLASHES: [&str; 6] = ["/", r"\/", r"\\/", r"\\\/", "%2F", "%2f"];

/// An id as ids are compared: in any case, but for a short link, whose letters differ by case.
pub(super) fn folded(id: &str) -> String {
    if id.contains("://") { id.to_owned() } else { id.to_ascii_lowercase() }
}

/// Whether letters or digits of a JSON text are escaped, so that no id is found in it as it is.
pub(super) fn has_escaped_letters(json: &str) -> bool {
    memchr::memmem::find_iter(json.as_bytes(), br"\u00").any(|at| {
        let code = json.get(at + 4..at + 6).and_then(|code| u8::from_str_radix(code, 16).ok());
        code.is_some_and(|code| code.is_ascii_alphanumeric())
    })
}

/// Ids of one platform.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    all: BTreeSet<String>,
    /// What is searched for.
    spellings: Vec<String>,
    /// `None` where there are none.
    finder: Option<AhoCorasick>,
}

impl Ids {
    /// These ids.
    pub(super) fn of(ids: impl IntoIterator<Item = String>) -> Result<Self> {
        let ids = ids.into_iter().filter(|id| !id.is_empty());
        let all: BTreeSet<_> = ids.map(|id| folded(&id)).collect();
        let spellings: Vec<_> = all.iter().flat_map(|id| spellings(id)).collect();
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::Standard).ascii_case_insensitive(true);
        let finder = (!all.is_empty()).then(|| builder.build(&spellings)).transpose()?;
        Ok(Self { all, spellings, finder })
    }

    /// Whether a text is one of them.
    pub(super) fn contain(&self, text: &str) -> bool {
        self.all.contains(&folded(text))
    }

    /// Whether one of them stands in a text as a word of its own, in a raw answer or in a string of
    /// it. An id whose own letters are escaped is not seen, see [`has_escaped_letters`].
    pub(super) fn occur_in(&self, text: &str) -> bool {
        self.find(text, 0)
    }

    /// The same, of ids so long that they are nothing else.
    pub(super) fn long_occur_in(&self, text: &str) -> bool {
        self.find(text, MIN_ID_LEN)
    }

    fn find(&self, text: &str, min_len: usize) -> bool {
        let Some(finder) = &self.finder else { return false };
        finder.find_overlapping_iter(text).any(|found| {
            let (before, rest) = text.as_bytes().split_at(found.start());
            let (word, after) = rest.split_at(found.len());
            let spelling = self.spellings.get(found.pattern().as_usize()).map(String::as_bytes);
            let is_same = !is_link(word) || spelling == Some(word);
            word.len() >= min_len && is_same && may_begin(before) && ends(word, after)
        })
    }
}

/// How an id may be written: a short link with whatever slashes, and without its scheme.
fn spellings(id: &str) -> Vec<String> {
    let Some((_, link)) = id.split_once("://") else { return vec![id.to_owned()] };
    let link = link.trim_end_matches('/');
    SLASHES.iter().map(|slash| link.replace('/', slash)).collect()
}

/// Whether a word may begin here: after no letter or digit, or after an escape (`\n`, `\u548c`,
/// `%2F`).
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

/// Whether a word ends here; the code of a short link may have more letters than an id.
fn ends(word: &[u8], after: &[u8]) -> bool {
    let goes_on =
        |byte: &u8| byte.is_ascii_alphanumeric() || (is_link(word) && b"-_".contains(byte));
    !after.first().is_some_and(goes_on)
}

fn is_link(word: &[u8]) -> bool {
    word.contains(&b'.')
}

#[cfg(test)]
mod tests {
    use super::{Ids, has_escaped_letters};

    const ID: &str = "5b9f6b99000000006258b977";

    fn ids(all: &[&str]) -> Ids {
        Ids::of(all.iter().map(|id| (*id).to_owned())).expect("they are few")
    }

    #[test]
    fn id_is_found_as_a_whole_word_after_any_escape() {
        let ids = ids(&[ID, "4711", ""]);
        let escapes = [r"\n", r"\\n", r"\u548c", r"\ud83d\ude00", "%2F", r"\/", "和", r"\user/"];
        for before in escapes {
            assert!(ids.long_occur_in(&format!("\"x{before}{ID}\"")), "{before}");
        }
        for before in ["n", "u548c", "2F", r"\n0"] {
            assert!(!ids.occur_in(&format!("\"x{before}{ID}\"")), "{before}");
        }
        assert!(!ids.occur_in(&format!("{ID}0")) && !ids.occur_in("a4711"));
        assert!(ids.occur_in("\"4711\"") && !ids.long_occur_in("\"4711\""));
        assert!(!Ids::default().occur_in("4711"));
        assert!(ids.occur_in(&ID.to_uppercase()) && ids.contain(&ID.to_uppercase()));
    }

    #[test]
    fn escaped_letters_are_noticed() {
        assert!(has_escaped_letters(r"\u0035b9f") && has_escaped_letters(r"\u0026\u0041"));
        assert!(!has_escaped_letters(r"\u0026\u003d\u548c\u00e9\u00"));
    }

    #[test]
    fn short_link_is_found_with_any_spelling_of_its_slashes() {
        let ids = ids(&["https://v.douyin.com/aB-c/"]);
        for link in [
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
