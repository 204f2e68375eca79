//! Outcome and price of a call, as the ledger names them.

use super::named::named;

named! {
    /// Outcome of a call.
    Outcome {
        /// An answer that was understood.
        Ok = "ok",
        /// Success upstream without content: no verdict.
        Empty = "empty",
        /// Upstream says that the item is deleted or hidden.
        Gone = "gone",
        /// Temporary upstream failure: 301, 500, 503, a gateway's page.
        Retryable = "retryable",
        /// 302: this endpoint was called too often.
        RateLimited = "rate_limited",
        /// 303: the day's quota of this endpoint is used up.
        Quota = "quota",
        /// 601, 602: the account or the token has no money left.
        Balance = "balance",
        /// 600: this token may not use this endpoint.
        Denied = "denied",
        /// 400, 404; HTTP 400 and 422 without a code: the request itself is wrong.
        BadRequest = "bad_request",
        /// 100: the token is not valid.
        BadCredentials = "bad_credentials",
        /// An answer that is not understood, or is about something else than was asked for.
        Unreadable = "unreadable",
        /// No complete answer came.
        Transport = "transport",
    }

    /// Whether a call was paid for.
    Billed {
        /// Upstream bills such answers.
        Yes = "yes",
        /// Upstream does not bill such answers.
        No = "no",
        /// Unknown: the answer never came whole, or its code is not documented.
        Unknown = "unknown",
    }
}
