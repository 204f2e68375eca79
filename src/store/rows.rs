//! Many rows in one statement, the same way in both databases: the rows travel as one bound
//! JSON array, and the statement selects from it.

use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::Tx;

/// How an element of the array becomes a column.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Int,
    Real,
    Bool,
    /// Text of a [`Time`](crate::time::Time).
    Time,
    /// Microseconds since 1970: a number in SQLite, a `timestamptz` in PostgreSQL.
    Micros,
    /// Any JSON, kept as JSONB.
    Json,
    /// Bytes, as hexadecimal digits.
    Hex,
}

/// Splits `"note_id text, position int"` into its columns.
fn columns(spec: &str) -> impl Iterator<Item = (&str, Kind)> {
    spec.split(',').map(|column| {
        let (name, kind) = column.trim().split_once(' ').unwrap_or((column.trim(), "text"));
        let kind = match kind.trim() {
            "int" => Kind::Int,
            "real" => Kind::Real,
            "bool" => Kind::Bool,
            "time" => Kind::Time,
            "micros" => Kind::Micros,
            "json" => Kind::Json,
            "hex" => Kind::Hex,
            _ => Kind::Text,
        };
        (name, kind)
    })
}

/// The names of a spec's columns, separated by commas.
pub(super) fn names(spec: &str) -> String {
    columns(spec).map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}

impl Tx {
    /// A statement over the array bound as `$1`: `{rows}` in `template` becomes a table `r` with
    /// the columns of `spec`. A template that goes on with `on conflict` needs a `where` before it.
    ///
    /// Differs by necessity: `json_each` here, `jsonb_to_recordset` there.
    pub(super) fn over_rows(&self, spec: &str, template: &str) -> AssertSqlSafe<String> {
        let source = match self {
            Self::Sqlite(_) => sqlite_rows(spec),
            Self::Postgres(_) => postgres_rows(spec),
        };
        AssertSqlSafe(template.replace("{rows}", &source))
    }

    /// `(select … )` with the text values of the array bound as `$n`, for `in`.
    ///
    /// Differs by necessity: `json_each` here, `jsonb_array_elements_text` there.
    pub(super) fn listed(&self, n: usize) -> String {
        match self {
            Self::Sqlite(_) => format!("(select value from json_each(${n}))"),
            Self::Postgres(_) => {
                format!("(select value from jsonb_array_elements_text(${n}::jsonb) as v(value))")
            }
        }
    }
}

fn sqlite_rows(spec: &str) -> String {
    let select = columns(spec).map(|(name, kind)| match kind {
        Kind::Json => format!("jsonb(value -> '{name}') as {name}"),
        Kind::Hex => format!("unhex(value ->> '{name}') as {name}"),
        Kind::Text | Kind::Int | Kind::Real | Kind::Bool | Kind::Time | Kind::Micros => {
            format!("value ->> '{name}' as {name}")
        }
    });
    let select = select.collect::<Vec<_>>().join(", ");
    format!("(select {select} from json_each($1)) as r")
}

fn postgres_rows(spec: &str) -> String {
    let (mut select, mut record) = (Vec::new(), Vec::new());
    for (name, kind) in columns(spec) {
        select.push(match kind {
            Kind::Micros => {
                format!("timestamptz 'epoch' + {name} * interval '1 microsecond' as {name}")
            }
            Kind::Hex => format!("decode({name}, 'hex') as {name}"),
            _ => name.to_owned(),
        });
        let ty = match kind {
            Kind::Text | Kind::Hex => "text",
            Kind::Int | Kind::Micros => "bigint",
            Kind::Real => "double precision",
            Kind::Bool => "boolean",
            Kind::Time => "timestamptz",
            Kind::Json => "jsonb",
        };
        record.push(format!("{name} {ty}"));
    }
    let (select, record) = (select.join(", "), record.join(", "));
    format!("(select {select} from jsonb_to_recordset($1::jsonb) as x({record})) as r")
}

/// Rows as the JSON array that a statement over rows binds.
pub(super) fn array<T: Serialize>(rows: &[T]) -> anyhow::Result<String> {
    Ok(serde_json::to_string(rows)?)
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
