//! Deletion and redaction of documents, and of the rows derived from them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Serialize;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::affected::{AffectedRows, numbers};
use crate::model::{Kind, Platform, Target};
use crate::store::archive::{Body, Bytes, LATE, Place, Tombstone, tables};
use crate::store::db::{Count, Id, Store, Tx, execute, fetch_all, fetch_optional, without_limits};
use crate::store::sql::Rows;
use crate::time::Time;

/// Begins a transaction in SQLite that overwrites deleted content with zeros.
const SECURE: &str = "pragma secure_delete = on; pragma temp_store = file; begin immediate";

/// A redacted document.
#[derive(Clone, Debug)]
pub struct Redacted {
    /// Its id.
    pub document_id: i64,
    /// Its redacted body.
    pub body: Body,
    /// Drift of the redacted body.
    pub drift: Option<String>,
    /// When it was redacted.
    pub redacted_at: Time,
}

#[derive(Serialize)]
struct RedactedRow<'a> {
    document_id: i64,
    body: &'a str,
    cleaned: Option<&'static str>,
    exact: Option<Bytes<'a>>,
    drift: Option<&'a str>,
    redacted_at: Time,
}

impl<'a> RedactedRow<'a> {
    fn of(redacted: &'a Redacted) -> Self {
        let Redacted { document_id, body, drift, redacted_at } = redacted;
        Self {
            document_id: *document_id,
            body: &body.json,
            cleaned: body.cleaned,
            exact: body.exact.as_deref().map(Bytes),
            drift: drift.as_deref(),
            redacted_at: *redacted_at,
        }
    }
}

#[derive(sqlx::FromRow)]
struct ItemRow {
    kind: String,
    id: String,
}

impl Store {
    /// Begins a transaction whose deletions are final, as far as the database can.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin_to_delete(&self) -> Result<Tx> {
        match self {
            Self::Sqlite { writer, .. } => Ok(Tx::Sqlite(writer.begin_with(SECURE).await?)),
            Self::Postgres(_) => self.begin().await,
        }
    }

    /// Removes the remains of deleted rows: SQLite rewrites the file and truncates its journal,
    /// PostgreSQL frees the space for reuse. False when a reader of the old journal kept it from
    /// being truncated.
    ///
    /// # Errors
    /// When the database cannot: the disk is full, or the tables have another owner.
    #[expect(clippy::disallowed_methods, reason = "in no transaction")]
    pub async fn clear_away(&self) -> Result<bool> {
        match self {
            Self::Sqlite { writer, .. } => {
                let mut writer = writer.acquire().await?;
                sqlx::query("vacuum").execute(&mut *writer).await?;
                let sql = "pragma wal_checkpoint(truncate)";
                let (busy, _, _): (i64, i64, i64) =
                    sqlx::query_as(sql).fetch_one(&mut *writer).await?;
                Ok(busy == 0)
            }
            Self::Postgres(pool) => {
                let tables = tables().chain(OTHERS).collect::<Vec<_>>().join(", ");
                let mut connection = PgConnection::connect_with(&without_limits(pool)).await?;
                sqlx::query(AssertSqlSafe(format!("vacuum {tables}")))
                    .execute(&mut connection)
                    .await
                    .context("the tables could not be vacuumed")?;
                connection.close().await?;
                Ok(true)
            }
        }
    }
}

/// Tables that an erasure changes, beside those that answers fill.
const OTHERS: [&str; 11] = [
    "documents",
    "links",
    "availability",
    "targets",
    "job_targets",
    "slots",
    "calls",
    "alerts",
    "pauses",
    "backfills",
    "config_loads",
];

impl Tx {
    /// Notes or works of an author.
    pub async fn items_of_author(&mut self, platform: Platform, id: &str) -> Result<Vec<Target>> {
        let rows = fetch_all!(
            self,
            ItemRow,
            "select 'note' as kind, note_id as id from notes
             where author_id = $2 and $1 = 'xiaohongshu'
             union all
             select 'work' as kind, work_id as id from works
             where author_id = $2 and $1 = 'douyin'",
            platform.as_str(),
            id
        );
        Ok(items(rows))
    }

