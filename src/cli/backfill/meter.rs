//! How far a backfill has come, while it runs: a bar on a terminal, else a line now and then.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::backfill::Progress;
use crate::cli::show::{BARS, cost, count};
use crate::time::Time;

/// How often a line says how far it is, where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The bar: what is done, how fast, and how long it still takes.
const BAR: &str = "{bar:30} {human_pos}/{human_len}  {per_sec}  eta {eta}  {msg}";

/// The one who tells.
pub(super) struct Meter {
    bar: Option<ProgressBar>,
    /// When it began, and how many looks were done by then.
    began: Option<(Time, i64)>,
    said: Option<Time>,
}

impl Meter {
    pub(super) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| BARS.add(ProgressBar::new(0)));
        if let (Some(bar), Ok(style)) = (&bar, ProgressStyle::with_template(BAR)) {
            bar.set_style(style);
        }
        Self { bar, began: None, said: None }
    }

    /// Tells how far it has come by `now`.
    pub(super) fn tell(&mut self, progress: &Progress, now: Time) {
        let looks = &progress.looks;
        let done = looks.observed + looks.missed;
        let (began, before) = *self.began.get_or_insert((now, done));
        if let Some(bar) = &self.bar {
            bar.set_length(u64::try_from(looks.total).unwrap_or(0));
            bar.set_position(u64::try_from(done).unwrap_or(0));
            if began == now {
                bar.reset_eta();
            }
            bar.set_message(message(progress));
            return;
        }
        if self.said.is_some_and(|at| now.since(at) < LINE_EVERY) {
            return;
        }
        self.said = Some(now);
        let rate_per_s = rate(done - before, now.since(began));
        let eta_s = eta(looks.open, rate_per_s);
        tracing::info!(
            done,
            total = looks.total,
            missed = looks.missed,
            retrying = looks.retrying,
            rate_per_s,
            eta_s,
            cost = cost(&progress.calls),
            "backfill"
        );
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn message(progress: &Progress) -> String {
    let looks = &progress.looks;
    let mut text = format!("cost {}", cost(&progress.calls));
    for (number, word) in [(looks.missed, "missed"), (looks.retrying, "to be tried again")] {
        if number > 0 {
            text = format!("{} {word}, {text}", count(number));
        }
    }
    text
}

/// Looks a second, to a tenth.
fn rate(done: i64, span: Duration) -> f64 {
    let tenths = u64::try_from(done).unwrap_or(0) * 10_000
        / u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}

/// How many seconds the open looks still take; `None` while nothing is known of the rate.
fn eta(open: i64, rate_per_s: f64) -> Option<i64> {
    let open = f64::from(u32::try_from(open).unwrap_or(u32::MAX));
    let seconds = (rate_per_s > 0.0).then(|| (open / rate_per_s).ceil())?;
    format!("{seconds:.0}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_tells_how_long_it_still_takes() {
        assert!((rate(50, Duration::from_secs(10)) - 5.0).abs() < f64::EPSILON);
        assert_eq!(eta(100, 5.0), Some(20));
        assert_eq!(eta(100, 0.0), None);
    }
}
