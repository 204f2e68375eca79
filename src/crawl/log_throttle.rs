//! A failing upstream must not write a line for every target: of messages alike, one in a while.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Time;

/// How long one message stands for those like it.
const WHILE: Duration = Duration::from_secs(60);

/// Remembers what was said lately.
#[derive(Debug, Default)]
pub(super) struct LogThrottle(BTreeMap<(&'static str, &'static str), Logged>);

#[derive(Debug)]
struct Logged {
    at: Time,
    suppressed: u64,
}

impl LogThrottle {
    /// Whether a message of this kind, for this reason, is to be written: then how many like it
    /// were not since the last one that was.
    pub(super) fn admit(
        &mut self,
        kind: &'static str,
        reason: &'static str,
        at: Time,
    ) -> Option<u64> {
        let said = self.0.entry((kind, reason));
        let before = said.or_insert(Logged { at: at.minus(WHILE), suppressed: 0 });
        // A clock that was put back must not silence anything for long.
        let silent = at.since(before.at).max(before.at.since(at));
        if silent < WHILE {
            before.suppressed += 1;
            return None;
        }
        let suppressed = before.suppressed;
        *before = Logged { at, suppressed: 0 };
        Some(suppressed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_a_minute_says_how_many_were_like_it() {
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
            "the clock was put back"
        );
    }
}
