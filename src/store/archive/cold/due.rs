//! Which answers are due to go cold.

use anyhow::Result;
use serde::Serialize;
use sqlx::AssertSqlSafe;

use crate::cold_file::Row;
use crate::store::archive::REFUSED;
use crate::store::db::{Tx, fetch_all, fetch_optional};
use crate::store::sql::array;
use crate::time::Time;

/// Due answers of one target with which it is packed: each is compressed against those before it.
const RUN: i64 = 64;

/// Targets looked at at first; four times as many each time these are not enough.
const FIRST_TARGETS: i64 = 16;

/// Conditions on `d`: hot, old, understood by the database, and not the newest of its endpoint, target
/// and page.
const IS_DUE: &str = "d.endpoint = $2 and d.cold_file_id is null and d.target_id is not null
    and d.fetched_at < $3 and (d.cleaned is null or d.cleaned <> $4)
    and exists (
        select 1 from documents n
        where n.endpoint = d.endpoint and n.target_id = d.target_id and n.cold_file_id is null
          and n.fetched_at >= d.fetched_at and n.page = d.page
          and (n.fetched_at > d.fetched_at or n.document_id > d.document_id))";

/// When answers of an endpoint are due.
#[derive(Clone, Copy, Debug)]
pub struct Due<'a> {
    /// The endpoint.
    pub endpoint: &'a str,
    /// Answers that came before this are old.
    pub before: Time,
    /// A target whose first due answer came before this is packed however few it has.
    pub waited_since: Time,
}

/// An answer that is due.
#[derive(Clone, Copy, Debug, Serialize, sqlx::FromRow)]
pub struct DueDocument {
    /// The document.
    pub document_id: i64,
    /// Its size as received.
    #[serde(skip)]
    pub bytes: i64,
}

/// An answer with all that a file has of it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct HotDocument {
    document_id: i64,
    kind: String,
    key: String,
    asked: String,
    page: i64,
    fetched_at: Time,
    http_status: i64,
    outcome: String,
    imported_at: Option<Time>,
    redacted_at: Option<Time>,
    cleaned: Option<String>,
    exact: Option<Vec<u8>>,
    body: String,
}

impl HotDocument {
    /// As the row of a file.
    pub fn into_row(self) -> Row {
        let Self { document_id, kind, key, asked, page, fetched_at, http_status, .. } = self;
        let Self { outcome, imported_at, redacted_at, cleaned, exact, body, .. } = self;
        Row {
            document_id,
            kind,
            key,
            asked,
            page: i32::try_from(page).unwrap_or(i32::MAX),
            fetched_at,
            http_status: i32::try_from(http_status).unwrap_or_default(),
            outcome,
            imported_at,
            redacted_at,
            cleaned,
            exact,
            body,
        }
    }
}

#[derive(Serialize, sqlx::FromRow)]
struct DueTarget {
    target_id: i64,
    #[serde(skip)]
    documents: i64,
}

impl Tx {
    /// The next endpoint that has hot answers, in the order of names.
    pub async fn hot_endpoint_after(&mut self, after: &str) -> Result<Option<String>> {
        let sql = "select endpoint from documents where endpoint > $1 and cold_file_id is null
                   order by endpoint limit 1";
        Ok(fetch_optional!(self, (String,), sql, after).map(|row| row.0))
    }

    /// Due answers for one file, in its order: those of whole targets, at most so many, unless one
    /// target alone has more.
    pub async fn due_documents(&mut self, due: Due<'_>, most: i64) -> Result<Vec<DueDocument>> {
        let targets = self.due_targets(due, most).await?;
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let template = format!(
            "select d.document_id, coalesce(c.bytes, 0) as bytes
             from {{rows}} cross join documents d join calls c on c.call_id = d.document_id
             where d.target_id = r.target_id and {IS_DUE}
             order by d.target_id, d.fetched_at, d.document_id limit $5"
        );
        let sql = self.over_rows("target_id int", &template);
        let Due { endpoint, before, .. } = due;
        let targets = array(&targets)?;
        Ok(fetch_all!(self, DueDocument, sql, targets, endpoint, before, REFUSED, most))
    }

    /// Targets that are packed now, until they have so many answers.
    async fn due_targets(&mut self, due: Due<'_>, most: i64) -> Result<Vec<DueTarget>> {
        let sql = format!(
            "select d.target_id, count(*) as documents from documents d
             where d.target_id > $1 and {IS_DUE} group by d.target_id
             having count(*) >= $5 or min(d.fetched_at) < $6 order by d.target_id limit $7"
        );
        let Due { endpoint, before, waited_since } = due;
        let (mut targets, mut documents, mut limit): (Vec<DueTarget>, _, _) =
            (Vec::new(), 0, FIRST_TARGETS);
        loop {
            let after = targets.last().map_or(i64::MIN, |it| it.target_id);
            let sql = AssertSqlSafe(sql.as_str());
            let found = fetch_all!(
                self,
                DueTarget,
                sql,
                after,
                endpoint,
                before,
                REFUSED,
                RUN,
                waited_since,
                limit
            );
            let is_last = i64::try_from(found.len())? < limit;
            for target in found {
                documents += target.documents;
                if documents > most && !targets.is_empty() {
                    return Ok(targets);
                }
                targets.push(target);
            }
            if is_last {
                return Ok(targets);
            }
            limit *= 4;
        }
    }

    /// What a file has of these answers, as far as they are still hot, in its order.
    pub async fn hot_documents(&mut self, documents: &[DueDocument]) -> Result<Vec<HotDocument>> {
        let template = format!(
            "select d.document_id, t.kind, t.key, d.asked, d.page, d.fetched_at, d.http_status,
                    d.outcome, d.imported_at, d.redacted_at, d.cleaned, d.exact, {} as body
             from {{rows}} cross join documents d join targets t on t.target_id = d.target_id
             where d.document_id = r.document_id and d.cold_file_id is null
             order by d.target_id, d.fetched_at, d.document_id",
            self.as_text("d.body")
        );
        let sql = self.over_rows("document_id int", &template);
        Ok(fetch_all!(self, HotDocument, sql, array(documents)?))
    }
}
