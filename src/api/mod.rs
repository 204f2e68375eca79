//! The upstream APIs: one pure file an endpoint, and one client that sends.
//!
//! [`Endpoint::request`] says what to send, [`Endpoint::read`] what an answer means. Neither
//! touches the network; only [`client`] does.

mod balance;
pub mod client;
mod counts;
mod envelope;
mod json;
mod json_text;
mod kols;
mod note;
mod provider;
mod reading;
mod share_link;
mod suggestions;
mod work;

use crate::model::named::named;
pub use crate::model::{Billed, Outcome};
pub use balance::Balance;
pub use kols::{LAST_PAGE, has_more};
pub use provider::{Choice, Profile, Provider};
pub use reading::{Listing, Reading};

use crate::document::JsonText;
use crate::model::Kind;

named! {
    /// One way to ask one thing of one provider. The name stands on the ledger and in the settings.
    Endpoint {
        /// Xiaohongshu note detail, the version recommended upstream.
        NoteDetailV1 = "xiaohongshu/get-note-detail/v1",
        /// The same shape as v1.
        NoteDetailV3 = "xiaohongshu/get-note-detail/v3",
        /// Video notes only; `data[0]` is the note itself.
        NoteDetailV6 = "xiaohongshu/get-note-detail/v6",
        /// The same shape as v1; deprecated upstream.
        NoteDetailV7 = "xiaohongshu/get-note-detail/v7",
        /// Xiaohongshu search suggestions of a keyword.
        SearchSuggestions = "xiaohongshu/search-recommend/v1",
        /// Pugongying KOL search, one page a call.
        KolSearch = "xiaohongshu-pgy/kol-search/v1",
        /// Resolves a Xiaohongshu short link.
        NoteShareLink = "xiaohongshu/share-url-transfer/v1",
        /// A Douyin work from amagi 4.1 and later, by its id.
        AmagiWorkById = "amagi/fetch_one_work",
        /// A Douyin work from amagi 3.2 to 4.0, by its link.
        AmagiWorkByUrl = "amagi/fetch_one_work?url",
        /// A Douyin work from JustOneAPI, by its id.
        WorkDetail = "douyin/get-video-detail/v2",
        /// Resolves a Douyin short link.
        WorkShareLink = "douyin/share-url-transfer/v1",
    }
}

/// What is asked of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The note id, keyword, [`KolSearch`](crate::model::KolSearch) key, work id or link.
    pub key: String,
    /// The page, from 1; 1 where the endpoint has no pages.
    pub page: u32,
}

/// What to send: a path below the provider's base URL, and query parameters.
/// The token is not among them; the client adds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Begins with `/`.
    pub path: &'static str,
    /// Names and values, not yet encoded.
    pub query: Vec<(String, String)>,
}

impl Endpoint {
    /// The endpoint that fetches a kind of target where no setting names a provider.
    pub fn first_of(kind: Kind) -> Self {
        match kind {
            Kind::Note => Self::NoteDetailV1,
            Kind::Keyword => Self::SearchSuggestions,
            Kind::KolSearch => Self::KolSearch,
            Kind::Work => Self::WorkDetail,
        }
    }

    /// Who answers it.
    pub fn provider(self) -> Provider {
        match self {
            Self::AmagiWorkById | Self::AmagiWorkByUrl => Provider::Amagi,
            Self::NoteDetailV1
            | Self::NoteDetailV3
            | Self::NoteDetailV6
            | Self::NoteDetailV7
            | Self::SearchSuggestions
            | Self::KolSearch
            | Self::NoteShareLink
            | Self::WorkDetail
            | Self::WorkShareLink => Provider::JustOneApi,
        }
    }

    /// Which endpoint resolves a short link before this one can be asked; `None` where it takes
    /// the link itself.
    pub fn resolver(self) -> Option<Self> {
        match self {
            Self::NoteDetailV1 | Self::NoteDetailV3 | Self::NoteDetailV6 | Self::NoteDetailV7 => {
                Some(Self::NoteShareLink)
            }
            Self::AmagiWorkById | Self::WorkDetail => Some(Self::WorkShareLink),
            Self::AmagiWorkByUrl
            | Self::SearchSuggestions
            | Self::KolSearch
            | Self::NoteShareLink
            | Self::WorkShareLink => None,
        }
    }

