//! Statements over many rows for the save path: arrays or value lists are bound directly, without
//! JSON in between.

use anyhow::Result;
use serde::Serialize;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, FromRow, Postgres, Row as _, Sqlite};

use super::cells::Writer;
use super::over_rows::{columns, in_postgres};
use super::value::{Value, from_postgres, from_sqlite};
use crate::model::catalogue::{Cell, ColumnType};
use crate::store::db::{Tx, failed};
use crate::time::Time;

/// Maximum number of parameters of a SQLite statement.
const SQLITE_VALUES: usize = 32_766;

/// Rows of the columns of a spec such as `"note_id text, position int"`.
pub(in crate::store) struct Rows {
    names: Vec<&'static str>,
    kinds: Vec<ColumnType>,
    cells: Vec<Vec<Cell>>,
}

impl Rows {
    /// Empty, with the columns of several specs in order.
    pub(in crate::store) fn new(specs: &[&'static str]) -> Self {
        let (names, kinds) = specs.iter().flat_map(|spec| columns(spec)).unzip();
        Self { names, kinds, cells: Vec::new() }
    }

    /// Empty, with these columns.
    pub(in crate::store) fn with(columns: Vec<(&'static str, ColumnType)>) -> Self {
        let (names, kinds) = columns.into_iter().unzip();
        Self { names, kinds, cells: Vec::new() }
    }

    /// The number of rows.
    pub(in crate::store) fn len(&self) -> usize {
        self.cells.len()
    }

    /// A row for each of these structs.
    pub(in crate::store) fn of<T: Serialize>(
        spec: &'static str,
        rows: impl IntoIterator<Item = T>,
    ) -> Result<Self> {
        let mut all = Self::new(&[spec]);
        for row in rows {
            let cells = all.row(&row, &())?;
            all.push(cells);
        }
        Ok(all)
    }

    /// The cells of a row, from the fields of a struct and `more`.
    pub(in crate::store) fn row(
        &self,
        fields: &impl Serialize,
        more: &impl Serialize,
    ) -> Result<Vec<Cell>> {
        let mut writer = Writer::new(&self.names);
        writer.put(fields)?;
        writer.put(more)?;
        Ok(writer.into_cells())
    }

    pub(in crate::store) fn push(&mut self, cells: Vec<Cell>) {
        self.cells.push(cells);
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The names of the columns.
    pub(in crate::store) fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// A statement over `count` rows: `{rows}` in `template` becomes a table `r`.
    ///
    /// Differs by necessity: SQLite takes lists of values, PostgreSQL an array for each column.
    fn sqlite(&self, template: &str, count: usize) -> AssertSqlSafe<String> {
        let select = self.names.iter().zip(&self.kinds).zip(1..).map(|((name, kind), n)| {
            let value = if *kind == ColumnType::Json { "jsonb" } else { "" };
            format!("{value}(column{n}) as {name}")
        });
        let row = format!("({})", vec!["?"; self.names.len()].join(","));
        let values = vec![row.as_str(); count].join(",");
        let select = select.collect::<Vec<_>>().join(", ");
        let rows = format!("(select {select} from (values {values})) as r");
        AssertSqlSafe(template.replace("{rows}", &rows))
    }

    fn postgres(&self, template: &str) -> AssertSqlSafe<String> {
        let (mut select, mut arrays) = (Vec::new(), Vec::new());
        for ((name, kind), n) in self.names.iter().zip(&self.kinds).zip(1..) {
            // Text is converted to JSONB there.
            let (array, cast) = match kind {
                ColumnType::Json => ("text", "::jsonb"),
                kind => (in_postgres(*kind), ""),
            };
            select.push(format!("{name}{cast} as {name}"));
            arrays.push(format!("${n}::{array}[]"));
        }
        let (select, arrays) = (select.join(", "), arrays.join(", "));
        let rows =
            format!("(select {select} from unnest({arrays}) as x({})) as r", self.names.join(", "));
        AssertSqlSafe(template.replace("{rows}", &rows))
    }

    /// The cells of a column.
    fn column<'r, T>(&'r self, at: usize, get: impl Fn(&'r Cell) -> Option<T>) -> Vec<Option<T>> {
        self.cells.iter().map(|row| row.get(at).and_then(&get)).collect()
    }

    fn bind_arrays<'q>(
        &'q self,
        mut query: Query<'q, Postgres, PgArguments>,
    ) -> Query<'q, Postgres, PgArguments> {
        for (at, kind) in self.kinds.iter().enumerate() {
            query = match kind {
                ColumnType::Text | ColumnType::Json => query.bind(self.column(at, Cell::text)),
                ColumnType::Int => query.bind(self.column(at, Cell::int)),
                ColumnType::Real => query.bind(self.column(at, Cell::real)),
                ColumnType::Bool => query.bind(self.column(at, Cell::bool)),
                ColumnType::Time | ColumnType::Micros => query.bind(self.column(at, Cell::time)),
                ColumnType::Bytes => query.bind(self.column(at, Cell::bytes)),
            };
        }
        query
    }

    fn bind_values<'q>(
        &'q self,
        rows: &'q [Vec<Cell>],
        mut query: Query<'q, Sqlite, SqliteArguments>,
    ) -> Query<'q, Sqlite, SqliteArguments> {
        for (cell, kind) in rows.iter().flat_map(|row| row.iter().zip(&self.kinds)) {
            query = match (cell, kind) {
                (Cell::Int(_), ColumnType::Time) => query.bind(cell.time()),
                (Cell::Null, _) => query.bind(None::<i64>),
                (Cell::Int(value), _) => query.bind(*value),
                (Cell::Real(value), _) => query.bind(*value),
                (Cell::Bool(value), _) => query.bind(*value),
                (Cell::Text(value), _) => query.bind(value.as_str()),
                (Cell::Bytes(value), _) => query.bind(value.as_slice()),
            };
        }
        query
    }
}

