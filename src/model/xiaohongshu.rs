//! Rows about Xiaohongshu: notes, and what its search suggests.

use super::catalogue::{Field, table};
use crate::time::Time;

table! {
    /// A Xiaohongshu note, as last seen.
    Note in "notes" {
        /// `note_list[0].id`: 24 hexadecimal digits, sometimes all of them decimal.
        Key note_id: String,
        /// `type`: `normal`, `video`, or whatever comes next.
        Tracked note_type: Field<String>,
        /// `title`; often missing.
        Tracked title: Field<String>,
        /// `desc`, with its `#name[话题]#` marks.
        Tracked body: Field<String>,
        /// `text_language_code`.
        Fact language: Field<String>,
        /// `user.userid`, else `user.id`.
        Tracked author_id: Field<String>,
        /// `time`, seconds (milliseconds on the web).
        Fact published_at: Field<Time>,
        /// `last_update_time`; 0 means never edited.
        Tracked edited_at: Field<Time>,
        /// `ip_location`: the place shown beside the note.
        Tracked ip_location: Field<String>,
        /// `sticky`.
        Tracked pinned: Field<bool>,
        /// `has_related_goods`.
        Tracked has_goods: Field<bool>,
        /// `share_info.link` without its query (which carries tokens).
        Fact share_url: Field<String>,
        /// `video_info_v2.media.stream.h264[0]`/`h265[0]` `.duration` (ms), else `.media.video.duration`
        /// or `video.duration` (s). Milliseconds.
        Fact video_duration_ms: Field<i64>,
        /// `video_info_v2.media.stream.*[0].master_url`, else `video.url`. Signed; expires.
        Volatile video_url: Field<String>,
        /// Pixels, from the same stream.
        Fact video_width: Field<i64>,
        /// Pixels, from the same stream.
        Fact video_height: Field<i64>,
    }
}

table! {
    /// One suggestion for a keyword at one look.
    KeywordSuggestion in "keyword_suggestions" {
        /// The keyword asked for.
        Key keyword: String,
        /// Place in `items` (or `sug_items`), from 1.
        Key rank: i64,
        /// `items[].text`.
        Fact suggestion: String,
        /// `items[].type`.
        Fact suggestion_type: Option<String>,
        /// `items[].search_type`.
        Fact search_type: Option<String>,
        /// `items[].link`; empty is `None`.
        Fact link: Option<String>,
        /// `items[].highlight_flags`: one `1` or `0` a character.
        Fact highlight: Option<String>,
        /// `items[].is_intervened`.
        Fact is_intervened: Option<bool>,
        /// `search_cpl_id` of the answer.
        Fact search_cpl_id: Option<String>,
        /// `word_request_id` of the answer.
        Fact word_request_id: Option<String>,
    }
}
