//! Signs that pasted text carries unseen: invisible ones, and full-width letters and digits.

use std::borrow::Cow;

/// The text without signs that nobody sees: zero-width spaces, marks of writing direction, byte order
/// marks, soft hyphens, and control characters other than white space.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_invisible) {
        Cow::Owned(text.chars().filter(|c| !is_invisible(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The joiners U+200C and U+200D stay: emoji are built with them.
fn is_invisible(c: char) -> bool {
    let is_mark = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    is_mark || (c.is_control() && !c.is_whitespace())
}

/// The ASCII character of a full-width one; any other stays.
pub(super) fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => {
            u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c)
        }
        '\u{3000}' => ' ',
        _ => c,
    }
}
