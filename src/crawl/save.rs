//! Saves answers in batches, each in one transaction.

use std::collections::btree_map::Entry;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::Instant;

use super::Crawler;
use super::feedback::{self, Feedback};
use super::retry::Effect;
use crate::api::Outcome;
use crate::drift::Sighting;
use crate::erasure::erase_found;
use crate::store::{Answer, Attempts, Disposition, is_refused};

/// Most answers in one transaction.
pub(super) const MAX_BATCH: usize = 200;

/// Most bytes of answers in one transaction, unless a single answer is larger.
const MAX_BATCH_BYTES: usize = 16 << 20;

/// Outcomes of calls since the tally was last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that ended.
    pub calls: usize,
    /// Slots observed.
    pub observed: usize,
    /// Slots missed.
    pub missed: usize,
    /// Slots to be retried.
    pub retrying: usize,
}

impl Tally {
    pub(super) fn add(&mut self, next: Disposition) {
        self.calls += 1;
        match next {
            Disposition::Observed => self.observed += 1,
            Disposition::Missed(_) => self.missed += 1,
            Disposition::Retry(..) | Disposition::Unasked(..) => self.retrying += 1,
            Disposition::Continue { .. } => {}
        }
    }
}

/// How long a shutdown keeps trying to save answers while the database fails.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(30);

/// Wait between two attempts during the shutdown.
const SAVE_RETRY_WAIT: Duration = Duration::from_secs(1);

/// The time left to save answers during a shutdown.
pub struct ShutdownGrace {
    until: Instant,
}

impl ShutdownGrace {
    /// Starts now.
    pub fn start() -> Self {
        Self { until: Instant::now() + SHUTDOWN_GRACE }
    }

    /// Waits before the next attempt after one that failed with `error`.
    ///
    /// # Errors
    /// `error`, when no time is left.
    pub async fn after(&self, error: anyhow::Error) -> Result<()> {
        if Instant::now() > self.until {
            return Err(error)
                .context("stopped with unsaved answers: their calls stay open on the ledger");
        }
        tokio::time::sleep(SAVE_RETRY_WAIT).await;
        Ok(())
    }
}

