//! The figures of a KOL over time.

use super::catalogue::table;

table! {
    /// A KOL's figures at one observation.
    KolFigures in "kol_snapshots" {
        /// `fansNum`; `fansCount`, which a search answers with 0, where that is missing.
        Fact followers: Option<i64>,
        /// `fans30GrowthNum`; 0 beside a non-zero rate is `None`.
        Fact followers_growth_30d: Option<i64>,
        /// `fans30GrowthRate`, percent.
        Fact followers_growth_rate_30d: Option<f64>,
        /// `clickMidNum`: median reads of a note that is not paid for, 30 days.
        Fact read_median: Option<i64>,
        /// `interMidNum`: median engagements of a note that is not paid for, 30 days.
        Fact engagement_median: Option<i64>,
        /// `pictureClickMidNum`: `read_median` of picture notes.
        Fact picture_read_median: Option<i64>,
        /// `pictureInterMidNum`: `engagement_median` of picture notes.
        Fact picture_engagement_median: Option<i64>,
        /// `videoClickMidNum`: `read_median` of video notes; 0 also where there are none.
        Fact video_read_median: Option<i64>,
        /// `videoInterMidNum`: `engagement_median` of video notes; 0 also where there are none.
        Fact video_engagement_median: Option<i64>,
        /// `accumCommonImpMedinNum30d`: median impressions of a note that is not paid for, 30 days.
        Fact impression_median_30d: Option<i64>,
        /// `mEngagementNum`: median engagements by which the marketing target "seeding" ranks; upstream
        /// does not say of which days. Its twin `mengagementNum` differs only by case and is not read.
        Fact seeding_engagement_median: Option<i64>,
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
        /// `pictureReadCost`, yuan a read; a decimal text upstream. NULL, as every cost: 0 upstream, or
        /// such notes are not for sale.
        Fact picture_read_cost: Option<f64>,
        /// `videoReadCost`, yuan a read.
        Fact video_read_cost: Option<f64>,
        /// `estimatePictureCpm`, yuan a thousand impressions.
        Fact picture_cpm: Option<f64>,
        /// `estimateVideoCpm`, yuan a thousand impressions.
        Fact video_cpm: Option<f64>,
        /// `estimatePictureEngageCost`, yuan an engagement.
        Fact picture_engage_cost: Option<f64>,
        /// `estimateVideoEngageCost`, yuan an engagement.
        Fact video_engage_cost: Option<f64>,
        /// `hundredLikePercent30`: notes of 30 days with 100 likes or more, percent.
        Fact hundred_like_percent: Option<f64>,
        /// `thousandLikePercent30`: notes of 30 days with 1000 likes or more, percent.
        Fact thousand_like_percent: Option<f64>,
        /// `fansActiveIn28dLv`: followers that were active within 28 days, percent.
        Fact active_fans_percent: Option<f64>,
        /// `fansEngageNum30dLv`: followers that engaged within 30 days, percent.
        Fact engaged_fans_percent: Option<f64>,
        /// `inviteReply48hNumRatio`: invitations that are answered within 48 hours, percent.
        Fact invite_reply_percent: Option<f64>,
        /// `clickMidNumMcn`: median reads of a note, as the MCN gives it.
        Fact mcn_read_median: Option<i64>,
        /// `mEngagementNumMcn`: median engagements of a note, as the MCN gives it; its twin differs
        /// only by case and is not read.
        Fact mcn_engagement_median: Option<i64>,
        /// `accumPicCommonImpMedinNum30d`: `impression_median_30d` of picture notes.
        Fact picture_impression_median_30d: Option<i64>,
        /// `accumVideoCommonImpMedinNum30d`: `impression_median_30d` of video notes.
        Fact video_impression_median_30d: Option<i64>,
        /// `coopNoteNum30d`: notes that were paid for, 30 days.
        Fact coop_notes_30d: Option<i64>,
        /// `accumCoopImpMedinNum30d`: median impressions of a paid note, 30 days; 0 also where
        /// there are none.
        Fact coop_impression_median_30d: Option<i64>,
        /// `readMidCoop30`: median reads of a paid note, 30 days; 0 also where there are none.
        Fact coop_read_median_30d: Option<i64>,
        /// `interMidCoop30`: median engagements of a paid note, 30 days; 0 also where there are
        /// none.
        Fact coop_engagement_median_30d: Option<i64>,
        /// `mCpuvNum30d`: median visits that a paid note brings to a shop, 30 days; its twin
        /// differs only by case and is not read.
        Fact store_visit_median_30d: Option<i64>,
        /// `estimateCpuv30d`, yuan a visit that a paid note brings to a shop, 30 days; 0 is NULL.
        Fact store_visit_cost_30d: Option<f64>,
        /// `pictureHundredLikePercent30`: `hundred_like_percent` of picture notes.
        Fact picture_hundred_like_percent: Option<f64>,
        /// `pictureThousandLikePercent30`: `thousand_like_percent` of picture notes.
        Fact picture_thousand_like_percent: Option<f64>,
        /// `videoHundredLikePercent30`: `hundred_like_percent` of video notes.
        Fact video_hundred_like_percent: Option<f64>,
        /// `videoThousandLikePercent30`: `thousand_like_percent` of video notes.
        Fact video_thousand_like_percent: Option<f64>,
        /// `videoFinishRate`: views that reach the end of a video, percent.
        Fact video_finish_percent: Option<f64>,
        /// `estimatePictureCpmCompare`: KOLs of its kind that `picture_cpm` compares well with,
        /// percent.
        Fact picture_cpm_percentile: Option<f64>,
        /// `estimateVideoCpmCompare`: the same of `video_cpm`; given where no video is sold, too.
        Fact video_cpm_percentile: Option<f64>,
        /// `estimatePictureEngageCostCompare`: the same of `picture_engage_cost`.
        Fact picture_engage_cost_percentile: Option<f64>,
        /// `estimateVideoEngageCostCompare`: the same of `video_engage_cost`.
        Fact video_engage_cost_percentile: Option<f64>,
        /// `nextPicturePrice`: the coming price of a picture note, yuan; NULL: no change is
        /// announced.
        Fact next_picture_price: Option<f64>,
        /// `nextVideoPrice`: the coming price of a video note, yuan; NULL: no change is announced.
        Fact next_video_price: Option<f64>,
        /// `clothingIndustryPrice.picturePrice`: a picture note for clothing brands, yuan; NULL
        /// when not for sale.
        Fact clothing_picture_price: Option<f64>,
        /// `clothingIndustryPrice.videoPrice`: a video note for clothing brands, yuan; NULL when
        /// not for sale.
        Fact clothing_video_price: Option<f64>,
        /// `pictureCpcBasePrice`: the fixed part of a picture note that is paid by the click, yuan;
        /// 0 is NULL.
        Fact picture_cpc_base_price: Option<f64>,
        /// `pictureCpcPerPrice`, yuan a click; 0 is NULL.
        Fact picture_cpc_price: Option<f64>,
        /// `pictureCpcEstimateNum`: clicks that are expected of it.
        Fact picture_cpc_clicks: Option<i64>,
        /// `videoCpcBasePrice`: the fixed part of a video note that is paid by the click, yuan; 0
        /// is NULL.
        Fact video_cpc_base_price: Option<f64>,
        /// `videoCpcPerPrice`, yuan a click; 0 is NULL.
        Fact video_cpc_price: Option<f64>,
        /// `videoCpcEstimateNum`: clicks that are expected of it.
        Fact video_cpc_clicks: Option<i64>,
        /// `promiseImpNum`: impressions that the KOL promises; 0 is NULL.
        Fact promised_impressions: Option<i64>,
        /// `predictiveExposure`: impressions that are expected; 0 also where nothing is.
        Fact predicted_impressions: Option<i64>,
        /// `forecastReadUvLower`: readers that are forecast, at least; 0 also without a forecast.
        Fact forecast_readers_lower: Option<i64>,
        /// `forecastReadUvUpper`: readers that are forecast, at the most; 0 also without a
        /// forecast.
        Fact forecast_readers_upper: Option<i64>,
        /// `forecastGroupCoverRateLower`: the part of the audience asked for that is forecast to be
        /// reached, at least, as given.
        Fact forecast_coverage_lower: Option<f64>,
        /// `forecastGroupCoverRateUpper`: the same, at the most.
        Fact forecast_coverage_upper: Option<f64>,
        /// `matchNoteNumber`: notes that match the search.
        Fact matched_notes: Option<i64>,
        /// `efficiencyValidUser`, as given.
        Fact efficient_users: Option<i64>,
        /// `overflowNum`, as given.
        Fact overflow: Option<i64>,
        /// `likeCollectCountInfo`: likes and collects of all notes.
        Fact likes_and_collects: Option<i64>,
        /// `fansRiseNum`: followers that notes brought.
        Fact followers_risen: Option<i64>,
        /// `fansEngageNum`: followers that engaged.
        Fact followers_engaged: Option<i64>,
        /// `kliveCnt30d`: live broadcasts, 30 days.
        Fact lives_30d: Option<i64>,
        /// `avgLiveViewerNum`: mean viewers of a live broadcast.
        Fact live_viewers_mean: Option<f64>,
        /// `avgAgmv90d`: mean sales of a live broadcast, yuan, 90 days.
        Fact live_sales_mean_90d: Option<f64>,
        /// `liveGMV`: sales of live broadcasts, yuan.
        Fact live_sales: Option<f64>,
        /// `sellerRealIncomeAmt90d`: what the shop took, yuan, 90 days.
        Fact seller_income_90d: Option<f64>,
    }
}
