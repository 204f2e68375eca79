//! Rows about Douyin: works and their music.

use serde::Serialize;

use crate::time::Time;

/// A Douyin work, as last seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Work {
    /// `aweme_id`: 19 digits.
    pub work_id: String,
    /// `video`, or `images` for an album (`aweme_type` 68, or `media_type` 2, or images without a video).
    pub work_type: Option<String>,
    /// `aweme_type`, as given.
    pub aweme_type: Option<i64>,
    /// `item_title`; empty is `None`.
    pub title: Option<String>,
    /// `desc`.
    pub body: Option<String>,
    /// `author.uid`.
    pub author_id: Option<String>,
    /// `create_time`, seconds.
    pub published_at: Option<Time>,
    /// `duration`, else `video.duration`, milliseconds; 0 (albums) is `None`.
    pub duration_ms: Option<i64>,
    /// `region`; empty is `None`.
    pub region: Option<String>,
    /// `city`: an administrative code such as 310000.
    pub city: Option<String>,
    /// `video.play_addr.uri`: the stable id of the video.
    pub video_id: Option<String>,
    /// `video.width`, pixels.
    pub video_width: Option<i64>,
    /// `video.height`, pixels.
    pub video_height: Option<i64>,
    /// `video.cover.url_list[0]`. Signed; expires.
    pub cover_url: Option<String>,
    /// `https://www.douyin.com/video/{work_id}` (`/note/` for an album), built, without tokens.
    pub share_url: Option<String>,
    /// `music.id_str`, else `music.mid`.
    pub music_id: Option<String>,
    /// `series_basic_info.series_id`.
    pub series_id: Option<String>,
    /// `mix_info.mix_id`.
    pub mix_id: Option<String>,
    /// `mix_info.statis.current_episode`.
    pub mix_episode: Option<i64>,
    /// `status.is_delete`.
    pub is_deleted: Option<bool>,
    /// `status.is_prohibited`.
    pub is_prohibited: Option<bool>,
    /// `status.private_status` is not 0.
    pub is_private: Option<bool>,
    /// `status.with_goods`.
    pub with_goods: Option<bool>,
}

/// One image of a work.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkImage {
    /// The work.
    pub work_id: String,
    /// Place in `images`, from 0.
    pub position: i64,
    /// `uri`.
    pub file_id: Option<String>,
    /// `width`, pixels.
    pub width: Option<i64>,
    /// `height`, pixels.
    pub height: Option<i64>,
    /// `url_list[0]`. Signed; expires.
    pub url: Option<String>,
    /// Whether `video` is there: a live photo.
    pub is_live: bool,
}

/// A hashtag at its place in a work; the same tag may stand there twice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkHashtag {
    /// The work.
    pub work_id: String,
    /// Place among the hashtags of `text_extra`, from 0.
    pub position: i64,
    /// The hashtag.
    pub hashtag_id: String,
}

/// Somebody mentioned in a work.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkMention {
    /// The work.
    pub work_id: String,
    /// Place among the mentions of `text_extra` (type 0), from 0.
    pub position: i64,
    /// `text_extra[].user_id`.
    pub user_id: String,
    /// `text_extra[].sec_uid`.
    pub sec_uid: Option<String>,
    /// The words of `desc` between `start` and `end`, which count UTF-16 units.
    pub nickname: Option<String>,
}

/// Somebody who made a work together with its author.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkCreator {
    /// The work.
    pub work_id: String,
    /// Place in `cooperation_info.co_creators`, from 0.
    pub position: i64,
    /// `uid`.
    pub author_id: String,
    /// `sec_uid`.
    pub sec_uid: Option<String>,
    /// `nickname`.
    pub nickname: Option<String>,
    /// `role_title`.
    pub role: Option<String>,
}

/// A work's counts at one look.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkMetrics {
    /// The work.
    pub work_id: String,
    /// `statistics.digg_count`.
    pub likes: Option<i64>,
    /// `statistics.comment_count`.
    pub comments: Option<i64>,
    /// `statistics.collect_count`.
    pub collects: Option<i64>,
    /// `statistics.share_count`.
    pub shares: Option<i64>,
    /// `statistics.play_count`; 0 means hidden and is `None`.
    pub plays: Option<i64>,
    /// `statistics.recommend_count`.
    pub recommends: Option<i64>,
    /// `statistics.download_count`.
    pub downloads: Option<i64>,
    /// `statistics.admire_count`.
    pub admires: Option<i64>,
    /// False when any count was read from a rounded text such as `1.2万` or `10+`.
    pub exact: bool,
}

/// The music of works.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Music {
    /// `music.id_str`, else `music.mid` (`music.id` is beyond what JavaScript keeps).
    pub music_id: String,
    /// `music.title`.
    pub title: Option<String>,
    /// `music.author`.
    pub author: Option<String>,
    /// `music.duration`, seconds upstream, milliseconds here.
    pub duration_ms: Option<i64>,
    /// `music.is_original_sound`.
    pub is_original: Option<bool>,
}
