//! Pugongying KOL search: what to ask, what a page of it means, and when to stop paging.

use std::collections::{BTreeMap, BTreeSet};

use super::json::{self, Counts, Json, Value};
use super::reading::Odd;
use super::{Ask, Listing, Outcome, Reading, Request};
use crate::model::{Batch, Kol, KolMetrics, KolNote, KolSearch, KolSearchResult, KolTag};
use crate::watchlist::kol_filter::DEFAULT_SORT;

/// Where the search is.
const PATH: &str = "/api/xiaohongshu-pgy/api/solar/cooperator/blogger/v2/v1";

/// Results on a full page.
const PAGE_SIZE: i64 = 20;

/// The last page that upstream serves.
pub const LAST_PAGE: u32 = 250;

/// From this price on a KOL is not for sale.
const NOT_FOR_SALE: f64 = 9_999_999.0;

/// What to send for a page of a search.
pub(super) fn request(ask: &Ask) -> Request {
    // A key that is no search can only have been meant as a keyword.
    let filter = KolSearch::from_key(&ask.key).map_or_else(
        || BTreeMap::from([("keyword".to_owned(), ask.key.clone())]),
        |search| search.filter,
    );
    let mut query: Vec<(String, String)> =
        filter.into_iter().filter(|(name, _)| !matches!(name.as_str(), "page" | "token")).collect();
    if query.iter().all(|(name, _)| name != "sort") {
        query.push(("sort".to_owned(), DEFAULT_SORT.to_owned()));
    }
    query.push(("page".to_owned(), ask.page.to_string()));
    Request { path: PATH, query }
}

/// Whether a page that held `new_ids` not seen before is worth another call after it.
pub fn has_more(page: u32, max_pages: u32, listing: &Listing, new_ids: usize) -> bool {
    let within_total = listing.total.is_none_or(|total| i64::from(page) * PAGE_SIZE < total);
    page < max_pages.min(LAST_PAGE) && !listing.ids.is_empty() && new_ids > 0 && within_total
}

/// Rows of a page of results.
pub(super) fn normalise(ask: &Ask, data: Json<'_>) -> Reading {
    let kols = match json::field(data, "kols") {
        Some(Value::Array(kols)) => kols.as_slice(),
        Some(Value::Null) => &[],
        _ => return Reading::unreadable("data.kols is missing or no list"),
    };
    let mut listing = Listing { ids: Vec::new(), total: json::int(data, "/total") };
    if kols.is_empty() {
        return Reading { listing: Some(listing), ..Reading::of(Outcome::Empty) };
    }
    let reading = page(kols, i64::from(ask.page), &mut listing);
    Reading { listing: Some(listing), ..reading }
}

