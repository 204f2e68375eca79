//! Replay: reading documents again and deriving their rows.

use std::borrow::Cow;

use anyhow::{Result, bail, ensure};
use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::body::{Body, REFUSED};
use super::cold::{ColdReader, DamagedColdFile, Wanted, refuse};
use super::save::{Bytes, LATE};
use super::spec::derived_tables;
use crate::cold_file::Text;
use crate::model::{Facts, NORMALISER};
use crate::store::db::{Count, Tx, execute, fetch_all, fetch_optional};
use crate::store::sql::{Rows, array};
use crate::time::Time;

/// A document's position in the order of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow, Serialize)]
pub struct Place {
    /// The document.
    pub document_id: i64,
    /// When it was complete.
    pub fetched_at: Time,
    /// Size of its body.
    pub bytes: i64,
    /// Whether the database refused its rows, where that was asked.
    #[sqlx(default)]
    #[serde(skip)]
    pub is_refused: bool,
}

/// A stored document.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Kept {
    /// Its id.
    pub document_id: i64,
    /// Its target.
    pub target_id: Option<i64>,
    /// The endpoint's name.
    pub endpoint: String,
    /// The requested id, keyword, filter or link.
    pub asked: String,
    /// The page, from 1.
    pub page: i64,
    /// When it was complete.
    pub fetched_at: Time,
    /// Its HTTP status.
    pub http_status: i64,
    normaliser: i64,
    drift: Option<String>,
    cleaned: Option<String>,
    exact: Option<Vec<u8>>,
    /// Empty where a cold file has it, until it is read from there.
    body: String,
    cold_file_id: Option<i64>,
    cold_row: Option<i64>,
}

impl Kept {
    /// Whether it was too late for its slot and makes no rows.
    pub fn is_late(&self) -> bool {
        self.drift.as_deref() == Some(LATE)
    }

    /// The text as it was received.
    pub fn text(&self) -> Cow<'_, str> {
        match &self.exact {
            Some(bytes) if !self.is_refused() => Cow::Owned(Body::new(bytes.clone()).json),
            _ => Cow::Borrowed(&self.body),
        }
    }

    /// The body as the database, or a cold file, has it.
    pub fn stored(&self) -> &str {
        &self.body
    }

    /// The bytes that were received, where they are stored.
    pub(super) fn received(&self) -> Cow<'_, str> {
        self.exact.as_deref().map_or(Cow::Borrowed(&self.body), String::from_utf8_lossy)
    }

    /// Whether the database refused its JSON or its rows, so that it is stored as a text.
    pub fn is_refused(&self) -> bool {
        self.cleaned.as_deref() == Some(REFUSED)
    }

    /// As it was received, where the database refused it: it may take it now.
    pub fn offered_again(&self) -> Option<Body> {
        self.exact.clone().filter(|_| self.is_refused()).map(Body::new)
    }

    /// The same as a text, which a database takes in any case.
    pub fn refused(&self) -> Body {
        Body::as_text(self.exact.as_deref().unwrap_or(self.body.as_bytes()), REFUSED)
    }

    /// Its facts; `drift`: what was not understood.
    pub fn read_again(&self, facts: Facts, drift: Option<String>) -> Replayed {
        let is_outdated = self.normaliser != NORMALISER && !self.is_refused();
        let Self { document_id, fetched_at, .. } = *self;
        Replayed { document_id, fetched_at, facts, drift, is_outdated, body: None }
    }
}

/// A document that was read again.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// Its id.
    pub document_id: i64,
    /// When it was complete.
    pub fetched_at: Time,
    /// Its facts.
    pub facts: Facts,
    drift: Option<String>,
    is_outdated: bool,
    /// What takes the place of a refused one.
    body: Option<Body>,
}

impl Replayed {
    /// The same with a body that was refused before.
    #[must_use]
    pub fn with_body(self, body: Body) -> Self {
        Self { body: Some(body), is_outdated: true, ..self }
    }
}

