//! Queries of users: read-only, streamed row by row in constant memory.

mod diagnostics;
mod error_span;

use std::time::Duration;

use anyhow::{Result, bail};
use chrono_tz::Tz;
use futures_util::{Stream, TryStreamExt as _};
use sqlx::{
    AssertSqlSafe, Column as _, Executor as _, SqlSafeStr as _, SqlitePool, Statement as _,
    TypeInfo as _,
};
use tokio_util::sync::CancellationToken;

use super::columns::{self, TimeColumn};
use super::value::{Value, column_type, from_postgres, from_sqlite};
use crate::model::catalogue::ColumnType;
use crate::store::db::{Store, Tx};
use crate::suggest;
use crate::time::Time;

/// Begins a read-only transaction in PostgreSQL without a statement timeout.
const READ_ONLY: &str = "begin read only; set local statement_timeout = 0";

/// An error in a query.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// The message of the database.
    pub message: String,
    /// A suggestion.
    pub hint: Option<String>,
    /// The error span in the query, in bytes.
    pub at: Option<std::ops::Range<usize>>,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type; `None` if only its values tell.
    pub column_type: Option<ColumnType>,
}

/// A prepared query. Dropping it cancels it.
#[derive(Debug)]
pub struct Query {
    store: Store,
    tx: Tx,
    sql: String,
    columns: Vec<Column>,
    /// Types of the columns in SQLite, as far as their values fit.
    expected: Vec<Option<ColumnType>>,
    /// Process id of the server's backend.
    process: Option<i32>,
}

/// A span of time, and the zone of its days.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Inclusive.
    pub since: Option<Time>,
    /// Exclusive.
    pub until: Option<Time>,
    /// The archive's zone.
    pub zone: Tz,
}

impl Store {
    /// Prepares a query: one statement that returns rows.
    ///
    /// # Errors
    /// A [`QueryError`] when the query is wrong; another error when the database fails.
    pub async fn query(&self, sql: &str) -> Result<Query> {
        if sql.trim().is_empty() {
            bail!(QueryError { message: "the query is empty".to_owned(), hint: None, at: None });
        }
        let mut query = self.read_only().await?;
        query.sql = match self {
            Self::Sqlite { .. } => error_span::only_statement(sql)?.to_owned(),
            // The server itself refuses several statements.
            Self::Postgres(_) => sql.to_owned(),
        };
        query.columns = match query.tx.describe(sql).await {
            Ok(columns) => columns,
            Err(error) => return Err(query.diagnose(error, sql).await),
        };
        if query.columns.is_empty() {
            bail!(QueryError {
                message: "the statement returns no rows; queries are read-only".to_owned(),
                hint: Some("begin with select, with, values or explain".to_owned()),
                at: None,
            });
        }
        if self.is_sqlite() {
            let expected =
                |column: &Column| column.column_type.or(Some(columns::by_name(&column.name)));
            query.expected = query.columns.iter().map(expected).collect();
            query.columns.iter_mut().for_each(|column| column.column_type = None);
        }
        Ok(query)
    }

    /// Prepares a query for the rows of a table or view within a span of its time column.
    ///
    /// # Errors
    /// When the table is unknown or has no time column, or the database fails.
    pub async fn rows_of(&self, name: &str, span: Span) -> Result<Query> {
        let Some((table, when)) = columns::table(name) else {
            bail!("there is no table or view {name}{}", suggest::meant(name, columns::tables()));
        };
        if when == TimeColumn::Never && (span.since, span.until) != (None, None) {
            bail!("{table} has no time column: leave out --since and --until");
        }
        let terms = within(when, span, self.is_sqlite()).join(" and ");
        let condition = if terms.is_empty() { terms } else { format!(" where {terms}") };
        let mut query = self.read_only().await?;
        let mut columns = query.tx.describe(&format!("select * from {table}")).await?;
        for column in &mut columns {
            column.column_type = Some(columns::of_table(table, &column.name));
        }
        let select = columns.iter().map(|column| match column.column_type {
            // Differs by necessity: JSONB is a binary format in SQLite, a type in PostgreSQL.
            Some(ColumnType::Json) if self.is_sqlite() => format!("json({0}) as {0}", column.name),
            _ => column.name.clone(),
        });
        let select = select.collect::<Vec<_>>().join(", ");
        query.sql = format!("select {select} from {table}{condition}");
        query.expected = columns.iter().map(|column| column.column_type).collect();
        query.columns = columns;
        Ok(query)
    }

