//! Rendering of tables.

use chrono_tz::Tz;

use super::curve::curve;
use crate::cli::format::{count, money, safe, table};
use crate::cli::rows::moment;
use crate::model::KolSearch;
use crate::store::{Table, Value};
use crate::text::price;
use crate::time::Time;

/// Maximum length of a text in characters.
const LONGEST: usize = 60;

/// Maximum length of a search filter in characters.
const LONGEST_SEARCH: usize = 120;

/// A value as text; times in `zone`.
pub(super) fn shown(value: &Value, zone: Tz) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Int(number) => count(*number),
        Value::Real(number) => real(*number),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Time(at) => moment(*at, zone),
        Value::Text(_) | Value::Json(_) | Value::Number(_) | Value::Bytes(_) => {
            safe(&value.to_string(), LONGEST)
        }
    }
}

/// A number with significant digits only.
fn real(number: f64) -> String {
    let digits = match number.abs() {
        size if size >= 100.0 => 0,
        size if size >= 1.0 => 2,
        size if size >= 0.01 => 3,
        _ => 6,
    };
    let text = format!("{number:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.parse().map_or(text, count),
    }
}

/// Selected columns of a table under given headings.
pub(super) fn columns(of: &Table, wanted: &[(&str, &str)], zone: Tz) -> String {
    let heads: Vec<_> = wanted.iter().map(|(_, head)| *head).collect();
    let cell = |name: &str, value: &Value| match value {
        // Ids are printed without separators, to be copied.
        Value::Int(number) if name.ends_with("_id") => number.to_string(),
        Value::Int(number) if name.ends_with("_micros") => money(*number),
        Value::Text(key) if name == "key" => {
            safe(&KolSearch::shown(&of.first("kind").to_string(), key), LONGEST_SEARCH)
        }
        Value::Real(number) if name.contains("price") => price(*number),
        value => shown(value, zone),
    };
    let cells = wanted.iter().map(|(name, _)| of.column(name).map(|value| cell(name, value)));
    let mut cells: Vec<_> = cells.collect();
    let rows = of.rows.iter().map(|_| cells.iter_mut().filter_map(Iterator::next).collect());
    let is_number = |value: &Value| matches!(value, Value::Int(_) | Value::Real(_));
    let right = wanted.iter().enumerate();
    let right = right.filter(|(_, (name, _))| of.column(name).any(is_number)).map(|(n, _)| n);
    table(&heads, &right.collect::<Vec<_>>(), rows.collect())
}

/// The non-null facts, one per line.
pub(super) fn facts(of: &Table, wanted: &[(&str, &str)], zone: Tz) -> String {
    let line = |(name, head): &(&str, &str)| match of.first(name) {
        Value::Null => String::new(),
        value => format!("  {head:<12} {}\n", shown(value, zone)),
    };
    wanted.iter().map(line).collect()
}

/// The curve of a column over a time column, with its first and last value.
pub(super) fn along(of: &Table, time: &str, column: &str, head: &str) -> String {
    let points = points(of, time, column);
    let mut known = points.iter().filter_map(|(_, value)| *value);
    let Some(first) = known.next() else { return String::new() };
    let last = known.next_back().unwrap_or(first);
    format!("  {head:<12} {}  {} → {}\n", curve(&points), count(first), count(last))
}

/// The integers of a column over a time column.
pub(super) fn points(of: &Table, time: &str, column: &str) -> Vec<(Time, Option<i64>)> {
    let point = |(at, value): (&Value, &Value)| match (at, value) {
        (Value::Time(at), Value::Int(number)) => Some((*at, Some(*number))),
        (Value::Time(at), _) => Some((*at, None)),
        _ => None,
    };
    of.column(time).zip(of.column(column)).filter_map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_a_dash_and_zero_is_zero() {
        assert_eq!(shown(&Value::Null, Tz::UTC), "–");
        assert_eq!(shown(&Value::Int(0), Tz::UTC), "0");
        let at = Value::Time("2026-03-01 23:30:00".parse().expect("a time"));
        assert_eq!(shown(&at, Tz::Asia__Shanghai), "2026-03-02 07:30");
    }

    #[test]
    fn number_has_significant_digits() {
        let texts = [12_345.6, 12.34, 3.0, 0.125, 0.000_12, 0.0].map(real);
        assert_eq!(texts, ["12,346", "12.34", "3", "0.125", "0.00012", "0"]);
    }
}