impl Crawler {
    /// Saves the answers. Those that the database does not accept now are kept for a later call.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save(&mut self) -> Result<()> {
        while let Some(done) = self.in_flight.try_join_next() {
            self.call_ended(done);
        }
        self.restore_received();
        self.decide().await?;
        self.take_up_aside();
        while !self.unsaved.is_empty() {
            let count = self.batch();
            match self.save_together(count).await {
                Ok(()) => self.saved(count),
                Err(error) if is_refused(&error) => self.save_singly(count).await?,
                Err(error) => return Err(error),
            }
        }
        // The answers are saved; a failure here must not stop the crawl.
        let now = self.clock.now();
        if let Err(error) = self.drift.keep(&self.store).await
            && self.log_throttle.admit("drift", "", now).is_some()
        {
            tracing::warn!(error = format!("{error:#}"), "cannot save the paths of answers");
        }
        Ok(())
    }

    /// The number of unsaved answers in the next batch.
    fn batch(&self) -> usize {
        let bytes = |answer: &Answer| answer.document.as_ref().map_or(0, |it| it.body.json.len());
        let mut sum = 0;
        let fits = |answer: &&Answer| {
            sum += bytes(answer);
            sum <= MAX_BATCH_BYTES
        };
        self.unsaved.iter().take(MAX_BATCH).take_while(fits).count().max(1)
    }

    /// Removes the first `count` answers, which are saved.
    pub(super) fn saved(&mut self, count: usize) {
        let answers: Vec<_> = self.unsaved.drain(..count).collect();
        let feedback: Vec<_> = self.feedback.drain(..count).collect();
        for (answer, feedback) in answers.into_iter().zip(feedback) {
            if let Some(open) = self.open.get_mut(&feedback.endpoint.provider()) {
                *open = open.saturating_sub(1);
            }
            self.count_and_log(&answer);
            if let Some(outline) = feedback.outline
                && answer.end.outcome == Outcome::Ok
                && let Some(document) = answer.document.filter(|it| it.redacted_at.is_none())
            {
                let (at, document_id) = (document.fetched_at, answer.end.call_id);
                let sighting = Sighting { at, document_id };
                self.drift.saw(feedback.endpoint, outline, document.body.json, sighting);
            }
        }
    }

    /// Counts a saved answer and logs its disposition.
    fn count_and_log(&mut self, answer: &Answer) {
        if let Entry::Occupied(mut pending) = self.pending_calls.entry(answer.end.call_id) {
            *pending.get_mut() -= 1;
            if *pending.get() == 0 {
                pending.remove();
            }
        }
        self.tally.add(answer.settlement.next);
        let (asked, call_id) = (answer.asked.as_str(), answer.end.call_id);
        let (reason, retry_at) = match answer.settlement.next {
            Disposition::Missed(reason) => (reason.as_str(), None),
            Disposition::Retry(at, reason) | Disposition::Unasked(at, reason) => {
                (reason.as_str(), Some(at))
            }
            Disposition::Observed | Disposition::Continue { .. } => {
                tracing::debug!(asked, call_id, "answer saved");
                return;
            }
        };
        self.retry_at = [self.retry_at, retry_at].into_iter().flatten().min();
        let drift = answer.document.as_ref().and_then(|document| document.drift.as_deref());
        let upstream_message = drift.or(answer.end.message.as_deref()).unwrap_or_default();
        let kind = if retry_at.is_some() { "retry" } else { "missed" };
        let admitted = self.log_throttle.admit(kind, reason, answer.settlement.at);
        match (admitted, retry_at.map(|at| at.to_string())) {
            (Some(suppressed), None) => {
                tracing::warn!(asked, call_id, reason, upstream_message, suppressed, "slot missed");
            }
            (Some(suppressed), Some(retry_at)) => tracing::info!(
                asked,
                call_id,
                reason,
                upstream_message,
                retry_at,
                suppressed,
                "call failed, to be retried"
            ),
            (None, _) => tracing::debug!(asked, call_id, reason, upstream_message, "{kind}"),
        }
    }

    /// Saves the first `count` answers, again where another transaction stood in the way.
    pub(super) async fn save_together(&mut self, count: usize) -> Result<()> {
        let mut attempts = Attempts::default();
        loop {
            match self.save_once(count).await {
                Ok(()) => return Ok(()),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    async fn save_once(&mut self, count: usize) -> Result<()> {
        let mut tx = self.store.begin_by_keys().await?;
        self.tombstones.apply(&mut tx, &mut self.unsaved[..count]).await?;
        let (answers, feedback) = (&self.unsaved[..count], &self.feedback[..count]);
        let saved = tx.save(answers).await?;
        let feedback: Vec<_> = feedback.iter().filter(|it| self.matters(it)).collect();
        feedback::apply(&mut tx, &feedback).await?;
        let has_erased = erase_found(&mut tx, &self.tombstones).await?;
        tx.commit().await?;
        if saved.stale > 0 || has_erased {
            self.derivation.entities_wait(self.clock.now());
        }
        if saved.late > 0 {
            tracing::warn!(
                answers = saved.late,
                "answers arrived after their slots were settled; stored and marked"
            );
        }
        Ok(())
    }

    /// Whether feedback changes anything: a healthy endpoint that answers does not.
    fn matters(&self, feedback: &Feedback) -> bool {
        let is_good = matches!(feedback.effect, Effect::Works | Effect::Nothing);
        !is_good || !self.pauses.is_empty() || self.failing.contains(&feedback.endpoint)
    }

    /// Saves the first `count` answers one by one, because the database rejects one of them.
    async fn save_singly(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            match self.save_together(1).await {
                Ok(()) => self.saved(1),
                Err(error) if is_refused(&error) => self.save_as_text(error).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
