//! Rows about the KOLs of Pugongying.

use super::catalogue::{Field, table};

table! {
    /// A KOL of Pugongying, as last seen.
    Kol in "kols" {
        /// `userId`.
        Key kol_id: String,
        /// `redId`; may hold letters.
        Fact red_id: Field<String>,
        /// `name`.
        Tracked nickname: Field<String>,
        /// `headPhoto`.
        Volatile avatar_url: Field<String>,
        /// `gender`, as given (`女`, `男`).
        Fact gender: Field<String>,
        /// `location`; empty is `None`.
        Tracked location: Field<String>,
        /// `currentLevel`.
        Fact level: Field<i64>,
        /// `noteSign.userId`: the agency (MCN).
        Tracked mcn_id: Field<String>,
        /// `noteSign.name`.
        Tracked mcn_name: Field<String>,
        /// `lowActive`.
        Fact low_active: Field<bool>,
        /// `picturePrice`, yuan; `None` when not for sale.
        Tracked picture_price: Field<f64>,
        /// `videoPrice`, yuan; 9999999 means not for sale and is `None`.
        Tracked video_price: Field<f64>,
        /// `lowerPrice`, yuan.
        Tracked lower_price: Field<f64>,
    }
}

table! {
    /// A tag of a KOL.
    KolTag in "kol_tags" {
        /// Place over all its tags, from 0.
        Key position: i64,
        /// `content` (`contentTags`), `feature` (`featureTags`) or `personal` (`personalTags`).
        Fact tag_kind: &'static str,
        /// `contentTags[].taxonomy1Tag`.
        Fact category: Field<String>,
        /// `contentTags[].taxonomy2Tags[]`, or the feature or personal tag.
        Fact tag: Field<String>,
    }
}

table! {
    /// A note listed with a KOL.
    KolNote in "kol_notes" {
        /// Place in `noteList`, from 0.
        Key position: i64,
        /// `noteList[].noteId`.
        Fact note_id: String,
        /// `noteList[].noteType`: 1 is `normal`, 2 is `video`, others as given.
        Fact note_type: Field<String>,
        /// `noteList[].contentTag`.
        Fact content_tag: Field<String>,
        /// `noteList[].imageUrl`.
        Volatile image_url: Field<String>,
    }
}

table! {
    /// A KOL's figures at one look.
    KolFigures in "kol_snapshots" {
        /// `fansNum` (`fansCount` is 0 in a search answer).
        Fact followers: Option<i64>,
        /// `fans30GrowthNum`; 0 beside a non-zero rate is `None`.
        Fact followers_growth_30d: Option<i64>,
        /// `fans30GrowthRate`, percent.
        Fact followers_growth_rate_30d: Option<f64>,
        /// `clickMidNum`: median reads of a note.
        Fact read_median: Option<i64>,
        /// `interMidNum`: median engagements of a note.
        Fact engagement_median: Option<i64>,
        /// `pictureClickMidNum`.
        Fact picture_read_median: Option<i64>,
        /// `pictureInterMidNum`.
        Fact picture_engagement_median: Option<i64>,
        /// `videoClickMidNum`.
        Fact video_read_median: Option<i64>,
        /// `videoInterMidNum`.
        Fact video_engagement_median: Option<i64>,
        /// `accumCommonImpMedinNum30d`: median impressions, 30 days.
        Fact impression_median_30d: Option<i64>,
        /// `mEngagementNum` (its twin `mengagementNum` differs only by case and is not read).
        Fact monthly_engagements: Option<i64>,
        /// `totalNoteCount`.
        Fact total_notes: Option<i64>,
        /// `businessNoteCount`; 0 is what the search answers for everyone and is `None`.
        Fact business_notes: Option<i64>,
        /// `picturePrice`, yuan, as in `kols`.
        Fact picture_price: Option<f64>,
        /// `videoPrice`, yuan, as in `kols`.
        Fact video_price: Option<f64>,
        /// `lowerPrice`, yuan.
        Fact lower_price: Option<f64>,
        /// `pictureReadCost`, yuan a read; a decimal text upstream.
        Fact picture_read_cost: Option<f64>,
        /// `videoReadCost`, yuan a read.
        Fact video_read_cost: Option<f64>,
        /// `estimatePictureCpm`, yuan.
        Fact picture_cpm: Option<f64>,
        /// `estimateVideoCpm`, yuan.
        Fact video_cpm: Option<f64>,
        /// `estimatePictureEngageCost`, yuan.
        Fact picture_engage_cost: Option<f64>,
        /// `estimateVideoEngageCost`, yuan.
        Fact video_engage_cost: Option<f64>,
        /// `hundredLikePercent30`, percent.
        Fact hundred_like_percent: Option<f64>,
        /// `thousandLikePercent30`, percent.
        Fact thousand_like_percent: Option<f64>,
        /// `fansActiveIn28dLv`, percent.
        Fact active_fans_percent: Option<f64>,
        /// `fansEngageNum30dLv`, percent.
        Fact engaged_fans_percent: Option<f64>,
        /// `inviteReply48hNumRatio`, percent.
        Fact invite_reply_percent: Option<f64>,
    }
}

table! {
    /// A KOL at its place in a page of search results.
    KolSearchResult in "kol_search_results" {
        /// Place in `kols` of this page, from 0.
        Key position: i64,
        /// The page, from 1.
        Fact page: i64,
        /// The KOL.
        Fact kol_id: String,
    }
}

/// What one answer says of a KOL.
#[derive(Clone, Debug, PartialEq)]
pub struct KolFacts {
    /// Its own row.
    pub row: Kol,
    /// Its tags, in order.
    pub tags: Field<Vec<KolTag>>,
    /// The notes that are listed with it, in order.
    pub notes: Field<Vec<KolNote>>,
    /// Its figures.
    pub figures: KolFigures,
}
