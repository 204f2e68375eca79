//! Rows about the KOLs of Pugongying.

use super::KolFigures;
use super::catalogue::{Field, table};
use super::named::named;

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
        /// `nextLevel`; -1 means none and is NULL.
        Fact next_level: Field<i64>,
        /// `kolType`, a code as given.
        Fact kol_type: Field<i64>,
        /// `userType`, a code as given.
        Fact user_type: Field<i64>,
        /// `buyerType`: whether it recommends goods, a code as given.
        Fact buyer_type: Field<i64>,
        /// `cooperType`, a code as given.
        Fact coop_type: Field<i64>,
        /// `cooperateState`, a code as given.
        Fact coop_state: Field<i64>,
        /// `classifyCode`, a code as given.
        Fact classify_code: Field<i64>,
        /// `kolHeadLabel`, a code as given.
        Fact head_label: Field<i64>,
        /// `valid`, a code as given.
        Fact validity: Field<i64>,
        /// `homePageDisplay`, a code as given.
        Fact home_page_display: Field<i64>,
        /// `newHighQuality`, a code as given.
        Fact new_high_quality: Field<i64>,
        /// `showPromiseTag`: whether it promises impressions, a code as given.
        Fact promise_tag: Field<i64>,
        /// `controlState`, a code as given; 0 means not restricted.
        Fact control_state: Field<i64>,
        /// `fbState`, a code as given.
        Fact fb_state: Field<i64>,
        /// `priceState`, a code as given.
        Fact price_state: Field<i64>,
        /// `pictureState`: whether picture notes are for sale, a code as given; 0 means no.
        Fact picture_state: Field<i64>,
        /// `videoState`: the same of video notes.
        Fact video_state: Field<i64>,
        /// `clothingIndustryPrice.pictureState`: the same of picture notes for clothing brands.
        Fact clothing_picture_state: Field<i64>,
        /// `clothingIndustryPrice.videoState`: the same of video notes for clothing brands.
        Fact clothing_video_state: Field<i64>,
        /// `clothingIndustryPrice.industryId`; 0 means none and is NULL.
        Fact clothing_industry_id: Field<i64>,
        /// `intentionInfo.intentionType`, a code as given.
        Fact intention_type: Field<i64>,
        /// `intentionInfo.intentionText`.
        Fact intention: Field<String>,
        /// `type`, a JSON array.
        Fact types: Field<String>,
        /// `industryTag`, a JSON array.
        Fact industry_tags: Field<String>,
        /// `tradeType`: industries of its latest paid notes, a JSON array.
        Fact trade_types: Field<String>,
        /// `top2CategoryList`: the two categories of goods that it sells most, a JSON array.
        Fact top_categories: Field<String>,
        /// `travelAreaList`: where it would travel to for a note, a JSON array.
        Fact travel_areas: Field<String>,
        /// `liveSign.userId`: the agency (MCN) of its live broadcasts.
        Fact live_mcn_id: Field<String>,
        /// `liveSign.name`.
        Fact live_mcn_name: Field<String>,
        /// `isStar`.
        Fact is_star: Field<bool>,
        /// `hasBuyerAuth`: whether it may recommend goods in live broadcasts.
        Fact is_buyer: Field<bool>,
        /// `goodRecommendPermission`.
        Fact may_recommend_goods: Field<bool>,
        /// `isIndustryRecommend`.
        Fact is_industry_recommended: Field<bool>,
        /// `specialIndustryLimit`.
        Fact has_industry_limit: Field<bool>,
        /// `showPrice`.
        Fact shows_price: Field<bool>,
        /// `picturePrice`, yuan a note; NULL when not for sale.
        Tracked picture_price: Field<f64>,
        /// `videoPrice`, yuan a note; 9999999 means not for sale and is NULL.
        Tracked video_price: Field<f64>,
        /// `lowerPrice`: the lower of the two, yuan.
        Tracked lower_price: Field<f64>,
    }
}

named! {
    /// Kind of a tag of a KOL.
    #[derive(Default)]
    TagKind {
        /// What it writes about, in two levels.
        #[default]
        Content = "content",
        /// How its notes are.
        Feature = "feature",
        /// What it is.
        Personal = "personal",
    }
}

table! {
    /// A tag of a KOL.
    KolTag in "kol_tags" {
        /// `content` (`contentTags`), `feature` (`featureTags`) or `personal` (`personalTags`).
        Key tag_kind: TagKind,
        /// Place among its tags of this kind, from 0.
        Key position: i64,
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
        /// `noteList[].bind`.
        Fact is_bound: Field<bool>,
        /// `noteList[].featureTags`, a JSON array.
        Fact feature_tags: Field<String>,
        /// `noteList[].industryTags`, a JSON array.
        Fact industry_tags: Field<String>,
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
        /// `total`: a limit for paging, not a count of hits; the same for every KOL of a page.
        Fact total: Option<i64>,
    }
}

/// What one answer says of a KOL.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KolFacts {
    /// Its own row.
    pub row: Kol,
    /// Its content tags, in order.
    pub content_tags: Field<Vec<KolTag>>,
    /// Its feature tags, in order.
    pub feature_tags: Field<Vec<KolTag>>,
    /// Its personal tags, in order.
    pub personal_tags: Field<Vec<KolTag>>,
    /// The notes that are listed with it, in order.
    pub notes: Field<Vec<KolNote>>,
    /// Its figures.
    pub figures: KolFigures,
}