/// Rows of the results on a page, whose ids are added to the listing.
fn page(kols: &[Value<'_>], page: i64, listing: &mut Listing) -> Reading {
    let mut batch = Batch::default();
    let mut odd = Odd::default();
    let mut seen = BTreeSet::new();
    let mut without_id = 0;
    for (position, kol) in (0..).zip(kols) {
        let Some(kol_id) = json::text(kol, "/userId") else {
            without_id += 1;
            continue;
        };
        batch.kol_search_results.push(KolSearchResult { position, page, kol_id: kol_id.clone() });
        if seen.insert(kol_id.clone()) {
            rows(kol, &kol_id, &mut batch, &mut odd);
            listing.ids.push(kol_id);
        } else {
            odd.note(format!("{kol_id} is listed twice"));
        }
    }
    if listing.ids.is_empty() {
        return Reading::unreadable("data.kols[].userId is missing");
    }
    odd.skipped(without_id, "kols without userId");
    Reading::rows(batch, odd)
}

fn rows(kol: Json<'_>, kol_id: &str, batch: &mut Batch, odd: &mut Odd) {
    let prices = Prices::of(kol);
    batch.kols.push(kol_row(kol, kol_id, &prices));
    batch.kol_metrics.push(metrics(kol, kol_id, &prices, odd));
    batch.kol_tags.extend(tags(kol, kol_id));
    notes(kol, kol_id, batch, odd);
}

/// What a KOL asks for a note, in yuan; `None` when not for sale.
struct Prices {
    picture: Option<f64>,
    video: Option<f64>,
    lower: Option<f64>,
}

impl Prices {
    fn of(kol: Json<'_>) -> Self {
        Self {
            picture: price(kol, "picture"),
            video: price(kol, "video"),
            lower: price(kol, "lower"),
        }
    }
}

/// The price `{what}Price`, judged by `{what}PriceGtZero` and `{what}State` beside it.
fn price(kol: Json<'_>, what: &str) -> Option<f64> {
    let price = json::float(kol, &format!("/{what}Price"))?;
    let greater_than_zero = json::flag(kol, &format!("/{what}PriceGtZero"));
    let state = json::int(kol, &format!("/{what}State")).unwrap_or(0);
    let for_sale = (0.0..NOT_FOR_SALE).contains(&price)
        && greater_than_zero != Some(false)
        && (price > 0.0 || state != 0);
    for_sale.then_some(price)
}

fn kol_row(kol: Json<'_>, kol_id: &str, prices: &Prices) -> Kol {
    Kol {
        kol_id: kol_id.to_owned(),
        red_id: json::text(kol, "/redId"),
        nickname: json::text(kol, "/name"),
        avatar_url: json::text(kol, "/headPhoto"),
        gender: json::text(kol, "/gender"),
        location: json::text(kol, "/location"),
        level: json::int(kol, "/currentLevel").filter(|level| *level >= 0),
        mcn_id: json::text(kol, "/noteSign/userId"),
        mcn_name: json::text(kol, "/noteSign/name"),
        low_active: json::flag(kol, "/lowActive"),
        picture_price: prices.picture,
        video_price: prices.video,
        lower_price: prices.lower,
    }
}

fn metrics(kol: Json<'_>, kol_id: &str, prices: &Prices, odd: &mut Odd) -> KolMetrics {
    let growth_rate = json::float(kol, "/fans30GrowthRate");
    let mut counts = Counts::of(kol);
    let metrics = KolMetrics {
        kol_id: kol_id.to_owned(),
        // `fansCount` is 0 in every search answer.
        followers: counts.expect(&["/fansNum"]),
        followers_growth_30d: json::int(kol, "/fans30GrowthNum")
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
        picture_price: prices.picture,
        video_price: prices.video,
        lower_price: prices.lower,
        picture_read_cost: json::float(kol, "/pictureReadCost"),
        video_read_cost: json::float(kol, "/videoReadCost"),
        picture_cpm: json::float(kol, "/estimatePictureCpm"),
        video_cpm: json::float(kol, "/estimateVideoCpm"),
        picture_engage_cost: json::float(kol, "/estimatePictureEngageCost"),
        video_engage_cost: json::float(kol, "/estimateVideoEngageCost"),
        hundred_like_percent: json::float(kol, "/hundredLikePercent30"),
        thousand_like_percent: json::float(kol, "/thousandLikePercent30"),
        active_fans_percent: json::float(kol, "/fansActiveIn28dLv"),
        engaged_fans_percent: json::float(kol, "/fansEngageNum30dLv"),
        invite_reply_percent: json::float(kol, "/inviteReply48hNumRatio"),
    };
    if !counts.exact {
        odd.note("a rounded count".to_owned());
    }
    odd.counts(counts);
    metrics
}

fn tags(kol: Json<'_>, kol_id: &str) -> Vec<KolTag> {
    let mut tags: Vec<(&'static str, Option<String>, Option<String>)> = Vec::new();
    for content in json::list(kol, "/contentTags") {
        let category = json::text(content, "/taxonomy1Tag");
        let below: Vec<String> = texts(content, "/taxonomy2Tags").collect();
        if below.is_empty() && category.is_some() {
            tags.push(("content", category, None));
        } else {
            tags.extend(below.into_iter().map(|tag| ("content", category.clone(), Some(tag))));
        }
    }
    tags.extend(texts(kol, "/featureTags").map(|tag| ("feature", None, Some(tag))));
    tags.extend(texts(kol, "/personalTags").map(|tag| ("personal", None, Some(tag))));
    let row = |(position, (tag_kind, category, tag))| KolTag {
        kol_id: kol_id.to_owned(),
        position,
        tag_kind,
        category,
        tag,
    };
    (0..).zip(tags).map(row).collect()
}

fn texts<'v>(value: Json<'v>, path: &str) -> impl Iterator<Item = String> + use<'v> {
    json::list(value, path).iter().filter_map(|item| json::text(item, ""))
}

fn notes(kol: Json<'_>, kol_id: &str, batch: &mut Batch, odd: &mut Odd) {
    let mut without_id = 0;
    for (position, note) in (0..).zip(json::list(kol, "/noteList")) {
        let Some(note_id) = json::text(note, "/noteId") else {
            without_id += 1;
            continue;
        };
        batch.kol_notes.push(KolNote {
            kol_id: kol_id.to_owned(),
            position,
            note_id,
            note_type: match json::int(note, "/noteType") {
                Some(1) => Some("normal".to_owned()),
                Some(2) => Some("video".to_owned()),
                _ => json::text(note, "/noteType"),
            },
            content_tag: json::text(note, "/contentTag"),
            image_url: json::text(note, "/imageUrl"),
        });
    }
    odd.skipped(without_id, "noteList without noteId");
}

#[cfg(test)]
mod tests;
