//! Why a slot was missed, and why something is paused: all that is particular to a reason.

use super::Unavailability;
use super::named::named;

named! {
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
}

/// A text in Chinese and in English.
pub type Said = (&'static str, &'static str);

impl MissedReason {
    /// What it is called before people.
    pub const fn said(self) -> Said {
        match self {
            Self::DaemonDown => ("守护进程未运行", "daemon down"),
            Self::Superseded => ("被下一次取代", "superseded"),
            Self::UpstreamFailure => ("上游故障", "upstream failure"),
            Self::RateLimited => ("限速", "rate limited"),
            Self::Transport => ("网络故障", "network"),
            Self::Quota => PauseReason::Quota.said(),
            Self::Balance => PauseReason::Balance.said(),
            Self::Denied => PauseReason::Denied.said(),
            Self::BadRequest => ("被拒绝", "refused"),
            Self::BadCredentials => PauseReason::BadCredentials.said(),
            Self::Paused => ("暂停", "paused"),
            Self::Budget => PauseReason::Budget.said(),
            Self::Unpriced => PauseReason::Unpriced.said(),
            Self::Overlap => ("上次未完", "overlap"),
            Self::Skipped => ("跳过", "skipped"),
            Self::Expired => ("过期", "expired"),
            Self::Empty => ("空答复", "empty answer"),
            Self::Gone => ("消失", "gone"),
            Self::Unreadable => ("读不懂", "unreadable"),
            Self::Interrupted => ("中断", "interrupted"),
            Self::Unwatched => ("不再抓取", "unwatched"),
            Self::Forgotten => ("已删除", "forgotten"),
            Self::Cancelled => ("取消", "cancelled"),
        }
    }

    /// The column of the view `coverage` that counts it.
    pub const fn coverage(self) -> &'static str {
        match self {
            Self::DaemonDown | Self::Interrupted => "daemon_down",
            Self::UpstreamFailure | Self::Transport | Self::RateLimited | Self::Unreadable => {
                "upstream"
            }
            Self::Denied | Self::BadCredentials => "access",
            Self::Gone | Self::Empty => "gone",
            Self::BadRequest => "refused",
            Self::Superseded | Self::Quota | Self::Balance | Self::Budget | Self::Paused => {
                self.as_str()
            }
            Self::Unpriced
            | Self::Overlap
            | Self::Skipped
            | Self::Expired
            | Self::Unwatched
            | Self::Forgotten
            | Self::Cancelled => "other",
        }
    }

    /// Whether a slot that one job missed so, without an attempt, is opened by a fire of another
    /// job: the reason is a matter of the job's schedule alone.
    pub const fn is_of_schedule(self) -> bool {
        match self {
            Self::DaemonDown | Self::Superseded | Self::Overlap | Self::Skipped | Self::Expired => {
                true
            }
            Self::UpstreamFailure
            | Self::RateLimited
            | Self::Transport
            | Self::Quota
            | Self::Balance
            | Self::Denied
            | Self::BadRequest
            | Self::BadCredentials
            | Self::Paused
            | Self::Budget
            | Self::Unpriced
            | Self::Empty
            | Self::Gone
            | Self::Unreadable
            | Self::Interrupted
            | Self::Unwatched
            | Self::Forgotten
            | Self::Cancelled => false,
        }
    }
}

impl PauseReason {
    /// What it is called before people.
    pub const fn said(self) -> Said {
        match self {
            Self::Quota => ("配额用完", "quota used up"),
            Self::Balance => ("余额不足", "balance used up"),
            Self::Denied => ("无权限", "access denied"),
            Self::BadCredentials => ("token 无效", "token refused"),
            Self::Failing => ("持续失败", "every call fails"),
            Self::ByHand => ("人工暂停", "paused by hand"),
            Self::Budget => ("预算用完", "budget used up"),
            Self::Unpriced => ("没有单价", "no price"),
        }
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

impl From<Unavailability> for MissedReason {
    /// The reason of a slot of a target that cannot be observed.
    fn from(state: Unavailability) -> Self {
        match state {
            Unavailability::Gone => Self::Gone,
            Unavailability::Refused => Self::BadRequest,
            Unavailability::Unreadable => Self::Unreadable,
        }
    }
}
