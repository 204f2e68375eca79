//! Parquet: row groups of bounded size, one type per column.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use crate::model::catalogue::ColumnType;
use crate::store::{Column, Value};

/// Maximum rows per group.
const GROUP_ROWS: usize = 122_880;

/// Maximum bytes of a group in memory, except for its last row.
const GROUP_BYTES: usize = 16 << 20;

/// Writes rows as Parquet.
pub struct Parquet<W: Write + Send> {
    /// The output until the columns' types are known.
    out: Option<W>,
    columns: Vec<Column>,
    file: Option<SerializedFileWriter<W>>,
    group: Vec<Vec<Value>>,
    bytes: usize,
    /// Rows written before this group.
    before: usize,
}

impl<W: Write + Send> Parquet<W> {
    pub(super) fn new(columns: Vec<Column>, out: W) -> Self {
        Self { out: Some(out), columns, file: None, group: Vec::new(), bytes: 0, before: 0 }
    }

    pub(super) fn row(&mut self, row: Vec<Value>) -> Result<()> {
        self.bytes += row.iter().map(Value::size).sum::<usize>();
        self.group.push(row);
        if self.group.len() >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.write_group()?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.write_group()?;
        let file = self.file.context("a Parquet file was not begun")?;
        file.close()?;
        Ok(())
    }

    fn write_group(&mut self) -> Result<()> {
        if let Some(out) = self.out.take() {
            settle(&mut self.columns, &self.group);
            self.file = Some(begin(&self.columns, out)?);
        }
        let Some(file) = self.file.as_mut().filter(|_| !self.group.is_empty()) else {
            return Ok(());
        };
        let mut group = file.next_row_group()?;
        for (index, column) in self.columns.iter().enumerate() {
            let values = self.group.iter().map(|row| row.get(index).unwrap_or(&Value::Null));
            write_column(&mut group, column, values, self.before)?;
        }
        group.close()?;
        self.before += self.group.len();
        self.group.clear();
        self.bytes = 0;
        Ok(())
    }
}

/// Infers the types of columns that only their values reveal.
fn settle(columns: &mut [Column], rows: &[Vec<Value>]) {
    for (index, column) in columns.iter_mut().enumerate() {
        let kinds = rows.iter().filter_map(|row| kind(row.get(index)?));
        let common = |one, other| match (one, other) {
            _ if one == other => one,
            (ColumnType::Int | ColumnType::Real, ColumnType::Int | ColumnType::Real) => {
                ColumnType::Real
            }
            _ => ColumnType::Text,
        };
        column.column_type =
            column.column_type.or_else(|| kinds.reduce(common)).or(Some(ColumnType::Text));
    }
}

fn kind(value: &Value) -> Option<ColumnType> {
    match value {
        Value::Null => None,
        Value::Int(_) => Some(ColumnType::Int),
        Value::Real(_) | Value::Number(_) => Some(ColumnType::Real),
        Value::Bool(_) => Some(ColumnType::Bool),
        Value::Text(_) => Some(ColumnType::Text),
        Value::Time(_) => Some(ColumnType::Time),
        Value::Json(_) => Some(ColumnType::Json),
        Value::Bytes(_) => Some(ColumnType::Bytes),
    }
}

fn begin<W: Write + Send>(columns: &[Column], out: W) -> Result<SerializedFileWriter<W>> {
    let field = |column: &Column| {
        let (physical, logical) = match column.column_type {
            Some(ColumnType::Int) => (Physical::INT64, None),
            Some(ColumnType::Real) => (Physical::DOUBLE, None),
            Some(ColumnType::Bool) => (Physical::BOOLEAN, None),
            Some(ColumnType::Time | ColumnType::Micros) => {
                (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS)))
            }
            Some(ColumnType::Bytes) => (Physical::BYTE_ARRAY, None),
            Some(ColumnType::Text | ColumnType::Json) | None => {
                (Physical::BYTE_ARRAY, Some(LogicalType::String))
            }
        };
        let field = Type::primitive_type_builder(&column.name, physical);
        field.with_repetition(Repetition::OPTIONAL).with_logical_type(logical).build()
    };
    let fields = columns.iter().map(|column| Ok(Arc::new(field(column)?)));
    let schema = Type::group_type_builder("rows").with_fields(fields.collect::<Result<_>>()?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_created_by(concat!("tidewatch ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    Ok(SerializedFileWriter::new(out, Arc::new(schema.build()?), Arc::new(properties))?)
}

/// Writes one column of a group that starts after row `before`.
fn write_column<'a, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: &Column,
    values: impl Iterator<Item = &'a Value>,
    before: usize,
) -> Result<()> {
    let values = values.enumerate().map(|(n, value)| {
        let refused = move || {
            anyhow!(
                "row {} has {} in {}, which held something else so far: cast it in a query",
                before + n + 1,
                shortened(value),
                column.name
            )
        };
        (value, refused)
    });
    match column.column_type {
        Some(ColumnType::Int) => write::<Int64Type, _>(group, values, |value| match value {
            Value::Int(number) => Some(*number),
            _ => None,
        }),
        Some(ColumnType::Real) => write::<DoubleType, _>(group, values, |value| match value {
            Value::Real(number) => Some(*number),
            #[expect(clippy::cast_precision_loss, reason = "a whole number among fractions")]
            Value::Int(number) => Some(*number as f64),
            Value::Number(text) => text.parse().ok(),
            _ => None,
        }),
        Some(ColumnType::Bool) => write::<BoolType, _>(group, values, |value| match value {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }),
        Some(ColumnType::Time | ColumnType::Micros) => {
            write::<Int64Type, _>(group, values, |value| match value {
                Value::Time(at) => Some(at.micros()),
                _ => None,
            })
        }
        Some(ColumnType::Bytes) => write::<ByteArrayType, _>(group, values, |value| match value {
            Value::Bytes(bytes) => Some(ByteArray::from(bytes.clone())),
            _ => None,
        }),
        Some(ColumnType::Text | ColumnType::Json) | None => {
            write::<ByteArrayType, _>(group, values, |value| {
                Some(ByteArray::from(value.to_string().into_bytes()))
            })
        }
    }
}

/// Writes a column of one type; `refused` is the error for a value of another type.
fn write<'a, T: DataType, R: Fn() -> anyhow::Error>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: impl Iterator<Item = (&'a Value, R)>,
    typed: impl Fn(&Value) -> Option<T::T>,
) -> Result<()> {
    let (mut present, mut levels) = (Vec::new(), Vec::new());
    for (value, refused) in values {
        let is_null = *value == Value::Null;
        levels.push(i16::from(!is_null));
        if !is_null {
            present.push(typed(value).ok_or_else(refused)?);
        }
    }
    let mut column = group.next_column()?.context("a column too many")?;
    column.typed::<T>().write_batch(&present, Some(&levels), None)?;
    Ok(column.close()?)
}

fn shortened(value: &Value) -> String {
    format!("`{}`", value.to_string().escape_debug().take(60).collect::<String>())
}
