//! Saving: what has come goes to the database in batches, each in one transaction.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::Instant;

use super::feedback::{self, Feedback};
use super::retry::Effect;
use super::{Crawler, answer};
use crate::replay::derive_again;
use crate::store::{Answer, Disposition, is_conflict, is_refused};

/// Answers saved in one transaction at the most.
pub(super) const SAVE_AT_ONCE: usize = 200;

/// Bytes of answers saved in one transaction at the most, unless a single one is larger.
const SAVE_BYTES: usize = 16 << 20;

/// What came of the calls since somebody last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that ended.
    pub calls: usize,
    /// Looks that saw their target.
    pub observed: usize,
    /// Looks that did not, and are not tried again.
    pub missed: usize,
    /// Looks to be tried again later.
    pub retrying: usize,
}

impl Tally {
    pub(super) fn add(&mut self, next: Disposition) {
        self.calls += 1;
        match next {
            Disposition::Observed => self.observed += 1,
            Disposition::Missed(_) => self.missed += 1,
            Disposition::Retry(..) => self.retrying += 1,
            Disposition::Continue { .. } => {}
        }
    }
}

/// How long to try to save what has come, to a database that fails when all is to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(30);

/// The wait between two tries.
const SAVE_RETRY_WAIT: Duration = Duration::from_secs(1);

/// What is left of the time to save in, once all is to stop.
pub struct ShutdownGrace {
    until: Instant,
}

impl ShutdownGrace {
    /// From now on.
    pub fn begins() -> Self {
        Self { until: Instant::now() + SHUTDOWN_GRACE }
    }

    /// Waits for the next try, after one that ended with this error.
    ///
    /// # Errors
    /// The same, when there is no time left.
    pub async fn after(&self, error: anyhow::Error) -> Result<()> {
        if Instant::now() > self.until {
            return Err(error).context(
                "stopped with answers that the database did not take: their calls stand open on \
                 the ledger",
            );
        }
        tokio::time::sleep(SAVE_RETRY_WAIT).await;
        Ok(())
    }
}

impl Crawler {
    /// Saves the answers that have come. Those that the database does not take now stay, and are
    /// saved by a later call.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save(&mut self) -> Result<()> {
        while let Some(done) = self.in_flight.try_join_next() {
            self.landed(done);
        }
        self.decide().await?;
        while !self.unsaved.is_empty() {
            let count = self.batch();
            match self.save_together(count).await {
                Ok(()) => self.saved(count),
                Err(error) if is_refused(&error) => self.save_singly(count).await?,
                // Nothing was saved, and at once it can be.
                Err(error) if is_conflict(&error) => tracing::debug!("{error:#}; saving again"),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// How many of the unsaved answers to save at once.
    fn batch(&self) -> usize {
        let bytes = |answer: &Answer| answer.document.as_ref().map_or(0, |it| it.body.json.len());
        let mut sum = 0;
        let fits = |answer: &&Answer| {
            sum += bytes(answer);
            sum <= SAVE_BYTES
        };
        self.unsaved.iter().take(SAVE_AT_ONCE).take_while(fits).count().max(1)
    }

    /// The first `count` answers are saved.
    fn saved(&mut self, count: usize) {
        let answers: Vec<_> = self.unsaved.drain(..count).collect();
        let feedback: Vec<_> = self.feedback.drain(..count).collect();
        for (answer, feedback) in answers.iter().zip(feedback) {
            if let Some(open) = self.open.get_mut(&feedback.endpoint.provider()) {
                *open = open.saturating_sub(1);
            }
            self.tell(answer);
        }
    }

    /// An answer is saved: counts what came of the call, and says so where it is not what was hoped for.
    fn tell(&mut self, answer: &Answer) {
        self.in_hand.remove(&answer.end.call_id);
        self.tally.add(answer.settlement.next);
        let asked = answer.asked.as_str();
        let said = answer.document.as_ref().and_then(|document| document.drift.as_deref());
        let said = said.or(answer.end.message.as_deref()).unwrap_or_default();
        let (call_id, at) = (answer.end.call_id, answer.settlement.at);
        match answer.settlement.next {
            Disposition::Missed(reason) => {
                let reason = reason.as_str();
                match self.log_throttle.admit("missed", reason, at) {
                    Some(suppressed) => {
                        tracing::warn!(asked, call_id, reason, said, suppressed, "missed")
                    }
                    None => tracing::debug!(asked, call_id, reason, said, "missed"),
                }
            }
            Disposition::Retry(again, reason) => {
                self.retry_at = Some(self.retry_at.map_or(again, |earlier| earlier.min(again)));
                let (reason, again_at) = (reason.as_str(), again.to_string());
                match self.log_throttle.admit("failed", reason, at) {
                    Some(suppressed) => {
                        tracing::info!(
                            asked, call_id, reason, said, again_at, suppressed, "failed"
                        );
                    }
                    None => tracing::debug!(asked, call_id, reason, said, again_at, "failed"),
                }
            }
            Disposition::Observed | Disposition::Continue { .. } => {
                tracing::debug!(asked, call_id, "saved an answer");
            }
        }
    }

    /// Saves the first `count` answers.
    async fn save_together(&mut self, count: usize) -> Result<()> {
        let mut tx = self.store.begin_by_keys().await?;
        self.tombstones.apply(&mut tx, &mut self.unsaved[..count]).await?;
        let (answers, feedback) = (&self.unsaved[..count], &self.feedback[..count]);
        let saved = tx.save(answers).await?;
        derive_again(&mut tx, saved.stale).await?;
        let feedback: Vec<_> = feedback.iter().filter(|it| self.matters(it)).collect();
        feedback::apply(&mut tx, &feedback).await?;
        self.tombstones.bury_found(&mut tx).await?;
        tx.commit().await?;
        if saved.late > 0 {
            tracing::warn!(
                answers = saved.late,
                "answers came after their slots were settled; kept and marked"
            );
        }
        Ok(())
    }

    /// Whether anything follows from a sign. That a healthy endpoint answers is no news.
    fn matters(&self, feedback: &Feedback) -> bool {
        let good = matches!(feedback.effect, Effect::Answers | Effect::Nothing);
        !good || !self.pauses.is_empty() || self.failing.contains(&feedback.endpoint)
    }

    /// One of the first `count` answers is not to the database's liking: finds it, keeps it as text,
    /// and marks it. What is saved is not waiting any more, whatever happens to the next.
    async fn save_singly(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            match self.save_together(1).await {
                Ok(()) => {}
                Err(error) if is_refused(&error) => {
                    let answer = &mut self.unsaved[0];
                    let call_id = answer.end.call_id;
                    tracing::error!(
                        call_id,
                        error = format!("{error:#}"),
                        "the database refused an answer; kept as text"
                    );
                    answer::make_text(answer);
                    self.save_together(1).await?;
                }
                Err(error) => return Err(error),
            }
            self.saved(1);
        }
        Ok(())
    }
}
