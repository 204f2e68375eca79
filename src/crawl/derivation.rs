//! Derivation of rows that wait, a little at a time between the steps of the crawl.

use std::time::Duration;

use tokio::time::Instant;

use super::Crawler;
use crate::replay::Pass;
use crate::time::Time;

/// Documents after which the crawl goes on.
const READ_AT_ONCE: usize = 500;

/// The same in time, beside the step that is under way.
const LONGEST: Duration = Duration::from_secs(1);

/// When to look for entities that another process has left waiting.
const LOOK_AGAIN: Duration = Duration::from_secs(3_600);

/// When to go on after an error.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// The pass under way, and when the next one begins.
#[derive(Debug, Default)]
pub(super) struct Derivation {
    pass: Option<Pass>,
    /// `None`: at once, since a process that crashed may have left some.
    next_at: Option<Time>,
    /// When the pass goes on after an error.
    held_until: Option<Time>,
}

impl Derivation {
    /// Entities wait since now.
    pub(super) fn entities_wait(&mut self, now: Time) {
        self.next_at = Some(now);
    }

    /// The pass under way, or the next one where it is time for it.
    fn pass(&mut self, now: Time) -> Option<&mut Pass> {
        // A time further ahead was set before the clock was set back.
        let is_later =
            |at: Option<Time>, wait| at.is_some_and(|at| at > now && at <= now.plus(wait));
        let is_held = is_later(self.held_until, TRY_AGAIN);
        if is_held || self.pass.is_none() && is_later(self.next_at, LOOK_AGAIN) {
            return None;
        }
        if self.pass.is_none() {
            self.next_at = Some(now.plus(LOOK_AGAIN));
        }
        Some(self.pass.get_or_insert_default())
    }
}

impl Crawler {
    /// Derives rows that wait, for a short time. Returns whether more wait. A failure is logged: it
    /// must not stop the crawl, nor keep other entities waiting. Cancel safe.
    pub async fn derive_waiting(&mut self) -> bool {
        let now = self.clock.now();
        let Some(pass) = self.derivation.pass(now) else { return false };
        let (began, mut documents) = (Instant::now(), 0);
        while documents < READ_AT_ONCE && began.elapsed() < LONGEST {
            match pass.step(&self.store).await {
                Ok(Some(read)) => documents += read.max(1),
                Ok(None) => {
                    self.derivation.pass = None;
                    return false;
                }
                Err(error) => {
                    self.derivation.held_until = Some(now.plus(TRY_AGAIN));
                    let error = format!("{error:#}");
                    if self.log_throttle.admit("derivation", "", now).is_some() {
                        tracing::warn!(error, "cannot derive rows; they wait");
                    }
                    return false;
                }
            }
        }
        true
    }
}
