//! The figures of a KOL.

use super::prices::{Prices, price};
use crate::api::counts::CountReader;
use crate::api::json::{self, Json};
use crate::api::reading::Odd;
use crate::model::{Field, KolFigures};

pub(super) fn of(kol: Json<'_>, prices: &Prices, odd: &mut Odd) -> KolFigures {
    let float = |path| json::float(kol, path).into_value();
    let clothing = |what| price(json::at(kol, "/clothingIndustryPrice"), what).into_value();
    let above_zero = |path| float(path).filter(|number| *number > 0.0);
    let growth_rate = float("/fans30GrowthRate");
    let picture_cost = |path| cost(kol, path, &prices.picture);
    let video_cost = |path| cost(kol, path, &prices.video);
    let mut counts = CountReader::of(kol);
    let figures = KolFigures {
        followers: counts
            .expect(&["/fansNum"])
            .or_else(|| counts.take(&["/fansCount"]).filter(|followers| *followers > 0)),
        followers_growth_30d: counts
            .growth("/fans30GrowthNum")
            .filter(|growth| *growth != 0 || growth_rate.is_none_or(|rate| rate == 0.0)),
        followers_growth_rate_30d: growth_rate,
        read_median: counts.take(&["/clickMidNum"]),
        engagement_median: counts.take(&["/interMidNum"]),
        picture_read_median: counts.take(&["/pictureClickMidNum"]),
        picture_engagement_median: counts.take(&["/pictureInterMidNum"]),
        video_read_median: counts.take(&["/videoClickMidNum"]),
        video_engagement_median: counts.take(&["/videoInterMidNum"]),
        impression_median_30d: counts.take(&["/accumCommonImpMedinNum30d"]),
        seeding_engagement_median: counts.take(&["/mEngagementNum"]),
        total_notes: counts.take(&["/totalNoteCount"]),
        business_notes: counts.take(&["/businessNoteCount"]).filter(|notes| *notes > 0),
        picture_price: prices.picture.value().copied(),
        video_price: prices.video.value().copied(),
        lower_price: prices.lower.value().copied(),
        picture_read_cost: picture_cost("/pictureReadCost"),
        video_read_cost: video_cost("/videoReadCost"),
        picture_cpm: picture_cost("/estimatePictureCpm"),
        video_cpm: video_cost("/estimateVideoCpm"),
        picture_engage_cost: picture_cost("/estimatePictureEngageCost"),
        video_engage_cost: video_cost("/estimateVideoEngageCost"),
        hundred_like_percent: float("/hundredLikePercent30"),
        thousand_like_percent: float("/thousandLikePercent30"),
        active_fans_percent: float("/fansActiveIn28dLv"),
        engaged_fans_percent: float("/fansEngageNum30dLv"),
        invite_reply_percent: float("/inviteReply48hNumRatio"),
        mcn_read_median: counts.take(&["/clickMidNumMcn"]),
        mcn_engagement_median: counts.take(&["/mEngagementNumMcn"]),
        picture_impression_median_30d: counts.take(&["/accumPicCommonImpMedinNum30d"]),
        video_impression_median_30d: counts.take(&["/accumVideoCommonImpMedinNum30d"]),
        coop_notes_30d: counts.take(&["/coopNoteNum30d"]),
        coop_impression_median_30d: counts.take(&["/accumCoopImpMedinNum30d"]),
        coop_read_median_30d: counts.take(&["/readMidCoop30"]),
        coop_engagement_median_30d: counts.take(&["/interMidCoop30"]),
        store_visit_median_30d: counts.take(&["/mCpuvNum30d"]),
        store_visit_cost_30d: above_zero("/estimateCpuv30d"),
        picture_hundred_like_percent: float("/pictureHundredLikePercent30"),
        picture_thousand_like_percent: float("/pictureThousandLikePercent30"),
        video_hundred_like_percent: float("/videoHundredLikePercent30"),
        video_thousand_like_percent: float("/videoThousandLikePercent30"),
        video_finish_percent: float("/videoFinishRate"),
        picture_cpm_percentile: float("/estimatePictureCpmCompare"),
        video_cpm_percentile: float("/estimateVideoCpmCompare"),
        picture_engage_cost_percentile: float("/estimatePictureEngageCostCompare"),
        video_engage_cost_percentile: float("/estimateVideoEngageCostCompare"),
        next_picture_price: above_zero("/nextPicturePrice"),
        next_video_price: above_zero("/nextVideoPrice"),
        clothing_picture_price: clothing("picture"),
        clothing_video_price: clothing("video"),
        picture_cpc_base_price: above_zero("/pictureCpcBasePrice"),
        picture_cpc_price: above_zero("/pictureCpcPerPrice"),
        picture_cpc_clicks: counts.take(&["/pictureCpcEstimateNum"]),
        video_cpc_base_price: above_zero("/videoCpcBasePrice"),
        video_cpc_price: above_zero("/videoCpcPerPrice"),
        video_cpc_clicks: counts.take(&["/videoCpcEstimateNum"]),
        promised_impressions: counts.take(&["/promiseImpNum"]).filter(|promised| *promised > 0),
        predicted_impressions: counts.take(&["/predictiveExposure"]),
        forecast_readers_lower: counts.take(&["/forecastReadUvLower"]),
        forecast_readers_upper: counts.take(&["/forecastReadUvUpper"]),
        forecast_coverage_lower: float("/forecastGroupCoverRateLower"),
        forecast_coverage_upper: float("/forecastGroupCoverRateUpper"),
        matched_notes: counts.take(&["/matchNoteNumber"]),
        efficient_users: counts.take(&["/efficiencyValidUser"]),
        overflow: counts.take(&["/overflowNum"]),
        likes_and_collects: counts.take(&["/likeCollectCountInfo"]),
        followers_risen: counts.take(&["/fansRiseNum"]),
        followers_engaged: counts.take(&["/fansEngageNum"]),
        lives_30d: counts.take(&["/kliveCnt30d"]),
        live_viewers_mean: float("/avgLiveViewerNum"),
        live_sales_mean_90d: float("/avgAgmv90d"),
        live_sales: float("/liveGMV"),
        seller_income_90d: float("/sellerRealIncomeAmt90d"),
    };
    if counts.granularity.is_some() {
        odd.note("a rounded count".to_owned());
    }
    odd.counts(counts);
    figures
}

/// A cost in yuan. There is none where such notes are not for sale, and a zero hides it.
fn cost(kol: Json<'_>, path: &str, price: &Field<f64>) -> Option<f64> {
    let cost = json::float(kol, path).into_value()?;
    (cost > 0.0 && *price != Field::Empty).then_some(cost)
}
