//! Values of any column, as either database gives them.

use std::fmt;

use anyhow::{Context as _, Result};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use sqlx::postgres::{PgRow, PgValueRef};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, TypeInfo as _, ValueRef as _};

use crate::model::catalogue::{Cell, ColumnType};
use crate::time::Time;

/// From this value on, in 1973, a number of SQLite under the name of a time is microseconds, as the
/// tables have them; what somebody calculates there are seconds, or milliseconds. 0 is the beginning.
const MICROS_FROM: i64 = 100_000_000_000_000;

/// What stands in a row at a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing is known.
    Null,
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Real(f64),
    /// A number as PostgreSQL writes it, of any size.
    Number(String),
    /// True or false.
    Bool(bool),
    /// Text.
    Text(String),
    /// An instant.
    Time(Time),
    /// The text of any JSON.
    Json(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// Its bytes in memory, roughly.
    pub fn size(&self) -> usize {
        let more = match self {
            Self::Text(text) | Self::Json(text) | Self::Number(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Null | Self::Int(_) | Self::Real(_) | Self::Bool(_) | Self::Time(_) => 0,
        };
        size_of::<Self>() + more
    }

    /// A time, or NULL.
    pub fn from_time(at: Option<Time>) -> Self {
        at.map_or(Self::Null, Self::Time)
    }

    /// As what its column holds, where it can be: SQLite knows neither times nor true and false, and
    /// keeps what it is given.
    fn fit(self, holds: Option<ColumnType>) -> Self {
        match (holds, self) {
            (Some(ColumnType::Bool), Self::Int(number @ 0..=1)) => Self::Bool(number == 1),
            (
                Some(ColumnType::Time | ColumnType::Micros),
                Self::Int(micros @ (0 | MICROS_FROM..)),
            ) => Time::from_micros(micros).map_or(Self::Int(micros), Self::Time),
            (Some(ColumnType::Time | ColumnType::Micros), Self::Text(text)) => {
                text.parse().map_or(Self::Text(text), Self::Time)
            }
            (Some(ColumnType::Json), Self::Text(text)) => Self::Json(text),
            #[expect(clippy::cast_precision_loss, reason = "a whole number among fractions")]
            (Some(ColumnType::Real), Self::Int(number)) => Self::Real(number as f64),
            (_, value) => value,
        }
    }
}

impl Value {
    /// As a cell of a column of this type.
    pub(in crate::store) fn into_cell(self, column_type: ColumnType) -> Cell {
        match self.fit(Some(column_type)) {
            Self::Null => Cell::Null,
            Self::Int(number) => Cell::Int(number),
            Self::Real(number) => Cell::Real(number),
            Self::Bool(flag) => Cell::Bool(flag),
            Self::Time(at) => Cell::Int(at.micros()),
            Self::Number(text) | Self::Text(text) | Self::Json(text) => Cell::Text(text),
            Self::Bytes(bytes) => Cell::Bytes(bytes),
        }
    }
}

/// As JSON has it: a time as text, bytes as text of hexadecimal digits.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Real(number) => serializer.serialize_f64(*number),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Time(at) => at.serialize(serializer),
            // Between its parts a line break says nothing, and within a text there is none.
            Self::Json(text) | Self::Number(text) => {
                match RawValue::from_string(text.replace(['\n', '\r'], " ")) {
                    Ok(json) => json.serialize(serializer),
                    // NaN, which JSON does not have.
                    Err(_) => serializer.serialize_str(text),
                }
            }
            Self::Bytes(_) => serializer.collect_str(self),
        }
    }
}

