//! What comes after a call: pure, from its outcome and the number of the try to what becomes of
//! the slot, and to what it says about the endpoint.

use std::time::Duration;

use crate::api::{Billed, Outcome};
use crate::model::{MissedReason, PauseReason, PauseScope};

/// Tries at one call within a slot, the first included: more than an hour's worth.
const MAX_ATTEMPTS: i64 = 20;

/// The same, when each try may have been paid for.
const MAX_PAID_ATTEMPTS: i64 = 3;

/// The same, when an answer came and was not understood.
const MAX_UNREADABLE: i64 = 2;

/// The wait before the second try; it doubles from try to try.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// The longest wait between two tries, which upstream may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// A call that ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndedCall {
    /// What came of it.
    pub outcome: Outcome,
    /// Whether it was paid for.
    pub billed: Billed,
    /// Which try at it in its slot this was, from 1.
    pub attempt: i64,
    /// From 0 to 999: keeps tries that failed together from coming back together.
    pub spread: u32,
    /// Whether the answer was larger than is read: the next would be as large.
    pub too_large: bool,
    /// How long upstream asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether its endpoint fails on everything at the moment.
    pub failing: bool,
}

/// What becomes of a slot that was not observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Try again after this long.
    Again(Duration),
    /// Try again as soon as the pause that the call brought is over.
    Hold,
    /// The slot is missed.
    GiveUp,
}

/// What a call says about its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It answers, and takes the token.
    Answers,
    /// It failed; if it fails on everything, it is to be left alone.
    Fails,
    /// It is asked too fast.
    TooFast,
    /// It, or its whole provider, is not to be asked for a while.
    Pause(PauseScope, PauseReason),
    /// Nothing: the question was wrong.
    Nothing,
}

/// An outcome as the reason of a missed slot. An answer that was understood misses none.
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
        Outcome::Ok | Outcome::Empty | Outcome::Gone => Effect::Answers,
        Outcome::Retryable | Outcome::Transport | Outcome::Unreadable => Effect::Fails,
        Outcome::RateLimited => Effect::TooFast,
        Outcome::Quota => Effect::Pause(PauseScope::Endpoint, PauseReason::Quota),
        Outcome::Denied => Effect::Pause(PauseScope::Endpoint, PauseReason::Denied),
        Outcome::Balance => Effect::Pause(PauseScope::Provider, PauseReason::Balance),
        Outcome::BadCredentials => Effect::Pause(PauseScope::Provider, PauseReason::BadCredentials),
        Outcome::BadRequest => Effect::Nothing,
    }
}

/// What becomes of the slot of a call that did not observe its target.
pub(super) fn after(call: EndedCall) -> Decision {
    match effect(call.outcome) {
        Effect::Pause(..) => Decision::Hold,
        Effect::Fails | Effect::TooFast if call.attempt < most_attempts(call) => {
            Decision::Again(wait(call))
        }
        Effect::Fails | Effect::TooFast | Effect::Answers | Effect::Nothing => Decision::GiveUp,
    }
}

/// How many tries such a call is worth.
fn most_attempts(call: EndedCall) -> i64 {
    match (call.outcome, call.billed) {
        // Paid for, and sure to be the same again.
        (Outcome::Unreadable, Billed::Yes) => 1,
        (Outcome::Unreadable, _) if call.too_large => 1,
        (Outcome::Unreadable, _) => MAX_UNREADABLE,
        (_, Billed::Yes | Billed::Unknown) => MAX_PAID_ATTEMPTS,
        // No look is to be lost to an outage, while single calls find out when it is over.
        (_, Billed::No) if call.failing => i64::MAX,
        (_, Billed::No) => MAX_ATTEMPTS,
    }
}

fn wait(call: EndedCall) -> Duration {
    let doublings = u32::try_from(call.attempt.saturating_sub(1)).unwrap_or(0).min(16);
    let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    let wait = wait + wait * call.spread.min(999) / 2000;
    call.retry_after.map_or(wait, |asked| wait.max(asked.min(LONGEST_WAIT)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(outcome: Outcome, billed: Billed, attempt: i64) -> EndedCall {
        EndedCall {
            outcome,
            billed,
            attempt,
            spread: 0,
            too_large: false,
            retry_after: None,
            failing: false,
        }
    }

    fn seconds(seconds: u64) -> Decision {
        Decision::Again(Duration::from_secs(seconds))
    }

    #[test]
    fn every_outcome_has_its_policy() {
        use Billed::{No, Unknown, Yes};
        use Decision::{GiveUp, Hold};
        use PauseScope::{Endpoint, Provider};
        let table = [
            (Outcome::Ok, Yes, GiveUp, 1, Effect::Answers),
            (Outcome::Empty, Yes, GiveUp, 1, Effect::Answers),
            (Outcome::Gone, Yes, GiveUp, 1, Effect::Answers),
            (Outcome::Retryable, No, seconds(5), 20, Effect::Fails),
            (Outcome::Retryable, Unknown, seconds(5), 3, Effect::Fails),
            (Outcome::Transport, No, seconds(5), 20, Effect::Fails),
            (Outcome::Transport, Unknown, seconds(5), 3, Effect::Fails),
            (Outcome::Unreadable, Unknown, seconds(5), 2, Effect::Fails),
            (Outcome::Unreadable, Yes, GiveUp, 1, Effect::Fails),
            (Outcome::RateLimited, No, seconds(5), 20, Effect::TooFast),
            (Outcome::Quota, No, Hold, 0, Effect::Pause(Endpoint, PauseReason::Quota)),
            (Outcome::Denied, No, Hold, 0, Effect::Pause(Endpoint, PauseReason::Denied)),
            (Outcome::Balance, No, Hold, 0, Effect::Pause(Provider, PauseReason::Balance)),
            (
                Outcome::BadCredentials,
                No,
                Hold,
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
                assert_eq!(last, GiveUp, "{outcome:?} {billed:?}: the last of {tries} tries");
            }
            if tries > 1 {
                let before = after(ended(outcome, billed, tries - 1));
                assert_ne!(before, GiveUp, "{outcome:?} {billed:?}: the try before the last");
            }
        }
    }

    #[test]
    fn waits_double_to_a_limit_and_are_spread() {
        let wait = |attempt| after(ended(Outcome::Retryable, Billed::No, attempt));
        assert_eq!([1, 2, 4, 7].map(wait), [5, 10, 40, 300].map(seconds));
        let late = EndedCall { spread: 999, ..ended(Outcome::Retryable, Billed::No, 2) };
        assert_eq!(after(late), Decision::Again(Duration::from_micros(14_995_000)));
    }

    #[test]
    fn an_outage_uses_up_no_free_tries_and_caps_those_that_may_be_paid_for() {
        let outage = |billed| EndedCall { failing: true, ..ended(Outcome::Transport, billed, 50) };
        assert_eq!(after(outage(Billed::No)), seconds(300));
        assert_eq!(after(outage(Billed::Unknown)), Decision::GiveUp);
    }

    #[test]
    fn an_answer_that_is_too_large_is_asked_for_once() {
        let large = EndedCall { too_large: true, ..ended(Outcome::Unreadable, Billed::Unknown, 1) };
        assert_eq!(after(large), Decision::GiveUp);
    }

    #[test]
    fn upstream_may_ask_for_longer_and_not_for_ever() {
        let asked = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            after(EndedCall { retry_after, ..ended(Outcome::RateLimited, Billed::No, 1) })
        };
        assert_eq!([1, 60, 86_400].map(asked), [5, 60, 300].map(seconds));
    }
}
