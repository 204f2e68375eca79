//! States and scopes of slots, pauses, runs and backfills.

use super::named::named;

named! {
    /// Outcome of a settled slot.
    SlotOutcome {
        /// Its target was observed.
        Observed = "observed",
        /// It was not, for a [`MissedReason`](super::MissedReason).
        Missed = "missed",
    }

    /// Why the counts of a snapshot are doubtful beside those of the snapshot before it.
    Suspect {
        /// All of them are 0, after higher ones: platforms hide counts so.
        Zeros = "zeros",
        /// One is a thousand times, or a thousandth of, what it was.
        Leapt = "leapt",
        /// One is lower.
        Fell = "fell",
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
        /// Its slots are being made: none may be claimed yet.
        Planning = "planning",
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
        /// Its paid answers are not understood.
        Unreadable = "unreadable",
    }
}
