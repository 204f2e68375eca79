//! A curve over time in one line; a missing observation is a gap.

use crate::cli::format::BLOCKS;
use crate::time::Time;

/// Maximum width in columns.
const WIDTH: u128 = 48;

/// A column without observations.
const GAP: char = '·';

/// The curve of observations in order of time; an observation may lack the value. Twice the usual
/// interval between observations is a gap.
pub(super) fn curve(points: &[(Time, Option<i64>)]) -> String {
    let values = || points.iter().filter_map(|(_, value)| *value);
    let (Some(low), Some(high)) = (values().min(), values().max()) else {
        return String::new();
    };
    let (columns, ordinary) = (columns(points), ordinary_pause(points));
    let mut text = String::new();
    let mut before: Option<(Time, char)> = None;
    for (index, column) in columns.iter().enumerate() {
        let shown = match column {
            Some(bucket) => {
                let shown = bucket.value.map_or(GAP, |value| block(value, low, high));
                before = Some((bucket.last, shown));
                shown
            }
            None => {
                let next = columns.iter().skip(index).flatten().next();
                let pause = before.zip(next).map(|((last, _), next)| next.first.since(last));
                let is_ordinary = pause.is_some_and(|pause| pause.as_micros() < 2 * ordinary);
                before.filter(|_| is_ordinary).map_or(GAP, |(_, shown)| shown)
            }
        };
        text.push(shown);
    }
    text
}

/// The observations in one column.
#[derive(Clone, Copy)]
struct Bucket {
    first: Time,
    last: Time,
    /// The last known value.
    value: Option<i64>,
}

/// The observations by columns of equal duration.
fn columns(points: &[(Time, Option<i64>)]) -> Vec<Option<Bucket>> {
    let (Some((first, _)), Some((last, _))) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let length = last.since(*first).as_micros();
    let count = (length / ordinary_pause(points).max(1) + 1).min(WIDTH);
    let mut columns = vec![None; usize::try_from(count).unwrap_or(1)];
    for (at, value) in points {
        let index = at.since(*first).as_micros() * count / (length + 1);
        let Some(column) = usize::try_from(index).ok().and_then(|index| columns.get_mut(index))
        else {
            continue;
        };
        let bucket = column.get_or_insert(Bucket { first: *at, last: *at, value: None });
        (bucket.last, bucket.value) = (*at, value.or(bucket.value));
    }
    columns
}

/// The median interval between observations in microseconds.
fn ordinary_pause(points: &[(Time, Option<i64>)]) -> u128 {
    let pairs = points.iter().zip(points.iter().skip(1));
    let mut pauses: Vec<_> =
        pairs.map(|((one, _), (next, _))| next.since(*one).as_micros()).collect();
    pauses.sort_unstable();
    pauses.get(pauses.len() / 2).copied().unwrap_or(0)
}

fn block(value: i64, low: i64, high: i64) -> char {
    let steps = (i128::from(high) - i128::from(low)).max(1);
    let step = (i128::from(value) - i128::from(low)) * 7 / steps;
    usize::try_from(step).ok().and_then(|step| BLOCKS.get(step)).copied().unwrap_or('▁')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(hours: u64) -> Time {
        Time::EPOCH.plus(Duration::from_secs(3600 * hours))
    }

    fn hourly(values: impl IntoIterator<Item = (u64, i64)>) -> String {
        curve(&values.into_iter().map(|(hour, value)| (at(hour), Some(value))).collect::<Vec<_>>())
    }

    #[test]
    fn steady_curve_has_no_gap() {
        assert_eq!(hourly((0..8).map(|n| (n, 10 * i64::try_from(n).unwrap_or(0)))), "▁▂▃▄▅▆▇█");
        assert_eq!(hourly([(3, 5)]), "▁");
        assert_eq!(curve(&[]), "");
        let long = hourly((0..1000).map(|n| (n, 1)));
        assert_eq!((long.chars().count(), long.contains(GAP)), (48, false));
    }

    #[test]
    fn missing_observation_is_a_gap_and_a_late_one_is_not() {
        assert_eq!(hourly([(0, 0), (1, 1), (2, 2), (6, 6), (7, 7)]), "▁▂▃···▇█");
        let late = [0, 60, 120, 195, 240, 300]
            .map(|minute| Time::EPOCH.plus(Duration::from_secs(60 * minute)));
        let points: Vec<_> = late.into_iter().map(|at| (at, Some(1))).collect();
        assert!(!curve(&points).contains(GAP), "{}", curve(&points));
    }

    #[test]
    fn observation_without_value_is_a_gap() {
        assert_eq!(curve(&[(at(0), Some(0)), (at(1), None), (at(2), Some(7))]), "▁·█");
        assert_eq!(curve(&[(at(0), None)]), "");
    }
}