    async fn read_only(&self) -> Result<Query> {
        let (tx, process) = match self {
            Self::Sqlite { readers, .. } => {
                let mut tx = readers.begin().await?;
                tx.execute("pragma query_only = on").await?;
                (Tx::Sqlite(tx), None)
            }
            Self::Postgres(pool) => {
                let mut tx = pool.begin_with(READ_ONLY).await?;
                #[expect(clippy::disallowed_methods, reason = "in PostgreSQL alone")]
                let process = sqlx::query_scalar("select pg_backend_pid()");
                let process = process.fetch_one(&mut *tx).await?;
                (Tx::Postgres(tx), Some(process))
            }
        };
        let (columns, expected) = (Vec::new(), Vec::new());
        Ok(Query { store: self.clone(), tx, sql: String::new(), columns, expected, process })
    }
}

/// Conditions for rows within a span of time.
pub(in crate::store) fn within(when: TimeColumn, span: Span, sqlite: bool) -> Vec<String> {
    let ends = [(">=", span.since), ("<", span.until)];
    let ends = ends.into_iter().filter_map(|(than, at)| Some((than, at?)));
    let terms = ends.filter_map(|(than, at)| {
        let day = |zone: Tz| match than {
            // Days that begin within the span.
            "<" => format!("day <= '{}'", at.minus(Duration::from_micros(1)).day(zone)),
            _ => format!("day >= '{}'", at.day(zone)),
        };
        Some(match when {
            // Differs by necessity: times are text or integers in SQLite.
            TimeColumn::Micros(column) if sqlite => format!("{column} {than} {}", at.micros()),
            TimeColumn::At(column) | TimeColumn::Micros(column) if sqlite => {
                format!("{column} {than} '{at}'")
            }
            TimeColumn::At(column) | TimeColumn::Micros(column) => {
                format!("{column} {than} '{at}+00'")
            }
            TimeColumn::Day => day(span.zone),
            TimeColumn::UtcDay => day(Tz::UTC),
            TimeColumn::Never => return None,
        })
    });
    terms.collect()
}

impl Query {
    /// Its columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Approximate number of rows of a whole table, where that is cheap.
    pub async fn about(&mut self, name: &str) -> Result<Option<i64>> {
        let Some((table, _)) = columns::table(name) else { return Ok(None) };
        #[expect(clippy::disallowed_methods, reason = "not the same in both")]
        match &mut self.tx {
            Tx::Sqlite(tx) => {
                let sql = "select count(*) from sqlite_master where type = 'table' and name = $1";
                let tables: i64 = sqlx::query_scalar(sql).bind(table).fetch_one(&mut **tx).await?;
                if tables == 0 {
                    return Ok(None);
                }
                let sql = AssertSqlSafe(format!("select count(*) from {table}"));
                Ok(Some(sqlx::query_scalar(sql).fetch_one(&mut **tx).await?))
            }
            Tx::Postgres(tx) => {
                let sql = "select reltuples::bigint from pg_class
                           where oid = $1::regclass and relkind = 'r' and reltuples > 0";
                Ok(sqlx::query_scalar(sql).bind(table).fetch_optional(&mut **tx).await?)
            }
        }
    }

