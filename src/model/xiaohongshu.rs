//! Rows about Xiaohongshu: notes, and what its search suggests.

use serde::Serialize;

use crate::time::Time;

/// A Xiaohongshu note, as last seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Note {
    /// `note_list[0].id`: 24 hexadecimal digits, sometimes all of them decimal.
    pub note_id: String,
    /// `type`: `normal`, `video`, or whatever comes next.
    pub note_type: Option<String>,
    /// `title`; often missing.
    pub title: Option<String>,
    /// `desc`, with its `#name[话题]#` marks.
    pub body: Option<String>,
    /// `text_language_code`.
    pub language: Option<String>,
    /// `user.userid`, else `user.id`.
    pub author_id: Option<String>,
    /// `time`, seconds (milliseconds on the web).
    pub published_at: Option<Time>,
    /// `last_update_time`; 0 means never edited.
    pub edited_at: Option<Time>,
    /// `ip_location`: the place shown beside the note.
    pub ip_location: Option<String>,
    /// `sticky`.
    pub pinned: Option<bool>,
    /// `has_related_goods`.
    pub has_goods: Option<bool>,
    /// `share_info.link` without its query (which carries tokens).
    pub share_url: Option<String>,
    /// `video_info_v2.media.stream.h264[0]`/`h265[0]` `.duration` (ms), else `.media.video.duration`
    /// or `video.duration` (s). Milliseconds.
    pub video_duration_ms: Option<i64>,
    /// `video_info_v2.media.stream.*[0].master_url`, else `video.url`. Signed; expires.
    pub video_url: Option<String>,
    /// Pixels, from the same stream.
    pub video_width: Option<i64>,
    /// Pixels, from the same stream.
    pub video_height: Option<i64>,
}

/// One image of a note.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NoteImage {
    /// The note.
    pub note_id: String,
    /// Place in `images_list`, from 0 (its `index` is 0 for every image upstream).
    pub position: i64,
    /// `fileid`, else `trace_id`.
    pub file_id: Option<String>,
    /// `width`, pixels.
    pub width: Option<i64>,
    /// `height`, pixels.
    pub height: Option<i64>,
    /// `url_multi_level.high`, else `url_size_large`, `url`, `original`. Signed; expires.
    pub url: Option<String>,
    /// Whether it is a live photo: `live_photo_file_id` or `live_photo` is there.
    pub is_live: bool,
    /// `live_photo.media.stream.h265[0].master_url` (or h264).
    pub live_url: Option<String>,
    /// `live_photo.media.stream.h265[0].duration`, milliseconds.
    pub live_duration_ms: Option<i64>,
    /// `live_photo.media.video_id`, text or number upstream.
    pub live_video_id: Option<String>,
}

/// A hashtag at its place in a note; the same tag may stand there twice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NoteHashtag {
    /// The note.
    pub note_id: String,
    /// Place in `hash_tag`, from 0.
    pub position: i64,
    /// The hashtag.
    pub hashtag_id: String,
}

/// Somebody mentioned in a note.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NoteMention {
    /// The note.
    pub note_id: String,
    /// Place in `ats`, from 0.
    pub position: i64,
    /// `ats[].id`, else `user_id`.
    pub user_id: String,
    /// `ats[].nickname`.
    pub nickname: Option<String>,
}

/// A note's counts at one look.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NoteMetrics {
    /// The note.
    pub note_id: String,
    /// `liked_count` (or `likes`).
    pub likes: Option<i64>,
    /// `collected_count`.
    pub collects: Option<i64>,
    /// `comments_count`.
    pub comments: Option<i64>,
    /// `shared_count` (or `share_count`).
    pub shares: Option<i64>,
    /// `view_count`; 0 means hidden and is `None`.
    pub views: Option<i64>,
    /// False when any count was read from a rounded text such as `1.2万` or `10+`.
    pub exact: bool,
}

/// One suggestion for a keyword at one look.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeywordSuggestion {
    /// The keyword asked for.
    pub keyword: String,
    /// Place in `items` (or `sug_items`), from 1.
    pub rank: i64,
    /// `items[].text`.
    pub suggestion: String,
    /// `items[].type`.
    pub suggestion_type: Option<String>,
    /// `items[].search_type`.
    pub search_type: Option<String>,
    /// `items[].link`; empty is `None`.
    pub link: Option<String>,
    /// `items[].highlight_flags`: one `1` or `0` a character.
    pub highlight: Option<String>,
    /// `items[].is_intervened`.
    pub is_intervened: Option<bool>,
    /// `search_cpl_id` of the answer.
    pub search_cpl_id: Option<String>,
    /// `word_request_id` of the answer.
    pub word_request_id: Option<String>,
}
