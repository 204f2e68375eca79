//! The upstream APIs: one pure file an endpoint, and one client that sends.
//!
//! [`Endpoint::request`] says what to send, [`Endpoint::read`] what an answer means. Neither
//! touches the network; only [`client`] does.

pub mod client;
mod envelope;
mod json;
mod kols;
mod note;
mod outcome;
mod share_link;
mod suggestions;
mod work;

pub use outcome::{Billed, Outcome};

use crate::model::Batch;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// JustOneAPI: a token, paid by the call.
    JustOneApi,
    /// An amagi server that the user hosts: no token, no price.
    Amagi,
}

/// One way to ask one thing of one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// Xiaohongshu note detail, the version recommended upstream.
    NoteDetailV1,
    /// The same shape as v1.
    NoteDetailV3,
    /// Video notes only; `data[0]` is the note itself.
    NoteDetailV6,
    /// The same shape as v1; deprecated upstream.
    NoteDetailV7,
    /// Xiaohongshu search suggestions of a keyword.
    SearchSuggestions,
    /// Pugongying KOL search, one page a call.
    KolSearch,
    /// Resolves a Xiaohongshu short link.
    NoteShareLink,
    /// A Douyin work from amagi 4.1 and later, by its id.
    AmagiWorkById,
    /// A Douyin work from amagi 3.2 to 4.0, by its link.
    AmagiWorkByUrl,
    /// A Douyin work from JustOneAPI, by its id.
    WorkDetail,
    /// Resolves a Douyin short link.
    WorkShareLink,
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

/// What an answer means.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What came of the call.
    pub outcome: Outcome,
    /// The upstream code, as text.
    pub code: Option<String>,
    /// What upstream said, or the evidence of the outcome, for people.
    pub message: Option<String>,
    /// Whether the call was paid for.
    pub billed: Billed,
    /// The rows; empty unless the outcome is [`Outcome::Ok`].
    pub batch: Batch,
    /// What in the answer was not understood, or is not what was asked for.
    pub drift: Option<String>,
    /// Of a page of a listing: what the paging rules need.
    pub listing: Option<Listing>,
    /// Of a resolved short link: the id of the item behind it.
    pub resolved: Option<String>,
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The ids on this page.
    pub ids: Vec<String>,
    /// `total`: a ceiling for paging, not a count of hits.
    pub total: Option<i64>,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 11] = [
        Self::NoteDetailV1,
        Self::NoteDetailV3,
        Self::NoteDetailV6,
        Self::NoteDetailV7,
        Self::SearchSuggestions,
        Self::KolSearch,
        Self::NoteShareLink,
        Self::AmagiWorkById,
        Self::AmagiWorkByUrl,
        Self::WorkDetail,
        Self::WorkShareLink,
    ];

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

    /// The name on the ledger and in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoteDetailV1 => "xiaohongshu/get-note-detail/v1",
            Self::NoteDetailV3 => "xiaohongshu/get-note-detail/v3",
            Self::NoteDetailV6 => "xiaohongshu/get-note-detail/v6",
            Self::NoteDetailV7 => "xiaohongshu/get-note-detail/v7",
            Self::SearchSuggestions => "xiaohongshu/search-recommend/v1",
            Self::KolSearch => "xiaohongshu-pgy/kol-search/v1",
            Self::NoteShareLink => "xiaohongshu/share-url-transfer/v1",
            Self::AmagiWorkById => "amagi/fetch_one_work",
            Self::AmagiWorkByUrl => "amagi/fetch_one_work?url",
            Self::WorkDetail => "douyin/get-video-detail/v2",
            Self::WorkShareLink => "douyin/share-url-transfer/v1",
        }
    }

    /// The endpoint of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|endpoint| endpoint.name() == name)
    }

    /// What to send to ask for `ask`.
    pub fn request(self, _ask: &Ask) -> Request {
        unimplemented!()
    }

    /// What an answer to `ask` means: a pure function of its HTTP status and its text.
    pub fn read(self, _ask: &Ask, _http_status: u16, _body: &str) -> Reading {
        unimplemented!()
    }
}