impl Tx {
    /// Deletes every row derived from documents.
    pub async fn drop_rows(&mut self) -> Result<()> {
        // Nothing waits any more: the documents are gone through in order.
        let tables: Vec<_> = derived_tables().chain(["stale"]).collect();
        // Differs by necessity: a deletion fires the triggers of snapshots for each of them, and
        // SQLite has no other way.
        if let Self::Postgres(_) = self
            && self.may_truncate(&tables).await?
        {
            execute!(self, "savepoint truncation");
            if self.truncate(&tables).await.is_ok() {
                return Ok(());
            }
            // Somebody reads for long, which does not hold up a deletion.
            execute!(self, "rollback to savepoint truncation");
        }
        for table in tables {
            execute!(self, AssertSqlSafe(format!("delete from {table}")));
        }
        Ok(())
    }

    /// Truncates tables of PostgreSQL, unless others read them for longer than a moment.
    async fn truncate(&mut self, tables: &[&str]) -> Result<()> {
        execute!(self, "set local lock_timeout = '2s'");
        execute!(self, AssertSqlSafe(format!("truncate {}", tables.join(", "))));
        Ok(())
    }

    /// Whether the role has the right in PostgreSQL to truncate these tables.
    async fn may_truncate(&mut self, tables: &[&str]) -> Result<bool> {
        let sql = format!(
            "select count(*) as count from (values ('{}')) as t(name)
             where not has_table_privilege(name, 'truncate')",
            tables.join("'), ('")
        );
        Ok(fetch_optional!(self, Count, AssertSqlSafe(sql)).is_some_and(|it| it.count == 0))
    }

    /// Number of documents that make rows.
    pub async fn count_documents(&mut self) -> Result<i64> {
        let sql = "select count(*) as count from documents where drift is null or drift <> $1";
        Ok(fetch_optional!(self, Count, sql, LATE).map_or(0, |row| row.count))
    }

    /// Documents that make rows, in the order of answers, after this position; at most `limit`.
    pub async fn documents_after(
        &mut self,
        after: Option<Place>,
        limit: i64,
    ) -> Result<Vec<Place>> {
        Ok(fetch_all!(
            self,
            Place,
            "select d.document_id, d.fetched_at, coalesce(c.bytes, 0) as bytes
             from documents d join calls c on c.call_id = d.document_id
             where (d.fetched_at, d.document_id) > ($1, $2) and (d.drift is null or d.drift <> $3)
             order by d.fetched_at, d.document_id limit $4",
            after.map_or(Time::EPOCH, |place| place.fetched_at),
            after.map_or(0, |place| place.document_id),
            LATE,
            limit
        ))
    }

    /// These documents, in the order of answers.
    ///
    /// # Errors
    /// Also when a cold file is damaged.
    pub async fn kept(&mut self, places: &[Place]) -> Result<Vec<Kept>> {
        self.kept_by(&mut ColdReader::default(), places).await
    }

    /// The same with the cold files that a reader has open.
    ///
    /// # Errors
    /// Also when a cold file is damaged.
    pub async fn kept_by(&mut self, cold: &mut ColdReader, places: &[Place]) -> Result<Vec<Kept>> {
        let template = format!(
            "select d.document_id, d.target_id, d.endpoint, d.asked, d.page, d.fetched_at,
                    d.http_status, d.normaliser, d.drift, d.cleaned, d.exact,
                    coalesce({}, '') as body, d.cold_file_id, d.cold_row
             from {{rows}} cross join documents d
             where d.document_id = r.document_id order by d.fetched_at, d.document_id",
            self.as_text("d.body")
        );
        let places = array(places)?;
        // Between the two statements another process may move texts.
        let mut missing = 0;
        for _ in 0..2 {
            let sql = self.over_rows("document_id int", &template);
            let mut kept = fetch_all!(self, Kept, sql, places.as_str());
            match self.fill(cold, &mut kept).await? {
                Some(file) => missing = file,
                None => return Ok(kept),
            }
        }
        bail!(DamagedColdFile(missing, "it is not in the catalogue"))
    }

