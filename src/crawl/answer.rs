//! From a response to what is saved: parses the answer and decides about its slot.

use anyhow::Result;

use super::retry::{self, Decision, Effect, EndedCall};
use super::{Crawler, Feedback, Fetched};
use crate::api::client::Received;
use crate::api::{self, Ask, Billed, Endpoint, Listing, Outcome, Reading};
use crate::document::JsonText;
use crate::model::{Facts, Kind, KolSearch, MissedReason, Platform};
use crate::store::{Answer, Body, CallEnd, Disposition, Document, REFUSED, Resolved, Settlement};

impl Crawler {
    /// Turns the calls that have ended into unsaved answers and endpoint feedback.
    pub(super) async fn decide(&mut self) -> Result<()> {
        while let Some(fetched) = self.ended.front() {
            let next = self.disposition(fetched, &fetched.reading).await?;
            let server = self.config.provider(fetched.endpoint.provider()).base_url.to_string();
            let Some(mut fetched) = self.ended.pop_front() else { break };
            let feedback = feedback(&mut fetched);
            if feedback.effect == Effect::Fails {
                self.failing.insert(feedback.endpoint);
            }
            self.feedback.push(feedback);
            self.unsaved.push(answer(fetched, server, next));
        }
        Ok(())
    }

    /// What happens to the slot.
    async fn disposition(&self, fetched: &Fetched, reading: &Reading) -> Result<Disposition> {
        let claim = &fetched.claim;
        // An empty page after others ends the listing, whatever its outcome says.
        if reading.outcome == Outcome::Empty && claim.page > 1 {
            return Ok(Disposition::Observed);
        }
        if let Some(listing) = &reading.listing {
            let more = self.has_more(fetched, listing).await?;
            return Ok(match (more, reading.outcome) {
                (true, _) => Disposition::Continue { page: claim.page + 1 },
                (false, Outcome::Ok) => Disposition::Observed,
                (false, outcome) => Disposition::Missed(retry::reason(outcome)),
            });
        }
        if reading.outcome == Outcome::Ok {
            return Ok(if fetched.endpoint.is_resolver() {
                Disposition::Continue { page: 1 }
            } else if reading.lacks_counts() {
                // What it says is kept; another try would be paid for and say the same.
                Disposition::Missed(MissedReason::Unreadable)
            } else {
                Disposition::Observed
            });
        }
        // Jitter from the target, so that the same run gives the same waits.
        let jitter = u32::try_from((claim.target_id * 619).rem_euclid(1000)).unwrap_or(0);
        let reason = retry::reason(reading.outcome);
        let ended = EndedCall {
            outcome: reading.outcome,
            billed: reading.billed,
            attempt: claim.attempt,
            jitter,
            too_large: fetched.received.cut,
            own_fault: fetched.received.own_fault,
            retry_after: fetched.received.retry_after,
            failing: self.is_failing(fetched.endpoint),
        };
        Ok(match retry::after(ended) {
            Decision::Retry(wait) if ended.own_fault => {
                Disposition::Unasked(fetched.finished_at.plus(wait), reason)
            }
            Decision::Retry(wait) => Disposition::Retry(fetched.finished_at.plus(wait), reason),
            Decision::RetryAfterPause => Disposition::Retry(fetched.finished_at, reason),
            Decision::GiveUp => Disposition::Missed(reason),
        })
    }

    /// Whether a search has another page worth its price.
    async fn has_more(&self, fetched: &Fetched, listing: &Listing) -> Result<bool> {
        let max_pages = KolSearch::from_key(&fetched.ask.key).map_or(1, |search| search.max_pages);
        let mut tx = self.store.read().await?;
        let seen = tx.kols_listed(fetched.claim.target_id, fetched.claim.due_at).await?;
        let is_new = |id: &&String| {
            !seen.contains(*id) && !self.tombstones.is_erased(Platform::Xiaohongshu, id)
        };
        let new_ids = listing.ids.iter().filter(is_new).count();
        Ok(api::has_more(fetched.ask.page, max_pages, listing, new_ids))
    }
}

