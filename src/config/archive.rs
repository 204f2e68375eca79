//! `[archive]`, resolved.

use std::time::Duration;

use super::problems::Problem;
use super::{Reader, wire};

/// Shortest age at which answers go cold: until then a late import or a correction often comes.
pub(crate) const SHORTEST_COLD_AFTER: Duration = Duration::from_hours(7 * 24);

impl Reader<'_> {
    /// The age at which answers go cold; `None`: they stay as they are.
    pub(super) fn cold_after(&mut self, wire: &wire::Archive) -> Option<Duration> {
        let span = self.duration(wire.cold_after.as_ref())?;
        if let Some(wire) = wire.cold_after.as_ref().filter(|_| span < SHORTEST_COLD_AFTER) {
            let help = "at least \"7d\"; without this line every answer stays as it is";
            self.problem(wire.span(), Problem::new("answers would go cold too soon", help));
        }
        Some(span)
    }
}
