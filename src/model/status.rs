//! States, reasons and scopes of slots, pauses, runs and backfills.

use super::named::named;

named! {
    /// Outcome of a settled slot.
    SlotOutcome {
        /// Its target was observed.
        Observed = "observed",
        /// It was not, for a [`MissedReason`].
        Missed = "missed",
    }

    /// Why a slot was missed, or why its last attempt failed.
    MissedReason {
        /// No daemon was running.
        DaemonDown = "daemon_down",
        /// A newer slot of the same target took its place.
        Superseded = "superseded",
        /// Upstream failed, and retries are exhausted.
        UpstreamFailure = "upstream_failure",
        /// Upstream asked for fewer calls.
        RateLimited = "rate_limited",
        /// No complete answer came.
        Transport = "transport",
        /// The day's quota of the endpoint is used up.
        Quota = "quota",
        /// The account or the token has no money left.
        Balance = "balance",
        /// The token may not use the endpoint.
        Denied = "denied",
        /// Upstream refuses the request.
        BadRequest = "bad_request",
        /// The token is not valid.
        BadCredentials = "bad_credentials",
        /// Paused by hand.
        Paused = "paused",
        /// The day's budget is used up.
        Budget = "budget",
        /// A budget is set, and the endpoint has no price.
        Unpriced = "unpriced",
        /// The previous slot of the target was still being fetched.
        Overlap = "overlap",
        /// Late, and the job skips late fires.
        Skipped = "skipped",
        /// Later than the job's misfire window.
        Expired = "expired",
        /// Upstream answered without content.
        Empty = "empty",
        /// The item is deleted or hidden.
        Gone = "gone",
        /// The answer was not understood.
        Unreadable = "unreadable",
        /// Its process died during the call, too often.
        Interrupted = "interrupted",
        /// No job watches the target any more.
        Unwatched = "unwatched",
        /// The target is forgotten.
        Forgotten = "forgotten",
        /// Somebody cancelled the run.
        Cancelled = "cancelled",
    }

    /// What a pause stops.
    PauseScope {
        /// Every endpoint of a provider.
        Provider = "provider",
        /// One endpoint.
        Endpoint = "endpoint",
        /// The slots of one job.
        Job = "job",
        /// Everything, by the day's budget: kept for people to see, the ledger decides.
        Budget = "budget",
    }

    /// Why something is paused.
    PauseReason {
        /// The day's quota of the endpoint is used up.
        Quota = "quota",
        /// The account or the token has no money left.
        Balance = "balance",
        /// The token may not use the endpoint.
        Denied = "denied",
        /// The token is not valid.
        BadCredentials = "bad_credentials",
        /// The endpoint fails on every call.
        Failing = "failing",
        /// Somebody paused it.
        ByHand = "by_hand",
        /// The day's budget is used up.
        Budget = "budget",
        /// A budget is set, and the endpoint has no price.
        Unpriced = "unpriced",
    }

    /// What ended a pause.
    ResumedBy {
        /// Its time was over.
        Time = "time",
        /// A call was answered again.
        Answer = "answer",
        /// Somebody resumed it.
        Hand = "hand",
        /// New settings: another token, server or budget.
        Settings = "settings",
        /// The clock was set back.
        Clock = "clock",
    }

    /// What started a run.
    Origin {
        /// A job's schedule.
        Schedule = "schedule",
        /// `tidewatch fetch`.
        Fetch = "fetch",
        /// `tidewatch backfill`.
        Backfill = "backfill",
    }

    /// State of a backfill.
    BackfillState {
        /// Its slots may be claimed.
        Running = "running",
        /// Halted by hand, until it is resumed.
        Stopped = "stopped",
        /// Halted at its own limit, until it is resumed with a higher one.
        Limited = "limited",
        /// Given up: what is open is missed.
        Cancelled = "cancelled",
        /// Every slot is settled.
        Done = "done",
    }

    /// Kind of a problem that `tidewatch status` reports.
    ProblemKind {
        /// Slots were missed.
        Missed = "missed",
        /// Slots wait for a retry.
        Retrying = "retrying",
        /// Slots wait for a daemon.
        Overdue = "overdue",
        /// Calls whose outcome is unknown.
        UnknownCall = "unknown call",
        /// Answers that were not understood.
        Drift = "drift",
        /// Alerts that could not be sent.
        AlertNotSent = "alert not sent",
    }

    /// State of a target that cannot be observed.
    Unavailability {
        /// Deleted or hidden.
        Gone = "gone",
        /// Upstream refuses requests for it.
        Refused = "refused",
    }
}

impl From<PauseReason> for MissedReason {
    /// The reason of a slot that a pause kept from being fetched.
    fn from(pause: PauseReason) -> Self {
        match pause {
            PauseReason::Quota => Self::Quota,
            PauseReason::Balance => Self::Balance,
            PauseReason::Denied => Self::Denied,
            PauseReason::BadCredentials => Self::BadCredentials,
            PauseReason::Failing => Self::UpstreamFailure,
            PauseReason::ByHand => Self::Paused,
            PauseReason::Budget => Self::Budget,
            PauseReason::Unpriced => Self::Unpriced,
        }
    }
}
