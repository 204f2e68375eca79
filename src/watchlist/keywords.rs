//! Keywords in one spelling, because each spelling is paid for.

use unicode_normalization::UnicodeNormalization as _;

use super::signs::visible;

/// Maximum length of a keyword in characters.
const LONGEST_KEYWORD: usize = 100;

/// Quotes around a keyword.
const QUOTES: [(char, char); 5] = [('"', '"'), ('“', '”'), ('‘', '’'), ('「', '」'), ('\'', '\'')];

/// Why a text with signs of hashtags that are not around one word is refused.
const SEVERAL_HASHTAGS: &str =
    "a keyword is one hashtag or one word: write each as an entry of its own, without #";

/// A keyword in NFKC, with single spaces, without quotes around it and the signs of a hashtag. The
/// error says why it is refused.
pub(super) fn normal(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("a keyword has no control characters (line breaks, tabs)".to_owned());
    }
    let text = spelling(text);
    let mut word = text.as_str();
    loop {
        let bare = hashtag(unquoted(word))?.trim();
        if bare == word {
            break;
        }
        word = bare;
    }
    if word.is_empty() {
        return Err("the keyword is empty".to_owned());
    }
    if word.contains(" #") {
        return Err(
            "a keyword has no comment or second hashtag behind it: write them on lines of \
                    their own"
                .to_owned(),
        );
    }
    if separates(word) {
        return Err("these are several keywords: write each as an entry of its own".to_owned());
    }
    let length = word.chars().count();
    if length > LONGEST_KEYWORD {
        return Err(format!(
            "a keyword has at most {LONGEST_KEYWORD} characters, this has {length}"
        ));
    }
    Ok(word.to_owned())
}

/// What two keywords have in common that nearly are the same: they differ in spaces or case alone.
pub fn nearly(keyword: &str) -> String {
    keyword.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// NFKC with single spaces.
pub(super) fn spelling(text: &str) -> String {
    let text: String = visible(text).nfkc().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text without the quotes around all of it.
fn unquoted(text: &str) -> &str {
    let inside = QUOTES.iter().find_map(|(open, close)| {
        let inside = text.strip_prefix(*open)?.strip_suffix(*close)?;
        (!inside.contains([*open, *close])).then_some(inside)
    });
    inside.unwrap_or(text)
}

/// The word of `#word`, `#word#` and `#word[话题]#`. The error says why another text with such signs is
/// refused.
fn hashtag(text: &str) -> Result<&str, String> {
    let Some(word) = text.strip_prefix('#') else {
        return match text.contains("[话题]#") {
            true => Err(SEVERAL_HASHTAGS.to_owned()),
            false => Ok(text),
        };
    };
    let word = word.strip_suffix('#').unwrap_or(word);
    let word = word.strip_suffix("[话题]").unwrap_or(word);
    match word.contains('#') || word.starts_with(' ') {
        true => Err(SEVERAL_HASHTAGS.to_owned()),
        false => Ok(word),
    }
}

/// Whether a comma stands in it, other than between digits (`1,000`).
fn separates(word: &str) -> bool {
    let chars: Vec<char> = word.chars().collect();
    let is_digit =
        |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
    let number = |at: usize| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
    let separator = |(at, c): (usize, &char)| match c {
        '、' | ';' | '､' => true,
        ',' => !number(at),
        _ => false,
    };
    chars.iter().enumerate().any(separator)
}
