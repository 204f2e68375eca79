//! Deletion and redaction of documents, and of the rows derived from them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde::Serialize;
use sqlx::{AssertSqlSafe, Connection as _};

use super::numbers;
use crate::model::{Facts, Kind, Platform, Target};
use crate::store::archive::{LATE, Place, derived_tables};
use crate::store::db::{
    Count, Id, Store, Tx, connect_without_limits, execute, fetch_all, fetch_optional,
};
use crate::store::sql::Rows;
use crate::time::Time;

/// Begins a transaction in SQLite that overwrites deleted content with zeros.
const SECURE: &str = "pragma secure_delete = on; pragma temp_store = file; begin immediate";

/// Documents that are redacted by one statement, which has their texts.
const AT_ONCE: usize = 200;

/// Tables that an erasure changes, beside those that are derived from documents.
const OTHERS: &str = "documents, cold_files, cold_contents, links, availability, targets, job_targets, slots, calls, alerts, \
    pauses, backfills, config_loads, answer_paths";

/// A redacted document.
#[derive(Clone, Debug, Serialize)]
pub struct Redacted {
    /// Its id.
    pub document_id: i64,
    /// When it was complete.
    pub fetched_at: Time,
    /// What is left of it: JSON that both databases take as it is.
    pub body: String,
    /// What is not understood of that.
    pub drift: Option<String>,
    /// When it was redacted.
    pub redacted_at: Option<Time>,
    /// Its facts.
    #[serde(skip)]
    pub facts: Facts,
}

impl Store {
    /// Begins a transaction whose deletions are final, as far as the database can.
    pub async fn begin_to_delete(&self) -> Result<Tx> {
        match self {
            Self::Sqlite { writer, .. } => Ok(Tx::Sqlite(writer.begin_with(SECURE).await?)),
            Self::Postgres(_) => self.begin().await,
        }
    }

    /// Removes the remains of deleted rows: SQLite rewrites the file and truncates its journal,
    /// PostgreSQL frees the space for reuse. False when a reader of the old journal kept it from
    /// being truncated; then it stays on record.
    pub async fn clear_away(&self) -> Result<bool> {
        let is_cleared = self.vacuum().await?;
        if is_cleared {
            let mut tx = self.begin().await?;
            tx.end_uncleared().await?;
            tx.commit().await?;
        }
        Ok(is_cleared)
    }

    #[expect(clippy::disallowed_methods, reason = "in no transaction")]
    async fn vacuum(&self) -> Result<bool> {
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
                let derived = derived_tables().collect::<Vec<_>>().join(", ");
                let mut connection = connect_without_limits(pool).await?;
                sqlx::query(AssertSqlSafe(format!("vacuum {derived}, {OTHERS}")))
                    .execute(&mut connection)
                    .await
                    .context("the tables could not be vacuumed")?;
                connection.close().await?;
                Ok(true)
            }
        }
    }
}

impl Tx {
    /// Notes or works of an author.
    pub async fn items_of_author(&mut self, platform: Platform, id: &str) -> Result<Vec<Target>> {
        let rows = fetch_all!(
            self,
            (String, String),
            "select 'note', note_id from notes where lower(author_id) = lower($2) and $1 = 'xiaohongshu'
             union all
             select 'work', work_id from works where lower(author_id) = lower($2) and $1 = 'douyin'",
            platform.as_str(),
            id
        );
        Ok(items(rows))
    }

    /// Notes and works last observed before `at`.
    pub async fn items_not_observed_since(&mut self, at: Time) -> Result<Vec<Target>> {
        let rows = fetch_all!(
            self,
            (String, String),
            "select 'note', note_id from notes where last_seen_at < $1
             union all
             select 'work', work_id from works where last_seen_at < $1",
            at
        );
        Ok(items(rows))
    }

    /// Hot documents after an id, those without rows included; at most `limit`.
    pub async fn hot_documents_after(&mut self, after: i64, limit: i64) -> Result<Vec<Place>> {
        Ok(fetch_all!(
            self,
            Place,
            "select d.document_id, d.fetched_at, coalesce(c.bytes, 0) as bytes
             from documents d join calls c on c.call_id = d.document_id
             where d.document_id > $1 and d.cold_file_id is null order by d.document_id limit $2",
            after,
            limit
        ))
    }

    /// Positions of all documents of these targets.
    pub async fn documents_of_targets(&mut self, targets: &[i64]) -> Result<Vec<Place>> {
        let sql = self.over_rows(
            "id int",
            "select d.document_id, d.fetched_at, coalesce(c.bytes, 0) as bytes
             from {rows} join documents d on d.target_id = r.id
             join calls c on c.call_id = d.document_id order by d.document_id",
        );
        Ok(fetch_all!(self, Place, sql, numbers(targets)?))
    }

