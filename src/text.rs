//! Texts from outside and numbers, on their way to people.

/// Whether people may see a character of a text from outside: none that drives a terminal, turns
/// the direction of writing, or cannot be seen.
pub(crate) fn is_visible(c: char) -> bool {
    let turns = matches!(c, '\u{061c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !turns && c != '\u{feff}'
}

/// Money in units of the account's currency, from millionths: two decimals, more where it matters.
pub(crate) fn money(micros: i64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, (micros % 1_000_000).abs());
    let spare = text.len() - text.trim_end_matches('0').len();
    text.chars().take(text.chars().count() - spare.min(4)).collect()
}

/// A number with its thousands apart.
pub(crate) fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(-12), "-12");
        assert_eq!(money(1_234_560_000), "1234.56");
        assert_eq!(money(12_500), "0.0125");
        assert_eq!(money(0), "0.00");
    }
}
