//! A mistake in a question: where it is, and what was probably meant.

use std::ops::Range;

use super::error_span::{self, Unknown};
use super::{Query, QueryError, Tx, columns};
use crate::suggest;

impl Query {
    /// A mistake in a question that could not be understood, with its place and what was probably meant.
    pub(super) async fn placed(&mut self, error: anyhow::Error, sql: &str) -> anyhow::Error {
        let error = error_span::wrong(error, sql);
        let Some(wrong) = error.downcast_ref::<QueryError>() else { return error };
        let meant = self.meant(&wrong.message, sql).await;
        let at = match &self.tx {
            Tx::Sqlite(_) => self.place(&wrong.message, sql).await,
            Tx::Postgres(_) => wrong.at.clone(),
        };
        let hint = meant.or_else(|| wrong.hint.clone());
        QueryError { message: wrong.message.clone(), hint, at }.into()
    }

    /// Finds the place of a mistake. SQLite does not say where it is: the first part of the text that
    /// it stumbles over in the same way ends there.
    async fn place(&mut self, message: &str, sql: &str) -> Option<Range<usize>> {
        for candidate in error_span::candidates(message, sql) {
            let part = sql.get(..candidate.end).unwrap_or(sql).to_owned();
            let fails = self
                .tx
                .describe(&part)
                .await
                .is_err_and(|error| error_span::wrong(error, &part).to_string() == message);
            // A name is looked up once the whole is understood.
            if fails || !error_span::is_syntax(message) {
                return Some(candidate);
            }
        }
        None
    }

    /// What was probably meant by a table or column that there is not: a column of what the question
    /// names.
    async fn meant(&self, message: &str, sql: &str) -> Option<String> {
        let near = match error_span::unknown(message)? {
            Unknown::Table(name) => suggest::nearest(name, columns::tables())?.to_owned(),
            Unknown::Column(name) => {
                // PostgreSQL hears nothing more in a transaction after a mistake.
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