    /// Reads the texts of those that are cold. Returns a file that is no more, if one is.
    async fn fill(&mut self, cold: &mut ColdReader, kept: &mut [Kept]) -> Result<Option<i64>> {
        let mut wanted = Wanted::new();
        for (nth, it) in kept.iter().enumerate() {
            if let (Some(file), Some(row)) = (it.cold_file_id, it.cold_row) {
                wanted.entry(file).or_default().push((row, nth));
            }
        }
        let fill = |nth: usize, mut text: Text| {
            let it = &mut kept[nth];
            let document_id = it.document_id;
            ensure!(text.document_id == document_id, "document {document_id} is not in its row");
            if it.is_refused() {
                // It was refused since it is cold: the file has what was received.
                refuse(&mut text);
            }
            (it.body, it.exact) = (text.body, text.exact);
            Ok(())
        };
        cold.read(self, wanted, fill).await
    }

    /// The files that have the cold ones of these documents, each with its own in the order of its
    /// rows.
    pub async fn cold_among(&mut self, places: &[Place]) -> Result<Vec<Vec<Place>>> {
        #[derive(sqlx::FromRow)]
        struct Cold {
            #[sqlx(flatten)]
            place: Place,
            cold_file_id: i64,
        }
        let sql = self.over_rows(
            "document_id int, bytes int",
            "select d.document_id, d.fetched_at, r.bytes as bytes, d.cold_file_id
             from {rows} cross join documents d
             where d.document_id = r.document_id and d.cold_file_id is not null
             order by d.cold_file_id, d.cold_row",
        );
        let found = fetch_all!(self, Cold, sql, array(places)?);
        let files = found.chunk_by(|one, other| one.cold_file_id == other.cold_file_id);
        Ok(files.map(|file| file.iter().map(|it| it.place).collect()).collect())
    }

    /// Derives the rows of documents, given in the order of answers. Entities that are out of
    /// order wait to be derived. Updates the drift of documents that an older normaliser had read,
    /// or that were refused before.
    ///
    /// # Errors
    /// When the database fails, or refuses a row.
    pub async fn put_replayed(&mut self, replayed: &[Replayed]) -> Result<()> {
        #[derive(Serialize)]
        struct Row<'a> {
            document_id: i64,
            drift: Option<&'a str>,
        }
        let facts = replayed.iter().map(|it| (&it.facts, it.document_id, it.fetched_at));
        self.put_facts(&facts.collect::<Vec<_>>()).await?;
        let outdated: Vec<_> = replayed
            .iter()
            .filter(|answer| answer.is_outdated)
            .map(|it| Row { document_id: it.document_id, drift: it.drift.as_deref() })
            .collect();
        if outdated.is_empty() {
            return Ok(());
        }
        let sql = self.over_rows(
            "document_id int, drift text",
            "update documents set normaliser = $2, drift = r.drift
             from {rows} where documents.document_id = r.document_id",
        );
        execute!(self, sql, array(&outdated)?, NORMALISER);
        self.put_bodies(replayed).await
    }

    /// Stores the bodies of documents that are refused no more.
    async fn put_bodies(&mut self, replayed: &[Replayed]) -> Result<()> {
        #[derive(Serialize)]
        struct Row<'a> {
            document_id: i64,
            body: &'a str,
            cleaned: Option<&'a str>,
            exact: Option<Bytes<'a>>,
        }
        fn row(it: &Replayed) -> Option<Row<'_>> {
            let body = it.body.as_ref()?;
            let exact = body.exact.as_deref().map(Bytes);
            let document_id = it.document_id;
            Some(Row { document_id, body: &body.json, cleaned: body.cleaned, exact })
        }
        let spec = "document_id int, body json, cleaned text, exact bytes";
        let rows = Rows::of(spec, replayed.iter().filter_map(row))?;
        self.execute_over(
            &rows,
            // A cold file has the answer as it was received: taken or refused, it stays there.
            "update documents set cleaned = r.cleaned,
                    body = case when cold_file_id is null then r.body end,
                    exact = case when cold_file_id is null then r.exact end
             from {rows} where documents.document_id = r.document_id",
        )
        .await?;
        Ok(())
    }
}
