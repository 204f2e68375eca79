//! The columns of the tables that answers fill, as [`Rows`](crate::store::sql::Rows) has them.

/// An item with children: a note, a KOL or a work.
pub(in crate::store) struct Shape {
    /// Its table.
    pub(in crate::store) table: &'static str,
    /// What it is called in the names of its keys and of the table of its snapshots.
    pub(in crate::store) item: &'static str,
    /// The column of its platform's id.
    pub(in crate::store) id: &'static str,
    /// Its columns, the id first.
    pub(in crate::store) columns: &'static str,
    /// The tables of its children and their columns, the id first.
    pub(in crate::store) children: &'static [(&'static str, &'static str)],
}

const NOTES: Shape = Shape {
    table: "notes",
    item: "note",
    id: "note_id",
    columns: "note_id text, note_type text, title text, body text, language text, author_id text, \
              published_at time, edited_at time, ip_location text, pinned bool, has_goods bool, \
              share_url text, video_duration_ms int, video_url text, video_width int, video_height int",
    children: &[
        (
            "note_images",
            "note_id text, position int, file_id text, width int, height int, url text, \
             is_live bool, live_url text, live_duration_ms int, live_video_id text",
        ),
        ("note_hashtags", "note_id text, position int, hashtag_id text"),
        ("note_mentions", "note_id text, position int, user_id text, nickname text"),
    ],
};

const KOLS: Shape = Shape {
    table: "kols",
    item: "kol",
    id: "kol_id",
    columns: "kol_id text, red_id text, nickname text, avatar_url text, gender text, location text, \
              level int, mcn_id text, mcn_name text, low_active bool, picture_price real, \
              video_price real, lower_price real",
    children: &[
        ("kol_tags", "kol_id text, position int, tag_kind text, category text, tag text"),
        (
            "kol_notes",
            "kol_id text, position int, note_id text, note_type text, content_tag text, image_url text",
        ),
    ],
};

const WORKS: Shape = Shape {
    table: "works",
    item: "work",
    id: "work_id",
    columns: "work_id text, work_type text, aweme_type int, title text, body text, author_id text, \
              published_at time, duration_ms int, region text, city text, video_id text, \
              video_width int, video_height int, cover_url text, share_url text, music_id text, \
              series_id text, mix_id text, mix_episode int, is_deleted bool, is_prohibited bool, \
              is_private bool, with_goods bool",
    children: &[
        (
            "work_images",
            "work_id text, position int, file_id text, width int, height int, url text, is_live bool",
        ),
        ("work_hashtags", "work_id text, position int, hashtag_id text"),
        ("work_mentions", "work_id text, position int, user_id text, sec_uid text, nickname text"),
        (
            "work_creators",
            "work_id text, position int, author_id text, sec_uid text, nickname text, role text",
        ),
    ],
};

/// Every item with children, in the order in which [`Known`](super::known::Known) holds them.
pub(in crate::store) const SHAPES: [&Shape; 3] = [&NOTES, &KOLS, &WORKS];

/// The tables of rows that are no item's or child's.
pub(in crate::store) const FLAT_TABLES: [&str; 13] = [
    "authors",
    "hashtags",
    "music",
    "note_snapshots",
    "kol_snapshots",
    "work_snapshots",
    "note_latest",
    "note_days",
    "work_latest",
    "work_days",
    "edits",
    "keyword_suggestions",
    "kol_search_results",
];

/// The tables that answers fill, all of them.
pub(in crate::store) fn tables() -> impl Iterator<Item = &'static str> {
    let children = SHAPES.iter().flat_map(|shape| shape.children).map(|(table, _)| *table);
    let items = SHAPES.iter().map(|shape| shape.table);
    children.chain(items).chain(FLAT_TABLES)
}

/// What follows an item's own columns; the fingerprint is the last.
pub(in crate::store) const ITEM: &str =
    "document_id int, observed_at time, first_seen_at time, fingerprint text";

/// Whether a column says where and when a row was seen, and nothing of the item.
pub(in crate::store) fn is_stamp(name: &str) -> bool {
    matches!(name, "document_id" | "observed_at" | "first_seen_at" | "fingerprint")
}

pub(in crate::store) const AUTHORS: &str = "platform text, author_id text, sec_uid text, handle text, \
     nickname text, avatar_url text, observed_at time, first_seen_at time";

pub(in crate::store) const HASHTAGS: &str =
    "platform text, hashtag_id text, name text, observed_at time";

pub(in crate::store) const MUSIC: &str =
    "music_id text, title text, author text, duration_ms int, is_original bool, observed_at time";

/// What follows the counts of a snapshot. Its time is a number in SQLite.
pub(in crate::store) const SNAPSHOT: &str = "document_id int, observed_at micros";

/// Whether no count of a snapshot was rounded.
pub(in crate::store) const EXACT: &str = "exact bool";

pub(in crate::store) const NOTE_COUNTS: &str =
    "note_id text, likes int, collects int, comments int, shares int, views int";

pub(in crate::store) const WORK_COUNTS: &str = "work_id text, likes int, comments int, collects int, \
     shares int, plays int, recommends int, downloads int, admires int";

pub(in crate::store) const KOL_FIGURES: &str = "kol_id text, followers int, followers_growth_30d int, \
     followers_growth_rate_30d real, read_median int, engagement_median int, \
     picture_read_median int, picture_engagement_median int, video_read_median int, \
     video_engagement_median int, impression_median_30d int, monthly_engagements int, \
     total_notes int, business_notes int, picture_price real, video_price real, \
     lower_price real, picture_read_cost real, video_read_cost real, picture_cpm real, \
     video_cpm real, picture_engage_cost real, video_engage_cost real, \
     hundred_like_percent real, thousand_like_percent real, active_fans_percent real, \
     engaged_fans_percent real, invite_reply_percent real";

pub(in crate::store) const SUGGESTIONS: &str = "keyword text, rank int, suggestion text, \
     suggestion_type text, search_type text, link text, highlight text, is_intervened bool, \
     search_cpl_id text, word_request_id text, observed_at time, document_id int";

pub(in crate::store) const SEARCH_RESULTS: &str =
    "document_id int, position int, page int, kol_id text";
