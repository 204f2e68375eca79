//! The figures of a KOL.

use super::prices::Prices;
use crate::api::counts::CountReader;
use crate::api::json::{self, Json};
use crate::api::reading::Odd;
use crate::model::{Field, KolFigures};

pub(super) fn of(kol: Json<'_>, prices: &Prices, odd: &mut Odd) -> KolFigures {
    let float = |path| json::float(kol, path).into_value();
    let growth_rate = float("/fans30GrowthRate");
    let picture_cost = |path| cost(kol, path, &prices.picture);
    let video_cost = |path| cost(kol, path, &prices.video);
    let mut counts = CountReader::of(kol);
    let figures = KolFigures {
        // `fansCount` is 0 in every search answer.
        followers: counts.expect(&["/fansNum"]),
        followers_growth_30d: json::int(kol, "/fans30GrowthNum")
            .into_value()
            .filter(|growth| *growth != 0 || growth_rate.is_none_or(|rate| rate == 0.0)),
        followers_growth_rate_30d: growth_rate,
        read_median: counts.take(&["/clickMidNum"]),
        engagement_median: counts.take(&["/interMidNum"]),
        picture_read_median: counts.take(&["/pictureClickMidNum"]),
        picture_engagement_median: counts.take(&["/pictureInterMidNum"]),
        video_read_median: counts.take(&["/videoClickMidNum"]),
        video_engagement_median: counts.take(&["/videoInterMidNum"]),
        impression_median_30d: counts.take(&["/accumCommonImpMedinNum30d"]),
        monthly_engagements: counts.take(&["/mEngagementNum"]),
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
