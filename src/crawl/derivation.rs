//! Derivation of rows that wait, a little at a time between the steps of the crawl.

use std::time::Duration;

use super::Crawler;
use crate::replay::Pass;
use crate::time::Time;

/// Documents read at once at the most, unless a single entity has more.
const READ_AT_ONCE: usize = 500;

/// When to look for entities that another process has left waiting.
const LOOK_AGAIN: Duration = Duration::from_secs(3_600);

/// When to try again after an error.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// The pass under way, and when the next one begins.
#[derive(Debug, Default)]
pub(super) struct Derivation {
    pass: Option<Pass>,
    /// `None`: at once, since a process that crashed may have left some.
    next_at: Option<Time>,
}

impl Derivation {
    /// Answers were saved whose entities wait.
    pub(super) fn answers_out_of_order(&mut self, now: Time) {
        self.next_at = Some(now);
    }
}

impl Crawler {
    /// Derives rows that wait, up to a number of documents. Returns whether more wait. A failure is
    /// logged: it must not stop the crawl.
    pub async fn derive_waiting(&mut self) -> bool {
        let now = self.clock.now();
        let mut pass = match self.derivation.pass.take() {
            Some(pass) => pass,
            None if self.derivation.next_at.is_some_and(|at| at > now) => return false,
            None => {
                self.derivation.next_at = Some(now.plus(LOOK_AGAIN));
                Pass::default()
            }
        };
        let mut documents = 0;
        while documents < READ_AT_ONCE {
            match pass.step(&self.store).await {
                Ok(Some(read)) => documents += read.max(1),
                Ok(None) => return false,
                Err(error) => {
                    self.derivation.next_at = Some(now.plus(TRY_AGAIN));
                    let error = format!("{error:#}");
                    if self.log_throttle.admit("derivation", "", now).is_some() {
                        tracing::warn!(error, "cannot derive rows; they wait");
                    }
                    return false;
                }
            }
        }
        self.derivation.pass = Some(pass);
        true
    }
}
