//! Import of answers that were fetched elsewhere.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde::Serialize;

use super::body::{Body, REFUSED};
use super::save::{Answer, Document, Resolved};
use crate::model::{Billed, Facts, Outcome, Target};
use crate::store::db::{Tx, fetch_all};
use crate::store::ledger::CallEnd;
use crate::store::schedule::{Disposition, Settlement};
use crate::store::sql::array;
use crate::time::Time;

/// An answer that was fetched elsewhere.
#[derive(Clone, Debug)]
pub struct Import {
    /// Its target.
    pub target: Target,
    /// The requested id, keyword, filter or link.
    pub asked: String,
    /// Upstream's own code.
    pub code: Option<String>,
    /// The outcome of the call.
    pub outcome: Outcome,
    /// Upstream's message.
    pub message: Option<String>,
    /// Size of the body.
    pub bytes: i64,
    /// The document.
    pub document: Document,
    /// Its facts.
    pub facts: Facts,
    /// The item behind a short link.
    pub resolved: Option<Resolved>,
    /// Whether it is about an erased subject, so that nothing of it may be stored.
    pub erased: bool,
}

impl Import {
    /// Stores the document as a text without rows: nothing of it can be rejected.
    pub fn as_text(&mut self) {
        let body = &mut self.document.body;
        let bytes = body.exact.take().unwrap_or_else(|| body.json.clone().into_bytes());
        *body = Body::as_text(&bytes, REFUSED);
        self.document.drift = Some("the database refused its JSON or its rows".to_owned());
        self.facts = Facts::default();
        self.message = None;
        self.outcome = Outcome::Unreadable;
    }
}

/// The identity of an answer, by which duplicates are recognised.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, sqlx::FromRow)]
struct Identity {
    kind: String,
    key: String,
    endpoint: String,
    page: i64,
    fetched_at: Time,
}

impl Identity {
    fn of(import: &Import) -> Self {
        Self {
            kind: import.target.kind.as_str().to_owned(),
            key: import.target.key.clone(),
            endpoint: import.document.endpoint.to_owned(),
            page: import.document.page,
            fetched_at: import.document.fetched_at,
        }
    }
}

#[derive(sqlx::FromRow)]
struct Opened {
    call_id: i64,
    target_id: i64,
    kind: String,
    key: String,
    endpoint: String,
    page: i64,
    opened_at: Time,
}

/// Columns of an [`Identity`].
const IDENTITY: &str = "kind text, key text, endpoint text, page int, fetched_at time";

impl Tx {
    /// Imports answers as if they had been fetched here at their time, but not billed. Skips those
    /// that the archive has already, by endpoint, target, page and time. Returns which were new.
    ///
    /// # Errors
    /// When the database fails, or refuses one of the documents.
    pub async fn import(
        &mut self,
        imports: &[&Import],
        owner: i64,
        now: Time,
    ) -> Result<Vec<bool>> {
        let targets: Vec<_> = imports.iter().map(|import| import.target.clone()).collect();
        self.put_targets(&targets, now).await?;
        let mut known = self.known_already(imports).await?;
        let is_new: Vec<_> =
            imports.iter().map(|import| known.insert(Identity::of(import))).collect();
        let new = imports.iter().zip(&is_new).filter(|(_, new)| **new).map(|(import, _)| *import);
        let new: Vec<_> = new.collect();
        if new.is_empty() {
            return Ok(is_new);
        }
        let opened = self.open_imported(&new, owner, now).await?;
        let mut answers = Vec::with_capacity(new.len());
        for import in new {
            let own = |row: &&Opened| {
                row.opened_at == import.document.fetched_at
                    && row.key == import.target.key
                    && row.kind == import.target.kind.as_str()
                    && row.page == import.document.page
                    && row.endpoint == import.document.endpoint
            };
            let Some(row) = opened.iter().find(own) else {
                bail!("the ledger did not take every answer; nothing was imported");
            };
            answers.push(answer(import, row, now));
        }
        self.keep(&answers, |_| true).await?;
        Ok(is_new)
    }

    /// The answers among these that the archive has already.
    async fn known_already(&mut self, imports: &[&Import]) -> Result<BTreeSet<Identity>> {
        let rows: Vec<_> = imports.iter().map(|import| Identity::of(import)).collect();
        let sql = self.over_rows(
            IDENTITY,
            "select r.kind as kind, r.key as key, r.endpoint as endpoint, r.page as page,
                    r.fetched_at as fetched_at
             from {rows} join targets t on t.kind = r.kind and t.key = r.key
             join documents d on d.target_id = t.target_id and d.fetched_at = r.fetched_at
                              and d.endpoint = r.endpoint and d.page = r.page",
        );
        Ok(fetch_all!(self, Identity, sql, array(&rows)?).into_iter().collect())
    }

    /// Opens calls for the answers on the ledger.
    async fn open_imported(
        &mut self,
        imports: &[&Import],
        owner: i64,
        now: Time,
    ) -> Result<Vec<Opened>> {
        let rows: Vec<_> = imports.iter().map(|import| Identity::of(import)).collect();
        let sql = self.over_rows(
            IDENTITY,
            "insert into calls (endpoint, target_id, page, attempt, owner, opened_at, billed,
                                imported_at)
             select r.endpoint, t.target_id, r.page, 1, $2, r.fetched_at, 'no', $3
             from {rows} join targets t on t.kind = r.kind and t.key = r.key
             where true
             returning call_id, target_id, endpoint, page, opened_at,
                 (select kind from targets t where t.target_id = calls.target_id) as kind,
                 (select key from targets t where t.target_id = calls.target_id) as key",
        );
        Ok(fetch_all!(self, Opened, sql, array(&rows)?, owner, now))
    }
}

fn answer(import: &Import, opened: &Opened, now: Time) -> Answer {
    let fetched_at = import.document.fetched_at;
    Answer {
        end: CallEnd {
            call_id: opened.call_id,
            sent_at: fetched_at,
            finished_at: fetched_at,
            http_status: Some(import.document.http_status),
            code: import.code.clone(),
            outcome: import.outcome,
            billed: Billed::No,
            bytes: import.bytes,
            duration_ms: 0,
            message: import.message.clone(),
        },
        // An import has no slot. A short link counts as resolved now.
        settlement: Settlement {
            target_id: opened.target_id,
            due_at: fetched_at,
            fence: 0,
            call_id: opened.call_id,
            next: Disposition::Observed,
            at: now,
        },
        // No server of the settings was called.
        server: String::new(),
        asked: import.asked.clone(),
        target: import.target.key.clone(),
        document: Some(import.document.clone()),
        facts: import.facts.clone(),
        resolved: import.resolved.clone(),
    }
}
