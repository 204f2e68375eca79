//! Statements over many rows: the rows are bound as one JSON array, and the statement selects from
//! it. The save path uses [`bulk`](super::bulk), which is several times cheaper.

use serde::Serialize;
use sqlx::AssertSqlSafe;

use crate::store::db::Tx;

/// Type of a column of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Kind {
    Text,
    Int,
    Real,
    Bool,
    /// A [`Time`](crate::time::Time).
    Time,
    /// A [`Time`](crate::time::Time) that is an integer in SQLite.
    Micros,
    /// Text of any JSON, stored as JSONB.
    Json,
    Bytes,
}

impl Kind {
    /// The type in PostgreSQL.
    pub(in crate::store) fn in_postgres(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "bigint",
            Self::Real => "double precision",
            Self::Bool => "boolean",
            Self::Time | Self::Micros => "timestamptz",
            Self::Json => "jsonb",
            Self::Bytes => "bytea",
        }
    }
}

/// Splits `"note_id text, position int"` into its columns.
pub(in crate::store) fn columns(spec: &str) -> impl Iterator<Item = (&str, Kind)> {
    spec.split(',').map(|column| {
        let (name, kind) = column.trim().split_once(' ').unwrap_or((column.trim(), "text"));
        let kind = match kind.trim() {
            "int" => Kind::Int,
            "real" => Kind::Real,
            "bool" => Kind::Bool,
            "time" => Kind::Time,
            "micros" => Kind::Micros,
            "json" => Kind::Json,
            "bytes" => Kind::Bytes,
            _ => Kind::Text,
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
    let record = columns(spec).map(|(name, kind)| format!("{name} {}", kind.in_postgres()));
    let record = record.collect::<Vec<_>>().join(", ");
    format!("(select * from jsonb_to_recordset($1::jsonb) as x({record})) as r")
}

/// Rows as the JSON array that a statement over rows binds.
pub(in crate::store) fn array<T: Serialize>(rows: &[T]) -> anyhow::Result<String> {
    Ok(serde_json::to_string(rows)?)
}
