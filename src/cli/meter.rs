//! Progress on stderr: a bar on a terminal, otherwise a line now and then.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::format::BARS;
use crate::time::Time;

/// Interval of progress lines without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// A progress display; dropping it removes the bar.
pub(super) struct Meter {
    bar: Option<ProgressBar>,
    line_at: Option<Time>,
}

impl Meter {
    pub(super) fn new(total: Option<u64>, template: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = BARS.add(total.map_or_else(ProgressBar::no_length, ProgressBar::new));
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, line_at: None }
    }

    /// The bar, on a terminal.
    pub(super) fn bar(&self) -> Option<&ProgressBar> {
        self.bar.as_ref()
    }

    /// Whether to log a line at `now`; never beside a bar.
    pub(super) fn is_line_due(&mut self, now: Time) -> bool {
        let is_due = self.bar.is_none()
            && self.line_at.is_none_or(|line_at| now.since(line_at) >= LINE_EVERY);
        if is_due {
            self.line_at = Some(now);
        }
        is_due
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
