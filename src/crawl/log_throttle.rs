//! Log throttle: at most one message per kind and reason a minute; the next one says how many were
//! suppressed.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Time;

/// Interval between two messages of one kind and reason.
const INTERVAL: Duration = Duration::from_secs(60);

/// The last message of each kind and reason.
#[derive(Debug, Default)]
pub(super) struct LogThrottle(BTreeMap<(&'static str, &'static str), Logged>);

#[derive(Debug)]
struct Logged {
    at: Time,
    suppressed: u64,
}

impl LogThrottle {
    /// Whether to log a message of this kind and reason: then how many were suppressed since the
    /// last one.
    pub(super) fn admit(
        &mut self,
        kind: &'static str,
        reason: &'static str,
        at: Time,
    ) -> Option<u64> {
        let entry = self.0.entry((kind, reason));
        let last = entry.or_insert(Logged { at: at.minus(INTERVAL), suppressed: 0 });
        // In both directions: a clock set back must not suppress messages for long.
        let elapsed = at.since(last.at).max(last.at.since(at));
        if elapsed < INTERVAL {
            last.suppressed += 1;
            return None;
        }
        let suppressed = last.suppressed;
        *last = Logged { at, suppressed: 0 };
        Some(suppressed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttle_admits_one_message_a_minute_and_counts_the_rest() {
        let at = |text: &str| format!("2026-03-09 {text}").parse::<Time>().expect("a time");
        let mut throttle = LogThrottle::default();
        assert_eq!(throttle.admit("missed", "quota", at("09:00:00")), Some(0));
        for _ in 0..1000 {
            assert_eq!(throttle.admit("missed", "quota", at("09:00:59")), None);
        }
        assert_eq!(throttle.admit("failed", "quota", at("09:00:59")), Some(0), "another kind");
        assert_eq!(throttle.admit("missed", "gone", at("09:00:59")), Some(0), "another reason");
        assert_eq!(throttle.admit("missed", "quota", at("09:01:00")), Some(1000));
        assert_eq!(
            throttle.admit("missed", "quota", at("08:00:00")),
            Some(0),
            "the clock was set back"
        );
    }
}
