//! A pause in force.

use super::{PauseReason, PauseScope};
use crate::time::Time;

/// A pause in force.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Pause {
    /// What is paused.
    pub scope: PauseScope,
    /// The name of the provider, endpoint or job.
    pub name: String,
    /// Why.
    pub reason: PauseReason,
    /// The message of upstream, or the note of the person who paused it.
    pub note: Option<String>,
    /// When it began.
    pub since: Time,
    /// When it ends by time; `None`: it does not.
    pub until: Option<Time>,
    /// From when on single calls may probe it; `None`: none may.
    pub probe_at: Option<Time>,
    /// Failed probes so far.
    pub failures: i64,
    /// The call that caused it, if any.
    pub call_id: Option<i64>,
}
