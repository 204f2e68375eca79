//! Prepared queries, whose rows are streamed in constant memory.

use std::collections::HashMap;

use anyhow::{Context as _, Result, bail};
use futures_util::{Stream, TryStreamExt as _};
use sqlx::{AssertSqlSafe, Executor as _, SqlitePool};
use tokio_util::sync::CancellationToken;

use super::cold_rows::ColdRows;
use super::describe::Column;
use super::error_span;
use crate::model::catalogue::ColumnType;
use crate::store::db::{Store, Tx};
use crate::store::sql::columns;
use crate::store::sql::value::{Value, from_postgres, from_sqlite};

/// Texts of a cold file that are in memory at once.
const AT_ONCE: usize = 1_000;

/// Begins a read-only transaction in PostgreSQL of one snapshot, without a statement timeout.
const READ_ONLY: &str = "begin isolation level repeatable read, read only; \
    set local statement_timeout = 0";

/// A prepared query. Dropping it cancels it.
#[derive(Debug)]
pub struct Query {
    pub(super) store: Store,
    pub(super) tx: Tx,
    pub(super) sql: String,
    pub(super) columns: Vec<Column>,
    /// Types of the columns in SQLite, as far as their values fit.
    pub(super) expected: Vec<Option<ColumnType>>,
    /// Process id of the server's backend.
    pub(super) process: Option<i32>,
    /// The rows whose texts are in cold files, after the others.
    pub(super) cold: Option<ColdRows>,
}

impl Store {
    /// Begins a read-only transaction for a query.
    pub(super) async fn read_only(&self) -> Result<Query> {
        let (tx, process) = self.query_tx("pragma query_only = on", READ_ONLY).await?;
        Ok(self.query_in(tx, process))
    }

    /// Begins the transaction of a query: in SQLite a pragma follows, in PostgreSQL the statement
    /// begins it. Returns the server's process, too.
    pub(in crate::store) async fn query_tx(
        &self,
        pragma: &'static str,
        begin: &'static str,
    ) -> Result<(Tx, Option<i32>)> {
        Ok(match self {
            Self::Sqlite { readers, .. } => {
                let mut tx = readers.begin().await?;
                tx.execute(pragma).await?;
                (Tx::Sqlite(tx), None)
            }
            Self::Postgres(pool) => {
                let mut tx = pool.begin_with(begin).await?;
                let process = backend(&mut tx).await?;
                (Tx::Postgres(tx), Some(process))
            }
        })
    }

    /// A query in this transaction, not prepared yet.
    pub(in crate::store) fn query_in(&self, tx: Tx, process: Option<i32>) -> Query {
        let (store, sql) = (self.clone(), String::new());
        Query { store, tx, sql, columns: Vec::new(), expected: Vec::new(), process, cold: None }
    }
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
    /// A [`QueryError`](super::QueryError) when the query fails on its way; another error when the database or `take`
    /// fails.
    pub async fn each(
        &mut self,
        stop: &CancellationToken,
        mut take: impl FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<bool> {
        let sql = self.sql.clone();
        let is_whole = self.rows(&sql, stop, &mut take).await?;
        match self.cold.take().filter(|_| is_whole) {
            Some(cold) => self.each_cold(&cold, stop, take).await,
            None => Ok(is_whole),
        }
    }

    /// Passes on each row whose text is in a cold file, file by file.
    async fn each_cold(
        &mut self,
        cold: &ColdRows,
        stop: &CancellationToken,
        mut take: impl FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<bool> {
        for id in cold.files() {
            let file = self.tx.open_cold_file(*id).await?;
            let file = file.with_context(|| format!("the bytes of cold file {id} are missing"))?;
            let refused = self.tx.refused_in_cold_file(*id, &file).await?;
            let (sql, mut rows) = (cold.statement(&file)?, HashMap::new());
            let is_whole = self.rows(&sql, stop, |row| {
                if let Some(Value::Int(id)) = row.first() {
                    rows.insert(*id, row);
                }
                Ok(())
            });
            if !is_whole.await? {
                return Ok(false);
            }
            for places in ColdRows::places(&file, &rows)?.chunks(AT_ONCE) {
                for text in file.texts(places)? {
                    if stop.is_cancelled() {
                        return Ok(false);
                    }
                    cold.filled(&mut rows, text, &refused).map_or(Ok(()), &mut take)?;
                }
            }
        }
        Ok(true)
    }

    /// Passes on each row of a statement with the columns of this query.
    async fn rows(
        &mut self,
        statement: &str,
        stop: &CancellationToken,
        mut take: impl FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<bool> {
        let sql = AssertSqlSafe(statement.to_owned());
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
        done.map_err(|error| error_span::query_error(error, statement))
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

/// Process id of the server's backend of a transaction.
#[expect(clippy::disallowed_methods, reason = "in PostgreSQL alone")]
async fn backend(tx: &mut sqlx::PgTransaction<'static>) -> Result<i32> {
    Ok(sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut **tx).await?)
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
