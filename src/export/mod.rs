//! Export of rows as CSV, JSONL or Parquet in constant memory, the same from both databases.

mod csv;
mod jsonl;
mod parquet;

use std::io::Write;

use anyhow::Result;

use crate::store::{Column, Value};

/// Output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With a header.
    Csv {
        /// Starts with a byte order mark for Excel.
        bom: bool,
        /// Leaves texts unchanged that a spreadsheet would treat as formulas.
        raw: bool,
    },
    /// One JSON object per line.
    Jsonl,
    /// Compressed with zstd.
    Parquet,
}

/// A writer of one of the formats.
#[expect(missing_debug_implementations, reason = "its parts have none")]
pub enum Export<W: Write + Send> {
    /// As CSV.
    Csv(csv::Csv<W>),
    /// As JSONL.
    Jsonl(jsonl::Jsonl<W>),
    /// As Parquet.
    Parquet(parquet::Parquet<W>),
}

impl<W: Write + Send> Export<W> {
    /// Starts an export with these columns to `out`.
    pub fn new(format: Format, columns: &[Column], out: W) -> Result<Self> {
        let columns = distinct(columns);
        Ok(match format {
            Format::Csv { bom, raw } => Self::Csv(csv::Csv::new(&columns, bom, raw, out)?),
            Format::Jsonl => Self::Jsonl(jsonl::Jsonl::new(&columns, out)?),
            Format::Parquet => Self::Parquet(parquet::Parquet::new(columns, out)),
        })
    }

    /// Writes a row. Fails if a value does not fit the type of its column.
    pub fn row(&mut self, row: Vec<Value>) -> Result<()> {
        match self {
            Self::Csv(csv) => csv.row(&row),
            Self::Jsonl(jsonl) => jsonl.row(&row),
            Self::Parquet(parquet) => parquet.row(row),
        }
    }

    /// Writes buffered rows and closes the file.
    pub fn finish(self) -> Result<()> {
        match self {
            Self::Csv(csv) => csv.finish(),
            Self::Jsonl(jsonl) => jsonl.finish(),
            Self::Parquet(parquet) => parquet.finish(),
        }
    }
}

/// Columns with distinct names: the second `id` becomes `id_2`.
fn distinct(columns: &[Column]) -> Vec<Column> {
    let mut named: Vec<Column> = Vec::with_capacity(columns.len());
    for column in columns {
        let taken = |name: &str| named.iter().any(|other| other.name == name);
        let mut name = column.name.clone();
        let mut nth = 2;
        while taken(&name) {
            name = format!("{}_{nth}", column.name);
            nth += 1;
        }
        named.push(Column { name, column_type: column.column_type });
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The output for rows with these columns.
    fn written(format: Format, columns: &[&str], rows: Vec<Vec<Value>>) -> String {
        let column = |name: &&str| Column { name: (*name).to_owned(), column_type: None };
        let columns: Vec<_> = columns.iter().map(column).collect();
        let mut out = Vec::new();
        let mut export = Export::new(format, &columns, &mut out).expect("a header");
        rows.into_iter().for_each(|row| export.row(row).expect("a row"));
        export.finish().expect("the end");
        String::from_utf8(out).expect("text")
    }

    const CSV: Format = Format::Csv { bom: false, raw: false };

    #[test]
    fn csv_escapes_formulas_but_not_numbers() {
        let value = |text: &str| Value::Text(text.to_owned());
        for text in ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1+1"] {
            let csv = written(CSV, &["a"], vec![vec![value(text)]]);
            assert!(
                csv.trim_start_matches("a\n").trim_start_matches('"').starts_with('\''),
                "{csv:?}"
            );
            let raw = Format::Csv { bom: false, raw: true };
            assert!(!written(raw, &["a"], vec![vec![value(text)]]).contains('\''), "{text:?}");
        }
        let numbers = vec![Value::Int(-1), Value::Real(-0.5), Value::Number("-3".into())];
        assert_eq!(written(CSV, &["a", "b", "c"], vec![numbers]), "a,b,c\n-1,-0.5,-3\n");
        assert!(written(CSV, &["=a"], vec![]).starts_with("'=a"));
    }

    #[test]
    fn csv_quotes_and_byte_order_mark() {
        let row = vec![Value::Text("a, \"b\"\nc".into()), Value::Null, Value::Bytes(vec![0, 255])];
        let with_bom = Format::Csv { bom: true, raw: false };
        let csv = written(with_bom, &["x", "y", "z"], vec![row]);
        assert_eq!(csv, "\u{feff}x,y,z\n\"a, \"\"b\"\"\nc\",,\\x00ff\n");
    }

    #[test]
    fn jsonl_line_is_an_object_with_all_columns() {
        let row = vec![
            Value::Null,
            Value::Text("露\"营\"\n".into()),
            Value::Json("{\n \"b\": [1.10]}".into()),
            Value::Bool(true),
            Value::Real(3.0),
        ];
        let line = written(Format::Jsonl, &["id", "id", "json", "is", "real"], vec![row]);
        let expected = "{\"id\":null,\"id_2\":\"露\\\"营\\\"\\n\",\"json\":{  \"b\": [1.10]},\"is\":true,\"real\":3.0}\n";
        assert_eq!(line, expected);
    }
}
