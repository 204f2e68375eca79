//! Spans of time, as conditions on the rows of a table.

use std::time::Duration;

use chrono_tz::Tz;

use crate::store::sql::columns::TimeColumn;
use crate::time::Time;

/// A span of time, and the zone of its days.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Inclusive.
    pub since: Option<Time>,
    /// Exclusive.
    pub until: Option<Time>,
    /// The archive's zone.
    pub zone: Tz,
}

impl Span {
    /// Conditions for rows within the span.
    pub(in crate::store) fn conditions(self, column: TimeColumn, sqlite: bool) -> Vec<String> {
        let ends = [(">=", self.since), ("<", self.until)];
        let ends = ends.into_iter().filter_map(|(than, at)| Some((than, at?)));
        let terms = ends.filter_map(|(than, at)| {
            let day = |zone: Tz| match than {
                // Days that begin within the self.
                "<" => format!("day <= '{}'", at.minus(Duration::from_micros(1)).day(zone)),
                _ => format!("day >= '{}'", at.day(zone)),
            };
            Some(match column {
                // Differs by necessity: times are text or integers in SQLite.
                TimeColumn::Micros(name) if sqlite => format!("{name} {than} {}", at.micros()),
                TimeColumn::At(name) | TimeColumn::Micros(name) if sqlite => {
                    format!("{name} {than} '{at}'")
                }
                TimeColumn::At(name) | TimeColumn::Micros(name) => {
                    format!("{name} {than} '{at}+00'")
                }
                TimeColumn::Day => day(self.zone),
                TimeColumn::Never => return None,
            })
        });
        terms.collect()
    }
}
