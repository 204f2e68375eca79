//! Formatting of figures.

use std::io::{self, Write};
use std::sync::LazyLock;

use chrono::Datelike as _;
use chrono_tz::Tz;
use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use indicatif::MultiProgress;

use crate::store::CallTotals;
pub(super) use crate::text::{count, money};
use crate::text::{is_visible, things};
use crate::time::Time;

/// The progress bars on stderr.
pub(super) static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Writes messages to stderr without tearing the progress bars.
pub(super) struct BesideBars;

impl Write for BesideBars {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| io::stderr().write(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Blocks of a sparkline, lowest first.
pub(super) const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Maximum width of a sparkline in columns.
const SPARKLINE_WIDTH: usize = 24;

/// A curve in one line, resampled to the maximum width.
pub(super) fn sparkline(values: &[i64]) -> String {
    let (Some(&low), Some(&high)) = (values.iter().min(), values.iter().max()) else {
        return String::new();
    };
    let width = values.len().min(SPARKLINE_WIDTH);
    (0..width)
        // Evenly spaced, including the first and the last.
        .filter_map(|column| values.get(column * (values.len() - 1) / (width - 1).max(1)))
        .map(|value| {
            let steps = i128::from(high - low).max(1);
            let step = i128::from(value - low) * 7 / steps;
            BLOCKS.get(usize::try_from(step).unwrap_or(0)).copied().unwrap_or('▁')
        })
        .collect()
}

/// The cost of calls: billed, possibly billed, and without a price.
pub(super) fn cost(calls: &[CallTotals]) -> String {
    let sum = |field: fn(&CallTotals) -> i64| calls.iter().map(field).sum::<i64>();
    let mut text = money(sum(|row| row.cost_micros)) + " yuan";
    match sum(|row| row.unknown) {
        0 => {}
        unknown => {
            let (perhaps, calls) =
                (money(sum(|row| row.unknown_micros)), things(count(unknown), "call"));
            text += &format!(" and perhaps {perhaps} for {calls} possibly billed");
        }
    }
    match sum(|row| row.unpriced) {
        0 => text,
        unpriced => {
            let calls = things(count(unpriced), "call");
            format!("{text} and ? for {calls} without a price in jobs.toml")
        }
    }
}

/// The line above texts with times.
pub(super) fn times_in(zone: Tz) -> String {
    format!("times in {zone}\n")
}

/// A time in a zone to the second, without the year.
pub(super) fn local(time: Time, zone: Tz) -> String {
    time.utc().with_timezone(&zone).format("%m-%d %H:%M:%S").to_string()
}

/// A time after `since`, with its year if it differs.
pub(super) fn local_after(since: Time, time: Time, zone: Tz) -> String {
    let [since, time] = [since, time].map(|at| at.utc().with_timezone(&zone));
    let pattern = if since.year() == time.year() { "%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    time.format(pattern).to_string()
}

/// External text for a terminal: one line of at most `most` characters without control or
/// bidirectional characters.
pub(super) fn safe(text: &str, most: usize) -> String {
    let clean: String =
        text.chars().map(|c| if c == '\n' { ' ' } else { c }).filter(|c| is_visible(*c)).collect();
    if clean.chars().count() <= most {
        return clean;
    }
    clean.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A line below the heading.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table with a line below its heading; columns in `right` are right-aligned. Cells may contain
/// any text.
pub(super) fn table(head: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(head.to_vec());
    table.add_rows(rows.into_iter().map(|row| row.into_iter().map(|cell| safe(&cell, usize::MAX))));
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{table}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparkline_follows_its_values() {
        assert_eq!(sparkline(&[0, 1, 2, 3, 4, 5, 6, 7]), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[5, 5]), "▁▁");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&(0..1000).collect::<Vec<_>>()).chars().count(), 24);
    }

    #[test]
    fn table_cells_cannot_control_the_terminal() {
        let shown = table(&["kol"], &[], vec![vec!["a\u{1b}[2Jb\u{202e}c".to_owned()]]);
        assert!(shown.contains("a[2Jbc"), "{shown:?}");
        assert!(shown.chars().all(|c| c == '\n' || is_visible(c)), "{shown:?}");
    }

    #[test]
    fn external_text_cannot_control_the_terminal() {
        assert_eq!(safe("a\u{1b}]0;x\u{7}\r\nb\u{202e}c", 20), "a]0;x bc");
        assert_eq!(safe("一二三四五", 4), "一二三…");
    }
}
