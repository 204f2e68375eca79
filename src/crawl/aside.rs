//! Answers that the database refuses even as texts: put aside, so that they hold up no others.

use std::time::Duration;

use super::{Crawler, Feedback};
use crate::store::Answer;
use crate::time::Time;

/// When answers that were put aside are tried again.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// Answers kept aside at the most; the oldest are given up.
const MAX_ASIDE: usize = 100;

/// Answers put aside, and when they are tried again.
#[derive(Default)]
pub(super) struct Aside {
    answers: Vec<(Answer, Feedback)>,
    again_at: Option<Time>,
}

impl Crawler {
    /// Puts the first unsaved answer aside.
    pub(super) fn put_first_aside(&mut self, error: &anyhow::Error) {
        let (answer, feedback) = (self.unsaved.remove(0), self.feedback.remove(0));
        let (call_id, error) = (answer.end.call_id, format!("{error:#}"));
        tracing::error!(call_id, error, "the database takes an answer in no form; put aside");
        if let Some(open) = self.open.get_mut(&feedback.endpoint.provider()) {
            *open = open.saturating_sub(1);
        }
        if self.aside.answers.len() == MAX_ASIDE {
            let (given_up, _) = self.aside.answers.remove(0);
            self.pending_calls.remove(&given_up.end.call_id);
        }
        self.aside.answers.push((answer, feedback));
        self.aside.again_at.get_or_insert(self.clock.now().plus(TRY_AGAIN));
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
