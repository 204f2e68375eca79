//! Plain rows, named and typed as the tables are, and [`Facts`]: what one answer says.
//!
//! Every field says which JSON path feeds it. A field that the answer lacks is
//! [`Field::Absent`]; a value that is known to mean "hidden" is never zero.

mod call;
pub mod catalogue;
mod douyin;
mod entity;
mod items;
mod kol_figures;
mod kols;
pub(crate) mod named;
mod pause;
mod reason;
mod status;
mod xiaohongshu;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use call::{Billed, Outcome};
pub use catalogue::Field;
use catalogue::{Row as _, Table, table};
pub use douyin::{Music, Work};
pub use entity::{Entity, EntityKind};
pub use items::{Counts, Creator, Image, Item, ItemHashtag, Mention};
pub use kol_figures::KolFigures;
pub use kols::{Kol, KolFacts, KolNote, KolSearchResult, KolTag, TagKind};
use named::named;
pub use pause::Pause;
pub use reason::{MissedReason, PauseReason, Said};
pub use status::{
    BackfillState, Origin, PauseScope, ProblemKind, ResumedBy, SlotOutcome, Suspect, Unavailability,
};
pub use xiaohongshu::{KeywordSuggestion, Note};

/// Version of the normalisers. With a new version a replay may give other rows.
pub const NORMALISER: i64 = 1;

/// Every table that answers fill.
pub static TABLES: [Table; 15] = [
    Note::TABLE,
    Work::TABLE,
    Author::TABLE,
    Kol::TABLE,
    Music::TABLE,
    Image::TABLE,
    ItemHashtag::TABLE,
    Mention::TABLE,
    Creator::TABLE,
    KolTag::TABLE,
    KolNote::TABLE,
    KolSearchResult::TABLE,
    KeywordSuggestion::TABLE,
    Counts::TABLE,
    KolFigures::TABLE,
];

named! {
    /// A platform.
    #[derive(Default)]
    Platform {
        /// 小红书.
        #[default]
        Xiaohongshu = "xiaohongshu",
        /// 抖音.
        Douyin = "douyin",
    }

    /// Kind of a target.
    Kind {
        /// A Xiaohongshu note, by its id.
        Note = "note",
        /// A keyword, for its search suggestions.
        Keyword = "keyword",
        /// A KOL search, by its filter.
        KolSearch = "kol_search",
        /// A Douyin work, by its id.
        Work = "work",
    }
}

impl Kind {
    /// The platform of such targets.
    pub fn platform(self) -> Platform {
        match self {
            Self::Note | Self::Keyword | Self::KolSearch => Platform::Xiaohongshu,
            Self::Work => Platform::Douyin,
        }
    }
}

/// A target: one thing to fetch, as a watchlist names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Its kind.
    pub kind: Kind,
    /// A note or work id, a keyword, a [`KolSearch`] key, or a short link (`https://…`)
    /// that is not resolved yet.
    pub key: String,
}

impl Target {
    /// Whether the key is a short link, which a provider has to resolve before a fetch.
    pub fn is_short_link(&self) -> bool {
        self.is_note_or_work() && self.key.starts_with("https://")
    }

    /// Maximum number of pages of one slot, each with a call of its own.
    pub fn pages(&self) -> u32 {
        match self.kind {
            Kind::KolSearch => KolSearch::from_key(&self.key).map_or(1, |it| it.max_pages),
            Kind::Note | Kind::Keyword | Kind::Work => 1,
        }
    }

    /// Whether the key is the id of a note or a work.
    pub fn is_item(&self) -> bool {
        self.is_note_or_work() && !self.is_short_link()
    }

    fn is_note_or_work(&self) -> bool {
        matches!(self.kind, Kind::Note | Kind::Work)
    }
}

/// A KOL search as a target's key: the filter and how many pages of it to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KolSearch {
    /// Query parameters, sorted by name, values as sent.
    pub filter: BTreeMap<String, String>,
    /// Pages to read at the most.
    pub max_pages: u32,
}

impl KolSearch {
    /// The key: the same search always gives the same text.
    pub fn to_key(&self) -> String {
        serde_json::json!({ "filter": self.filter, "max_pages": self.max_pages }).to_string()
    }

