//! Rows about Douyin: works and their music.

use super::catalogue::{Field, table};
use crate::time::Time;

table! {
    /// A Douyin work, as last seen.
    Work in "works" {
        /// `aweme_id`: 19 digits.
        Key work_id: String,
        /// `video`, or `images` for an album (`aweme_type` 68, or `media_type` 2, or images without a video).
        Tracked work_type: Field<String>,
        /// `aweme_type`, as given.
        Fact aweme_type: Field<i64>,
        /// `item_title`; empty is `None`.
        Tracked title: Field<String>,
        /// `desc`.
        Tracked body: Field<String>,
        /// `author.uid`.
        Tracked author_id: Field<String>,
        /// `create_time`, seconds.
        Fact published_at: Field<Time>,
        /// `duration`, else `video.duration`, milliseconds; 0 (albums) is `None`.
        Fact duration_ms: Field<i64>,
        /// `region`; empty is `None`.
        Tracked region: Field<String>,
        /// `city`: an administrative code such as 310000.
        Tracked city: Field<String>,
        /// `video.play_addr.uri`: the stable id of the video.
        Fact video_id: Field<String>,
        /// `video.width`, pixels.
        Fact video_width: Field<i64>,
        /// `video.height`, pixels.
        Fact video_height: Field<i64>,
        /// `video.cover.url_list[0]`. Signed; expires.
        Volatile cover_url: Field<String>,
        /// `https://www.douyin.com/video/{work_id}` (`/note/` for an album), built, without tokens.
        Fact share_url: Field<String>,
        /// `music.id_str`, else `music.mid`.
        Tracked music_id: Field<String>,
        /// `series_basic_info.series_id`.
        Fact series_id: Field<String>,
        /// `mix_info.mix_id`.
        Fact mix_id: Field<String>,
        /// `mix_info.statis.current_episode`.
        Fact mix_episode: Field<i64>,
        /// `status.is_delete`.
        Fact is_deleted: Field<bool>,
        /// `status.is_prohibited`.
        Fact is_prohibited: Field<bool>,
        /// `status.private_status` is not 0.
        Fact is_private: Field<bool>,
        /// `status.with_goods`.
        Tracked with_goods: Field<bool>,
    }
}

table! {
    /// The music of works.
    Music in "music" {
        /// `music.id_str`, else `music.mid` (`music.id` is beyond what JavaScript keeps).
        Key music_id: String,
        /// `music.title`.
        Fact title: Field<String>,
        /// `music.author`.
        Fact author: Field<String>,
        /// `music.duration`, seconds upstream, milliseconds here.
        Fact duration_ms: Field<i64>,
        /// `music.is_original_sound`.
        Fact is_original: Field<bool>,
    }
}
