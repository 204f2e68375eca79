//! JSON lines: one object per row.

use std::io::{BufWriter, Write};

use anyhow::Result;

use crate::store::{Column, Value};

/// Writes rows as JSONL.
pub struct Jsonl<W: Write> {
    out: BufWriter<W>,
    /// Text before each value: `{"id":`, and `,"likes":`.
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
            serde_json::to_writer(&mut *out, value)?;
        }
        Ok(out.write_all(b"}\n")?)
    }

    pub(super) fn finish(mut self) -> Result<()> {
        Ok(self.out.flush()?)
    }
}
