//! Retry policy, pure: the outcome and attempt of a call decide what happens to its slot, and what it
//! says about its endpoint.

use std::time::Duration;

use crate::api::{Billed, Outcome};
use crate::model::{MissedReason, PauseReason, PauseScope};

/// Attempts within a slot, the first included: they span more than an hour.
const MAX_ATTEMPTS: i64 = 20;

/// Attempts when each may have been billed.
const MAX_PAID_ATTEMPTS: i64 = 3;

/// Attempts when the answers cannot be parsed.
const MAX_UNREADABLE_ATTEMPTS: i64 = 2;

/// Backoff before the second attempt; doubles with each attempt.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// Longest backoff, also when upstream asks for more.
const MAX_WAIT: Duration = Duration::from_secs(300);

/// A call that ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndedCall {
    /// Its outcome.
    pub outcome: Outcome,
    /// Whether it was billed.
    pub billed: Billed,
    /// The attempt within its slot, from 1.
    pub attempt: i64,
    /// Jitter in thousandths, 0 to 999: keeps calls that failed together from retrying together.
    pub jitter: u32,
    /// Whether the answer exceeded the size limit: the next one would as well.
    pub too_large: bool,
    /// Whether this machine failed, and not upstream.
    pub own_fault: bool,
    /// The `Retry-After` of upstream.
    pub retry_after: Option<Duration>,
    /// Whether its endpoint is paused as failing.
    pub failing: bool,
}

/// What happens to a slot that was not observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Retry after this backoff.
    Retry(Duration),
    /// Retry once the pause that the call caused is over.
    RetryAfterPause,
    /// The slot is missed.
    GiveUp,
}

/// What a call says about its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It answers, and accepts the token.
    Works,
    /// It failed; several failures in a row pause it.
    Fails,
    /// Its rate limit was exceeded.
    TooFast,
    /// It, or its whole provider, must be paused.
    Pause(PauseScope, PauseReason),
    /// Nothing: the request was wrong.
    Nothing,
}

/// The missed reason of an outcome.
pub(super) fn reason(outcome: Outcome) -> MissedReason {
    match outcome {
        Outcome::Ok | Outcome::Empty => MissedReason::Empty,
        Outcome::Gone => MissedReason::Gone,
        Outcome::Retryable => MissedReason::UpstreamFailure,
        Outcome::RateLimited => MissedReason::RateLimited,
        Outcome::Quota => MissedReason::Quota,
        Outcome::Balance => MissedReason::Balance,
        Outcome::Denied => MissedReason::Denied,
        Outcome::BadRequest => MissedReason::BadRequest,
        Outcome::BadCredentials => MissedReason::BadCredentials,
        Outcome::Unreadable => MissedReason::Unreadable,
        Outcome::Transport => MissedReason::Transport,
    }
}

/// What a call says about its endpoint.
pub(super) fn effect(outcome: Outcome) -> Effect {
    match outcome {
        Outcome::Ok | Outcome::Empty | Outcome::Gone => Effect::Works,
        Outcome::Retryable | Outcome::Transport | Outcome::Unreadable => Effect::Fails,
        Outcome::RateLimited => Effect::TooFast,
        Outcome::Quota => Effect::Pause(PauseScope::Endpoint, PauseReason::Quota),
        Outcome::Denied => Effect::Pause(PauseScope::Endpoint, PauseReason::Denied),
        Outcome::Balance => Effect::Pause(PauseScope::Provider, PauseReason::Balance),
        Outcome::BadCredentials => Effect::Pause(PauseScope::Provider, PauseReason::BadCredentials),
        Outcome::BadRequest => Effect::Nothing,
    }
}

/// What happens to the slot of a call that did not observe its target.
pub(super) fn after(call: EndedCall) -> Decision {
    match effect(call.outcome) {
        Effect::Pause(..) => Decision::RetryAfterPause,
        Effect::Fails | Effect::TooFast if call.attempt < max_attempts(call) => {
            Decision::Retry(backoff(call))
        }
        Effect::Fails | Effect::TooFast | Effect::Works | Effect::Nothing => Decision::GiveUp,
    }
}

/// The attempts that such a call is worth.
fn max_attempts(call: EndedCall) -> i64 {
    match (call.outcome, call.billed) {
        // Nothing was asked.
        (_, Billed::No) if call.own_fault => i64::MAX,
        // Billed, and the next answer would be the same.
        (Outcome::Unreadable, Billed::Yes) => 1,
        (Outcome::Unreadable, _) if call.too_large => 1,
        (Outcome::Unreadable, _) => MAX_UNREADABLE_ATTEMPTS,
        (_, Billed::Yes | Billed::Unknown) => MAX_PAID_ATTEMPTS,
        // An outage loses no slot: single calls probe when it is over.
        (_, Billed::No) if call.failing => i64::MAX,
        (_, Billed::No) => MAX_ATTEMPTS,
    }
}

