//! Saving answers: calls, slots, documents and rows in one transaction.

use std::borrow::Cow;

use anyhow::Result;
use serde::{Serialize, Serializer};

use super::body::Body;
use crate::model::{Facts, Kind, NORMALISER, Outcome, SlotOutcome};
use crate::store::db::{Tx, execute, fetch_optional};
use crate::store::ledger::{CallEnd, CallStart};
use crate::store::schedule::Settlement;
use crate::store::sql::Rows;
use crate::time::Time;

/// Drift of a document that makes no rows.
pub(in crate::store) const LATE: &str = "late: its slot was settled without it";

/// A call and its results, saved together.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The end of the call.
    pub end: CallEnd,
    /// Its row on the ledger as it was opened; `None`: by this transaction.
    pub opened: Option<CallStart>,
    /// The effect on its slot.
    pub settlement: Settlement,
    /// The base URL it was sent to.
    pub server: String,
    /// The requested id, keyword, filter or link.
    pub asked: String,
    /// The key of its target: the same, or a link to it.
    pub target: String,
    /// The document; `None` when there was no answer, or none that can have been billed.
    pub document: Option<Document>,
    /// Its facts.
    pub facts: Facts,
    /// The item behind a short link.
    pub resolved: Option<Resolved>,
}

/// The result of saving answers.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// Answers too late to settle their slots: stored and marked, without rows.
    pub late: usize,
    /// Entities whose rows wait to be derived from all their documents.
    pub stale: usize,
}

/// A document.
#[derive(Clone, Debug)]
pub struct Document {
    /// The endpoint's name.
    pub endpoint: &'static str,
    /// The page, from 1.
    pub page: i64,
    /// When it was complete.
    pub fetched_at: Time,
    /// Its HTTP status.
    pub http_status: u16,
    /// Its drift: what was not understood, or is not what was requested.
    pub drift: Option<String>,
    /// Its body.
    pub body: Body,
    /// When it was imported; `None`: it was fetched here.
    pub imported_at: Option<Time>,
    /// When it was redacted; `None`: it is as received.
    pub redacted_at: Option<Time>,
}

/// A short link and the item behind it.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// What kind of item.
    pub kind: Kind,
    /// The short link.
    pub link: String,
    /// The item's id.
    pub item_id: String,
}

#[derive(Serialize)]
struct DocumentRow<'a> {
    document_id: i64,
    endpoint: &'a str,
    target_id: i64,
    asked: &'a str,
    page: i64,
    fetched_at: Time,
    http_status: u16,
    outcome: Outcome,
    normaliser: i64,
    drift: Option<&'a str>,
    body: &'a str,
    cleaned: Option<&'a str>,
    exact: Option<Bytes<'a>>,
    imported_at: Option<Time>,
    redacted_at: Option<Time>,
}

