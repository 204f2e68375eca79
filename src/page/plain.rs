//! Escaping of external texts outside markup.

use crate::text::is_visible;

/// An external text for titles, attributes and charts.
pub(super) fn plain(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match is_odd(c) {
            true => shown += &format!("⟨{}⟩", code(c)),
            false => shown.push(c),
        }
    }
    shown
}

/// Whether a character is invisible or changes the text direction.
pub(super) fn is_odd(c: char) -> bool {
    !is_visible(c) && !matches!(c, '\n' | '\t')
}

/// The code shown for such a character.
pub(super) fn code(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// A text as a URL segment.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                shown.push(char::from(byte));
            }
            _ => shown += &format!("%{byte:02X}"),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_shown_as_codes() {
        assert_eq!(plain("a\u{202e}b"), "a⟨U+202E⟩b");
        assert_eq!(escaped("a/b 露"), "a%2Fb%20%E9%9C%B2");
    }
}
