//! CSV, safe to open in a spreadsheet.

use std::io::Write;

use anyhow::Result;

use crate::store::{Column, Value};

/// First characters that make a spreadsheet treat a text as a formula; the full-width forms do in
/// some locales.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Byte order mark that tells Excel the encoding is UTF-8.
const BOM: &str = "\u{feff}";

/// Writes rows as CSV.
pub struct Csv<W: Write> {
    out: csv::Writer<W>,
    raw: bool,
}

impl<W: Write> Csv<W> {
    pub(super) fn new(columns: &[Column], bom: bool, raw: bool, mut out: W) -> Result<Self> {
        if bom {
            out.write_all(BOM.as_bytes())?;
        }
        let mut csv = Self { out: csv::Writer::from_writer(out), raw };
        let names: Vec<_> = columns.iter().map(|column| csv.safe(column.name.clone())).collect();
        csv.out.write_record(names)?;
        Ok(csv)
    }

    pub(super) fn row(&mut self, row: &[Value]) -> Result<()> {
        for value in row {
            let text = value.to_string();
            let is_text = matches!(value, Value::Text(_) | Value::Json(_));
            self.out.write_field(if is_text { self.safe(text) } else { text })?;
        }
        Ok(self.out.write_record(None::<&[u8]>)?)
    }

    pub(super) fn finish(mut self) -> Result<()> {
        Ok(self.out.flush()?)
    }

    /// A text that no spreadsheet treats as a formula.
    fn safe(&self, text: String) -> String {
        if !self.raw && text.starts_with(FORMULA) { format!("'{text}") } else { text }
    }
}
