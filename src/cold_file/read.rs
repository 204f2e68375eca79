//! Reading a cold file.

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::file::reader::{FileReader as _, RowGroupReader};
use parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};
use sha2::{Digest as _, Sha256};

use super::write::digest;
use super::{FORMAT, Row};
use crate::time::Time;

/// Places of columns in the file.
const DOCUMENT_ID: usize = 0;
const EXACT: usize = 12;
const BODY: usize = 13;

/// An open file.
#[expect(missing_debug_implementations, reason = "its parts have none")]
pub struct ColdFile {
    reader: SerializedFileReader<Bytes>,
    content: Bytes,
}

/// The text of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The document.
    pub document_id: i64,
    /// Its body.
    pub body: String,
    /// The bytes received, where the body differs from them.
    pub exact: Option<Vec<u8>>,
}

impl ColdFile {
    /// Opens a file.
    ///
    /// # Errors
    /// When it is no file of this format.
    pub fn open(content: Vec<u8>) -> Result<Self> {
        let content = Bytes::from(content);
        let options = ReadOptionsBuilder::new().with_page_index().build();
        let reader = SerializedFileReader::new_with_options(content.clone(), options)
            .context("no Parquet file")?;
        let metadata = reader.metadata().file_metadata().key_value_metadata();
        let format = metadata.into_iter().flatten().find(|it| it.key == "tidewatch.format");
        let format = format.and_then(|it| it.value.as_deref()).unwrap_or("none");
        ensure!(format == FORMAT.to_string(), "format {format}, which this program does not read");
        ensure!(
            reader.metadata().file_metadata().schema_descr().num_columns() == BODY + 1,
            "other columns than format {FORMAT} has"
        );
        Ok(Self { reader, content })
    }

    /// The SHA-256 of its bytes.
    pub fn sha256(&self) -> Vec<u8> {
        Sha256::digest(&self.content).to_vec()
    }

    /// Number of row groups.
    pub fn groups(&self) -> usize {
        self.reader.num_row_groups()
    }

    fn rows_of(&self, group: usize) -> usize {
        usize::try_from(self.reader.metadata().row_group(group).num_rows()).unwrap_or(0)
    }

    /// Its documents, in the order of its rows.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn documents(&self) -> Result<Vec<i64>> {
        let mut all = Vec::new();
        for group in 0..self.groups() {
            let rows = self.rows_of(group);
            let group = self.reader.get_row_group(group)?;
            all.extend(required::<Int64Type>(&*group, DOCUMENT_ID, rows)?);
        }
        Ok(all)
    }

    /// The texts in these rows, which are ascending: only pages that have one are decompressed.
    ///
    /// # Errors
    /// When the file is damaged, or has no such row.
    pub fn texts(&self, rows: &[usize]) -> Result<Vec<Text>> {
        let (mut texts, mut first, mut rest) = (Vec::with_capacity(rows.len()), 0, rows);
        for group in 0..self.groups() {
            let after = first + self.rows_of(group);
            let (here, others) = rest.split_at(rest.partition_point(|row| *row < after));
            if !here.is_empty() {
                let group = self.reader.get_row_group(group)?;
                let at: Vec<_> = here.iter().map(|row| row - first).collect();
                texts.extend(texts_of(&*group, &at)?);
            }
            (first, rest) = (after, others);
        }
        ensure!(rest.is_empty(), "it has {first} rows, none at {}", rest.first().unwrap_or(&0));
        Ok(texts)
    }

    /// The texts of a row group.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn texts_of_group(&self, group: usize) -> Result<Vec<Text>> {
        let all: Vec<_> = (0..self.rows_of(group)).collect();
        texts_of(&*self.reader.get_row_group(group)?, &all)
    }

    /// The rows of a row group.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn rows_of_group(&self, group: usize) -> Result<Vec<Row>> {
        let texts = self.texts_of_group(group)?;
        let rows = texts.len();
        let group = &*self.reader.get_row_group(group)?;
        let strings = |column| -> Result<Vec<String>> {
            required::<ByteArrayType>(group, column, rows)?.iter().map(string).collect()
        };
        let times = |column| -> Result<Vec<Option<Time>>> {
            optional::<Int64Type>(group, column, rows)?.into_iter().map(time).collect()
        };
        let [kinds, keys, asked, outcomes] = [strings(2)?, strings(3)?, strings(4)?, strings(8)?];
        let pages = required::<Int32Type>(group, 5, rows)?;
        let fetched = required::<Int64Type>(group, 6, rows)?;
        let statuses = required::<Int32Type>(group, 7, rows)?;
        let (imported, redacted) = (times(9)?, times(10)?);
        let cleaned = optional::<ByteArrayType>(group, 11, rows)?;
        let mut all = Vec::with_capacity(rows);
        let texts = texts.into_iter().zip(kinds).zip(keys).zip(asked).zip(outcomes).zip(cleaned);
        for (nth, (((((text, kind), key), asked), outcome), cleaned)) in texts.enumerate() {
            let Text { document_id, body, exact } = text;
            all.push(Row {
                document_id,
                kind,
                key,
                asked,
                page: pages[nth],
                fetched_at: time(Some(fetched[nth]))?.context("no time")?,
                http_status: statuses[nth],
                outcome,
                imported_at: imported[nth],
                redacted_at: redacted[nth],
                cleaned: cleaned.as_ref().map(string).transpose()?,
                exact,
                body,
            });
        }
        Ok(all)
    }

    /// Reads the whole file and compares it with what was written.
    ///
    /// # Errors
    /// When a text differs, or the file cannot be read.
    pub fn require_texts(&self, expected: &[[u8; 32]]) -> Result<()> {
        let mut expected = expected.iter();
        for group in 0..self.groups() {
            for Text { document_id, body, exact } in self.texts_of_group(group)? {
                let found = digest(document_id, &body, exact.as_deref());
                ensure!(
                    expected.next() == Some(&found),
                    "document {document_id} reads otherwise than it was written"
                );
            }
        }
        ensure!(expected.next().is_none(), "documents are missing at its end");
        Ok(())
    }
}