fn feedback(fetched: &mut Fetched) -> Feedback {
    let reading = &fetched.reading;
    Feedback {
        endpoint: fetched.endpoint,
        effect: match fetched.received.own_fault {
            true => Effect::Nothing,
            false => retry::effect(reading.outcome),
        },
        call_id: fetched.call_id,
        sent_at: fetched.sent_at,
        at: fetched.finished_at,
        target_id: fetched.claim.target_id,
        note: reading.message.clone().or_else(|| reading.drift.clone()),
        outline: fetched.outline.take(),
        turn: fetched.received.turn.take(),
    }
}

/// Parses what a call received.
pub(super) fn read(
    endpoint: Endpoint,
    ask: &Ask,
    received: &Received,
    body: &JsonText<'_>,
) -> Reading {
    match (received.http_status, &received.error) {
        (Some(_), None) if received.cut => Reading::too_large(endpoint),
        (Some(status), None) => endpoint.read(ask, status, body),
        (_, error) => {
            let error = error.as_deref().unwrap_or("no answer");
            Reading::transport(endpoint, error, received.sent)
        }
    }
}

fn answer(fetched: Fetched, server: String, next: Disposition) -> Answer {
    let Fetched {
        claim,
        endpoint,
        ask,
        call_id,
        opened,
        sent_at,
        finished_at,
        received,
        body,
        reading,
        ..
    } = fetched;
    let kept = match reading.outcome {
        Outcome::Ok | Outcome::Empty | Outcome::Gone | Outcome::Unreadable => true,
        _ => reading.billed != Billed::No,
    };
    let document =
        received.http_status.filter(|_| kept && received.bytes > 0).map(|status| Document {
            endpoint: endpoint.as_str(),
            page: claim.page,
            fetched_at: finished_at,
            http_status: status,
            drift: reading.drift.clone(),
            body,
            imported_at: None,
            redacted_at: None,
        });
    Answer {
        end: CallEnd {
            call_id,
            sent_at,
            finished_at,
            http_status: received.http_status,
            code: reading.code,
            outcome: reading.outcome,
            billed: reading.billed,
            bytes: i64::try_from(received.bytes).unwrap_or(i64::MAX),
            duration_ms: i64::try_from(received.duration.as_millis()).unwrap_or(i64::MAX),
            message: reading.message,
        },
        opened: Some(opened),
        settlement: Settlement {
            target_id: claim.target_id,
            due_at: claim.due_at,
            fence: claim.fence,
            call_id,
            next,
            at: finished_at,
        },
        server,
        resolved: reading.resolved.filter(|_| claim.item_id.is_none()).and_then(|item_id| {
            Some(Resolved { kind: Kind::parse(&claim.kind)?, link: claim.key.clone(), item_id })
        }),
        asked: ask.key,
        target: claim.key,
        document,
        facts: reading.facts,
    }
}

/// Keeps the document of an answer as plain text without rows, which no database rejects.
pub(super) fn keep_as_text(answer: &mut Answer) {
    if let Some(document) = &mut answer.document {
        let bytes = document.body.exact.take();
        let bytes = bytes.unwrap_or_else(|| std::mem::take(&mut document.body.json).into_bytes());
        document.body = Body::as_text(&bytes, REFUSED);
        document.drift = Some("the database rejected its JSON or its rows".into());
    }
    answer.facts = Facts::default();
    answer.end.message = None;
    answer.end.outcome = Outcome::Unreadable;
    answer.settlement.next = Disposition::Missed(MissedReason::Unreadable);
}

/// Keeps of an answer only that its call was made and what it cost.
pub(super) fn keep_nothing(answer: &mut Answer) {
    keep_as_text(answer);
    answer.document = None;
    answer.resolved = None;
    answer.end.code = None;
}
