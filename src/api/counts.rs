//! Counts as upstream writes them: integers, and texts that people are shown (`1.2万`, `10w+`).

use super::json::{self, Json, Value};
use crate::model::Field;

/// No count is larger: the sum of as many rows as an archive may have stays within 64 bits.
const MAX_COUNT: i64 = 1_000_000_000_000;

/// Reads counts and remembers what was odd about them.
pub(super) struct CountReader<'v> {
    value: Json<'v>,
    /// The coarsest step of a count that was read from a rounded text.
    pub(super) granularity: Option<i64>,
    /// What was missing or not understood.
    pub(super) odd: Vec<String>,
}

/// A count, and its step where it was rounded.
type Count = (i64, Option<i64>);

impl<'v> CountReader<'v> {
    /// Counts of an object.
    pub(super) fn of(value: Json<'v>) -> Self {
        Self { value, granularity: None, odd: Vec::new() }
    }

    /// The count at the first of several paths that holds anything, from zero to [`MAX_COUNT`].
    pub(super) fn take(&mut self, paths: &[&str]) -> Option<i64> {
        let path = paths.iter().find(|path| !json::is_nothing(json::at(self.value, path)))?;
        let found = json::at(self.value, path);
        let count = match found {
            Value::Str(text) => display_count(text),
            _ => json::int(found, "").into_value().map(|number| (number, None)),
        };
        let odd = match count {
            Some((number, step)) if (0..=MAX_COUNT).contains(&number) => {
                self.granularity = self.granularity.max(step);
                return Some(number);
            }
            // Upstream writes -1 for "not known".
            Some((-1, _)) => return None,
            Some(_) => "out of range",
            None => "not a count",
        };
        self.odd.push(format!("{} is {odd}", path.trim_start_matches('/')));
        None
    }

    /// As [`take`](Self::take), for a number that a zero hides.
    pub(super) fn shown(&mut self, path: &str) -> Field<i64> {
        self.take(&[path]).filter(|number| *number > 0).into()
    }

    /// The change of a count, of either sign.
    pub(super) fn growth(&mut self, path: &str) -> Option<i64> {
        let growth = json::int(self.value, path).into_value()?;
        let is_in_range = (-MAX_COUNT..=MAX_COUNT).contains(&growth);
        if !is_in_range {
            self.odd.push(format!("{} is out of range", path.trim_start_matches('/')));
        }
        is_in_range.then_some(growth)
    }

    /// As [`take`](Self::take), for a count that every answer should have.
    pub(super) fn expect(&mut self, paths: &[&str]) -> Option<i64> {
        if paths.iter().all(|path| json::at(self.value, path).is_null()) {
            let name = paths.first().copied().unwrap_or_default();
            self.odd.push(format!("{} is missing", name.trim_start_matches('/')));
        }
        self.take(paths)
    }
}

/// A count as people are shown it: `1,234`, `１２３`, `1.2 万`, `3k`, `10w+`, `10+`, `约1万`, `3亿`.
fn display_count(text: &str) -> Option<Count> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).map(narrow).collect();
    let number = text.strip_prefix(['约', '~', '≈']).unwrap_or(&text);
    let number = number.strip_suffix('+').unwrap_or(number);
    let is_rough = number.len() < text.len();
    let mut shorter = number.chars();
    let (digits, unit) = match shorter.next_back()? {
        last if last.is_ascii_digit() => (number, 1),
        last => (shorter.as_str(), unit_of(last)?),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = 10_i64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let count = scaled(&ungrouped(whole)?, fraction, unit, scale)?;
    let step = match unit {
        1 if !is_rough => return Some((count, None)),
        // A bare `10+` is at least its first digit.
        1 => 10_i64.checked_pow(count.max(1).ilog10())?,
        _ => (unit / scale).max(1),
    };
    Some((count, Some(step)))
}