    /// The documents that a cold file has, in its order.
    pub async fn documents_of_cold_file(&mut self, id: i64) -> Result<Vec<Place>> {
        let Some(file) = self.open_cold_file(id).await? else { return Ok(Vec::new()) };
        let sql = self.over_rows(
            "id int",
            "select d.document_id, d.fetched_at, coalesce(c.bytes, 0) as bytes
             from {rows} cross join documents d join calls c on c.call_id = d.document_id
             where d.document_id = r.id and d.cold_file_id = $2 order by d.cold_row",
        );
        Ok(fetch_all!(self, Place, sql, numbers(&file.documents()?)?, id))
    }

    /// Deletes documents, and replaces others by what is left of them, also in cold files.
    ///
    /// # Errors
    /// Also when a cold file is damaged.
    pub async fn erase_documents(
        &mut self,
        gone: &[i64],
        left: &[Redacted],
        now: Time,
    ) -> Result<()> {
        let all: Vec<_> =
            gone.iter().copied().chain(left.iter().map(|it| it.document_id)).collect();
        self.lock_documents(&all).await?;
        let anew = |it: &Redacted| (it.document_id, (it.body.clone(), it.redacted_at));
        let texts = left.iter().map(anew).collect();
        self.rewrite_cold_files(BTreeSet::from_iter(gone.iter().copied()), texts, now).await?;
        self.delete_documents(gone).await?;
        for left in left.chunks(AT_ONCE) {
            self.redact_documents(left).await?;
        }
        Ok(())
    }

    /// Locks documents before it is asked which are cold: a packer may be about to commit.
    async fn lock_documents(&mut self, documents: &[i64]) -> Result<()> {
        // Differs by necessity: SQLite has one writer.
        if let Self::Postgres(_) = self {
            let sql = self.over_rows(
                "id int",
                "select d.document_id as id from {rows} cross join documents d
                 where d.document_id = r.id order by d.document_id for update of d",
            );
            fetch_all!(self, Id, sql, numbers(documents)?);
        }
        Ok(())
    }

    /// Deletes documents, their upstream messages, and the rows of their own.
    async fn delete_documents(&mut self, documents: &[i64]) -> Result<()> {
        self.clear_documents(documents).await?;
        let sql = self.over_rows(
            "id int",
            "delete from documents where document_id in (select r.id from {rows})",
        );
        execute!(self, sql, numbers(documents)?);
        Ok(())
    }

    /// Deletes the upstream messages of documents, and the rows of their own.
    pub async fn clear_documents(&mut self, documents: &[i64]) -> Result<()> {
        if documents.is_empty() {
            return Ok(());
        }
        for sql in [
            "update calls set message = null
             where message is not null and call_id in (select r.id from {rows})",
            "delete from kol_search_results where document_id in (select r.id from {rows})",
            "delete from keyword_suggestions where document_id in (select r.id from {rows})",
        ] {
            let sql = self.over_rows("id int", sql);
            execute!(self, sql, numbers(documents)?);
        }
        Ok(())
    }

    /// Replaces documents by their redacted form, and the rows of their own.
    async fn redact_documents(&mut self, documents: &[Redacted]) -> Result<()> {
        self.clear_documents(&documents.iter().map(|it| it.document_id).collect::<Vec<_>>())
            .await?;
        let columns = "document_id int, body json, drift text, redacted_at time";
        let rows = Rows::of(columns, documents)?;
        let sql = format!(
            "update documents set cleaned = null, exact = null,
                 body = case when cold_file_id is null then r.body end, redacted_at = r.redacted_at,
                 drift = case when documents.drift = '{LATE}' then documents.drift else r.drift end
             from {{rows}} where documents.document_id = r.document_id"
        );
        self.execute_over(&rows, &sql).await?;
        let answers = documents.iter().map(|it| (&it.facts, it.document_id, it.fetched_at));
        self.put_listings(&answers.collect::<Vec<_>>()).await
    }

    /// Number of rows in each table that an erasure deletes from, except documents.
    pub async fn count_rows(&mut self) -> Result<BTreeMap<&'static str, i64>> {
        let mut counts = BTreeMap::new();
        for table in derived_tables().chain(["links", "availability", "alerts"]) {
            let sql = AssertSqlSafe(format!("select count(*) as count from {table}"));
            let count = fetch_optional!(self, Count, sql).map_or(0, |row| row.count);
            counts.insert(table, count);
        }
        Ok(counts)
    }
}

fn items(rows: Vec<(String, String)>) -> Vec<Target> {
    let item = |(kind, key): (String, _)| Some(Target { kind: Kind::parse(&kind)?, key });
    rows.into_iter().filter_map(item).collect()
}