    /// Whether it resolves a short link to the item behind it.
    pub fn is_resolver(self) -> bool {
        Self::ALL.into_iter().any(|endpoint| endpoint.resolver() == Some(self))
    }

    /// The endpoints of a name with or without its version.
    pub fn named(name: &str) -> Vec<Self> {
        let is_named = |it: &Self| {
            it.as_str() == name
                || it.as_str().rsplit_once('/').is_some_and(|(family, _)| family == name)
        };
        Self::ALL.into_iter().filter(is_named).collect()
    }

    /// What kind of target it is asked about.
    pub fn kind(self) -> Kind {
        match self {
            Self::NoteDetailV1
            | Self::NoteDetailV3
            | Self::NoteDetailV6
            | Self::NoteDetailV7
            | Self::NoteShareLink => Kind::Note,
            Self::SearchSuggestions => Kind::Keyword,
            Self::KolSearch => Kind::KolSearch,
            Self::AmagiWorkById | Self::AmagiWorkByUrl | Self::WorkDetail | Self::WorkShareLink => {
                Kind::Work
            }
        }
    }

    /// The note or work that an answer is about, by its own word; `None` where it does not say.
    pub fn subject(self, body: &str) -> Option<String> {
        let body: json::Value<'_> = serde_json::from_str(body).ok()?;
        let data = json::at(&body, "/data");
        match self {
            Self::NoteDetailV1 | Self::NoteDetailV3 | Self::NoteDetailV6 | Self::NoteDetailV7 => {
                note::subject(data)
            }
            Self::WorkDetail => work::subject(data),
            Self::AmagiWorkById | Self::AmagiWorkByUrl => {
                work::subject(data).or_else(|| work::subject(&body))
            }
            Self::SearchSuggestions
            | Self::KolSearch
            | Self::NoteShareLink
            | Self::WorkShareLink => None,
        }
    }

    /// What to send to ask for `ask`.
    pub fn request(self, ask: &Ask) -> Request {
        let one =
            |path, name: &str| Request { path, query: vec![(name.to_owned(), ask.key.clone())] };
        match self {
            Self::NoteDetailV1 => one("/api/xiaohongshu/get-note-detail/v1", "noteId"),
            Self::NoteDetailV3 => one("/api/xiaohongshu/get-note-detail/v3", "noteId"),
            Self::NoteDetailV6 => one("/api/xiaohongshu/get-note-detail/v6", "noteId"),
            Self::NoteDetailV7 => one("/api/xiaohongshu/get-note-detail/v7", "noteId"),
            Self::SearchSuggestions => one("/api/xiaohongshu/search-recommend/v1", "keyword"),
            Self::KolSearch => kols::request(ask),
            Self::NoteShareLink => one("/api/xiaohongshu/share-url-transfer/v1", "shareUrl"),
            Self::AmagiWorkById => one("/douyin/fetch_one_work", "aweme_id"),
            Self::AmagiWorkByUrl => work::amagi::request_by_url(ask),
            Self::WorkDetail => one("/api/douyin/get-video-detail/v2", "videoId"),
            Self::WorkShareLink => one("/api/douyin/share-url-transfer/v1", "shareUrl"),
        }
    }

    /// What an answer to `ask` means: a pure function of its HTTP status and its text.
    pub fn read(self, ask: &Ask, http_status: u16, body: &JsonText<'_>) -> Reading {
        match self {
            Self::NoteDetailV1 | Self::NoteDetailV3 | Self::NoteDetailV6 | Self::NoteDetailV7 => {
                envelope::read(http_status, body, |data| note::normalise(ask, data))
            }
            Self::SearchSuggestions => {
                envelope::read(http_status, body, |data| suggestions::normalise(ask, data))
            }
            Self::KolSearch => envelope::read(http_status, body, |data| kols::normalise(ask, data)),
            Self::NoteShareLink => envelope::read(http_status, body, share_link::note),
            Self::WorkShareLink => envelope::read(http_status, body, share_link::work),
            Self::WorkDetail => {
                envelope::read(http_status, body, |data| work::normalise(ask, data))
            }
            Self::AmagiWorkById | Self::AmagiWorkByUrl => work::amagi::read(ask, http_status, body),
        }
    }
}

#[cfg(test)]
mod tests;
