//! Writing a cold file.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use parquet::basic::{
    Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel,
};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type};
use sha2::{Digest as _, Sha256};

use super::{FORMAT, Row};
use crate::time::Time;

/// Higher levels cost 2 to 4 times the CPU for a few per cent.
const LEVEL: i32 = 3;

/// Text of a page, in bytes: what is decompressed for one answer. Smaller pages have less to compress
/// an answer against.
const PAGE_BYTES: usize = 8 << 20;

/// Columns in their order, with `body` last, so that all others are small.
const COLUMNS: [(&str, Physical, Repetition); 13] = [
    ("document_id", Physical::INT64, Repetition::REQUIRED),
    ("endpoint", Physical::BYTE_ARRAY, Repetition::REQUIRED),
    ("kind", Physical::BYTE_ARRAY, Repetition::REQUIRED),
    ("key", Physical::BYTE_ARRAY, Repetition::REQUIRED),
    ("asked", Physical::BYTE_ARRAY, Repetition::REQUIRED),
    ("page", Physical::INT32, Repetition::REQUIRED),
    ("fetched_at", Physical::INT64, Repetition::REQUIRED),
    ("http_status", Physical::INT32, Repetition::REQUIRED),
    ("outcome", Physical::BYTE_ARRAY, Repetition::REQUIRED),
    ("imported_at", Physical::INT64, Repetition::OPTIONAL),
    ("redacted_at", Physical::INT64, Repetition::OPTIONAL),
    ("cleaned", Physical::BYTE_ARRAY, Repetition::OPTIONAL),
    ("exact", Physical::BYTE_ARRAY, Repetition::OPTIONAL),
];

/// A file under construction.
#[expect(missing_debug_implementations, reason = "its parts have none")]
pub struct Writer {
    file: SerializedFileWriter<Vec<u8>>,
    endpoint: String,
    written: Written,
}

/// A complete file.
#[derive(Clone, Debug)]
pub struct Written {
    /// The endpoint of its answers.
    pub endpoint: String,
    /// Its bytes.
    pub content: Vec<u8>,
    /// Their SHA-256.
    pub sha256: Vec<u8>,
    /// Size of its end, which says what is where.
    pub footer_bytes: usize,
    /// Bytes of its bodies and received bytes.
    pub text_bytes: usize,
    /// Its documents, in the order of its rows.
    pub documents: Vec<i64>,
    /// The SHA-256 of each of its texts, in the same order.
    pub texts: Vec<[u8; 32]>,
    /// The first time of an answer.
    pub first_fetched_at: Time,
    /// The last one.
    pub last_fetched_at: Time,
}

impl Writer {
    /// Begins a file for answers of this endpoint.
    ///
    /// # Errors
    /// None that is known of: the library may have some.
    pub fn new(endpoint: &str) -> Result<Self> {
        let schema = schema()?;
        let properties = properties(endpoint)?;
        let file = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
        let written = Written {
            endpoint: endpoint.to_owned(),
            content: Vec::new(),
            sha256: Vec::new(),
            footer_bytes: 0,
            text_bytes: 0,
            documents: Vec::new(),
            texts: Vec::new(),
            first_fetched_at: Time::EPOCH,
            last_fetched_at: Time::EPOCH,
        };
        Ok(Self { file, endpoint: endpoint.to_owned(), written })
    }

    /// Adds a row group; without rows it adds nothing.
    ///
    /// # Errors
    /// None that is known of: the library may have some.
    pub fn group(&mut self, rows: &[Row]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        self.note(rows);
        let mut group = self.file.next_row_group()?;
        let text = |it: &str| ByteArray::from(it.as_bytes().to_vec());
        let micros = |at: &Option<Time>| at.map(Time::micros);
        ints(&mut group, rows, |it| Some(it.document_id))?;
        let endpoint = text(&self.endpoint);
        bytes(&mut group, rows, |_| Some(endpoint.clone()))?;
        bytes(&mut group, rows, |it| Some(text(&it.kind)))?;
        bytes(&mut group, rows, |it| Some(text(&it.key)))?;
        bytes(&mut group, rows, |it| Some(text(&it.asked)))?;
        column::<Int32Type>(&mut group, rows, |it| Some(it.page))?;
        ints(&mut group, rows, |it| Some(it.fetched_at.micros()))?;
        column::<Int32Type>(&mut group, rows, |it| Some(it.http_status))?;
        bytes(&mut group, rows, |it| Some(text(&it.outcome)))?;
        ints(&mut group, rows, |it| micros(&it.imported_at))?;
        ints(&mut group, rows, |it| micros(&it.redacted_at))?;
        bytes(&mut group, rows, |it| it.cleaned.as_deref().map(text))?;
        bytes(&mut group, rows, |it| it.exact.clone().map(ByteArray::from))?;
        let mut bodies = group.next_column()?.context("a column too few")?;
        for row in rows {
            bodies.typed::<ByteArrayType>().write_batch(&[text(&row.body)], None, None)?;
        }
        bodies.close()?;
        group.close()?;
        Ok(())
    }