    /// Notes and works last observed before `at`.
    pub async fn items_not_observed_since(&mut self, at: Time) -> Result<Vec<Target>> {
        let rows = fetch_all!(
            self,
            ItemRow,
            "select 'note' as kind, note_id as id from notes where last_seen_at < $1
             union all
             select 'work' as kind, work_id as id from works where last_seen_at < $1",
            at
        );
        Ok(items(rows))
    }

    /// All documents after an id, those without rows included; at most `limit`.
    pub async fn documents_numbered_after(&mut self, after: i64, limit: i64) -> Result<Vec<Place>> {
        Ok(fetch_all!(
            self,
            Place,
            "select d.document_id, d.fetched_at, coalesce(c.bytes, 0) as bytes
             from documents d join calls c on c.call_id = d.document_id
             where d.document_id > $1 order by d.document_id limit $2",
            after,
            limit
        ))
    }

    /// Deletes documents.
    pub async fn delete_documents(&mut self, documents: &[i64]) -> Result<()> {
        let sql = self.over_rows(
            "document_id int",
            "delete from documents where document_id in (select r.document_id from {rows})",
        );
        execute!(self, sql, numbers(documents)?);
        self.silence_calls(documents).await
    }

    /// Deletes upstream's messages in the calls of these documents.
    async fn silence_calls(&mut self, documents: &[i64]) -> Result<()> {
        let sql = self.over_rows(
            "document_id int",
            "update calls set message = null
             where message is not null and call_id in (select r.document_id from {rows})",
        );
        execute!(self, sql, numbers(documents)?);
        Ok(())
    }

    /// Deletes the documents of erased targets, and the rows of their subjects.
    pub(in crate::store) async fn delete_answers_about(
        &mut self,
        forgotten: &[Tombstone],
    ) -> Result<()> {
        let targets = self.targets_of(forgotten).await?;
        let documents = self.documents_of(&targets).await?;
        self.delete_documents(&documents).await?;
        let mut traces =
            AffectedRows { documents: documents.into_iter().collect(), ..AffectedRows::default() };
        traces.add(forgotten);
        self.delete_rows(&traces).await
    }

    async fn documents_of(&mut self, targets: &[i64]) -> Result<Vec<i64>> {
        let sql = self.over_rows(
            "document_id int",
            "select d.document_id as id from {rows} join documents d on d.target_id = r.document_id",
        );
        let found = fetch_all!(self, Id, sql, numbers(targets)?);
        Ok(found.into_iter().map(|row| row.id).collect())
    }

    /// Stores redacted documents.
    pub async fn redact_documents(&mut self, documents: &[Redacted]) -> Result<()> {
        let rows = Rows::of(
            "document_id int, body json, cleaned text, exact bytes, drift text, redacted_at time",
            documents.iter().map(RedactedRow::of),
        )?;
        let sql = format!(
            "update documents set body = r.body, cleaned = r.cleaned, exact = r.exact,
                 redacted_at = r.redacted_at,
                 drift = case when documents.drift = '{LATE}' then documents.drift else r.drift end
             from {{rows}} where documents.document_id = r.document_id"
        );
        self.execute_over(&rows, &sql).await?;
        self.silence_calls(&documents.iter().map(|it| it.document_id).collect::<Vec<_>>()).await
    }

    /// Number of rows in each table that an erasure deletes from, except documents.
    pub async fn count_rows(&mut self) -> Result<BTreeMap<&'static str, i64>> {
        let mut counts = BTreeMap::new();
        for table in tables().chain(["links", "availability", "alerts"]) {
            let sql = AssertSqlSafe(format!("select count(*) as count from {table}"));
            let count = fetch_optional!(self, Count, sql).map_or(0, |row| row.count);
            counts.insert(table, count);
        }
        Ok(counts)
    }
}

fn items(rows: Vec<ItemRow>) -> Vec<Target> {
    let item = |row: ItemRow| Some(Target { kind: Kind::parse(&row.kind)?, key: row.id });
    rows.into_iter().filter_map(item).collect()
}
