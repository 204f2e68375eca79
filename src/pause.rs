//! Pauses, pure: which calls a pause holds back, and how it ends.
//!
//! A pause stops a provider, an endpoint or a job. It ends at its time, by hand, or by an answer: from
//! `probe_at` on single calls probe the endpoint, and any answer ends the pause.

use std::time::Duration;

use chrono_tz::Tz;

use crate::api::Endpoint;
use crate::model::{Pause, PauseReason, PauseScope};
use crate::time::Time;

/// The time zone in which upstream resets daily quotas.
const QUOTA_ZONE: Tz = Tz::Asia__Shanghai;

/// Wait before the first probe of a failing endpoint; doubles with each failed probe up to
/// `MAX_FAILING`.
const FIRST_FAILING: Duration = Duration::from_secs(10);

/// Longest wait between two probes of a failing endpoint.
const MAX_FAILING: Duration = Duration::from_secs(600);

/// Wait before the first probe of an account without balance; doubles up to `MAX_PROBE_WAIT`.
const FIRST_BALANCE: Duration = Duration::from_secs(600);

/// Longest wait between two probes; a call that is refused is free.
pub const MAX_PROBE_WAIT: Duration = Duration::from_secs(3600);

/// How the pauses of a reason end.
impl PauseReason {
    /// When such a pause ends by time.
    pub fn until(self, now: Time) -> Option<Time> {
        (self == Self::Quota).then(|| now.next_midnight(QUOTA_ZONE))
    }

    /// Wait before the next probe, after this many failed ones.
    pub fn probe_wait(self, failures: i64) -> Option<Duration> {
        let (first, longest) = match self {
            Self::Failing => (FIRST_FAILING, MAX_FAILING),
            Self::Balance => (FIRST_BALANCE, MAX_PROBE_WAIT),
            Self::Denied | Self::BadCredentials => (MAX_PROBE_WAIT, MAX_PROBE_WAIT),
            Self::Quota | Self::ByHand | Self::Budget | Self::Unpriced => return None,
        };
        let doublings = u32::try_from(failures).unwrap_or(0).min(16);
        Some(first.saturating_mul(1 << doublings).min(longest))
    }
}

/// Whether calls to an endpoint are allowed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Allowed, within its rate limit.
    Open,
    /// Allowed for one call, which probes whether the pause for this reason is over.
    Probe(PauseReason),
    /// Not before this time; `None`: until resumed by hand.
    Paused(Option<Time>, PauseReason),
}

/// The pauses that concern an endpoint.
pub fn of_endpoint(pauses: &[Pause], endpoint: Endpoint) -> impl Iterator<Item = &Pause> {
    let concerns = move |pause: &&Pause| match pause.scope {
        PauseScope::Provider => pause.name == endpoint.provider().as_str(),
        PauseScope::Endpoint => pause.name == endpoint.as_str(),
        PauseScope::Job | PauseScope::Budget => false,
    };
    pauses.iter().filter(concerns)
}

/// Whether the pauses in force allow calls to an endpoint now.
pub fn standing(pauses: &[Pause], endpoint: Endpoint, now: Time) -> Standing {
    let mut standing = Standing::Open;
    for pause in of_endpoint(pauses, endpoint) {
        let reason = pause.reason;
        standing = match (standing, pause.probe_at) {
            (Standing::Paused(..), Some(at)) if at <= now => standing,
            (_, Some(at)) if at <= now => Standing::Probe(reason),
            (Standing::Paused(until, first), probe_at) => {
                // The longest pause decides.
                let end = [probe_at, pause.until].into_iter().flatten().min();
                Standing::Paused(until.zip(end).map(|(a, b)| a.max(b)), first)
            }
            (_, probe_at) => {
                Standing::Paused([probe_at, pause.until].into_iter().flatten().min(), reason)
            }
        };
    }
    standing
}

