//! What can come of a call.

/// What came of a call. The names are those on the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// An answer that was understood.
    Ok,
    /// Success upstream, and nothing in it: no content, no verdict.
    Empty,
    /// The upstream says that the item is deleted or hidden.
    Gone,
    /// Upstream failed in a way that passes: 301, 500, 503, a gateway's page.
    Retryable,
    /// 302: this endpoint was asked too often.
    RateLimited,
    /// 303: the day's quota of this endpoint is used up.
    Quota,
    /// 601, 602: the account or the token has no money left.
    Balance,
    /// 600: this token may not use this endpoint.
    Denied,
    /// 400, 404; HTTP 400 and 422 without a code: the question itself is wrong.
    BadRequest,
    /// 100: the token is not valid.
    BadCredentials,
    /// An answer that is not understood, or is about something else than was asked.
    Unreadable,
    /// No complete answer came.
    Transport,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 12] = [
        Self::Ok,
        Self::Empty,
        Self::Gone,
        Self::Retryable,
        Self::RateLimited,
        Self::Quota,
        Self::Balance,
        Self::Denied,
        Self::BadRequest,
        Self::BadCredentials,
        Self::Unreadable,
        Self::Transport,
    ];

    /// The name on the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Empty => "empty",
            Self::Gone => "gone",
            Self::Retryable => "retryable",
            Self::RateLimited => "rate_limited",
            Self::Quota => "quota",
            Self::Balance => "balance",
            Self::Denied => "denied",
            Self::BadRequest => "bad_request",
            Self::BadCredentials => "bad_credentials",
            Self::Unreadable => "unreadable",
            Self::Transport => "transport",
        }
    }
}

/// Whether a call was paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Billed {
    /// Upstream says that such answers are billed.
    Yes,
    /// Upstream says that such answers are free.
    No,
    /// Nobody can say: the answer never came whole, or its code is not explained.
    Unknown,
}

impl Billed {
    /// The name on the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}
