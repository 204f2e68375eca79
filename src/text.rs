//! Formats numbers and foreign texts for people.

use std::fmt::Display;

/// Whether a character of a foreign text is safe to show: no control character, no change of the writing
/// direction, nothing invisible.
pub(crate) fn is_visible(c: char) -> bool {
    let changes_direction = matches!(c, '\u{061c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !changes_direction && c != '\u{feff}'
}

/// Yuan from millionths, with two decimals or more if needed.
pub(crate) fn money(micros: i64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, (micros % 1_000_000).abs());
    let spare = text.len() - text.trim_end_matches('0').len();
    text.chars().take(text.chars().count() - spare.min(4)).collect()
}

/// The first of several problems, without its `error: ` prefix.
pub(crate) fn first_problem(problems: &str) -> &str {
    let line = problems.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line)
}

/// A price in yuan: two decimals, three below 1, none from 100 on.
pub(crate) fn price(yuan: f64) -> String {
    match yuan.abs() {
        size if size >= 100.0 => count(whole(yuan)),
        size if size >= 1.0 => format!("{yuan:.2}"),
        _ => format!("{yuan:.3}"),
    }
}

/// The nearest whole number.
#[expect(clippy::cast_possible_truncation, reason = "saturates, which is as good a figure")]
pub(crate) fn whole(number: f64) -> i64 {
    number.round() as i64
}

/// A number with its noun in the singular or plural: `1 call`, `2,300 calls`.
pub(crate) fn things(number: impl Display, one: &str) -> String {
    let number = number.to_string();
    let s = if number == "1" { "" } else { "s" };
    format!("{number} {one}{s}")
}

/// A number with thousands separators.
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
    fn numbers_have_separators_and_decimals() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(-12), "-12");
        assert_eq!(money(1_234_560_000), "1234.56");
        assert_eq!(money(12_500), "0.0125");
        assert_eq!(money(0), "0.00");
        assert_eq!(
            (price(0.1234), price(12.5), price(12_345.6)),
            ("0.123".into(), "12.50".into(), "12,346".into())
        );
    }

    #[test]
    fn noun_is_singular_for_one_only() {
        assert_eq!([0, 1, 2].map(|n| things(n, "call")), ["0 calls", "1 call", "2 calls"]);
        assert_eq!(things(count(1_000), "call"), "1,000 calls");
    }
}