/// Why the slots that `endpoint` serves are blocked now, whatever their job.
pub fn blocking(pauses: &[Pause], endpoint: Endpoint) -> Option<PauseReason> {
    let of_all = |pause: &&Pause| pause.scope == PauseScope::Budget;
    let pause = of_endpoint(pauses, endpoint).chain(pauses.iter().filter(of_all)).next()?;
    Some(pause.reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MissedReason;

    fn at(text: &str) -> Time {
        format!("2026-03-09 {text}").parse().expect("a time")
    }

    fn pause(scope: PauseScope, name: &str, reason: PauseReason, probe_at: Option<&str>) -> Pause {
        Pause {
            scope,
            name: name.into(),
            reason,
            note: None,
            since: at("09:00:00"),
            until: reason.until(at("09:00:00")),
            probe_at: probe_at.map(at),
            failures: 0,
            call_id: None,
        }
    }

    const NOTES: Endpoint = Endpoint::NoteDetailV1;

    #[test]
    fn pause_holds_back_only_what_it_names() {
        let quota = [pause(PauseScope::Endpoint, NOTES.as_str(), PauseReason::Quota, None)];
        let midnight = at("16:00:00");
        assert_eq!(
            standing(&quota, NOTES, at("10:00:00")),
            Standing::Paused(Some(midnight), PauseReason::Quota)
        );
        assert_eq!(standing(&quota, Endpoint::KolSearch, at("10:00:00")), Standing::Open);
        let balance =
            [pause(PauseScope::Provider, "justoneapi", PauseReason::Balance, Some("09:10:00"))];
        let held = Standing::Paused(Some(at("09:10:00")), PauseReason::Balance);
        assert_eq!(standing(&balance, Endpoint::KolSearch, at("09:09:59")), held);
        let probe = Standing::Probe(PauseReason::Balance);
        assert_eq!(standing(&balance, Endpoint::KolSearch, at("09:10:00")), probe);
        assert_eq!(standing(&balance, Endpoint::AmagiWorkById, at("09:00:00")), Standing::Open);
    }

    #[test]
    fn longest_of_several_pauses_decides() {
        let both = [
            pause(PauseScope::Provider, "justoneapi", PauseReason::Balance, Some("09:10:00")),
            pause(PauseScope::Endpoint, NOTES.as_str(), PauseReason::Quota, None),
        ];
        let held = standing(&both, NOTES, at("09:00:00"));
        assert_eq!(held, Standing::Paused(Some(at("16:00:00")), PauseReason::Balance));
        let held = standing(&both, NOTES, at("09:20:00"));
        assert_eq!(held, Standing::Paused(Some(at("16:00:00")), PauseReason::Quota));
        let by_hand = [pause(PauseScope::Provider, "justoneapi", PauseReason::ByHand, None)];
        assert_eq!(
            standing(&by_hand, NOTES, at("09:20:00")),
            Standing::Paused(None, PauseReason::ByHand)
        );
    }

    #[test]
    fn missed_reason_is_that_of_the_blocking_pause() {
        for (scope, name, reason, missed) in [
            (
                PauseScope::Endpoint,
                NOTES.as_str(),
                PauseReason::Failing,
                Some(MissedReason::UpstreamFailure),
            ),
            (PauseScope::Provider, "justoneapi", PauseReason::ByHand, Some(MissedReason::Paused)),
            (PauseScope::Budget, "all", PauseReason::Budget, Some(MissedReason::Budget)),
            (PauseScope::Endpoint, "another", PauseReason::Failing, None),
            (PauseScope::Job, "spring", PauseReason::ByHand, None),
        ] {
            let pauses = [pause(scope, name, reason, None)];
            assert_eq!(blocking(&pauses, NOTES).map(MissedReason::from), missed, "{name}");
        }
    }

    #[test]
    fn probes_become_rarer_and_never_stop() {
        let waits = [0, 1, 3, 60].map(|failures| PauseReason::Failing.probe_wait(failures));
        assert_eq!(waits, [10, 20, 80, 600].map(|s| Some(Duration::from_secs(s))));
        assert_eq!(PauseReason::Balance.probe_wait(9), Some(MAX_PROBE_WAIT));
        assert_eq!(PauseReason::Quota.probe_wait(0), None);
    }
}