fn backoff(call: EndedCall) -> Duration {
    let doublings = u32::try_from(call.attempt.saturating_sub(1)).unwrap_or(0).min(16);
    let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(MAX_WAIT);
    let wait = wait + wait * call.jitter.min(999) / 2000;
    call.retry_after.map_or(wait, |asked| wait.max(asked.min(MAX_WAIT)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(outcome: Outcome, billed: Billed, attempt: i64) -> EndedCall {
        EndedCall {
            own_fault: false,
            outcome,
            billed,
            attempt,
            jitter: 0,
            too_large: false,
            retry_after: None,
            failing: false,
        }
    }

    fn seconds(seconds: u64) -> Decision {
        Decision::Retry(Duration::from_secs(seconds))
    }

    #[test]
    fn fault_of_this_machine_never_gives_up() {
        let own = EndedCall { own_fault: true, ..ended(Outcome::Transport, Billed::No, 1000) };
        assert!(matches!(after(own), Decision::Retry(_)));
        assert_eq!(after(EndedCall { own_fault: false, ..own }), Decision::GiveUp);
    }

    #[test]
    fn every_outcome_has_a_policy() {
        use Billed::{No, Unknown, Yes};
        use Decision::{GiveUp, RetryAfterPause};
        use PauseScope::{Endpoint, Provider};
        let table = [
            (Outcome::Ok, Yes, GiveUp, 1, Effect::Works),
            (Outcome::Empty, Yes, GiveUp, 1, Effect::Works),
            (Outcome::Gone, Yes, GiveUp, 1, Effect::Works),
            (Outcome::Retryable, No, seconds(5), 20, Effect::Fails),
            (Outcome::Retryable, Unknown, seconds(5), 3, Effect::Fails),
            (Outcome::Transport, No, seconds(5), 20, Effect::Fails),
            (Outcome::Transport, Unknown, seconds(5), 3, Effect::Fails),
            (Outcome::Unreadable, Unknown, seconds(5), 2, Effect::Fails),
            (Outcome::Unreadable, Yes, GiveUp, 1, Effect::Fails),
            (Outcome::RateLimited, No, seconds(5), 20, Effect::TooFast),
            (Outcome::Quota, No, RetryAfterPause, 0, Effect::Pause(Endpoint, PauseReason::Quota)),
            (Outcome::Denied, No, RetryAfterPause, 0, Effect::Pause(Endpoint, PauseReason::Denied)),
            (
                Outcome::Balance,
                No,
                RetryAfterPause,
                0,
                Effect::Pause(Provider, PauseReason::Balance),
            ),
            (
                Outcome::BadCredentials,
                No,
                RetryAfterPause,
                0,
                Effect::Pause(Provider, PauseReason::BadCredentials),
            ),
            (Outcome::BadRequest, No, GiveUp, 1, Effect::Nothing),
        ];
        for outcome in Outcome::ALL {
            assert!(table.iter().any(|row| row.0 == outcome), "{outcome:?} is not in the table");
        }
        for (outcome, billed, first, tries, says) in table {
            assert_eq!(after(ended(outcome, billed, 1)), first, "{outcome:?} {billed:?}");
            assert_eq!(effect(outcome), says, "{outcome:?}");
            if tries > 0 {
                let last = after(ended(outcome, billed, tries));
                assert_eq!(last, GiveUp, "{outcome:?} {billed:?}: the last of {tries} attempts");
            }
            if tries > 1 {
                let before = after(ended(outcome, billed, tries - 1));
                assert_ne!(before, GiveUp, "{outcome:?} {billed:?}: the attempt before the last");
            }
        }
    }

    #[test]
    fn backoff_doubles_to_a_limit_with_jitter() {
        let wait = |attempt| after(ended(Outcome::Retryable, Billed::No, attempt));
        assert_eq!([1, 2, 4, 7].map(wait), [5, 10, 40, 300].map(seconds));
        let late = EndedCall { jitter: 999, ..ended(Outcome::Retryable, Billed::No, 2) };
        assert_eq!(after(late), Decision::Retry(Duration::from_micros(14_995_000)));
    }

    #[test]
    fn outage_limits_billable_attempts_only() {
        let outage = |billed| EndedCall { failing: true, ..ended(Outcome::Transport, billed, 50) };
        assert_eq!(after(outage(Billed::No)), seconds(300));
        assert_eq!(after(outage(Billed::Unknown)), Decision::GiveUp);
    }

    #[test]
    fn oversized_answer_is_not_retried() {
        let large = EndedCall { too_large: true, ..ended(Outcome::Unreadable, Billed::Unknown, 1) };
        assert_eq!(after(large), Decision::GiveUp);
    }

    #[test]
    fn retry_after_longer_than_backoff_wins_up_to_a_limit() {
        let asked = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            after(EndedCall { retry_after, ..ended(Outcome::RateLimited, Billed::No, 1) })
        };
        assert_eq!([1, 60, 86_400].map(asked), [5, 60, 300].map(seconds));
    }
}
