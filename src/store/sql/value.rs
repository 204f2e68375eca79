//! Values of any column, from either database.

use std::fmt;

use anyhow::{Context as _, Result};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use sqlx::postgres::{PgRow, PgValueRef};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, TypeInfo as _, ValueRef as _};

use crate::model::catalogue::{Cell, ColumnType};
use crate::time::Time;

/// From this value on (in 1973) an integer in a time column of SQLite is microseconds, as the
/// tables store them; what users compute there are seconds or milliseconds. 0 is 1970.
const MICROS_FROM: i64 = 100_000_000_000_000;

/// The value of a column in a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Real(f64),
    /// A PostgreSQL `numeric` as text, of any size.
    Number(String),
    /// A boolean.
    Bool(bool),
    /// Text.
    Text(String),
    /// A time.
    Time(Time),
    /// Text of any JSON.
    Json(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// Approximate size in memory, in bytes.
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

    /// Converts it to the type of its column where it fits: SQLite has neither times nor booleans.
    fn fit(self, column_type: Option<ColumnType>) -> Self {
        match (column_type, self) {
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
            // Line breaks between tokens mean nothing, and strings contain none.
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

/// As text; empty for NULL.
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

/// A value from SQLite, converted to the type `column_type` where that is known and fits.
pub(in crate::store) fn from_sqlite(
    row: &SqliteRow,
    column: usize,
    column_type: Option<ColumnType>,
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
    Ok(value.with_context(|| format!("column {}", column + 1))?.fit(column_type))
}

/// A value from PostgreSQL: any type if the server sent text, else the types of the tables.
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
            // As the server writes it by default; infinity is no time.
            let text = raw.as_str()?;
            let at = text.strip_suffix("+00").and_then(|utc| utc.parse().ok());
            at.map_or_else(|| Value::Text(text.to_owned()), Value::Time)
        }
        "TIMESTAMPTZ" => Value::Time(Decode::<Postgres>::decode(raw)?),
        _ => Value::Text(raw.as_str()?.to_owned()),
    })
}

/// Column type of a PostgreSQL type.
pub(in crate::store) fn column_type(postgres: &str) -> ColumnType {
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
        for (column_type, value, fitted) in [
            (ColumnType::Time, Value::Int(at.micros()), Value::Time(at)),
            (ColumnType::Time, text("2026-03-02 00:00:00"), Value::Time(at)),
            (ColumnType::Time, text("soon"), text("soon")),
            (ColumnType::Time, Value::Int(1_772_409_600), Value::Int(1_772_409_600)),
            (ColumnType::Bool, Value::Int(1), Value::Bool(true)),
            (ColumnType::Bool, Value::Int(2), Value::Int(2)),
            (ColumnType::Real, Value::Int(3), Value::Real(3.0)),
            (ColumnType::Int, Value::Real(0.5), Value::Real(0.5)),
        ] {
            assert_eq!(value.fit(Some(column_type)), fitted);
        }
    }
}
