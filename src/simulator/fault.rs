//! Faults that one answer can have, and their notation.

use std::fmt;
use std::str::FromStr;

/// Upstream codes that a rule may name.
const CODES: [i64; 15] =
    [100, 101, 201, 202, 300, 301, 302, 303, 400, 404, 500, 503, 600, 601, 602];

/// Faults without a parameter, by name.
const NAMED: [(&str, Fault); 16] = [
    ("empty", Fault::Empty),
    ("gone", Fault::Gone),
    ("wrong-id", Fault::WrongId),
    ("not-json", Fault::NotJson),
    ("cut", Fault::Cut),
    ("drop", Fault::Drop),
    ("transport", Fault::Drop),
    ("huge", Fault::Huge),
    ("nul", Fault::Nul),
    ("surrogate", Fault::Surrogate),
    ("dup", Fault::Duplicate),
    ("echo-token", Fault::EchoToken),
    ("redirect", Fault::Redirect),
    ("risk", Fault::Risk),
    ("dead-cookie", Fault::DeadCookie),
    ("none", Fault::None),
];

/// A fault of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An upstream code other than success.
    Code(i64),
    /// Success without content.
    Empty,
    /// The work is deleted or hidden; a short link leads to the home page. Other endpoints answer as
    /// if empty.
    Gone,
    /// Success, but about another item.
    WrongId,
    /// A gateway's HTML page, HTTP 502.
    NotJson,
    /// A gateway's HTML page with this HTTP status.
    Page(u16),
    /// The body ends early.
    Cut,
    /// The connection closes without an answer.
    Drop,
    /// The right answer after this many milliseconds.
    Slow(u64),
    /// The right answer with a lot of padding.
    Huge,
    /// The right answer with U+0000 in a text.
    Nul,
    /// The right answer with an unpaired surrogate in a text.
    Surrogate,
    /// The right answer with a duplicate key.
    Duplicate,
    /// The right answer with the request's URL in it, token included.
    EchoToken,
    /// HTTP 302 to another host, with the request's query.
    Redirect,
    /// amagi: the platform blocks a robot. Elsewhere code 500.
    Risk,
    /// amagi: the cookie has expired. Elsewhere code 500.
    DeadCookie,
    /// No fault: an exception to a later rule.
    None,
}

impl Fault {
    /// The notation of every fault; `MS` stands for milliseconds, `STATUS` for an HTTP status.
    pub fn names() -> Vec<String> {
        let named = NAMED.iter().map(|(name, _)| (*name).to_owned());
        CODES
            .iter()
            .map(i64::to_string)
            .chain(named)
            .chain(["slow:MS", "http:STATUS"].map(str::to_owned))
            .collect()
    }

    /// Whether the call gets a complete answer in spite of the fault.
    pub(super) fn is_answered(self) -> bool {
        match self {
            Self::Slow(_)
            | Self::Huge
            | Self::Nul
            | Self::Surrogate
            | Self::Duplicate
            | Self::EchoToken
            | Self::None => true,
            Self::Code(_)
            | Self::Empty
            | Self::Gone
            | Self::WrongId
            | Self::NotJson
            | Self::Page(_)
            | Self::Cut
            | Self::Drop
            | Self::Redirect
            | Self::Risk
            | Self::DeadCookie => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Slow(milliseconds) => write!(f, "slow:{milliseconds}"),
            Self::Page(status) => write!(f, "http:{status}"),
            fault => match NAMED.iter().find(|(_, named)| named == fault) {
                Some((name, _)) => f.write_str(name),
                None => Ok(()),
            },
        }
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(milliseconds) = text.strip_prefix("slow:") {
            let parsed = milliseconds.parse().map(Self::Slow);
            return parsed
                .map_err(|_| format!("{text:?}: slow needs milliseconds, as in slow:2000"));
        }
        if let Some(status) = text.strip_prefix("http:") {
            let parsed = status.parse().ok().filter(|status| (400..600).contains(status));
            let help = || format!("{text:?}: http needs an error status, as in http:404");
            return parsed.map(Self::Page).ok_or_else(help);
        }
        if let Some((_, fault)) = NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(*fault);
        }
        let code = text.parse().ok().filter(|code| CODES.contains(code));
        code.map(Self::Code)
            .ok_or_else(|| format!("unknown fault {text:?}; known: {}", Self::names().join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_notation_round_trips() {
        for (_, fault) in NAMED {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
        assert_eq!("slow:5".parse(), Ok(Fault::Slow(5)));
        assert_eq!(Fault::Slow(5).to_string(), "slow:5");
        assert_eq!(Fault::Page(404).to_string().parse(), Ok(Fault::Page(404)));
        assert!("http:200".parse::<Fault>().is_err(), "200 is not an error status");
    }
}
