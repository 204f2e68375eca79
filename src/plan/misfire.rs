//! Misfire decisions, pure: which undecided fires get slots, and why the others are missed.

use std::time::Duration;

use crate::model::MissedReason;
use crate::schedule::{GRACE, Misfire, Overlap, Schedule};
use crate::time::Time;

/// The policies of a job for its fires.
#[derive(Clone, Copy, Debug)]
pub(super) struct FirePolicy {
    /// For late fires.
    pub(super) misfire: Misfire,
    /// For several fires at once.
    pub(super) overlap: Overlap,
}

/// The decision about the undecided fires of one job.
#[derive(Debug)]
pub(super) struct MisfireDecision {
    /// Fires from here on get slots; `None`: none does.
    open_from: Option<Time>,
    /// `None`: the schedule was removed.
    misfire: Option<Misfire>,
    /// When this daemon started.
    started: Time,
    now: Time,
}

impl MisfireDecision {
    /// The decision about the fires after `decided`. Without a policy the schedule was removed: every
    /// undecided fire is missed.
    pub(super) fn new(
        schedule: &Schedule,
        policy: Option<FirePolicy>,
        decided: Time,
        started: Time,
        now: Time,
    ) -> Self {
        let open_from = policy.and_then(|policy| open_from(schedule, policy, decided, now));
        let misfire = policy.map(|policy| policy.misfire);
        Self { open_from, misfire, started, now }
    }

    /// The decision about fires that are too old for slots.
    pub(super) fn of_backlog(policy: Option<FirePolicy>, started: Time, now: Time) -> Self {
        Self { open_from: None, misfire: policy.map(|policy| policy.misfire), started, now }
    }

    /// Fires from here on get slots; `None`: none does.
    pub(super) fn open_from(&self) -> Option<Time> {
        self.open_from
    }

    /// Why the fire due at `at` is missed; `None`: it gets slots.
    pub(super) fn reason(&self, at: Time) -> Option<MissedReason> {
        if self.open_from.is_some_and(|from| at >= from) {
            return None;
        }
        let age = self.now.since(at);
        Some(match self.misfire {
            Some(misfire) if misfire.window().is_some_and(|window| age > window) => {
                MissedReason::Expired
            }
            None => MissedReason::DaemonDown,
            Some(_) if at < self.started => MissedReason::DaemonDown,
            Some(Misfire::Skip) if age > GRACE => MissedReason::Skipped,
            Some(_) => MissedReason::Superseded,
        })
    }
}

/// The first fire that gets slots. Among fires in time: the latest, or all under `queue`. Late fires
/// count if none is in time, or always under `all`.
fn open_from(schedule: &Schedule, policy: FirePolicy, decided: Time, now: Time) -> Option<Time> {
    let younger_than = |age: Duration| now.minus(age).minus(TICK).max(decided);
    let in_time = match policy.overlap {
        Overlap::Skip => schedule.latest(younger_than(GRACE), now, 1).first().copied(),
        Overlap::Queue => schedule.fires(younger_than(GRACE), now).next(),
    };
    let after = policy.misfire.window().map_or(decided, younger_than);
    let until = now.minus(GRACE).minus(TICK);
    let late = |most| schedule.latest(after, until, most).first().copied();
    match policy.misfire {
        Misfire::Skip => in_time,
        Misfire::Once { .. } => in_time.or_else(|| late(1)),
        Misfire::All { most, .. } => late(most).or(in_time),
    }
}

/// The resolution of [`Time`].
pub(super) const TICK: Duration = Duration::from_micros(1);

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn at(text: &str) -> Time {
        format!("2026-03-09 {text}").parse().expect("a time")
    }

    /// The half-hourly fires after 08:00, decided at `now` by a daemon that started at 09:45: the missed
    /// reason of each, `-` for a slot.
    fn decided(misfire: Misfire, overlap: Overlap, now: &str) -> Vec<&'static str> {
        let schedule = Schedule::parse("*/30 * * * *", Tz::UTC).expect("a schedule");
        let (decided, started) = (at("08:00:00"), at("09:45:00"));
        let policy = Some(FirePolicy { misfire, overlap });
        let decision = MisfireDecision::new(&schedule, policy, decided, started, at(now));
        let fires = schedule.fires(decided, at(now));
        fires.map(|fire| decision.reason(fire).map_or("-", MissedReason::as_str)).collect()
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn once_opens_latest_late_fire_within_window() {
        let once = |window, now| decided(Misfire::Once { window }, Overlap::Skip, now);
        let late = ["daemon_down", "daemon_down", "daemon_down", "superseded", "-"];
        assert_eq!(once(None, "10:45:00"), late);
        assert_eq!(once(None, "10:30:59"), late, "in time");
        assert_eq!(
            once(Some(HOUR), "10:30:00"),
            ["expired", "expired", "daemon_down", "superseded", "-"]
        );
        let minutes = Some(Duration::from_secs(600));
        assert_eq!(once(minutes, "10:45:00"), ["expired"; 5]);
        assert_eq!(once(minutes, "10:40:00"), ["expired", "expired", "expired", "expired", "-"]);
    }

    #[test]
    fn skip_opens_only_fires_in_time() {
        let skip = |now| decided(Misfire::Skip, Overlap::Skip, now);
        assert_eq!(
            skip("10:31:01"),
            ["daemon_down", "daemon_down", "daemon_down", "skipped", "skipped"]
        );
        assert_eq!(skip("10:31:00"), ["daemon_down", "daemon_down", "daemon_down", "skipped", "-"]);
    }

    #[test]
    fn all_opens_late_fires_within_window_and_cap() {
        let all = |window, most| decided(Misfire::All { window, most }, Overlap::Queue, "10:45:00");
        assert_eq!(all(None, 24), ["-"; 5]);
        assert_eq!(all(None, 2), ["daemon_down", "daemon_down", "daemon_down", "-", "-"]);
        assert_eq!(all(Some(HOUR), 24), ["expired", "expired", "expired", "-", "-"]);
        assert_eq!(
            all(Some(HOUR * 3), 1),
            ["daemon_down", "daemon_down", "daemon_down", "superseded", "-"]
        );
    }

    #[test]
    fn overlap_skip_opens_latest_and_queue_opens_all() {
        let schedule = Schedule::parse("*/20 * * * * *", Tz::UTC).expect("a schedule");
        let reasons = |overlap| {
            let policy = Some(FirePolicy { misfire: Misfire::default(), overlap });
            let (decided, now) = (at("08:00:00"), at("08:01:05"));
            let decision = MisfireDecision::new(&schedule, policy, decided, decided, now);
            let fires = schedule.fires(decided, now);
            fires
                .map(|fire| decision.reason(fire).map_or("-", MissedReason::as_str))
                .collect::<Vec<_>>()
        };
        assert_eq!(reasons(Overlap::Skip), ["superseded", "superseded", "-"]);
        assert_eq!(reasons(Overlap::Queue), ["-", "-", "-"]);
    }

    #[test]
    fn removed_schedule_misses_undecided_fires() {
        let schedule = Schedule::parse("@hourly", Tz::UTC).expect("a schedule");
        let now = at("10:00:10");
        let decision = MisfireDecision::new(&schedule, None, at("08:00:00"), now, now);
        assert_eq!(decision.reason(at("10:00:00")), Some(MissedReason::DaemonDown));
    }
}