/// As text; nothing where it is NULL.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Int(number) => number.fmt(f),
            Self::Real(number) => number.fmt(f),
            Self::Bool(flag) => flag.fmt(f),
            Self::Time(at) => at.fmt(f),
            Self::Number(text) | Self::Text(text) | Self::Json(text) => f.write_str(text),
            Self::Bytes(bytes) => {
                f.write_str("\\x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// A value of SQLite, as what its column `holds`, where that is known and fits.
pub(in crate::store) fn from_sqlite(
    row: &SqliteRow,
    column: usize,
    holds: Option<ColumnType>,
) -> Result<Value> {
    let raw = row.try_get_raw(column)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let name = raw.type_info().name().to_owned();
    let decoded = match name.as_str() {
        "INTEGER" => Decode::<Sqlite>::decode(raw).map(Value::Int),
        "REAL" => Decode::<Sqlite>::decode(raw).map(Value::Real),
        "BLOB" => Decode::<Sqlite>::decode(raw).map(Value::Bytes),
        _ => Decode::<Sqlite>::decode(raw).map(Value::Text),
    };
    let value = decoded.map_err(anyhow::Error::from_boxed);
    Ok(value.with_context(|| format!("column {}", column + 1))?.fit(holds))
}

/// A value of PostgreSQL: of any type where the server sent it as text, else of those that the
/// tables have.
pub(in crate::store) fn from_postgres(row: &PgRow, column: usize) -> Result<Value> {
    let raw = row.try_get_raw(column)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let name = raw.type_info().name().to_owned();
    typed(&name, raw)
        .map_err(anyhow::Error::from_boxed)
        .with_context(|| format!("column {}", column + 1))
}

fn typed(name: &str, raw: PgValueRef<'_>) -> Result<Value, sqlx::error::BoxDynError> {
    Ok(match name {
        "BOOL" => Value::Bool(Decode::<Postgres>::decode(raw)?),
        "INT2" => Value::Int(<i16 as Decode<Postgres>>::decode(raw)?.into()),
        "INT4" => Value::Int(<i32 as Decode<Postgres>>::decode(raw)?.into()),
        "INT8" => Value::Int(Decode::<Postgres>::decode(raw)?),
        "FLOAT4" => Value::Real(<f32 as Decode<Postgres>>::decode(raw)?.into()),
        "FLOAT8" => Value::Real(Decode::<Postgres>::decode(raw)?),
        "BYTEA" => Value::Bytes(Decode::<Postgres>::decode(raw)?),
        "NUMERIC" => Value::Number(raw.as_str()?.to_owned()),
        "JSON" | "JSONB" => Value::Json(raw.as_str()?.to_owned()),
        "TIMESTAMPTZ" if raw.format() == sqlx::postgres::PgValueFormat::Text => {
            // As the server writes it where it is told nothing else; infinity is no time.
            let text = raw.as_str()?;
            let at = text.strip_suffix("+00").and_then(|utc| utc.parse().ok());
            at.map_or_else(|| Value::Text(text.to_owned()), Value::Time)
        }
        "TIMESTAMPTZ" => Value::Time(Decode::<Postgres>::decode(raw)?),
        _ => Value::Text(raw.as_str()?.to_owned()),
    })
}

/// What a column of this type of PostgreSQL holds.
pub(in crate::store) fn holds(postgres: &str) -> ColumnType {
    match postgres {
        "BOOL" => ColumnType::Bool,
        "INT2" | "INT4" | "INT8" => ColumnType::Int,
        "FLOAT4" | "FLOAT8" | "NUMERIC" => ColumnType::Real,
        "TIMESTAMPTZ" => ColumnType::Time,
        "JSON" | "JSONB" => ColumnType::Json,
        "BYTEA" => ColumnType::Bytes,
        _ => ColumnType::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_sqlite_is_what_its_column_holds_where_it_fits() {
        let at: Time = "2026-03-02 00:00:00".parse().expect("a time");
        let text = |text: &str| Value::Text(text.to_owned());
        for (holds, value, fitted) in [
            (ColumnType::Time, Value::Int(at.micros()), Value::Time(at)),
            (ColumnType::Time, text("2026-03-02 00:00:00"), Value::Time(at)),
            (ColumnType::Time, text("soon"), text("soon")),
            (ColumnType::Time, Value::Int(1_772_409_600), Value::Int(1_772_409_600)),
            (ColumnType::Bool, Value::Int(1), Value::Bool(true)),
            (ColumnType::Bool, Value::Int(2), Value::Int(2)),
            (ColumnType::Real, Value::Int(3), Value::Real(3.0)),
            (ColumnType::Int, Value::Real(0.5), Value::Real(0.5)),
        ] {
            assert_eq!(value.fit(Some(holds)), fitted);
        }
    }
}