/// Full-width digits and signs as ASCII.
fn narrow(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// How many a unit is.
fn unit_of(unit: char) -> Option<i64> {
    match unit {
        '千' | 'k' | 'K' => Some(1_000),
        '万' | '萬' | 'w' | 'W' => Some(10_000),
        'm' | 'M' => Some(1_000_000),
        '亿' | '億' => Some(100_000_000),
        'b' | 'B' => Some(1_000_000_000),
        _ => None,
    }
}

/// A whole number without the commas between its groups of three digits.
fn ungrouped(whole: &str) -> Option<String> {
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    let mut groups = digits.split(',');
    let is_number = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let leading = groups.next().is_some_and(|group| !group.is_empty() && is_number(group));
    let grouped = groups.all(|group| group.len() == 3 && is_number(group));
    (leading && grouped).then(|| format!("{sign}{}", digits.replace(',', "")))
}

/// `whole.fraction` times `unit`, rounded; a fraction of a single thing is no count.
fn scaled(whole: &str, fraction: &str, unit: i64, scale: i64) -> Option<i64> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: i64 = format!("{whole}{fraction}").parse().ok()?;
    let scaled = digits.checked_mul(unit)?;
    if unit == 1 && scaled % scale != 0 {
        return None;
    }
    Some((scaled.checked_add(scale / 2)?).div_euclid(scale))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_come_as_integers_integral_floats_and_texts() {
        for (given, count) in [
            (json!(158), Some((158, None))),
            (json!(158.0), Some((158, None))),
            (json!("158"), Some((158, None))),
            (json!("158.0"), Some((158, None))),
            (json!(0), Some((0, None))),
            (json!("1.2万"), Some((12_000, Some(1_000)))),
            (json!("10万+"), Some((100_000, Some(10_000)))),
            (json!("1千+"), Some((1_000, Some(1_000)))),
            (json!("10+"), Some((10, Some(10)))),
            (json!("1.2w"), Some((12_000, Some(1_000)))),
            (json!("3亿"), Some((300_000_000, Some(100_000_000)))),
            (json!("1,234"), Some((1_234, None))),
            (json!("1,234,567"), Some((1_234_567, None))),
            (json!("１２３"), Some((123, None))),
            (json!("１．２万"), Some((12_000, Some(1_000)))),
            (json!("1.2 万"), Some((12_000, Some(1_000)))),
            (json!("1.25万"), Some((12_500, Some(100)))),
            (json!("3k"), Some((3_000, Some(1_000)))),
            (json!("1.2M"), Some((1_200_000, Some(100_000)))),
            (json!("10w+"), Some((100_000, Some(10_000)))),
            (json!("99+"), Some((99, Some(10)))),
            (json!("0+"), Some((0, Some(1)))),
            (json!("约1万"), Some((10_000, Some(10_000)))),
            (json!("约 1.2万+"), Some((12_000, Some(1_000)))),
            (json!("≈120"), Some((120, Some(100)))),
            (json!("1.3B"), Some((1_300_000_000, Some(100_000_000)))),
            (json!(1_000_000_000_000_i64), Some((1_000_000_000_000, None))),
            (json!(1_000_000_000_001_i64), None),
            (json!(i64::MAX), None),
            (json!("99999999亿"), None),
            (json!("约"), None),
            (json!("2,3万"), None),
            (json!("抢首评"), None),
            (json!("1,23"), None),
            (json!(",123"), None),
            (json!("+"), None),
            (json!("1.-2万"), None),
            (json!("1.5"), None),
            (json!(-1), None),
            (json!("-1"), None),
            (json!(1.5), None),
            (json!("赞"), None),
            (json!("万"), None),
            (json!("nan"), None),
            (json!("1e400"), None),
            (json!("1e30亿"), None),
            (json!(u64::MAX), None),
            (json!(null), None),
            (json!([1]), None),
            (json!({"n": 1}), None),
        ] {
            let object = json!({ "n": given });
            let object = Value::from(&object);
            let mut counts = CountReader::of(&object);
            let read = counts.take(&["/n"]).map(|number| (number, counts.granularity));
            assert_eq!(read, count, "{given}");
        }
    }

    #[test]
    fn a_count_that_is_missing_or_not_understood_is_named() {
        let object = json!({ "likes": "赞", "shares": null, "views": -1, "comments": -2,
                             "plays": i64::MAX, "growth": i64::MIN });
        let object = Value::from(&object);
        let mut counts = CountReader::of(&object);
        for path in ["/likes", "/shares", "/views", "/collects", "/comments", "/plays"] {
            assert_eq!(counts.expect(&[path]), None);
        }
        assert_eq!(counts.growth("/growth"), None);
        assert_eq!(
            counts.odd,
            [
                "likes is not a count",
                "shares is missing",
                "collects is missing",
                "comments is out of range",
                "plays is out of range",
                "growth is out of range",
            ]
        );
    }

    #[test]
    fn the_second_name_of_a_count_is_read_when_the_first_holds_nothing() {
        let object = json!({ "liked_count": null, "likes": 7 });
        let object = Value::from(&object);
        assert_eq!(CountReader::of(&object).expect(&["/liked_count", "/likes"]), Some(7));
    }
}
