//! Import of answers that were fetched elsewhere.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::Serialize;
use serde_json::Value;

use super::body::{Body, REFUSED};
use super::replay::Place;
use super::save::{Answer, Document, Resolved};
use crate::model::{Billed, Facts, Outcome, Target};
use crate::store::db::{Tx, execute, fetch_all};
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

/// What an import came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// It is new.
    New,
    /// It is new, and another answer to the same question has the same time and says something
    /// else: both are kept, and the one with the higher number counts.
    Beside,
    /// The archive has it already.
    Known,
}

/// An answer's text, compared as JSON: a database keeps no spaces, and writes `1e2` as 100.
fn content(text: &str) -> Value {
    let parsed = serde_json::from_str(text);
    parsed.map_or_else(|_| Value::String(text.to_owned()), plain_numbers)
}

fn plain_numbers(value: Value) -> Value {
    match value {
        Value::Array(all) => all.into_iter().map(plain_numbers).collect(),
        Value::Object(all) => all.into_iter().map(|(key, it)| (key, plain_numbers(it))).collect(),
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        value => value,
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

/// A document with the identity of an answer.
#[derive(sqlx::FromRow)]
struct Known {
    #[sqlx(flatten)]
    identity: Identity,
    document_id: i64,
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
    /// that the archive has already, by endpoint, target, page, time and content.
    ///
    /// # Errors
    /// When the database fails, or refuses one of the documents.
    pub async fn import(
        &mut self,
        imports: &[&Import],
        owner: i64,
        now: Time,
    ) -> Result<Vec<Imported>> {
        self.lock_imports().await?;
        let targets: Vec<_> = imports.iter().map(|import| import.target.clone()).collect();
        self.put_targets(&targets, now).await?;
        let mut known = self.known_already(imports).await?;
        let imported: Vec<_> = imports
            .iter()
            .map(|import| {
                let same_time = known.entry(Identity::of(import)).or_default();
                let content = content(&import.document.body.received());
                if same_time.contains(&content) {
                    return Imported::Known;
                }
                same_time.push(content);
                if same_time.len() == 1 { Imported::New } else { Imported::Beside }
            })
            .collect();
        let all = imports.iter().zip(&imported);
        let new: Vec<_> =
            all.filter(|(_, it)| **it != Imported::Known).map(|(import, _)| *import).collect();
        if new.is_empty() {
            return Ok(imported);
        }
        let mut opened = self.open_imported(&new, owner, now).await?;
        let mut answers = Vec::with_capacity(new.len());
        for import in new {
            let own = |row: &Opened| {
                row.opened_at == import.document.fetched_at
                    && row.key == import.target.key
                    && row.kind == import.target.kind.as_str()
                    && row.page == import.document.page
                    && row.endpoint == import.document.endpoint
            };
            let Some(nth) = opened.iter().position(own) else {
                bail!("the ledger did not take every answer; nothing was imported");
            };
            answers.push(answer(import, &opened.remove(nth), now));
        }
        self.keep(&answers, |_| true).await?;
        Ok(imported)
    }

    /// Keeps another import from looking for the same answers until the end of the transaction.
    async fn lock_imports(&mut self) -> Result<()> {
        // Differs by necessity: SQLite has one writer.
        if let Self::Postgres(_) = self {
            execute!(self, "select pg_advisory_xact_lock(hashtext('tidewatch import'))");
        }
        Ok(())
    }

    /// The answers that the archive has to the questions of these at their times: what they say.
    async fn known_already(
        &mut self,
        imports: &[&Import],
    ) -> Result<BTreeMap<Identity, Vec<Value>>> {
        let rows: Vec<_> = imports.iter().map(|import| Identity::of(import)).collect();
        let sql = self.over_rows(
            IDENTITY,
            "select distinct r.kind as kind, r.key as key, r.endpoint as endpoint, r.page as page,
                    r.fetched_at as fetched_at, d.document_id as document_id
             from {rows} join targets t on t.kind = r.kind and t.key = r.key
             join documents d on d.target_id = t.target_id and d.fetched_at = r.fetched_at
                              and d.endpoint = r.endpoint and d.page = r.page",
        );
        let found = fetch_all!(self, Known, sql, array(&rows)?);
        let place = |it: &Known| Place {
            document_id: it.document_id,
            fetched_at: it.identity.fetched_at,
            bytes: 0,
            is_refused: false,
        };
        let kept = self.kept(&found.iter().map(place).collect::<Vec<_>>()).await?;
        let kept: BTreeMap<_, _> = kept.iter().map(|it| (it.document_id, it)).collect();
        let mut known = BTreeMap::<_, Vec<_>>::new();
        for Known { identity, document_id } in found {
            let said = kept.get(&document_id).map(|it| content(&it.received()));
            known.entry(identity).or_default().extend(said);
        }
        Ok(known)
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
        opened: None,
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
