//! A document and its call.

use anyhow::Result;
use sqlx::AssertSqlSafe;

use crate::model::Billed;
use crate::store::archive::Place;
use crate::store::db::{Tx, fetch_optional};
use crate::time::Time;

/// A document, and its call on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredDocument {
    /// Its id, which is that of the call.
    pub document_id: i64,
    /// The endpoint.
    pub endpoint: String,
    /// The requested id, keyword, filter or link.
    pub asked: String,
    /// The page of a search, from 1.
    pub page: i64,
    /// When it was fetched.
    pub fetched_at: Time,
    /// Outcome of the call.
    pub outcome: Option<String>,
    /// The HTTP status.
    pub http_status: Option<i64>,
    /// Upstream's own code.
    pub code: Option<String>,
    /// Whether it was paid for.
    pub billed: Billed,
    /// Its price, in millionths of a yuan.
    pub price_micros: Option<i64>,
    /// Size of the answer, in bytes.
    pub bytes: Option<i64>,
    /// How long the call took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// The attempt, from 1.
    pub attempt: i64,
    /// Its drift.
    pub drift: Option<String>,
    /// Why the text differs from the bytes received.
    pub cleaned: Option<String>,
    /// When it was redacted; `None`: it is as received.
    pub redacted_at: Option<Time>,
    /// When it was imported; `None`: it was fetched here.
    pub imported_at: Option<Time>,
    /// Its length in characters.
    pub length: i64,
    /// Its beginning, as text.
    pub body: String,
    /// Whether a cold file has it.
    pub is_cold: bool,
}

impl Tx {
    /// A document with its first `most` characters.
    pub async fn stored_document(&mut self, id: i64, most: i64) -> Result<Option<StoredDocument>> {
        let text = self.as_text("d.body");
        let sql = AssertSqlSafe(format!(
            "select d.document_id, d.endpoint, d.asked, cast(d.page as bigint) as page,
                    d.fetched_at, c.outcome, cast(c.http_status as bigint) as http_status, c.code,
                    c.billed, c.price_micros, c.bytes, cast(c.duration_ms as bigint) as duration_ms,
                    cast(c.attempt as bigint) as attempt, d.drift, d.cleaned, d.redacted_at,
                    c.imported_at,
                    coalesce(cast(length({text}) as bigint), 0) as length,
                    coalesce(substr({text}, 1, cast($2 as integer)), '') as body,
                    d.cold_file_id is not null as is_cold
             from documents d
             join calls c on c.call_id = d.document_id
             where d.document_id = $1"
        ));
        let Some(mut found) = fetch_optional!(self, StoredDocument, sql, id, most) else {
            return Ok(None);
        };
        if found.is_cold {
            let (fetched_at, bytes) = (found.fetched_at, 0);
            let place = Place { document_id: id, fetched_at, bytes, is_refused: false };
            let kept = self.kept(&[place]).await?;
            let text = kept.first().map_or("", |it| it.stored());
            found.length = i64::try_from(text.chars().count())?;
            found.body = text.chars().take(usize::try_from(most).unwrap_or(0)).collect();
        }
        Ok(Some(found))
    }
}