fn texts_of(group: &dyn RowGroupReader, rows: &[usize]) -> Result<Vec<Text>> {
    let mut ids = column::<Int64Type>(group, DOCUMENT_ID)?;
    let mut exact = column::<ByteArrayType>(group, EXACT)?;
    let mut bodies = column::<ByteArrayType>(group, BODY)?;
    let (mut texts, mut at) = (Vec::with_capacity(rows.len()), 0);
    for row in rows {
        let Some(skipped) = row.checked_sub(at) else { bail!("rows are not in order") };
        at = row + 1;
        let body = next(&mut bodies, skipped)?.context("a body is missing")?;
        texts.push(Text {
            document_id: next(&mut ids, skipped)?.context("an id is missing")?,
            body: string(&body)?,
            exact: next(&mut exact, skipped)?.map(|it: ByteArray| it.data().to_vec()),
        });
    }
    Ok(texts)
}

fn column<T: DataType>(group: &dyn RowGroupReader, nth: usize) -> Result<ColumnReaderImpl<T>> {
    Ok(get_typed_column_reader(group.get_column_reader(nth)?))
}

/// The value after this many others; `None` where it is NULL.
fn next<T: DataType>(column: &mut ColumnReaderImpl<T>, skipped: usize) -> Result<Option<T::T>> {
    if skipped > 0 {
        let done = column.skip_records(skipped)?;
        ensure!(done == skipped, "a column ends too soon");
    }
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let (records, _, _) = column.read_records(1, Some(&mut levels), None, &mut values)?;
    ensure!(records == 1, "a column ends too soon");
    Ok(values.pop())
}

fn required<T: DataType>(group: &dyn RowGroupReader, nth: usize, rows: usize) -> Result<Vec<T::T>> {
    let mut values = Vec::with_capacity(rows);
    column::<T>(group, nth)?.read_records(rows, None, None, &mut values)?;
    ensure!(values.len() == rows, "a column ends too soon");
    Ok(values)
}

fn optional<T: DataType>(
    group: &dyn RowGroupReader,
    nth: usize,
    rows: usize,
) -> Result<Vec<Option<T::T>>> {
    let (mut levels, mut values) = (Vec::with_capacity(rows), Vec::new());
    column::<T>(group, nth)?.read_records(rows, Some(&mut levels), None, &mut values)?;
    ensure!(levels.len() == rows, "a column ends too soon");
    let mut values = values.into_iter();
    Ok(levels.into_iter().map(|level| if level == 1 { values.next() } else { None }).collect())
}

fn string(bytes: &ByteArray) -> Result<String> {
    String::from_utf8(bytes.data().to_vec()).context("a text is not UTF-8")
}

fn time(micros: Option<i64>) -> Result<Option<Time>> {
    let Some(micros) = micros else { return Ok(None) };
    Time::from_micros(micros).map(Some).context("a time is outside the calendar")
}
