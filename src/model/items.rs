//! What notes and works have in common: the rows of their children, and their counts.

use super::catalogue::{Field, table};

table! {
    /// An image of a note or a work.
    Image in "images" {
        /// Place in `images_list` or `images`, from 0 (`index` is 0 for every image upstream).
        Key position: i64,
        /// `fileid`, else `trace_id`; Douyin `uri`.
        Fact file_id: Field<String>,
        /// `width`, pixels.
        Fact width: Field<i64>,
        /// `height`, pixels.
        Fact height: Field<i64>,
        /// `url_multi_level.high`, else `url_size_large`, `url`, `original`; Douyin `url_list[0]`.
        /// Signed; expires.
        Volatile url: Field<String>,
        /// `original`: the picture as it was uploaded. Signed; expires.
        Volatile original_url: Field<String>,
        /// `url_8k`. Signed; expires.
        Volatile largest_url: Field<String>,
        /// `latitude`, degrees; 0 is NULL.
        Fact latitude: Field<f64>,
        /// `longitude`, degrees; 0 is NULL.
        Fact longitude: Field<f64>,
        /// Whether it is a live photo: `live_photo_file_id` or `live_photo` holds something; Douyin
        /// `video`. NULL: the keys are missing, as they are from most still images.
        Fact is_live: Field<bool>,
        /// `live_photo.media.stream.h265[0].master_url` (or h264); Douyin
        /// `video.play_addr.url_list[0]`. Signed; expires.
        Volatile live_url: Field<String>,
        /// `live_photo.media.stream.h265[0].duration`; Douyin `video.duration`. Milliseconds.
        Fact live_duration_ms: Field<i64>,
        /// `live_photo.media.video_id`, text or number upstream; Douyin `video.play_addr.uri`.
        Fact live_video_id: Field<String>,
        /// `live_photo.media.stream.h265[0].video_codec`.
        Fact live_codec: Field<String>,
        /// `live_photo.media.stream.h265[0].size`; Douyin `video.play_addr.data_size`. Bytes.
        Fact live_bytes: Field<i64>,
        /// `live_photo.media.stream.h265[0].width`; Douyin `video.width`. Pixels.
        Fact live_width: Field<i64>,
        /// `live_photo.media.stream.h265[0].height`; Douyin `video.height`. Pixels.
        Fact live_height: Field<i64>,
    }
}

table! {
    /// A hashtag at its place in a note or a work; the same tag may stand there twice.
    ItemHashtag in "item_hashtags" {
        /// Place in `hash_tag`, or among the hashtags of `text_extra`, from 0.
        Key position: i64,
        /// `hash_tag[].id`; Douyin `text_extra[].hashtag_id`; NULL: a tag without a page of its own.
        Fact hashtag_id: Field<String>,
        /// `hash_tag[].name`; Douyin `text_extra[].hashtag_name`.
        Fact name: String,
        /// `hash_tag[].type`, as given (`topic`); NULL on Douyin.
        Fact tag_type: Field<String>,
        /// Douyin `text_extra[].is_commerce`; NULL on Xiaohongshu.
        Fact is_commerce: Field<bool>,
    }
}

table! {
    /// Somebody mentioned in a note or a work.
    Mention in "mentions" {
        /// Place in `ats`, or among the mentions of `text_extra`, from 0.
        Key position: i64,
        /// `ats[].id`, else `user_id`; Douyin `text_extra[].user_id`.
        Fact user_id: String,
        /// Douyin `text_extra[].sec_uid`.
        Fact sec_uid: Field<String>,
        /// `ats[].nickname`; Douyin: the words of `desc` between `start` and `end`, in UTF-16 units.
        Fact nickname: Field<String>,
    }
}

table! {
    /// Somebody who made a note or a work together with its author.
    Creator in "creators" {
        /// Place in `cooperation_info.co_creators`, from 0.
        Key position: i64,
        /// `uid`.
        Fact author_id: String,
        /// `sec_uid`.
        Fact sec_uid: Field<String>,
        /// `nickname`.
        Fact nickname: Field<String>,
        /// `role_title`.
        Fact role: Field<String>,
        /// `role_id`.
        Fact role_id: Field<i64>,
        /// `invite_status`, a code as given; 1 is accepted.
        Fact invite_status: Field<i64>,
    }
}

table! {
    /// The counts of a note or a work at one time, from one answer. NULL: the answer does not say,
    /// or hides it.
    Counts in "snapshots" {
        /// `liked_count` (or `likes`); Douyin `statistics.digg_count`.
        Fact likes: Option<i64>,
        /// `comments_count`; Douyin `statistics.comment_count`.
        Fact comments: Option<i64>,
        /// `collected_count`; Douyin `statistics.collect_count`.
        Fact collects: Option<i64>,
        /// `shared_count` (or `share_count`); Douyin `statistics.share_count`.
        Fact shares: Option<i64>,
        /// `view_count`; Douyin `statistics.play_count`. 0 means hidden and is NULL.
        Fact views: Option<i64>,
        /// Douyin `statistics.recommend_count`.
        Fact recommends: Option<i64>,
        /// Douyin `statistics.download_count`.
        Fact downloads: Option<i64>,
        /// Douyin `statistics.admire_count`.
        Fact admires: Option<i64>,
        /// The coarsest step of a count that was read from a rounded text, in its own unit: `1.2万`
        /// gives 1000, so the count is 12,000 ± 500. NULL: all counts are exact.
        Fact granularity: Option<i64>,
    }
}

impl Counts {
    /// Whether any count is known.
    pub fn any(&self) -> bool {
        let Self {
            likes, comments, collects, shares, views, recommends, downloads, admires, ..
        } = self;
        [likes, comments, collects, shares, views, recommends, downloads, admires]
            .into_iter()
            .any(Option::is_some)
    }
}

/// What one answer says of a note or a work.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item<R> {
    /// Its own row.
    pub row: R,
    /// Its images, in order.
    pub images: Field<Vec<Image>>,
    /// Its hashtags, in order.
    pub hashtags: Field<Vec<ItemHashtag>>,
    /// Whom it mentions, in order.
    pub mentions: Field<Vec<Mention>>,
    /// Who made it with its author.
    pub creators: Field<Vec<Creator>>,
    /// Its counts; `None` where the answer is no observation of them.
    pub counts: Option<Counts>,
}
