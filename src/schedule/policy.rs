//! What becomes of fires that cannot be looked at when they are due.

use std::time::Duration;

/// How old a fire is when it counts as missed: nobody decided it in time.
pub const GRACE: Duration = Duration::from_secs(60);

/// What becomes of the fires that nobody decided in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfire {
    /// None is looked at.
    Skip,
    /// The latest is looked at, if it is younger than `window`.
    Once {
        /// How old it may be; any age without.
        window: Option<Duration>,
    },
    /// All are looked at, one after the other: those younger than `window`, the latest `most`.
    All {
        /// How old they may be; any age without.
        window: Option<Duration>,
        /// How many at the most.
        most: usize,
    },
}

impl Default for Misfire {
    fn default() -> Self {
        Self::Once { window: None }
    }
}

impl Misfire {
    /// How old a fire may be that is looked at all the same; any age without.
    pub fn window(self) -> Option<Duration> {
        match self {
            Self::Skip => None,
            Self::Once { window } | Self::All { window, .. } => window,
        }
    }
}

/// What becomes of a fire while an older look at the same target is not done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// An older look that nobody is at gives way; while one is being made, the new one is missed.
    #[default]
    Skip,
    /// The older looks stay, and all are made in order.
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
