//! Transactions that another one stood in the way of are tried again.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use anyhow::Result;

use super::errors::is_conflict;

/// Attempts at a transaction before its conflict is an error.
const MAX_ATTEMPTS: u32 = 10;

/// Longest wait before the second attempt; doubles with each, up to `MAX_WAIT`.
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// Longest wait between two attempts: all of them fit into the time that a unit of work has.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// The attempts at one transaction.
#[derive(Debug, Default)]
pub struct Attempts {
    failed: u32,
}

impl Attempts {
    /// Waits before the next attempt, after one that failed with `error`.
    ///
    /// # Errors
    /// `error`, where it is no conflict with another transaction, or was the last attempt.
    pub async fn after(&mut self, error: anyhow::Error) -> Result<()> {
        self.failed += 1;
        if !is_conflict(&error) || self.failed >= MAX_ATTEMPTS {
            return Err(error);
        }
        tracing::debug!("{error:#}; trying again");
        tokio::time::sleep(wait(self.failed)).await;
        Ok(())
    }
}

/// A random wait, so that those who met do not meet again.
fn wait(failed: u32) -> Duration {
    let longest = FIRST_WAIT.saturating_mul(1 << failed.min(16).saturating_sub(1)).min(MAX_WAIT);
    let random = RandomState::new().build_hasher().finish() % 1_000;
    longest.mul_f64(f64::from(u16::try_from(random).unwrap_or(0) + 1) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::Overtaken;

    #[tokio::test(start_paused = true)]
    async fn conflicts_are_tried_again_for_a_while_and_other_errors_are_not() {
        let started = tokio::time::Instant::now();
        let mut attempts = Attempts::default();
        let mut tried = 1;
        while attempts.after(Overtaken("notes").into()).await.is_ok() {
            tried += 1;
        }
        assert_eq!(tried, MAX_ATTEMPTS);
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        assert!(Attempts::default().after(anyhow::anyhow!("disk full")).await.is_err());
    }

    #[test]
    fn waits_are_random_and_grow_up_to_a_bound() {
        let waits: Vec<_> = (0..50).map(|_| wait(4)).collect();
        assert!(waits.iter().any(|it| *it != waits[0]));
        assert!(waits.iter().all(|it| *it <= FIRST_WAIT * 8 && !it.is_zero()));
        assert!(wait(u32::MAX) <= MAX_WAIT);
    }
}