/// The values of a row of a result.
pub(in crate::store) struct Values(Vec<Value>);

impl Values {
    /// Cells of columns of these types.
    pub(in crate::store) fn into_cells(self, types: impl Iterator<Item = ColumnType>) -> Vec<Cell> {
        self.0.into_iter().zip(types).map(|(value, it)| value.into_cell(it)).collect()
    }
}

impl FromRow<'_, sqlx::sqlite::SqliteRow> for Values {
    fn from_row(row: &sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> {
        let value = |nth| from_sqlite(row, nth, None).map_err(|it| sqlx::Error::Decode(it.into()));
        Ok(Self((0..row.len()).map(value).collect::<sqlx::Result<_>>()?))
    }
}

impl FromRow<'_, sqlx::postgres::PgRow> for Values {
    fn from_row(row: &sqlx::postgres::PgRow) -> sqlx::Result<Self> {
        let value = |nth| from_postgres(row, nth).map_err(|it| sqlx::Error::Decode(it.into()));
        Ok(Self((0..row.len()).map(value).collect::<sqlx::Result<_>>()?))
    }
}

impl Cell {
    pub(in crate::store) fn text(&self) -> Option<&str> {
        if let Self::Text(value) = self { Some(value) } else { None }
    }

    pub(in crate::store) fn int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    #[expect(clippy::cast_precision_loss, reason = "a whole number in a column of fractions")]
    fn real(&self) -> Option<f64> {
        match self {
            Self::Real(value) => Some(*value),
            Self::Int(value) => Some(*value as f64),
            _ => None,
        }
    }

    fn bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    fn time(&self) -> Option<Time> {
        self.int().and_then(Time::from_micros)
    }

    fn bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(value) = self { Some(value) } else { None }
    }
}

impl Tx {
    /// Inserts rows as they are; `on_conflict` ends the statement and may be empty. Returns the number
    /// of rows inserted or updated.
    pub(in crate::store) async fn insert_rows(
        &mut self,
        table: &str,
        rows: &Rows,
        on_conflict: &str,
    ) -> Result<u64> {
        let columns = rows.names().join(", ");
        let template = format!(
            "insert into {table} ({columns}) select {columns} from {{rows}} where true {on_conflict}"
        );
        self.execute_over(rows, &template).await
    }

    /// Runs a statement over rows; returns the number of affected rows. Without rows it does
    /// nothing.
    #[expect(clippy::disallowed_methods, reason = "as the store's macros, over rows")]
    pub(in crate::store) async fn execute_over(
        &mut self,
        rows: &Rows,
        template: &str,
    ) -> Result<u64> {
        let told = |error| failed(error, template);
        let mut touched = 0;
        if rows.is_empty() {
            return Ok(touched);
        }
        match self {
            Self::Sqlite(tx) => {
                for part in rows.cells.chunks(SQLITE_VALUES / rows.names.len()) {
                    let query = sqlx::query(rows.sqlite(template, part.len()));
                    let query = rows.bind_values(part, query.persistent(false));
                    touched += query.execute(&mut **tx).await.map_err(told)?.rows_affected();
                }
            }
            Self::Postgres(tx) => {
                let query = rows.bind_arrays(sqlx::query(rows.postgres(template)));
                touched += query.execute(&mut **tx).await.map_err(told)?.rows_affected();
            }
        }
        Ok(touched)
    }

    /// Runs a query over rows; returns its rows as a `FromRow` type.
    #[expect(clippy::disallowed_methods, reason = "as the store's macros, over rows")]
    pub(in crate::store) async fn fetch_over<T>(
        &mut self,
        rows: &Rows,
        template: &str,
    ) -> Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, sqlx::sqlite::SqliteRow>,
        T: for<'r> FromRow<'r, sqlx::postgres::PgRow>,
    {
        let told = |error| failed(error, template);
        let mut found = Vec::new();
        if rows.is_empty() {
            return Ok(found);
        }
        match self {
            Self::Sqlite(tx) => {
                for part in rows.cells.chunks(SQLITE_VALUES / rows.names.len()) {
                    let query = sqlx::query(rows.sqlite(template, part.len()));
                    let query = rows.bind_values(part, query.persistent(false));
                    for row in query.fetch_all(&mut **tx).await.map_err(told)? {
                        found.push(T::from_row(&row)?);
                    }
                }
            }
            Self::Postgres(tx) => {
                let query = rows.bind_arrays(sqlx::query(rows.postgres(template)));
                for row in query.fetch_all(&mut **tx).await.map_err(told)? {
                    found.push(T::from_row(&row)?);
                }
            }
        }
        Ok(found)
    }
}
