//! What the page says of one kept answer, and of the call that brought it.

use anyhow::Result;

use crate::model::Billed;
use crate::store::db::{Tx, fetch_optional};
use crate::time::Time;

/// A kept answer, and its call on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredDocument {
    /// Its number, which is that of the call.
    pub document_id: i64,
    /// What was asked.
    pub endpoint: String,
    /// The id, keyword, filter or link that was asked for.
    pub asked: String,
    /// The page of a search, from 1.
    pub page: i64,
    /// When the answer came.
    pub fetched_at: Time,
    /// What became of the call.
    pub outcome: Option<String>,
    /// The HTTP status.
    pub http_status: Option<i64>,
    /// Upstream's own code.
    pub code: Option<String>,
    /// Whether it was paid for.
    pub billed: Billed,
    /// What it costs if it was, in millionths of a yuan.
    pub price_micros: Option<i64>,
    /// Size of the answer.
    pub bytes: Option<i64>,
    /// How long the call took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// Which try it was.
    pub attempt: i64,
    /// What was odd in it.
    pub drift: Option<String>,
    /// Why the text is not the very bytes that came.
    pub cleaned: Option<String>,
    /// When what is forgotten was cut out of it; `None`: it is as it came.
    pub redacted_at: Option<Time>,
    /// When it was brought in from elsewhere; `None`: it was asked for.
    pub imported_at: Option<Time>,
    /// Characters of the answer.
    pub length: i64,
    /// The beginning of the answer, as text.
    pub body: String,
}

impl Tx {
    /// A kept answer, with its first `most` characters; `None` when there is none of this number.
    pub async fn stored_document(&mut self, id: i64, most: i64) -> Result<Option<StoredDocument>> {
        Ok(fetch_optional!(
            self,
            StoredDocument,
            "select d.document_id, d.endpoint, d.asked, cast(d.page as bigint) as page,
                    d.fetched_at, c.outcome, cast(c.http_status as bigint) as http_status, c.code,
                    c.billed, c.price_micros, c.bytes, cast(c.duration_ms as bigint) as duration_ms,
                    cast(c.attempt as bigint) as attempt, d.drift, d.cleaned, d.redacted_at,
                    c.imported_at,
                    cast(length(t.body) as bigint) as length,
                    substr(cast(t.body as text), 1, cast($2 as integer)) as body
             from documents d
             join calls c on c.call_id = d.document_id
             join document_texts t on t.document_id = d.document_id
             where d.document_id = $1",
            id,
            most
        ))
    }
}
