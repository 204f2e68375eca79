//! Progress of a running backfill.

use std::time::Duration;

use crate::backfill::Progress;
use crate::cli::format::{cost, count};
use crate::cli::meter::Meter;
use crate::time::Time;

/// The bar: slots done, rate, and estimated time left.
const BAR: &str = "{bar:30} {human_pos}/{human_len}  {per_sec}  eta {eta}  {msg}";

/// Shows the progress.
pub(super) struct BackfillMeter {
    meter: Meter,
    /// When it started, and the number of slots done by then.
    began: Option<(Time, i64)>,
}

impl BackfillMeter {
    pub(super) fn new() -> Self {
        Self { meter: Meter::new(Some(0), BAR), began: None }
    }

    /// Shows the progress at `now`.
    pub(super) fn show(&mut self, progress: &Progress, now: Time) {
        let slots = &progress.slots;
        let done = slots.observed + slots.missed;
        let (began, before) = *self.began.get_or_insert((now, done));
        if let Some(bar) = self.meter.bar() {
            bar.set_length(u64::try_from(slots.total).unwrap_or(0));
            bar.set_position(u64::try_from(done).unwrap_or(0));
            if began == now {
                bar.reset_eta();
            }
            bar.set_message(message(progress));
        }
        if !self.meter.is_line_due(now) {
            return;
        }
        let rate_per_s = rate(done - before, now.since(began));
        let eta_s = eta(slots.open, rate_per_s);
        tracing::info!(
            done,
            total = slots.total,
            missed = slots.missed,
            retrying = slots.retrying,
            rate_per_s,
            eta_s,
            cost = cost(&progress.calls),
            "backfill"
        );
    }
}

fn message(progress: &Progress) -> String {
    let slots = &progress.slots;
    let mut text = format!("cost {}", cost(&progress.calls));
    for (number, word) in [(slots.missed, "missed"), (slots.retrying, "to retry")] {
        if number > 0 {
            text = format!("{} {word}, {text}", count(number));
        }
    }
    text
}

/// Slots per second, rounded to a tenth.
fn rate(done: i64, span: Duration) -> f64 {
    let tenths = u64::try_from(done).unwrap_or(0) * 10_000
        / u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}

/// Estimated seconds for the open slots; `None` while the rate is unknown.
fn eta(open: i64, rate_per_s: f64) -> Option<i64> {
    let open = f64::from(u32::try_from(open).unwrap_or(u32::MAX));
    let seconds = (rate_per_s > 0.0).then(|| (open / rate_per_s).ceil())?;
    format!("{seconds:.0}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eta_follows_from_the_rate() {
        assert!((rate(50, Duration::from_secs(10)) - 5.0).abs() < f64::EPSILON);
        assert_eq!(eta(100, 5.0), Some(20));
        assert_eq!(eta(100, 0.0), None);
    }
}