    /// The key of a target of a kind as people write it: a search as `fetch kols` takes it.
    pub fn shown<'a>(kind: &str, key: &'a str) -> Cow<'a, str> {
        match Self::from_key(key).filter(|_| kind == Kind::KolSearch.as_str()) {
            Some(search) => Cow::Owned(search.to_string()),
            None => Cow::Borrowed(key),
        }
    }

    /// The search of a key; `None` when the text is no such key.
    pub fn from_key(key: &str) -> Option<Self> {
        serde_json::from_str(key).ok()
    }
}

/// As `fetch kols` takes it: `keyword=阅读 fansNumberLower=1000 --max-pages 2`.
impl fmt::Display for KolSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (name, value)) in self.filter.iter().enumerate() {
            let separator = if nth == 0 { "" } else { " " };
            // Quoted for a shell.
            let is_plain = value.chars().all(|c| c.is_alphanumeric() || "-_.,:%+".contains(c));
            let value = if is_plain {
                value.clone()
            } else {
                format!("'{}'", value.replace('\'', r"'\''"))
            };
            write!(f, "{separator}{name}={value}")?;
        }
        if self.max_pages > 1 { write!(f, " --max-pages {}", self.max_pages) } else { Ok(()) }
    }
}

/// The facts in one answer, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Notes.
    pub notes: Vec<Item<Note>>,
    /// Works.
    pub works: Vec<Item<Work>>,
    /// Their authors.
    pub authors: Vec<Author>,
    /// KOLs.
    pub kols: Vec<KolFacts>,
    /// The music of works.
    pub music: Vec<Music>,
    /// Suggestions for a keyword.
    pub keyword_suggestions: Vec<KeywordSuggestion>,
    /// Results of a KOL search.
    pub kol_search_results: Vec<KolSearchResult>,
}

table! {
    /// The author of a note or a work.
    Author in "authors" {
        /// Which platform the id belongs to.
        Key platform: Platform,
        /// Xiaohongshu `user.userid`, else `user.id`; Douyin `author.uid`.
        Key author_id: String,
        /// Douyin `author.sec_uid`.
        Fact sec_uid: Field<String>,
        /// Xiaohongshu `user.red_id`; Douyin `author.unique_id`, else `author.short_id`. May hold letters.
        Fact handle: Field<String>,
        /// `nickname`.
        Tracked nickname: Field<String>,
        /// Xiaohongshu `user.image` or `user.images`; Douyin `author.avatar_thumb.url_list[0]`.
        Volatile avatar_url: Field<String>,
        /// Xiaohongshu `user.red_official_verified`; Douyin `author.is_verified`.
        Fact is_verified: Field<bool>,
        /// Xiaohongshu `user.red_official_verify_type`; Douyin `author.verification_type`; a code
        /// as given.
        Fact verification_type: Field<i64>,
        /// Douyin `author.custom_verify`, else `author.enterprise_verify_reason`: as what it is
        /// verified.
        Fact verification: Field<String>,
        /// Douyin `author.signature`: what it says of itself.
        Fact signature: Field<String>,
        /// Douyin `author.follower_count`, a running number; 0 hides it and is NULL.
        Volatile followers: Field<i64>,
        /// Douyin `author.following_count`, a running number; 0 hides it and is NULL.
        Volatile following: Field<i64>,
        /// Douyin `author.total_favorited`, a running number; 0 hides it and is NULL.
        Volatile likes_received: Field<i64>,
        /// Douyin `author.aweme_count`, a running number; 0 hides it and is NULL.
        Volatile works: Field<i64>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_shown_as_it_is_asked_for_and_no_keyword_passes_for_one() {
        let filter = [("keyword", "阅读 笔记"), ("fansNumberLower", "1000")];
        let filter = filter.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let key = KolSearch { filter, max_pages: 2 }.to_key();
        let shown = KolSearch::shown("kol_search", &key);
        assert_eq!(shown, "fansNumberLower=1000 keyword='阅读 笔记' --max-pages 2");
        assert_eq!(KolSearch::shown("keyword", &key), key);
        assert_eq!(KolSearch::shown("kol_search", "what nobody reads"), "what nobody reads");
    }
}
