//! The providers: whatever differs between two of them is data in this file.

use super::{Endpoint, Request};
use crate::model::Kind;
use crate::model::named::named;

named! {
    /// Who answers. The name stands in the settings and in the database, and in capitals it begins
    /// the names of the provider's environment variables.
    Provider {
        /// JustOneAPI: a token, paid by the call.
        JustOneApi = "justoneapi",
        /// An amagi server that the user hosts: no token, no price.
        Amagi = "amagi",
    }
}

/// What is particular about a provider.
#[derive(Debug)]
pub struct Profile {
    /// Its name for people.
    pub title: &'static str,
    /// Default address.
    pub base_url: &'static str,
    /// Default calls in flight.
    pub concurrency: u32,
    /// Default calls per second and endpoint.
    pub rate_per_second: u32,
    /// The query parameter of its token; `None`: it takes none.
    pub token: Option<&'static str>,
    /// Whether calls cost money.
    pub paid: bool,
    /// The path that says what is left on the account, in `data.balance` and `data.currency`, free
    /// of charge; `None`: it does not say.
    pub balance: Option<&'static str>,
    /// The setting that chooses among endpoints of one kind, if any.
    pub choice: Option<Choice>,
}

/// A key of a provider's section that chooses one of its endpoints.
#[derive(Debug)]
pub struct Choice {
    /// The key.
    pub key: &'static str,
    /// Values, their endpoints, and a remark for people.
    pub values: &'static [(&'static str, Endpoint, &'static str)],
    /// The value without the key.
    pub default: &'static str,
}

impl Provider {
    /// What is particular about it.
    pub const fn profile(self) -> &'static Profile {
        match self {
            // Its rate limit is not published.
            Self::JustOneApi => &Profile {
                title: "JustOneAPI",
                base_url: "https://api.justoneapi.com",
                concurrency: 8,
                rate_per_second: 5,
                token: Some("token"),
                paid: true,
                balance: Some("/user/get-balance"),
                choice: Some(Choice {
                    key: "note_detail_version",
                    values: &[
                        ("v1", Endpoint::NoteDetailV1, "recommended upstream"),
                        ("v3", Endpoint::NoteDetailV3, ""),
                        ("v6", Endpoint::NoteDetailV6, "video notes only"),
                        ("v7", Endpoint::NoteDetailV7, "deprecated upstream"),
                    ],
                    default: "v1",
                }),
            },
            // One browser behind one cookie, on this machine.
            Self::Amagi => &Profile {
                title: "amagi",
                base_url: "http://127.0.0.1:4567/api",
                concurrency: 2,
                rate_per_second: 2,
                token: None,
                paid: false,
                balance: None,
                choice: Some(Choice {
                    key: "parameter",
                    values: &[
                        ("aweme_id", Endpoint::AmagiWorkById, "amagi 4.1 and later"),
                        ("url", Endpoint::AmagiWorkByUrl, "amagi 3.2 to 4.0"),
                    ],
                    default: "aweme_id",
                }),
            },
        }
    }

    /// An environment variable of its own: `JUSTONEAPI_TOKEN`.
    pub fn variable(self, suffix: &str) -> String {
        format!("{}_{suffix}", self.as_str().to_uppercase())
    }

    /// Its endpoints.
    pub fn endpoints(self) -> impl DoubleEndedIterator<Item = Endpoint> {
        Endpoint::ALL.into_iter().filter(move |endpoint| endpoint.provider() == self)
    }

    /// The endpoint that fetches targets of a kind, if it has one: the one of `choice` where the
    /// settings choose.
    pub fn endpoint(self, kind: Kind, choice: Option<&str>) -> Option<Endpoint> {
        let serves = |endpoint: &Endpoint| endpoint.kind() == kind && !endpoint.is_resolver();
        let chosen = self.profile().choice.as_ref().and_then(|it| it.endpoint(choice));
        chosen.into_iter().chain(self.endpoints()).find(serves)
    }

    /// What to send to ask what is left on the account, if it says.
    pub fn balance_request(self) -> Option<Request> {
        self.profile().balance.map(|path| Request { path, query: Vec::new() })
    }

    /// What to set for its token.
    pub fn token_help(self) -> String {
        let token = self.variable("TOKEN");
        format!("set {token}, or {token}_FILE to the path of a file that holds it")
    }
}

impl Choice {
    /// The endpoint of a value, by default that of the default.
    pub fn endpoint(&self, value: Option<&str>) -> Option<Endpoint> {
        let value = value.unwrap_or(self.default);
        self.values.iter().find(|it| it.0 == value).map(|it| it.1)
    }
}
