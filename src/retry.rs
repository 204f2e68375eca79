//! What comes after a call that did not observe its target: pure, from outcome and attempt.

use std::time::Duration;

use crate::api::Outcome;

/// Tries at one call within a slot, the first included.
const MAX_ATTEMPTS: i64 = 5;

/// The wait before the second try; it doubles from try to try.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// The longest wait between two tries, which upstream may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Try again after this long.
    Again(Duration),
    /// The slot is missed.
    GiveUp,
}

/// The name of an outcome as the reason of a missed slot.
pub fn reason(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Retryable => "upstream_failure",
        other => other.as_str(),
    }
}

/// What to do after the `attempt`-th try (from 1) ended with `outcome`. `spread`, from 0 to 999,
/// keeps tries that failed together from coming back together. Upstream's own `retry_after` is
/// honoured up to five minutes.
pub fn after(
    outcome: Outcome,
    attempt: i64,
    spread: u32,
    retry_after: Option<Duration>,
) -> Decision {
    match outcome {
        Outcome::Retryable | Outcome::RateLimited | Outcome::Transport => {
            if attempt >= MAX_ATTEMPTS {
                return Decision::GiveUp;
            }
            let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(16);
            let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
            let wait = wait + wait * spread.min(999) / 2000;
            Decision::Again(retry_after.map_or(wait, |asked| wait.max(asked.min(LONGEST_WAIT))))
        }
        // Paid for, or sure to be the same again.
        Outcome::Ok
        | Outcome::Empty
        | Outcome::Gone
        | Outcome::Quota
        | Outcome::Balance
        | Outcome::Denied
        | Outcome::BadRequest
        | Outcome::BadCredentials
        | Outcome::Unreadable => Decision::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_that_pass_are_tried_again() {
        for outcome in Outcome::ALL {
            let passes =
                matches!(outcome, Outcome::Retryable | Outcome::RateLimited | Outcome::Transport);
            let again = matches!(after(outcome, 1, 0, None), Decision::Again(_));
            assert_eq!(again, passes, "{outcome:?}");
        }
    }

    #[test]
    fn waits_double_to_a_limit_and_tries_end() {
        let wait = |attempt| after(Outcome::Retryable, attempt, 0, None);
        assert_eq!(wait(1), Decision::Again(Duration::from_secs(5)));
        assert_eq!(wait(2), Decision::Again(Duration::from_secs(10)));
        assert_eq!(wait(4), Decision::Again(Duration::from_secs(40)));
        assert_eq!(wait(5), Decision::GiveUp);
    }

    #[test]
    fn upstream_may_ask_for_longer_and_not_for_ever() {
        let asked = |seconds| after(Outcome::RateLimited, 1, 0, Some(Duration::from_secs(seconds)));
        assert_eq!(asked(1), Decision::Again(Duration::from_secs(5)));
        assert_eq!(asked(60), Decision::Again(Duration::from_secs(60)));
        assert_eq!(asked(86_400), Decision::Again(LONGEST_WAIT));
    }
}
