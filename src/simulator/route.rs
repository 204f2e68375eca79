//! Routes: the endpoint of a path, and the parameters of a call.

use std::collections::BTreeMap;

use super::catalogue::{code_in, note_id_in, work_id_in};

/// The endpoints, by their names in fault rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Endpoint {
    Note,
    Suggestions,
    Kols,
    Work,
    Amagi,
    NoteLink,
    WorkLink,
    Balance,
}

impl Endpoint {
    pub(super) const ALL: [Self; 8] = [
        Self::Note,
        Self::Suggestions,
        Self::Kols,
        Self::Work,
        Self::Amagi,
        Self::NoteLink,
        Self::WorkLink,
        Self::Balance,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Suggestions => "suggestions",
            Self::Kols => "kols",
            Self::Work => "work",
            Self::Amagi => "amagi",
            Self::NoteLink => "note-link",
            Self::WorkLink => "work-link",
            Self::Balance => "balance",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.as_str() == name)
    }

    /// The endpoint at `path`.
    pub(super) fn at(path: &str) -> Option<Self> {
        Some(match path {
            "/api/xiaohongshu/get-note-detail/v1"
            | "/api/xiaohongshu/get-note-detail/v3"
            | "/api/xiaohongshu/get-note-detail/v6"
            | "/api/xiaohongshu/get-note-detail/v7" => Self::Note,
            "/api/xiaohongshu/search-recommend/v1" => Self::Suggestions,
            "/api/xiaohongshu-pgy/api/solar/cooperator/blogger/v2/v1" => Self::Kols,
            "/api/douyin/get-video-detail/v2" => Self::Work,
            "/api/douyin/fetch_one_work" | "/amagi/api/douyin/fetch_one_work" => Self::Amagi,
            "/api/xiaohongshu/share-url-transfer/v1" => Self::NoteLink,
            "/api/douyin/share-url-transfer/v1" => Self::WorkLink,
            "/user/get-balance" => Self::Balance,
            _ => return None,
        })
    }

    /// The parameter with the key, if one is required.
    fn parameter(self) -> Option<&'static str> {
        match self {
            Self::Note => Some("noteId"),
            Self::Suggestions => Some("keyword"),
            Self::Work => Some("videoId"),
            Self::NoteLink | Self::WorkLink => Some("shareUrl"),
            Self::Kols | Self::Amagi | Self::Balance => None,
        }
    }
}

/// A parsed call.
pub(super) struct Call {
    pub(super) endpoint: Endpoint,
    /// The path without the query.
    pub(super) path: String,
    /// The path with the query, which contains the token.
    pub(super) target: String,
    /// A note or work id, a keyword, a link, or the filter of a KOL search.
    pub(super) key: String,
    /// From 1; `None` for endpoints without pages.
    pub(super) page: Option<usize>,
    pub(super) query: BTreeMap<String, String>,
}

/// Why a request is refused.
pub(super) enum BadRequest {
    /// A parameter is missing: HTTP 400 without a code.
    Missing,
    /// A parameter is invalid: code 400.
    Invalid,
}

impl Call {
    pub(super) fn new(endpoint: Endpoint, path: &str, query: &str) -> Self {
        let query: BTreeMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let page = match endpoint {
            Endpoint::Kols => query.get("page").map_or(Some(1), |page| page.parse().ok()),
            _ => None,
        };
        Self {
            endpoint,
            path: path.to_owned(),
            target: String::new(),
            key: key(endpoint, &query),
            page,
            query,
        }
    }

    pub(super) fn check(&self) -> Result<(), BadRequest> {
        if self.endpoint.parameter().is_some() && self.key.is_empty() {
            return Err(BadRequest::Missing);
        }
        let sound = match self.endpoint {
            Endpoint::Note => note_id_in(&self.key).is_some(),
            Endpoint::Work => work_id_in(&self.key).is_some(),
            Endpoint::NoteLink => {
                code_in(&self.key, "xhslink.com/").or(note_id_in(&self.key)).is_some()
            }
            Endpoint::WorkLink => {
                code_in(&self.key, "v.douyin.com/").or(work_id_in(&self.key)).is_some()
            }
            Endpoint::Kols => self.page.is_some_and(|page| page > 0),
            Endpoint::Suggestions | Endpoint::Amagi | Endpoint::Balance => true,
        };
        if sound { Ok(()) } else { Err(BadRequest::Invalid) }
    }

    /// The same call for another key.
    pub(super) fn about_another(&self) -> Self {
        let mut query = self.query.clone();
        let name = match self.endpoint {
            Endpoint::Kols | Endpoint::Suggestions | Endpoint::Balance => "keyword",
            Endpoint::Amagi => "aweme_id",
            endpoint => endpoint.parameter().unwrap_or_default(),
        };
        let asked = query.get(name).cloned().unwrap_or_default();
        query.insert(name.to_owned(), another(self.endpoint, &asked));
        Self {
            key: key(self.endpoint, &query),
            endpoint: self.endpoint,
            path: self.path.clone(),
            target: self.target.clone(),
            page: self.page,
            query,
        }
    }
}

/// Another well-formed key: a neighbouring id, a longer keyword.
fn another(endpoint: Endpoint, key: &str) -> String {
    let found = match endpoint {
        Endpoint::Note | Endpoint::NoteLink => note_id_in(key),
        Endpoint::Work | Endpoint::WorkLink | Endpoint::Amagi => work_id_in(key),
        Endpoint::Suggestions | Endpoint::Kols | Endpoint::Balance => None,
    };
    let Some(id) = found else {
        return format!("{key}另");
    };
    let mut id = id.to_owned();
    let last = id.pop();
    id.push(if last == Some('1') { '2' } else { '1' });
    id
}

fn key(endpoint: Endpoint, query: &BTreeMap<String, String>) -> String {
    let get = |name: &str| query.get(name).cloned().unwrap_or_default();
    match endpoint {
        Endpoint::Kols => {
            let filters = query.iter().filter(|(name, _)| *name != "token" && *name != "page");
            filters.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
        }
        Endpoint::Amagi => {
            let id = get("aweme_id");
            if id.is_empty() { get("url") } else { id }
        }
        Endpoint::Balance => String::new(),
        Endpoint::Note => {
            let asked = get("noteId");
            note_id_in(&asked).map(str::to_owned).unwrap_or(asked)
        }
        Endpoint::Suggestions | Endpoint::Work | Endpoint::NoteLink | Endpoint::WorkLink => {
            get(endpoint.parameter().unwrap_or_default())
        }
    }
}
