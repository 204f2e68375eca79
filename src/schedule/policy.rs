//! Policies for fires that are late or overlap older slots.

use std::time::Duration;

/// A fire older than this is late.
pub const GRACE: Duration = Duration::from_secs(60);

/// The misfire policy: what happens to late fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfire {
    /// All are missed.
    Skip,
    /// The latest gets slots if it is younger than `window`.
    Once {
        /// Its maximum age; `None`: any age.
        window: Option<Duration>,
    },
    /// The latest `most` fires younger than `window` get slots, fetched one after the other.
    All {
        /// Their maximum age; `None`: any age.
        window: Option<Duration>,
        /// Their maximum number.
        most: usize,
    },
}

impl Default for Misfire {
    fn default() -> Self {
        Self::Once { window: None }
    }
}

impl Misfire {
    /// The maximum age of a late fire that gets slots; `None`: any age.
    pub fn window(self) -> Option<Duration> {
        match self {
            Self::Skip => None,
            Self::Once { window } | Self::All { window, .. } => window,
        }
    }
}

/// The overlap policy: what happens to a fire while an older slot of the same target is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// The new slot supersedes an unclaimed older one; while one is being fetched, the new one is missed.
    #[default]
    Skip,
    /// The older slots stay, and all are fetched in order.
    Queue,
}

impl Overlap {
    /// Its name in `jobs.toml` and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Queue => "queue",
        }
    }
}
