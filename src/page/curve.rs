//! Gaps in curves: a line connects two observations only if no slot between them is missing.

use crate::schedule::Schedule;
use crate::store::page::{JobFacts, Watcher};
use crate::time::Time;

/// Without a schedule, a span this many times the median is a gap.
const UNUSUAL: u32 = 3;

/// The schedules by which an item is fetched.
pub(super) struct Expected(Vec<Schedule>);

impl Expected {
    pub(super) fn by(watchers: &[Watcher]) -> Self {
        let schedules = watchers
            .iter()
            .filter_map(|it| Schedule::stored(&it.schedule, &it.timezone, it.active.as_deref()));
        Self(schedules.collect())
    }

    pub(super) fn by_job(job: &JobFacts) -> Self {
        Self(
            Schedule::stored(&job.schedule, &job.timezone, job.active.as_deref())
                .into_iter()
                .collect(),
        )
    }

    /// The next fire after `at`.
    pub(super) fn next_after(&self, at: Time) -> Option<Time> {
        self.0.iter().filter_map(|schedule| schedule.next_after(at)).min()
    }

    /// Average number of fires per day.
    pub(super) fn fires_per_day(&self, from: Time) -> f64 {
        self.0.iter().map(|schedule| schedule.fires_per_day(from)).sum()
    }

    /// The deadline of the next observation after `at`: the slot of the next fire may be late, but
    /// not later than the fire after it.
    fn again_by(&self, at: Time) -> Option<Time> {
        self.next_after(at).and_then(|next| self.next_after(next))
    }
}

/// Whether the line from each of `times` to the next one is broken. `times` and `missed` (the due
/// times of missed slots) are sorted.
pub(super) fn gaps(times: &[Time], missed: &[Time], expected: &Expected) -> Vec<bool> {
    let spans: Vec<_> =
        times.iter().zip(times.iter().skip(1)).map(|(from, to)| to.since(*from)).collect();
    let mut sorted = spans.clone();
    sorted.sort_unstable();
    let usual = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    spans
        .iter()
        .zip(times.iter().zip(times.iter().skip(1)))
        .map(|(span, (from, to))| {
            let next = missed.partition_point(|due| due <= from);
            if missed.get(next).is_some_and(|due| due < to) {
                return true;
            }
            if expected.0.is_empty() {
                return *span > usual * UNUSUAL;
            }
            expected.again_by(*from).is_some_and(|by| *to > by)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        format!("2026-03-02 {text}").parse().expect("a time")
    }

    fn hourly() -> Expected {
        Expected(Schedule::stored("@hourly", "Asia/Shanghai", None).into_iter().collect())
    }

    #[test]
    fn late_observation_connects_and_missing_one_breaks() {
        let times = ["01:00:02", "02:00:02", "03:40:00", "04:00:02", "06:00:02"].map(at);
        assert_eq!(gaps(&times, &[], &hourly()), [false, false, false, true]);
    }

    #[test]
    fn missed_slot_breaks_the_line() {
        let times = ["01:00:02", "01:20:00", "02:00:02"].map(at);
        assert_eq!(gaps(&times, &[at("01:10:00")], &hourly()), [true, false]);
    }

    #[test]
    fn unusual_span_without_schedule_is_a_gap() {
        let times = ["01:00:00", "02:00:00", "03:00:00", "07:00:00"].map(at);
        assert_eq!(gaps(&times, &[], &Expected(vec![])), [false, false, true]);
        assert!(gaps(&times[..1], &[], &Expected(vec![])).is_empty());
    }

    #[test]
    fn time_outside_the_windows_is_no_gap() {
        let active = Some("mon-sun 09:00-18:00");
        let windows = Schedule::stored("@hourly", "UTC", active);
        assert!(windows.is_some(), "the windows are read");
        let times = [at("17:00:02"), "2026-03-03 09:00:02".parse().expect("a time")];
        assert_eq!(gaps(&times, &[], &Expected(windows.into_iter().collect())), [false]);
    }
}
