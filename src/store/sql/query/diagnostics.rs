//! Diagnostics of a wrong query: the span of the error, and a suggestion.

use std::ops::Range;

use super::error_span::{self, QueryError, Unknown};
use super::prepared::Query;
use crate::store::db::Tx;
use crate::store::sql::columns;
use crate::suggest;

impl Query {
    /// A query error with its span and a suggestion.
    pub(super) async fn diagnose(&mut self, error: anyhow::Error, sql: &str) -> anyhow::Error {
        let error = error_span::query_error(error, sql);
        let Some(wrong) = error.downcast_ref::<QueryError>() else { return error };
        let suggestion = self.suggestion(&wrong.message, sql).await;
        let at = match &self.tx {
            Tx::Sqlite(_) => self.span(&wrong.message, sql).await,
            Tx::Postgres(_) => wrong.at.clone(),
        };
        let hint = suggestion.or_else(|| wrong.hint.clone());
        QueryError { message: wrong.message.clone(), hint, at }.into()
    }

    /// Finds the span of an error. SQLite does not report it: it is the end of the shortest prefix
    /// of the query that fails with the same message.
    async fn span(&mut self, message: &str, sql: &str) -> Option<Range<usize>> {
        for candidate in error_span::candidates(message, sql) {
            let part = sql.get(..candidate.end).unwrap_or(sql).to_owned();
            let fails =
                self.tx.describe(&part).await.is_err_and(|error| {
                    error_span::query_error(error, &part).to_string() == message
                });
            // Names are resolved only after the whole text has been parsed.
            if fails || !error_span::is_syntax(message) {
                return Some(candidate);
            }
        }
        None
    }

    /// The nearest name to an unknown table, or to an unknown column of the tables in the query.
    async fn suggestion(&self, message: &str, sql: &str) -> Option<String> {
        let near = match error_span::unknown(message)? {
            Unknown::Table(name) => suggest::nearest(name, columns::tables())?.to_owned(),
            Unknown::Column(name) => {
                // PostgreSQL refuses further statements in a failed transaction.
                let mut other = self.store.read_only().await.ok()?;
                let mut names = Vec::new();
                for table in error_span::tables(sql) {
                    let columns =
                        other.tx.describe(&format!("select * from {table}")).await.ok()?;
                    names.extend(columns.into_iter().map(|column| column.name));
                }
                suggest::nearest(name, names.iter().map(String::as_str))?.to_owned()
            }
        };
        Some(format!("did you mean `{near}`?"))
    }
}