/// Bytes that serialise as one value, not as a list of numbers.
pub(in crate::store) struct Bytes<'a>(pub(in crate::store) &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl Tx {
    /// Saves answers: settles their slots, closes their calls, and stores documents, rows, and
    /// availability. Call it once in a transaction. Idempotent, so that it can be repeated after a
    /// commit whose outcome is unknown.
    ///
    /// # Errors
    /// When the database fails, or refuses one of the documents.
    pub async fn save(&mut self, answers: &[Answer]) -> Result<Saved> {
        let answers = &*self.reopen(answers).await?;
        let settlements: Vec<_> = answers.iter().map(|answer| answer.settlement.clone()).collect();
        let settled = self.settle(&settlements).await?;
        let in_time = |answer: &Answer| settled.contains(&answer.end.call_id);
        let stale = self.keep(answers, in_time).await?;
        let in_time: Vec<_> = answers.iter().filter(|answer| in_time(answer)).collect();
        self.put_availability(&in_time).await?;
        Ok(Saved { late: answers.len() - settled.len(), stale })
    }

    /// Writes the ledger rows anew that the database has lost, and their claims, which were in the
    /// same transactions. The answers, with new numbers where others have theirs.
    async fn reopen<'a>(&mut self, answers: &'a [Answer]) -> Result<Cow<'a, [Answer]>> {
        let opened = |(at, answer): (usize, &'a Answer)| {
            Some((at, (answer.end.call_id, answer.opened.as_ref()?)))
        };
        let (places, open): (Vec<_>, Vec<_>) =
            answers.iter().enumerate().filter_map(opened).unzip();
        let Some(now) = answers.iter().map(|answer| answer.end.finished_at).max() else {
            return Ok(Cow::Borrowed(answers));
        };
        let lost = self.reopen_lost(&open, now).await?;
        if lost.is_empty() {
            return Ok(Cow::Borrowed(answers));
        }
        let mut answers = answers.to_vec();
        let mut claims = Vec::with_capacity(lost.len());
        for (nth, call_id) in lost {
            let answer = &mut answers[places[nth]];
            (answer.end.call_id, answer.settlement.call_id) = (call_id, call_id);
            claims.push(answer.settlement.clone());
        }
        self.claim_lost(&claims).await?;
        Ok(Cow::Owned(answers))
    }

    /// Closes the calls of answers and stores their documents and, of those `in_time`, their rows.
    /// Returns how many entities wait to be derived.
    pub(in crate::store) async fn keep(
        &mut self,
        answers: &[Answer],
        in_time: impl Fn(&Answer) -> bool,
    ) -> Result<usize> {
        let ends: Vec<_> = answers.iter().map(|answer| answer.end.clone()).collect();
        self.close_calls(&ends).await?;
        self.put_documents(answers, &in_time).await?;
        let mut facts = Vec::with_capacity(answers.len());
        for answer in answers.iter().filter(|answer| in_time(answer)) {
            facts.push((&answer.facts, answer.end.call_id, answer.end.finished_at));
            if let Some(resolved) = &answer.resolved {
                self.put_link(resolved, &answer.settlement).await?;
            }
        }
        self.put_facts(&facts).await
    }

    async fn put_documents(
        &mut self,
        answers: &[Answer],
        in_time: impl Fn(&Answer) -> bool,
    ) -> Result<()> {
        let rows = answers.iter().filter_map(|answer| {
            let document = answer.document.as_ref()?;
            let late = (!in_time(answer)).then_some(LATE);
            Some(DocumentRow {
                document_id: answer.end.call_id,
                endpoint: document.endpoint,
                target_id: answer.settlement.target_id,
                asked: &answer.asked,
                page: document.page,
                fetched_at: document.fetched_at,
                http_status: document.http_status,
                outcome: answer.end.outcome,
                normaliser: NORMALISER,
                drift: late.or(document.drift.as_deref()),
                body: &document.body.json,
                cleaned: document.body.cleaned,
                exact: document.body.exact.as_deref().map(Bytes),
                imported_at: document.imported_at,
                redacted_at: document.redacted_at,
            })
        });
        let rows = Rows::of(
            "document_id int, endpoint text, target_id int, asked text, page int,
             fetched_at time, http_status int, outcome text, normaliser int, drift text,
             body json, cleaned text, exact bytes, imported_at time, redacted_at time",
            rows,
        )?;
        self.execute_over(
            &rows,
            "insert into documents (document_id, endpoint, target_id, asked, page, fetched_at,
                                    http_status, outcome, normaliser, drift, body, cleaned, exact,
                                    imported_at, redacted_at)
             select document_id, endpoint, target_id, asked, page, fetched_at,
                    http_status, outcome, normaliser, drift, body, cleaned, exact, imported_at,
                    redacted_at
             from {rows} where true
             on conflict (document_id) do nothing",
        )
        .await?;
        Ok(())
    }

    /// Records the item behind a short link, and replaces the link by the item on every watchlist.
    async fn put_link(&mut self, resolved: &Resolved, settlement: &Settlement) -> Result<()> {
        let (kind, link) = (resolved.kind.as_str(), &resolved.link);
        let platform = resolved.kind.platform();
        if self.forgotten_at(kind, platform, &resolved.item_id).await?.is_some() {
            return Ok(());
        }
        // The first answer counts: documents were asked for by the link as those of its item.
        let known = fetch_optional!(
            self,
            (String,),
            "insert into links (link, kind, item_id, resolved_at, document_id)
             values ($1, $2, $3, $4, $5)
             on conflict (link) do update set link = excluded.link returning item_id",
            link.as_str(),
            kind,
            resolved.item_id.as_str(),
            settlement.at,
            settlement.call_id
        );
        let item = &known.map_or_else(|| resolved.item_id.clone(), |row| row.0);
        execute!(
            self,
            "update targets set item_id = $3 where kind = $1 and key = $2",
            kind,
            link.as_str(),
            item.as_str()
        );
        execute!(
            self,
            "insert into targets (kind, key, item_id, first_seen_at) values ($1, $2, $2, $3)
             on conflict (kind, key) do nothing",
            kind,
            item.as_str(),
            settlement.at
        );
        execute!(
            self,
            "insert into job_targets (job_id, target_id, added_at)
             select jt.job_id, item.target_id, $3
             from job_targets jt join targets item on item.kind = $1 and item.key = $2
             where jt.target_id = $4 and jt.removed_at is null
             on conflict (job_id, target_id) do update set removed_at = null",
            kind,
            item.as_str(),
            settlement.at,
            settlement.target_id
        );
        execute!(
            self,
            "update job_targets set removed_at = $2 where target_id = $1 and removed_at is null",
            settlement.target_id,
            settlement.at
        );
        // The item may have a slot at the same time, of its own or by another link: one is enough,
        // and what this one was to say, where the link leads, it has said.
        execute!(
            self,
            "update slots set outcome = $6, closed_at = $3
             where target_id = $1 and due_at = $2 and outcome is null and exists (
                 select 1 from targets item join slots o on o.target_id = item.target_id
                 where item.kind = $4 and o.due_at = $2 and o.target_id <> $1
                   and (o.outcome is null or o.outcome = $6)
                   and item.key in (select cast($5 as text) union all
                                    select link from links where kind = $4 and item_id = $5))",
            settlement.target_id,
            settlement.due_at,
            settlement.at,
            kind,
            item.as_str(),
            SlotOutcome::Observed
        );
        Ok(())
    }
}
