//! Plain rows, named and typed as the tables are, and [`Batch`]: what one answer turns into.
//!
//! Every field says which JSON path feeds it. A field that the answer lacks, or whose value
//! is known to mean "hidden", is `None`, never zero.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Where an item lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// 小红书.
    Xiaohongshu,
    /// 抖音.
    Douyin,
}

/// What kind of thing a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A Xiaohongshu note, by its id.
    Note,
    /// A keyword, for its search suggestions.
    Keyword,
    /// A KOL search, by its filter.
    KolSearch,
    /// A Douyin work, by its id.
    Work,
}

impl Kind {
    /// Every kind, in the order of the README.
    pub const ALL: [Self; 4] = [Self::Note, Self::Keyword, Self::KolSearch, Self::Work];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Keyword => "keyword",
            Self::KolSearch => "kol_search",
            Self::Work => "work",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What one answer turns into: rows of any of the tables, in the order of the answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Batch {
    /// Rows of `authors`.
    pub authors: Vec<Author>,
    /// Rows of `notes`.
    pub notes: Vec<Note>,
    /// Rows of `note_images`.
    pub note_images: Vec<NoteImage>,
    /// Rows of `hashtags`.
    pub hashtags: Vec<Hashtag>,
    /// Rows of `note_hashtags`.
    pub note_hashtags: Vec<NoteHashtag>,
    /// Rows of `note_mentions`.
    pub note_mentions: Vec<NoteMention>,
    /// Rows of `note_metrics`.
    pub note_metrics: Vec<NoteMetrics>,
    /// Rows of `kols`.
    pub kols: Vec<Kol>,
    /// Rows of `kol_tags`.
    pub kol_tags: Vec<KolTag>,
    /// Rows of `kol_notes`.
    pub kol_notes: Vec<KolNote>,
    /// Rows of `kol_metrics`.
    pub kol_metrics: Vec<KolMetrics>,
    /// Rows of `kol_search_results`.
    pub kol_search_results: Vec<KolSearchResult>,
    /// Rows of `works`.
    pub works: Vec<Work>,
    /// Rows of `work_images`.
    pub work_images: Vec<WorkImage>,
    /// Rows of `work_hashtags`.
    pub work_hashtags: Vec<WorkHashtag>,
    /// Rows of `work_mentions`.
    pub work_mentions: Vec<WorkMention>,
    /// Rows of `work_creators`.
    pub work_creators: Vec<WorkCreator>,
    /// Rows of `work_metrics`.
    pub work_metrics: Vec<WorkMetrics>,
    /// Rows of `music`.
    pub music: Vec<Music>,
    /// Rows of `keyword_suggestions`.
    pub keyword_suggestions: Vec<KeywordSuggestion>,
}

/// Who published a note or a work.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Author {
    /// Which platform the id belongs to.
    pub platform: Platform,
    /// Xiaohongshu `user.userid`, else `user.id`; Douyin `author.uid`.
    pub author_id: String,
    /// Douyin `author.sec_uid`.
    pub sec_uid: Option<String>,
    /// Xiaohongshu `user.red_id`; Douyin `author.unique_id`, else `author.short_id`. May hold letters.
    pub handle: Option<String>,
    /// `nickname`.
    pub nickname: Option<String>,
    /// Xiaohongshu `user.image` or `user.images`; Douyin `author.avatar_thumb.url_list[0]`.
    pub avatar_url: Option<String>,
}

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

/// A hashtag of a platform.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hashtag {
    /// Which platform the id belongs to.
    pub platform: Platform,
    /// Xiaohongshu `hash_tag[].id`; Douyin `text_extra[].hashtag_id`.
    pub hashtag_id: String,
    /// `hash_tag[].name`; `text_extra[].hashtag_name`.
    pub name: String,
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

/// A KOL of Pugongying, as last seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kol {
    /// `userId`.
    pub kol_id: String,
    /// `redId`; may hold letters.
    pub red_id: Option<String>,
    /// `name`.
    pub nickname: Option<String>,
    /// `headPhoto`.
    pub avatar_url: Option<String>,
    /// `gender`, as given (`女`, `男`).
    pub gender: Option<String>,
    /// `location`; empty is `None`.
    pub location: Option<String>,
    /// `currentLevel`.
    pub level: Option<i64>,
    /// `noteSign.userId`: the agency (MCN).
    pub mcn_id: Option<String>,
    /// `noteSign.name`.
    pub mcn_name: Option<String>,
    /// `lowActive`.
    pub low_active: Option<bool>,
    /// `picturePrice`, yuan; `None` when not for sale.
    pub picture_price: Option<f64>,
    /// `videoPrice`, yuan; 9999999 means not for sale and is `None`.
    pub video_price: Option<f64>,
    /// `lowerPrice`, yuan.
    pub lower_price: Option<f64>,
}

