//! Statements over many rows: the rows are bound as one JSON array, and the statement selects from
//! it. The save path uses [`bulk`](super::bulk), which is several times cheaper.

use serde::Serialize;
use sqlx::AssertSqlSafe;

use crate::model::catalogue::ColumnType;
use crate::store::db::Tx;

/// The type of a column in PostgreSQL.
pub(super) fn in_postgres(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Text => "text",
        ColumnType::Int => "bigint",
        ColumnType::Real => "double precision",
        ColumnType::Bool => "boolean",
        ColumnType::Time | ColumnType::Micros => "timestamptz",
        ColumnType::Json => "jsonb",
        ColumnType::Bytes => "bytea",
    }
}

/// Splits `"note_id text, position int"` into its columns.
pub(in crate::store) fn columns(spec: &str) -> impl Iterator<Item = (&str, ColumnType)> {
    spec.split(',').map(|column| {
        let (name, kind) = column.trim().split_once(' ').unwrap_or((column.trim(), "text"));
        let kind = match kind.trim() {
            "int" => ColumnType::Int,
            "real" => ColumnType::Real,
            "bool" => ColumnType::Bool,
            "time" => ColumnType::Time,
            "micros" => ColumnType::Micros,
            "json" => ColumnType::Json,
            "bytes" => ColumnType::Bytes,
            _ => ColumnType::Text,
        };
        (name, kind)
    })
}

impl Tx {
    /// A statement over the array bound as `$1`: `{rows}` in `template` becomes a table `r` with
    /// the columns of `spec`. A template with `on conflict` needs a `where` before it.
    ///
    /// Differs by necessity: `json_each` here, `jsonb_to_recordset` there.
    pub(in crate::store) fn over_rows(&self, spec: &str, template: &str) -> AssertSqlSafe<String> {
        let source = match self {
            Self::Sqlite(_) => sqlite_rows(spec),
            Self::Postgres(_) => postgres_rows(spec),
        };
        AssertSqlSafe(template.replace("{rows}", &source))
    }

    /// A column of JSONB as text.
    ///
    /// Differs by necessity: JSONB is a binary format in SQLite, a type in PostgreSQL.
    pub(in crate::store) fn as_text(&self, column: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("json({column})"),
            Self::Postgres(_) => format!("{column}::text"),
        }
    }

    /// `(select …)` of the text values of the array bound as `$n`, for `in`.
    ///
    /// Differs by necessity: `json_each` here, `jsonb_array_elements_text` there.
    pub(in crate::store) fn listed(&self, n: usize) -> String {
        match self {
            Self::Sqlite(_) => format!("(select value from json_each(${n}))"),
            Self::Postgres(_) => {
                format!("(select value from jsonb_array_elements_text(${n}::jsonb) as v(value))")
            }
        }
    }
}

fn sqlite_rows(spec: &str) -> String {
    let select = columns(spec).map(|(name, _)| format!("value ->> '{name}' as {name}"));
    let select = select.collect::<Vec<_>>().join(", ");
    format!("(select {select} from json_each($1)) as r")
}

fn postgres_rows(spec: &str) -> String {
    let record = columns(spec).map(|(name, kind)| format!("{name} {}", in_postgres(kind)));
    let record = record.collect::<Vec<_>>().join(", ");
    format!("(select * from jsonb_to_recordset($1::jsonb) as x({record})) as r")
}

/// Rows as the JSON array that a statement over rows binds.
pub(in crate::store) fn array<T: Serialize>(rows: &[T]) -> anyhow::Result<String> {
    Ok(serde_json::to_string(rows)?)
}
