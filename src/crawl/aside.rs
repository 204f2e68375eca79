//! Answers that the database refuses even as texts: put aside, so that they hold up no others.

use std::time::Duration;

use anyhow::Result;

use super::{Crawler, Feedback, answer};
use crate::store::{Answer, is_refused};
use crate::time::Time;

/// When answers that were put aside are tried again.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// How long after it came an answer is given up: until then its slot is held, and nothing else is
/// asked of its target.
const KEPT_FOR: Duration = Duration::from_secs(3600);

/// Answers kept aside at the most; the oldest are given up.
const MAX_ASIDE: usize = 100;

/// Answers put aside, and when they are tried again.
#[derive(Default)]
pub(super) struct Aside {
    answers: Vec<(Answer, Feedback)>,
    again_at: Option<Time>,
    /// The first unsaved answer as it was received, while it is tried as a text.
    received: Option<Answer>,
}

impl Aside {
    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }
}

impl Crawler {
    /// Saves all answers, also those put aside, before the process ends. Gives up what the database
    /// takes in no form.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_all(&mut self) -> Result<()> {
        self.aside.again_at = Some(self.clock.now());
        self.save().await?;
        while !self.aside.is_empty() {
            self.give_up(0).await?;
        }
        Ok(())
    }

    /// Saves the first unsaved answer as a text, because the database has refused it. If it is
    /// refused as well, the answer is put aside as it was received: it was not at fault.
    pub(super) async fn save_as_text(&mut self, refused: anyhow::Error) -> Result<()> {
        let answer = &mut self.unsaved[0];
        let (call_id, refused) = (answer.end.call_id, format!("{refused:#}"));
        self.aside.received = Some(answer.clone());
        answer::keep_as_text(answer);
        match self.save_together(1).await {
            Ok(()) => {
                tracing::error!(
                    call_id,
                    error = refused,
                    "the database rejected an answer; stored as text"
                );
                self.aside.received = None;
                self.saved(1);
                Ok(())
            }
            Err(error) if is_refused(&error) => self.put_first_aside(&error).await,
            Err(error) => Err(error),
        }
    }

    /// Makes the first unsaved answer again what it was before it was tried as a text.
    pub(super) fn restore_received(&mut self) {
        if let (Some(received), Some(first)) =
            (self.aside.received.take(), self.unsaved.first_mut())
        {
            *first = received;
        }
    }

    /// Puts the first unsaved answer aside, and gives up those that are too old or too many.
    async fn put_first_aside(&mut self, error: &anyhow::Error) -> Result<()> {
        self.restore_received();
        let (answer, mut feedback) = self.take_first();
        // Others wait for its turn.
        feedback.turn = None;
        let (call_id, error) = (answer.end.call_id, format!("{error:#}"));
        tracing::error!(call_id, error, "the database takes an answer in no form; put aside");
        self.aside.answers.push((answer, feedback));
        let now = self.clock.now();
        self.aside.again_at.get_or_insert(now.plus(TRY_AGAIN));
        let old = now.minus(KEPT_FOR);
        loop {
            let answers = &self.aside.answers;
            let first = (answers.len() > MAX_ASIDE).then_some(0);
            let is_old = |(answer, _): &(Answer, Feedback)| answer.end.finished_at <= old;
            match answers.iter().position(is_old).or(first) {
                Some(nth) => self.give_up(nth).await?,
                None => return Ok(()),
            }
        }
    }

    /// Gives an answer up: closes its call, which may have been paid for, and settles its slot.
    async fn give_up(&mut self, nth: usize) -> Result<()> {
        let (mut answer, feedback) = self.aside.answers.remove(nth);
        let call_id = answer.end.call_id;
        answer::keep_nothing(&mut answer);
        *self.open.entry(feedback.endpoint.provider()).or_default() += 1;
        self.unsaved.insert(0, answer);
        self.feedback.insert(0, feedback);
        match self.save_together(1).await {
            Ok(()) => self.saved(1),
            // Its number stays among the pending calls: it was sent.
            Err(error) if is_refused(&error) => drop(self.take_first()),
            Err(error) => return Err(error),
        }
        tracing::error!(call_id, "an answer is given up: the database has taken it in no form");
        Ok(())
    }

    /// Takes the first answer from those to be saved.
    fn take_first(&mut self) -> (Answer, Feedback) {
        let (answer, feedback) = (self.unsaved.remove(0), self.feedback.remove(0));
        if let Some(open) = self.open.get_mut(&feedback.endpoint.provider()) {
            *open = open.saturating_sub(1);
        }
        (answer, feedback)
    }

    /// Takes up again what was put aside long enough ago.
    pub(super) fn take_up_aside(&mut self) {
        if self.aside.again_at.is_none_or(|at| at > self.clock.now()) {
            return;
        }
        self.aside.again_at = None;
        for (answer, feedback) in std::mem::take(&mut self.aside.answers) {
            *self.open.entry(feedback.endpoint.provider()).or_default() += 1;
            self.unsaved.push(answer);
            self.feedback.push(feedback);
        }
    }
}
