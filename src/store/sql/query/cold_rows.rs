//! The rows of a table whose texts are in cold files.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context as _, Result};

use super::describe::Column;
use super::span::Span;
use crate::cold_file::{ColdFile, Text};
use crate::model::catalogue::ColumnType;
use crate::store::archive::refuse;
use crate::store::db::Tx;
use crate::store::sql::value::Value;

/// Rows whose texts are in cold files.
#[derive(Debug)]
pub(super) struct ColdRows {
    files: Vec<i64>,
    /// Without conditions, and the conditions.
    select: String,
    terms: Vec<String>,
    body: usize,
    exact: Option<usize>,
    is_json: bool,
}

impl ColdRows {
    /// The condition for rows that have their texts themselves; `None`: those of this table have no
    /// other ones.
    pub(super) fn hot_only(table: &str) -> Option<&'static str> {
        match table {
            "documents" => Some("cold_file_id is null"),
            "document_texts" => Some("not is_cold"),
            _ => None,
        }
    }

    /// The other rows of a table of this span and with these columns, of which the first is the document's id.
    pub(super) async fn of(
        tx: &mut Tx,
        select: String,
        (span, terms): (Span, Vec<String>),
        columns: &[Column],
    ) -> Result<Self> {
        tx.require_known_files().await?;
        let mut files = tx.cold_files().await?;
        files.retain(|it| {
            span.since.is_none_or(|since| since <= it.last_fetched_at)
                && span.until.is_none_or(|until| it.first_fetched_at < until)
        });
        let files = files.iter().map(|it| it.cold_file_id).collect();
        let named = |name: &str| columns.iter().position(|column| column.name == name);
        let body = named("body").context("the table has no body")?;
        let is_json = columns.get(body).and_then(|it| it.column_type) == Some(ColumnType::Json);
        Ok(Self { files, select, terms, body, exact: named("exact"), is_json })
    }

    /// The files, in order.
    pub(super) fn files(&self) -> &[i64] {
        &self.files
    }

    /// The statement for the rows of a file.
    pub(super) fn statement(&self, file: &ColdFile) -> Result<String> {
        let ids: Vec<_> = file.documents()?.iter().map(ToString::to_string).collect();
        let ids = format!("document_id in ({})", ids.join(", "));
        let terms: Vec<_> = self.terms.iter().map(String::as_str).chain([&*ids]).collect();
        Ok(format!("{} where {}", self.select, terms.join(" and ")))
    }

    /// Where the file has the texts of these rows.
    pub(super) fn places(file: &ColdFile, rows: &HashMap<i64, Vec<Value>>) -> Result<Vec<usize>> {
        let all = file.documents()?.into_iter().enumerate();
        Ok(all.filter(|(_, id)| rows.contains_key(id)).map(|(row, _)| row).collect())
    }

    /// The row of a text, with it, unless it is not wanted.
    pub(super) fn filled(
        &self,
        rows: &mut HashMap<i64, Vec<Value>>,
        mut text: Text,
        refused: &BTreeSet<i64>,
    ) -> Option<Vec<Value>> {
        let mut row = rows.remove(&text.document_id)?;
        if refused.contains(&text.document_id) {
            refuse(&mut text);
        }
        let body = if self.is_json { Value::Json } else { Value::Text };
        *row.get_mut(self.body)? = body(text.body);
        if let (Some(exact), Some(bytes)) = (self.exact, text.exact) {
            *row.get_mut(exact)? = Value::Bytes(bytes);
        }
        Some(row)
    }
}
