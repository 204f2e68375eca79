//! Cold answers in queries: after the hot rows of a table, or in a view of their own.

use std::collections::HashMap;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use sqlx::{AssertSqlSafe, Executor as _};
use tokio_util::sync::CancellationToken;

use super::describe::Column;
use super::prepared::{Query, backend};
use super::span::Span;
use crate::model::catalogue::ColumnType;
use crate::store::archive::{ColdReader, Place};
use crate::store::db::{Store, Tx, execute, fetch_all};
use crate::store::sql::Rows;
use crate::store::sql::columns::TimeColumn;
use crate::store::sql::value::Value;

/// Answers whose texts are read at once.
const AT_ONCE: usize = 100;

/// Texts larger than this, as received, are refused unless somebody insists.
const MOST_BYTES: i64 = 2 << 30;

/// Begins a transaction in PostgreSQL of one snapshot in which a temporary table is filled.
const BEGIN: &str = "begin isolation level repeatable read; set local statement_timeout = 0";

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

    /// The other rows of a table with these columns, of which the first is the document's id.
    pub(super) async fn of(
        tx: &mut Tx,
        select: String,
        terms: Vec<String>,
        columns: &[Column],
    ) -> Result<Self> {
        let files = tx.cold_files().await?.iter().map(|it| it.cold_file_id).collect();
        let named = |name: &str| columns.iter().position(|column| column.name == name);
        let body = named("body").context("the table has no body")?;
        let is_json = columns.get(body).and_then(|it| it.column_type) == Some(ColumnType::Json);
        Ok(Self { files, select, terms, body, exact: named("exact"), is_json })
    }

    /// Passes on each row, file by file.
    pub(super) async fn each(
        self,
        query: &mut Query,
        stop: &CancellationToken,
        mut take: impl FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<bool> {
        for id in &self.files {
            let file = query.tx.open_cold_file(*id).await?;
            let file = file.with_context(|| format!("the bytes of cold file {id} are missing"))?;
            let ids: Vec<_> = file.documents()?.iter().map(ToString::to_string).collect();
            let ids = format!("document_id in ({})", ids.join(", "));
            let terms: Vec<_> = self.terms.iter().map(String::as_str).chain([&*ids]).collect();
            let sql = format!("{} where {}", self.select, terms.join(" and "));
            let mut rows = HashMap::new();
            let is_whole = query.rows(&sql, stop, |row| {
                if let Some(Value::Int(id)) = row.first() {
                    rows.insert(*id, row);
                }
                Ok(())
            });
            if !is_whole.await? {
                return Ok(false);
            }
            for group in 0..file.groups() {
                for text in file.texts_of_group(group)? {
                    let Some(mut row) = rows.remove(&text.document_id) else { continue };
                    let body = if self.is_json { Value::Json } else { Value::Text };
                    row[self.body] = body(text.body);
                    if let (Some(exact), Some(bytes)) = (self.exact, text.exact) {
                        row[exact] = Value::Bytes(bytes);
                    }
                    if stop.is_cancelled() {
                        return Ok(false);
                    }
                    take(row)?;
                }
            }
        }
        Ok(true)
    }
}

/// Which cold answers a query is to see.
#[derive(Clone, Debug)]
pub struct ColdTexts {
    /// Those of this time.
    pub span: Span,
    /// Those of this note or work; `None`: of all.
    pub item: Option<String>,
    /// Also if they are very many.
    pub force: bool,
}

#[derive(Serialize)]
struct ColdText {
    document_id: i64,
    body: String,
}

impl Store {
    /// Begins a read-only transaction in which `document_texts` has the texts of cold answers.
    pub(super) async fn with_cold_texts(&self, texts: &ColdTexts) -> Result<Query> {
        let (mut tx, process) = match self {
            Self::Sqlite { readers, .. } => {
                let mut tx = readers.begin().await?;
                // An earlier query on this connection may have set it.
                tx.execute("pragma query_only = off").await?;
                (Tx::Sqlite(tx), None)
            }
            Self::Postgres(pool) => {
                let mut tx = pool.begin_with(BEGIN).await?;
                let process = backend(&mut tx).await?;
                (Tx::Postgres(tx), Some(process))
            }
        };
        tx.put_cold_texts(texts, self.is_sqlite()).await?;
        match &mut tx {
            Tx::Sqlite(tx) => tx.execute("pragma query_only = on").await.map(drop)?,
            Tx::Postgres(tx) => tx.execute("set transaction read only").await.map(drop)?,
        }
        Ok(self.query_in(tx, process))
    }
}

impl Tx {
    /// Makes a temporary view `document_texts` with the texts of cold answers; both databases look
    /// there first.
    async fn put_cold_texts(&mut self, texts: &ColdTexts, is_sqlite: bool) -> Result<()> {
        let mut terms = texts.span.conditions(TimeColumn::At("d.fetched_at"), is_sqlite);
        terms.push("d.cold_file_id is not null".to_owned());
        let sql = format!(
            "select d.document_id, d.fetched_at, coalesce(c.bytes, 0) as bytes
             from documents d join calls c on c.call_id = d.document_id
             left join targets t on t.target_id = d.target_id
             where {} and ($1 = '' or t.item_id = $1 or t.key = $1)",
            terms.join(" and ")
        );
        let item = texts.item.as_deref().unwrap_or("");
        let places = fetch_all!(self, Place, AssertSqlSafe(sql), item);
        let bytes: i64 = places.iter().map(|place| place.bytes).sum();
        let mb = bytes / 1_000_000;
        tracing::info!("reading {} cold answers, {mb} MB", places.len());
        ensure!(
            bytes <= MOST_BYTES || texts.force,
            "the cold answers are {mb} MB: name a time with --since and --until, an item with --item, \
             or use --force"
        );
        // Differs by necessity: in SQLite it goes with the transaction, which is rolled back.
        let kept = if is_sqlite { "" } else { " on commit drop" };
        execute!(
            self,
            AssertSqlSafe(format!(
                "create temporary table cold_texts (document_id bigint primary key, body text){kept}"
            ))
        );
        let mut cold = ColdReader::default();
        for file in self.cold_among(&places).await? {
            for places in file.chunks(AT_ONCE) {
                let kept = self.kept_by(&mut cold, places).await?;
                let text = |it: crate::store::Kept| ColdText {
                    document_id: it.document_id,
                    body: it.stored().to_owned(),
                };
                let rows = Rows::of("document_id int, body text", kept.into_iter().map(text))?;
                self.insert_rows("cold_texts", &rows, "").await?;
            }
        }
        let text = self.as_text("d.body");
        execute!(
            self,
            AssertSqlSafe(format!(
                "create temporary view document_texts as
                 select d.document_id, d.endpoint, d.target_id, d.asked, d.page, d.fetched_at,
                        d.outcome, d.drift, coalesce({text}, c.body) as body,
                        d.cold_file_id is not null as is_cold
                 from documents d left join cold_texts c on c.document_id = d.document_id"
            ))
        );
        Ok(())
    }
}
