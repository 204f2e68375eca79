//! Rows about the KOLs of Pugongying.

use serde::Serialize;

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