/// A tag of a KOL.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KolTag {
    /// The KOL.
    pub kol_id: String,
    /// Place over all its tags, from 0.
    pub position: i64,
    /// `content` (`contentTags`), `feature` (`featureTags`) or `personal` (`personalTags`).
    pub tag_kind: &'static str,
    /// `contentTags[].taxonomy1Tag`.
    pub category: Option<String>,
    /// `contentTags[].taxonomy2Tags[]`, or the feature or personal tag.
    pub tag: Option<String>,
}

/// A note listed with a KOL.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KolNote {
    /// The KOL.
    pub kol_id: String,
    /// Place in `noteList`, from 0.
    pub position: i64,
    /// `noteList[].noteId`.
    pub note_id: String,
    /// `noteList[].noteType`: 1 is `normal`, 2 is `video`, others as given.
    pub note_type: Option<String>,
    /// `noteList[].contentTag`.
    pub content_tag: Option<String>,
    /// `noteList[].imageUrl`.
    pub image_url: Option<String>,
}

/// A KOL's figures at one look.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KolMetrics {
    /// The KOL.
    pub kol_id: String,
    /// `fansNum` (`fansCount` is 0 in a search answer).
    pub followers: Option<i64>,
    /// `fans30GrowthNum`; 0 beside a non-zero rate is `None`.
    pub followers_growth_30d: Option<i64>,
    /// `fans30GrowthRate`, percent.
    pub followers_growth_rate_30d: Option<f64>,
    /// `clickMidNum`: median reads of a note.
    pub read_median: Option<i64>,
    /// `interMidNum`: median engagements of a note.
    pub engagement_median: Option<i64>,
    /// `pictureClickMidNum`.
    pub picture_read_median: Option<i64>,
    /// `pictureInterMidNum`.
    pub picture_engagement_median: Option<i64>,
    /// `videoClickMidNum`.
    pub video_read_median: Option<i64>,
    /// `videoInterMidNum`.
    pub video_engagement_median: Option<i64>,
    /// `accumCommonImpMedinNum30d`: median impressions, 30 days.
    pub impression_median_30d: Option<i64>,
    /// `mEngagementNum` (its twin `mengagementNum` differs only by case and is not read).
    pub monthly_engagements: Option<i64>,
    /// `totalNoteCount`.
    pub total_notes: Option<i64>,
    /// `businessNoteCount`; 0 is what the search answers for everyone and is `None`.
    pub business_notes: Option<i64>,
    /// `picturePrice`, yuan, as in `kols`.
    pub picture_price: Option<f64>,
    /// `videoPrice`, yuan, as in `kols`.
    pub video_price: Option<f64>,
    /// `lowerPrice`, yuan.
    pub lower_price: Option<f64>,
    /// `pictureReadCost`, yuan a read; a decimal text upstream.
    pub picture_read_cost: Option<f64>,
    /// `videoReadCost`, yuan a read.
    pub video_read_cost: Option<f64>,
    /// `estimatePictureCpm`, yuan.
    pub picture_cpm: Option<f64>,
    /// `estimateVideoCpm`, yuan.
    pub video_cpm: Option<f64>,
    /// `estimatePictureEngageCost`, yuan.
    pub picture_engage_cost: Option<f64>,
    /// `estimateVideoEngageCost`, yuan.
    pub video_engage_cost: Option<f64>,
    /// `hundredLikePercent30`, percent.
    pub hundred_like_percent: Option<f64>,
    /// `thousandLikePercent30`, percent.
    pub thousand_like_percent: Option<f64>,
    /// `fansActiveIn28dLv`, percent.
    pub active_fans_percent: Option<f64>,
    /// `fansEngageNum30dLv`, percent.
    pub engaged_fans_percent: Option<f64>,
    /// `inviteReply48hNumRatio`, percent.
    pub invite_reply_percent: Option<f64>,
}

/// A KOL at its place in a page of search results.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KolSearchResult {
    /// Place in `kols` of this page, from 0.
    pub position: i64,
    /// The page, from 1.
    pub page: i64,
    /// The KOL.
    pub kol_id: String,
}

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

    /// The search of a key; `None` when the text is no such key.
    pub fn from_key(key: &str) -> Option<Self> {
        serde_json::from_str(key).ok()
    }
}

/// One thing to look at, as a watchlist names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// What kind of thing it is.
    pub kind: Kind,
    /// A note or work id, a keyword, a [`KolSearch`] key, or a short link (`https://…`)
    /// whose item is not known yet.
    pub key: String,
}

impl Target {
    /// Whether the key is a short link that a provider has to resolve before it can be looked at.
    pub fn is_short_link(&self) -> bool {
        matches!(self.kind, Kind::Note | Kind::Work) && self.key.starts_with("https://")
    }
}