    fn note(&mut self, rows: &[Row]) {
        let it = &mut self.written;
        for row in rows {
            let is_first = it.documents.is_empty();
            if is_first || row.fetched_at < it.first_fetched_at {
                it.first_fetched_at = row.fetched_at;
            }
            if is_first || row.fetched_at > it.last_fetched_at {
                it.last_fetched_at = row.fetched_at;
            }
            it.text_bytes += row.body.len() + row.exact.as_ref().map_or(0, Vec::len);
            it.documents.push(row.document_id);
            it.texts.push(digest(row.document_id, &row.body, row.exact.as_deref()));
        }
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> usize {
        self.file.bytes_written()
    }

    /// Bytes of text written so far.
    pub fn text_bytes(&self) -> usize {
        self.written.text_bytes
    }

    /// Number of answers so far.
    pub fn documents(&self) -> usize {
        self.written.documents.len()
    }

    /// Ends the file.
    ///
    /// # Errors
    /// None that is known of: the library may have some.
    pub fn finish(self) -> Result<Written> {
        let Self { file, mut written, .. } = self;
        let before = file.bytes_written();
        written.content = file.into_inner()?;
        written.footer_bytes = written.content.len() - before;
        written.sha256 = Sha256::digest(&written.content).to_vec();
        Ok(written)
    }
}

/// The SHA-256 of all that a row has of an answer's text.
pub(super) fn digest(document_id: i64, body: &str, exact: Option<&[u8]>) -> [u8; 32] {
    let mut sum = Sha256::new();
    sum.update(document_id.to_le_bytes());
    sum.update(body.len().to_le_bytes());
    sum.update(body);
    if let Some(exact) = exact {
        sum.update([1]);
        sum.update(exact);
    }
    sum.finalize().into()
}

fn schema() -> Result<Type> {
    let body = ("body", Physical::BYTE_ARRAY, Repetition::REQUIRED);
    let field = |(name, physical, repetition): (&str, Physical, Repetition)| {
        let logical = match (name, physical) {
            (name, _) if name.ends_with("_at") => {
                Some(LogicalType::timestamp(true, TimeUnit::MICROS))
            }
            ("exact", _) | (_, Physical::INT64 | Physical::INT32) => None,
            _ => Some(LogicalType::String),
        };
        let field = Type::primitive_type_builder(name, physical);
        anyhow::Ok(Arc::new(field.with_repetition(repetition).with_logical_type(logical).build()?))
    };
    let fields = COLUMNS.into_iter().chain([body]).map(field).collect::<Result<_>>()?;
    Ok(Type::group_type_builder("answers").with_fields(fields).build()?)
}

fn properties(endpoint: &str) -> Result<WriterProperties> {
    let metadata = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("tidewatch ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
        .set_data_page_size_limit(PAGE_BYTES)
        // Pages overshoot by as many rows.
        .set_write_batch_size(1)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(vec![
            metadata("tidewatch.format", FORMAT.to_string()),
            metadata("tidewatch.endpoint", endpoint.to_owned()),
        ]));
    for name in ["document_id", "fetched_at", "imported_at", "redacted_at"] {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(name), false)
            .set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED);
    }
    for name in ["exact", "body"] {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(name), false)
            .set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::None);
    }
    Ok(properties.build())
}

fn ints(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    rows: &[Row],
    value: impl Fn(&Row) -> Option<i64>,
) -> Result<()> {
    column::<Int64Type>(group, rows, value)
}

fn bytes(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    rows: &[Row],
    value: impl Fn(&Row) -> Option<ByteArray>,
) -> Result<()> {
    column::<ByteArrayType>(group, rows, value)
}

/// Writes the next column. Levels of a column that is required are ignored.
fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    rows: &[Row],
    value: impl Fn(&Row) -> Option<T::T>,
) -> Result<()> {
    let (mut present, mut levels) = (Vec::new(), Vec::new());
    for row in rows {
        let value = value(row);
        levels.push(i16::from(value.is_some()));
        present.extend(value);
    }
    let mut column = group.next_column()?.context("a column too few")?;
    column.typed::<T>().write_batch(&present, Some(&levels), None)?;
    Ok(column.close()?)
}
