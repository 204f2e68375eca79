//! Ids outside links: alone, beside a name or a comment, and as spreadsheets write them.

use super::signs::half_width;
use crate::model::Kind;

/// Most digits of a number that spreadsheets keep.
const SPREADSHEET_DIGITS: usize = 15;

/// What to do about a rounded id.
const ROUNDED: &str = "a spreadsheet or a program has rounded this id, and its last digits are lost: format the \
                       column as text and fill it in again, or use the link";

/// The only id of a text without links. The error says why an id is refused.
pub(super) fn only_id(text: &str) -> Result<Option<(Kind, String)>, String> {
    let text: String = text.chars().map(half_width).collect();
    let mut found = None;
    for word in words(&text) {
        let Some(id) = id(word)? else { continue };
        if found.as_ref().is_some_and(|other| *other != id) {
            return Err("there are two different ids: write each on a line of its own".to_owned());
        }
        found = Some(id);
    }
    Ok(found)
}

/// The runs of letters and digits, with the signs of numbers. Parts of addresses are none.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let joins = |c: char| matches!(c, '/' | '_' | '-' | '=' | '%' | '&' | '?' | '@');
    let is_part = move |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+') || joins(c);
    let words = text.split(move |c| !is_part(c));
    words.map(|word| word.trim_matches(['.', '+', '-', '='])).filter(move |it| !it.contains(joins))
}

fn id(word: &str) -> Result<Option<(Kind, String)>, String> {
    if let Some(id) = note_id(word) {
        return Ok(Some((Kind::Note, id)));
    }
    if is_scientific(word) {
        return Err(ROUNDED.to_owned());
    }
    let (digits, is_decimal) = match word.split_once('.') {
        Some((digits, zeros)) if !zeros.is_empty() && zeros.bytes().all(|it| it == b'0') => {
            (digits, true)
        }
        _ => (word, false),
    };
    if !is_work_id(digits) {
        return Ok(None);
    }
    // A decimal that a binary fraction can hold exactly has been one: 1 id in 1,000 is by itself.
    let was_float = is_decimal
        && digits.parse::<u64>().is_ok_and(|id| id.trailing_zeros() + id.leading_zeros() >= 11);
    if was_float || is_rounded(digits) {
        Err(ROUNDED.to_owned())
    } else {
        Ok(Some((Kind::Work, digits.to_owned())))
    }
}

/// A number such as `7.51E+18`.
fn is_scientific(word: &str) -> bool {
    let Some((number, power)) = word.split_once(['E', 'e']) else { return false };
    let is_number = |text: &str| text.bytes().all(|it| it.is_ascii_digit()) && !text.is_empty();
    let power = power.strip_prefix('+').unwrap_or(power);
    number.split('.').all(is_number)
        && number.split('.').count() <= 2
        && number.find('.').is_none_or(|at| at == 1)
        && is_number(power)
        && power.len() == 2
}

/// Whether all digits beyond those that spreadsheets keep are zeros. An id of 19 digits that ends in
/// three zeros is let through, though JavaScript would write it so: 1 in 1,000 true ones does.
fn is_rounded(id: &str) -> bool {
    let zeros = id.len() - id.trim_end_matches('0').len();
    id.len() > SPREADSHEET_DIGITS + 1 && id.len() <= SPREADSHEET_DIGITS + zeros
}

/// 24 hexadecimal digits in lower case.
pub(super) fn note_id(text: &str) -> Option<String> {
    let is_id = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| text.to_ascii_lowercase())
}

/// Whether a text has the form of a work id: 15 to 20 decimal digits.
pub fn is_work_id(text: &str) -> bool {
    (15..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
