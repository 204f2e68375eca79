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
        /// `caption`, the text without its title, where it is not the same as `desc`; the same:
        /// NULL.
        Fact caption: Field<String>,
        /// `desc_language`.
        Fact language: Field<String>,
        /// `seo_info.ocr_content`: the words that are read from its pictures.
        Fact ocr_text: Field<String>,
        /// `video_tag[].tag_name` of `level` 1; `""` is NULL.
        Fact category_1: Field<String>,
        /// The same of `level` 2.
        Fact category_2: Field<String>,
        /// The same of `level` 3.
        Fact category_3: Field<String>,
        /// `video_tag[].tag_id` of `level` 1; 0 is NULL.
        Fact category_1_id: Field<i64>,
        /// The same of `level` 2.
        Fact category_2_id: Field<i64>,
        /// The same of `level` 3.
        Fact category_3_id: Field<i64>,
        /// `suggest_words.suggest_words[].words[].word`: what is suggested to search beside it, a
        /// JSON array. Differs from answer to answer.
        Volatile suggested_words: Field<String>,
        /// `chapter_list[]`: `desc`, `detail`, `timestamp`; a JSON array of objects.
        Fact chapters: Field<String>,
        /// `anchors[]`: `id`, `type`, `keyword`, `title`: what its link leads to (a place, goods, a
        /// game); a JSON array of objects.
        Fact anchors: Field<String>,
        /// `promotions[]`: `promotion_id`, `product_id`, `title`, `price`: goods that it sells; a
        /// JSON array of objects.
        Fact promotions: Field<String>,
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
        /// `video.ratio`, as given (`720p`).
        Fact video_ratio: Field<String>,
        /// `video.play_addr.data_size`, bytes.
        Fact video_bytes: Field<i64>,
        /// `video.play_addr.file_hash`.
        Fact video_hash: Field<String>,
        /// `video.bit_rate[].bit_rate`: the qualities on offer, bits a second; a JSON array.
        Volatile video_bit_rates: Field<String>,
        /// `video.play_addr.url_list[0]`. Signed; expires.
        Volatile video_url: Field<String>,
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
        /// `mix_info.mix_name`.
        Fact mix_name: Field<String>,
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
        /// `is_top`.
        Tracked pinned: Field<bool>,
        /// `is_ads`, else `commerce_info.is_ad`.
        Fact is_ad: Field<bool>,
        /// `comment_permission_info.can_comment`, else `status.allow_comment`.
        Fact allows_comments: Field<bool>,
        /// `comment_permission_info.comment_permission_status`: who may comment, a code as given; 0
        /// is everybody.
        Fact comment_permission: Field<i64>,
        /// `status.allow_share`.
        Fact allows_sharing: Field<bool>,
        /// `video_control.allow_download`.
        Fact allows_download: Field<bool>,
        /// `video_control.allow_duet`.
        Fact allows_duet: Field<bool>,
        /// `status.in_reviewing`.
        Fact in_review: Field<bool>,
        /// `status.review_result.review_status`, a code as given.
        Fact review_status: Field<i64>,
        /// `status.reviewed`, a code as given.
        Fact reviewed: Field<i64>,
        /// `status.self_see`: whether only its author sees it.
        Fact is_self_see: Field<bool>,
        /// `status.part_see`: whether only some see it, a code as given.
        Fact part_see: Field<i64>,
        /// `risk_infos.type`, a code as given; 0 is none.
        Fact risk_type: Field<i64>,
        /// `risk_infos.content`: the warning shown with it.
        Fact risk_text: Field<String>,
        /// `risk_infos.warn`.
        Fact risk_warns: Field<bool>,
        /// `risk_infos.risk_sink`: whether it is shown to fewer people.
        Fact risk_sinks: Field<bool>,
        /// `risk_infos.vote`.
        Fact risk_votes: Field<bool>,
        /// `cooperation_info.co_creator_nums`: how many made it together; 0 is NULL.
        Fact creator_count: Field<i64>,
        /// `cooperation_info.tag`.
        Fact cooperation_tag: Field<String>,
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
        /// `music.album`.
        Fact album: Field<String>,
        /// `music.is_commerce_music`: whether it is licensed for advertising.
        Fact is_commerce: Field<bool>,
        /// `music.owner_id`: the author whose sound it is.
        Fact owner_id: Field<String>,
        /// `music.owner_nickname`.
        Fact owner_name: Field<String>,
        /// `music.user_count`: works with this music, a running number; 0 hides it and is NULL.
        Volatile users: Field<i64>,
    }
}
