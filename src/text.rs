//! Texts from outside, on their way to people.

/// Whether people may see a character of a text from outside: none that drives a terminal, turns
/// the direction of writing, or cannot be seen.
pub(crate) fn is_visible(c: char) -> bool {
    let turns = matches!(c, '\u{061c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !turns && c != '\u{feff}'
}
