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
        /// `cooperate_binds`: brands that it is marked as made for, a JSON array of objects.
        Fact cooperations: Field<String>,
        /// `goods_info`, a JSON object without its links; `{}` is NULL.
        Fact goods: Field<String>,
        /// `enable_brand_lottery`.
        Fact has_brand_lottery: Field<bool>,
        /// `red_envelope_note`.
        Fact is_red_envelope: Field<bool>,
        /// `may_have_red_packet`.
        Fact may_have_red_packet: Field<bool>,
        /// `in_censor`: whether upstream still reviews it.
        Fact in_censor: Field<bool>,
        /// `privacy.type`: 0 is public.
        Fact privacy_type: Field<i64>,
        /// `topics[]`: `id`, `name` and `discuss_num`, a running number; a JSON array of objects.
        /// Only some of the hashtags.
        Volatile topics: Field<String>,
        /// `has_music`.
        Fact has_music: Field<bool>,
        /// `native_voice_info.sound_id`: the sound of its video.
        Fact sound_id: Field<String>,
        /// `native_voice_info.name`.
        Fact sound_name: Field<String>,
        /// `native_voice_info.duration`, milliseconds.
        Fact sound_duration_ms: Field<i64>,
        /// `native_voice_info.use_count`: notes with this sound, a running number.
        Volatile sound_uses: Field<i64>,
        /// `has_co_produce`: whether it was made together with others.
        Fact is_co_produced: Field<bool>,
        /// `enable_co_produce`: whether others may make theirs of it.
        Fact may_be_co_produced: Field<bool>,
        /// `share_info.image`, else `video_info_v2.image.thumbnail`, `.first_frame`. May be signed.
        Volatile cover_url: Field<String>,
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
        /// `video_info_v2.media.video_id`, text or number upstream.
        Fact video_id: Field<String>,
        /// `.video_codec` of the same stream, as given (`h264`, `hevc`).
        Fact video_codec: Field<String>,
        /// `.size` of the same stream, bytes.
        Fact video_bytes: Field<i64>,
        /// `.avg_bitrate` of the same stream, bits a second.
        Fact video_bit_rate: Field<i64>,
    }
}

table! {
    /// One suggestion for a keyword at one observation.
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
        /// `items[].icon`: the badge shown beside it.
        Fact icon_url: Option<String>,
        /// `result.message` of the answer.
        Fact message: Option<String>,
        /// `search_cpl_id` of the answer.
        Fact search_cpl_id: Option<String>,
        /// `word_request_id` of the answer.
        Fact word_request_id: Option<String>,
    }
}
