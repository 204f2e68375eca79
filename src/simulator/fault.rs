//! What can go wrong with one answer, and how it is written.

use std::fmt;
use std::str::FromStr;

/// The codes that can be asked for.
const CODES: [i64; 15] =
    [100, 101, 201, 202, 300, 301, 302, 303, 400, 404, 500, 503, 600, 601, 602];

/// Faults without a parameter, and their names.
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

/// What goes wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An upstream code other than success.
    Code(i64),
    /// Success, with nothing in it.
    Empty,
    /// The platform says that the work is deleted or hidden. Elsewhere as empty.
    Gone,
    /// Success, about something else than was asked for.
    WrongId,
    /// A gateway's HTML page, HTTP 502.
    NotJson,
    /// The same with this HTTP status.
    Page(u16),
    /// The body ends early.
    Cut,
    /// The connection closes without an answer.
    Drop,
    /// The right answer, after so many milliseconds.
    Slow(u64),
    /// The right answer, with much padding.
    Huge,
    /// The right answer, with U+0000 in a text.
    Nul,
    /// The right answer, with half a surrogate pair in a text.
    Surrogate,
    /// The right answer, with a key twice.
    Duplicate,
    /// The right answer, with the request's URL in it, token included.
    EchoToken,
    /// HTTP 302 to another host, with the request's query.
    Redirect,
    /// amagi: the platform refuses a robot. Elsewhere code 500.
    Risk,
    /// amagi: the cookie is no longer valid. Elsewhere code 500.
    DeadCookie,
    /// Nothing: an exception to a later rule.
    None,
}

impl Fault {
    /// How every fault is written; a slow one needs its milliseconds in the place of `MS`, a page
    /// its HTTP status.
    pub fn names() -> Vec<String> {
        let named = NAMED.iter().map(|(name, _)| (*name).to_owned());
        CODES
            .iter()
            .map(i64::to_string)
            .chain(named)
            .chain(["slow:MS", "http:STATUS"].map(str::to_owned))
            .collect()
    }

    /// Whether the call gets a true answer all the same.
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
            let help = || format!("{text:?}: http needs a status of a failure, as in http:404");
            return parsed.map(Self::Page).ok_or_else(help);
        }
        if let Some((_, fault)) = NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(*fault);
        }
        let code = text.parse().ok().filter(|code| CODES.contains(code));
        code.map(Self::Code).ok_or_else(|| {
            format!("no fault is called {text:?}; there are {}", Self::names().join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_reads_as_it_is_written() {
        for (_, fault) in NAMED {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
        assert_eq!("slow:5".parse(), Ok(Fault::Slow(5)));
        assert_eq!(Fault::Slow(5).to_string(), "slow:5");
        assert_eq!(Fault::Page(404).to_string().parse(), Ok(Fault::Page(404)));
        assert!("http:200".parse::<Fault>().is_err(), "that is no failure");
    }
}
