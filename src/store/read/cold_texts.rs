//! Queries that see the texts of cold answers.

use anyhow::{Result, ensure};
use serde::Serialize;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::store::archive::{ColdReader, Kept, Place};
use crate::store::db::{Store, Tx, execute, fetch_all};
use crate::store::sql::{Query, Rows, Span, TimeColumn};

/// Answers whose texts are read at once.
const AT_ONCE: usize = 100;

/// Texts larger than this, as received, are refused unless somebody insists.
const MOST_BYTES: i64 = 2 << 30;

/// Begins a transaction in PostgreSQL of one snapshot in which a temporary table is filled.
const BEGIN: &str = "begin isolation level repeatable read; set local statement_timeout = 0";

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
    /// Prepares a query as [`query`](Self::query) does, whose `document_texts` has the texts of cold
    /// answers.
    ///
    /// # Errors
    /// As there, and when they are more than is allowed, or a file is damaged.
    pub async fn query_with_cold(&self, sql: &str, texts: &ColdTexts) -> Result<Query> {
        // What is wrong with it is told before all the texts are read.
        self.query(sql).await?;
        self.prepared(self.with_cold_texts(texts).await?, sql).await
    }

    /// Begins a read-only transaction in which `document_texts` has the texts of cold answers.
    async fn with_cold_texts(&self, texts: &ColdTexts) -> Result<Query> {
        // An earlier query on this connection may have set it.
        let (mut tx, process) = self.query_tx("pragma query_only = off", BEGIN).await?;
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
        terms.push(match texts.item {
            Some(_) => {
                "d.target_id in (select target_id from targets where item_id = $1 or key = $1)"
                    .into()
            }
            None => "$1 = ''".to_owned(),
        });
        let sql = format!(
            "select d.document_id, d.fetched_at, coalesce(c.bytes, 0) as bytes
             from documents d join calls c on c.call_id = d.document_id
             where {} order by d.cold_file_id, d.cold_row",
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
        // They are in the order of their files.
        for places in places.chunks(AT_ONCE) {
            let kept = self.kept_by(&mut cold, places).await?;
            let text =
                |it: Kept| ColdText { document_id: it.document_id, body: it.stored().to_owned() };
            let rows = Rows::of("document_id int, body text", kept.into_iter().map(text))?;
            self.insert_rows("cold_texts", &rows, "").await?;
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