    /// Passes on each row until the last one, or until `stop`. Returns whether it reached the last
    /// one.
    ///
    /// # Errors
    /// A [`QueryError`] when the query fails on its way; another error when the database or `take`
    /// fails.
    pub async fn each(
        &mut self,
        stop: &CancellationToken,
        mut take: impl FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<bool> {
        let sql = AssertSqlSafe(self.sql.clone());
        let (store, expected, columns) = (&self.store, &self.expected, self.columns.len());
        let done = match (&mut self.tx, store) {
            (Tx::Sqlite(tx), Store::Sqlite { readers, .. }) => {
                let rows = sqlx::raw_sql(sql).fetch(&mut **tx);
                let read = async |row| {
                    let value = |(n, column_type): (usize, &Option<ColumnType>)| {
                        from_sqlite(&row, n, *column_type)
                    };
                    let mut values =
                        expected.iter().enumerate().map(value).collect::<Result<Vec<_>>>()?;
                    read_jsonb(readers, expected, &mut values).await?;
                    take(values)
                };
                drain(rows, stop, read).await
            }
            (Tx::Postgres(tx), _) => {
                let rows = sqlx::raw_sql(sql).fetch(&mut **tx);
                let read = async |row| {
                    take((0..columns).map(|n| from_postgres(&row, n)).collect::<Result<_>>()?)
                };
                drain(rows, stop, read).await
            }
            (Tx::Sqlite(_), Store::Postgres(_)) => {
                bail!("the transaction belongs to the other database")
            }
        };
        if let Ok(false) = done {
            self.cancel().await?;
        }
        done.map_err(|error| error_span::query_error(error, &self.sql))
    }

    /// Cancels the statement on the server.
    async fn cancel(&self) -> Result<()> {
        // Differs by necessity: SQLite runs in this process.
        if let (Store::Postgres(pool), Some(process)) = (&self.store, self.process) {
            #[expect(clippy::disallowed_methods, reason = "in PostgreSQL alone")]
            sqlx::query("select pg_cancel_backend($1)").bind(process).execute(pool).await?;
        }
        Ok(())
    }
}

impl Tx {
    /// Columns of a statement's result.
    pub(in crate::store) async fn describe(&mut self, sql: &str) -> Result<Vec<Column>> {
        let sql = AssertSqlSafe(sql).into_sql_str();
        Ok(match self {
            Self::Sqlite(tx) => {
                let statement = tx.prepare(sql).await?;
                let column = |column: &sqlx::sqlite::SqliteColumn| Column {
                    name: column.name().to_owned(),
                    column_type: (column.type_info().name() == "BOOLEAN")
                        .then_some(ColumnType::Bool),
                };
                statement.columns().iter().map(column).collect()
            }
            Self::Postgres(tx) => {
                let statement = tx.prepare(sql).await?;
                let column = |column: &sqlx::postgres::PgColumn| Column {
                    name: column.name().to_owned(),
                    column_type: Some(column_type(column.type_info().name())),
                };
                statement.columns().iter().map(column).collect()
            }
        })
    }
}

/// Passes on the rows that arrive, until the last one (`true`) or until `stop`.
async fn drain<R>(
    mut rows: impl Stream<Item = sqlx::Result<R>> + Unpin,
    stop: &CancellationToken,
    mut take: impl AsyncFnMut(R) -> Result<()>,
) -> Result<bool> {
    loop {
        let row = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(false),
            row = rows.try_next() => row?,
        };
        let Some(row) = row else { return Ok(true) };
        take(row).await?;
    }
}

/// Decodes the JSONB values of SQLite, which are blobs like any others.
async fn read_jsonb(
    readers: &SqlitePool,
    expected: &[Option<ColumnType>],
    values: &mut [Value],
) -> Result<()> {
    for (value, column_type) in values.iter_mut().zip(expected) {
        let (Value::Bytes(bytes), false) = (&*value, *column_type == Some(ColumnType::Bytes))
        else {
            continue;
        };
        #[expect(clippy::disallowed_methods, reason = "in SQLite alone")]
        let json =
            sqlx::query_scalar("select json($1) where json_valid($1, 8)").bind(bytes.as_slice());
        if let Some(json) = json.fetch_optional(readers).await? {
            *value = Value::Json(json);
        }
    }
    Ok(())
}
