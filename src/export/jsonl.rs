//! A JSON object a line.

use std::io::{BufWriter, Write};

use anyhow::Result;

use super::text;
use crate::store::{Column, Value};

/// Writes rows as JSONL.
pub struct Jsonl<W: Write> {
    out: BufWriter<W>,
    /// What stands before each value: `{"id":`, and `,"likes":`.
    before: Vec<String>,
}

impl<W: Write> Jsonl<W> {
    pub(super) fn new(columns: &[Column], out: W) -> Result<Self> {
        let mut before = Vec::new();
        for column in columns {
            let opening = if before.is_empty() { '{' } else { ',' };
            before.push(format!("{opening}{}:", serde_json::to_string(&column.name)?));
        }
        Ok(Self { out: BufWriter::new(out), before })
    }

    pub(super) fn row(&mut self, row: &[Value]) -> Result<()> {
        let out = &mut self.out;
        for (before, value) in self.before.iter().zip(row) {
            out.write_all(before.as_bytes())?;
            match value {
                Value::Null => out.write_all(b"null")?,
                Value::Real(number) => serde_json::to_writer(&mut *out, number)?,
                Value::Int(_) | Value::Bool(_) => out.write_all(text(value).as_bytes())?,
                Value::Number(text) if is_json_number(text) => out.write_all(text.as_bytes())?,
                // Between its parts a line break says nothing, and within a text there is none.
                Value::Json(json) => out.write_all(json.replace(['\n', '\r'], " ").as_bytes())?,
                Value::Text(text) => serde_json::to_writer(&mut *out, text)?,
                Value::Time(_) | Value::Bytes(_) | Value::Number(_) => {
                    serde_json::to_writer(&mut *out, &text(value))?;
                }
            }
        }
        Ok(out.write_all(b"}\n")?)
    }

    pub(super) fn finish(mut self) -> Result<()> {
        Ok(self.out.flush()?)
    }
}

/// Whether JSON has such a number: not `NaN`.
fn is_json_number(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_digit())
}
