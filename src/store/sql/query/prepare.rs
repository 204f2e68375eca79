//! Preparing queries: of a user, or for the rows of a table.

use anyhow::{Result, bail};

use super::cold_rows::ColdRows;
use super::describe::Column;
use super::error_span::{self, QueryError};
use super::prepared::Query;
use super::span::Span;
use crate::model::catalogue::ColumnType;
use crate::store::db::Store;
use crate::store::sql::columns::{self, TimeColumn};
use crate::suggest;

impl Store {
    /// Prepares a query: one statement that returns rows.
    ///
    /// # Errors
    /// A [`QueryError`] when the query is wrong; another error when the database fails.
    pub async fn query(&self, sql: &str) -> Result<Query> {
        self.prepared(self.read_only().await?, sql).await
    }

    /// Prepares a query in its transaction.
    pub(in crate::store) async fn prepared(&self, mut query: Query, sql: &str) -> Result<Query> {
        require_text(sql)?;
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
        let Some((table, column)) = columns::table(name) else {
            bail!("there is no table or view {name}{}", suggest::meant(name, columns::tables()));
        };
        if column == TimeColumn::Never && (span.since, span.until) != (None, None) {
            bail!("{table} has no time column: leave out --since and --until");
        }
        let span_terms = span.conditions(column, self.is_sqlite());
        let terms = span_terms.join(" and ");
        let mut query = self.read_only().await?;
        let hot = ColdRows::hot_only(table);
        let terms: Vec<_> =
            hot.into_iter().chain([terms.as_str()]).filter(|it| !it.is_empty()).collect();
        let condition = terms.join(" and ");
        let condition =
            if condition.is_empty() { condition } else { format!(" where {condition}") };
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
        if hot.is_some() {
            let select = format!("select {select} from {table}");
            query.cold =
                Some(ColdRows::of(&mut query.tx, select, (span, span_terms), &columns).await?);
        }
        query.expected = columns.iter().map(|column| column.column_type).collect();
        query.columns = columns;
        Ok(query)
    }
}

/// Requires that a query is a text.
fn require_text(sql: &str) -> Result<()> {
    if sql.trim().is_empty() {
        bail!(QueryError { message: "the query is empty".to_owned(), hint: None, at: None });
    }
    if let Some(at) = sql.find('\0') {
        // Both databases take the text to end there.
        let message = format!("the query has a NUL byte at offset {at}");
        bail!(QueryError { message, hint: None, at: None });
    }
    Ok(())
}
