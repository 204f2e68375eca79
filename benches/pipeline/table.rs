//! The table of results: medians, and ratios to the floor and to Tidewatch.

use crate::measure::Figures;

pub(crate) const FLOOR: &str = "floor: ready rows";
pub(crate) const FIRST: &str = "Tidewatch";
pub(crate) const FLOOR_AGAIN: &str = "floor: ready rows, second fetch";
pub(crate) const AGAIN: &str = "Tidewatch, second fetch";
pub(crate) const SCRIPT: &str = "requests + psycopg script";
pub(crate) const DLT: &str = "dlt, picked values";
pub(crate) const DLT_WHOLE: &str = "dlt, whole notes";
pub(crate) const MANY: &str = "Tidewatch, 100,000 targets";

/// The runs of one contestant.
pub(crate) struct Row {
    pub(crate) database: &'static str,
    pub(crate) what: &'static str,
    pub(crate) runs: Vec<Figures>,
}

impl Row {
    /// The run with the median CPU.
    fn median(&self) -> Option<Figures> {
        let mut runs = self.runs.clone();
        runs.sort_by(|a, b| a.cpu().total_cmp(&b.cpu()));
        runs.get(runs.len() / 2).copied()
    }
}

/// The table, as Markdown.
pub(crate) fn text(rows: &[Row]) -> String {
    let mut text = "| database | what | notes/s | CPU µs a note: program | server | sum \
                    | to the floor | to Tidewatch | peak MB |\n\
                    |---|---|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for row in rows {
        let Some(figures) = row.median() else { continue };
        let each = |seconds: f64| seconds * 1e6 / figures.notes;
        let to = |what: &str| {
            let other = rows.iter().find(|r| r.database == row.database && r.what == what)?;
            Some(format!("{:.2}", figures.cpu() / other.median()?.cpu()))
        };
        let again = row.what == AGAIN || row.what == FLOOR_AGAIN;
        let (floor, own) = if again { (FLOOR_AGAIN, AGAIN) } else { (FLOOR, FIRST) };
        text += &format!(
            "| {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {} | {} | {:.0} |\n",
            row.database,
            row.what,
            figures.notes / figures.seconds,
            each(figures.client),
            each(figures.server),
            figures.cpu(),
            to(floor).unwrap_or_default(),
            to(own).unwrap_or_default(),
            figures.peak_mb,
        );
    }
    text
}
