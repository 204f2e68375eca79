//! Answers of Pugongying's KOL search: pages of KOLs whose figures change from day to day.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::catalogue::seconds;
use super::curves::power_of_two;
use super::rng::Rng;
use super::shapes::{KOL, filled};
use super::vocabulary::{PLACES, THEMES, Theme, nickname, theme_of};
use super::world::World;
use crate::time::Time;

/// KOLs per page, as observed upstream; undocumented.
pub(super) const PAGE: usize = 20;

/// Number of KOLs. A prime, so that a step of any length visits each of them once.
const KOLS: i64 = 3001;

/// Upstream's total for a broad search: a limit for paging, not a count.
const CEILING: usize = 5000;

/// Searches with more filter parameters than this are narrow: their total is the number of hits.
const BROAD: usize = 3;

/// Parameters that do not filter.
const NOT_FILTERS: [&str; 4] = ["token", "page", "sort", "searchType"];

/// 2026-01-01 00:00 UTC: the origin of the followers' drift.
const DRIFT_FROM: i64 = 1_767_225_600;

const NOT_FOR_SALE: f64 = 9_999_999.0;

/// One page of results.
pub(super) struct Page {
    /// Ids and followers of the KOLs on the page.
    pub(super) followers: Vec<(String, i64)>,
    /// `data`.
    pub(super) data: Value,
}

/// A KOL, derived from its number.
struct Kol {
    index: i64,
    id: String,
    name: String,
    female: bool,
    fans: i64,
    /// Followers gained or lost per day, in millionths.
    drift: i64,
    theme: &'static Theme,
}

impl Kol {
    fn of(seed: u64, index: i64) -> Self {
        let mut rng = Rng::of(seed, &["kol", &index.to_string()]);
        let rng = &mut rng;
        Self {
            index,
            id: format!("{:08x}00000000{}", rng.between(0x5a00_0000, 0x6800_0000), rng.hex(8)),
            name: nickname(rng),
            female: rng.chance(720),
            fans: power_of_two((14_000 + 2_200 * rng.bell() / 1000).clamp(9_000, 23_000)),
            drift: rng.between(-900, 4_200),
            theme: rng.pick(&THEMES),
        }
    }

    fn followers(&self, at: i64) -> i64 {
        let hours = ((at - DRIFT_FROM) / 3600).clamp(-10_000, 30_000);
        (self.fans + self.fans * self.drift / 1000 * hours / 24_000).max(0)
    }

    fn matches(&self, filter: &BTreeMap<String, String>) -> bool {
        let bound = |name: &str| filter.get(name).and_then(|text| text.parse::<i64>().ok());
        let gender = filter.get("gender").map(String::as_str);
        gender != Some(if self.female { "MALE" } else { "FEMALE" })
            && bound("fansNumberLower").is_none_or(|lower| lower < 0 || self.fans >= lower)
            && bound("fansNumberUpper").is_none_or(|upper| upper < 0 || self.fans <= upper)
    }
}

/// The hits of a filter.
struct Search {
    /// The filter without the parameters that only order the results.
    key: String,
    /// Ordered by followers, descending.
    kols: Vec<Kol>,
    /// The limit, or the number of hits.
    total: usize,
    /// Whether pages after the last one repeat it; otherwise they are empty.
    repeats: bool,
}

impl Search {
    fn of(seed: u64, filter: &BTreeMap<String, String>) -> Self {
        let filters: Vec<String> = filter
            .iter()
            .filter(|(name, value)| !NOT_FILTERS.contains(&name.as_str()) && *value != "ALL")
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let key = filters.join("&");
        let mut rng = Rng::of(seed, &["kol search", &key]);
        let broad = filters.len() <= BROAD;
        let hits = if broad { rng.between(90, 400) } else { rng.between(0, 70) };
        let (start, step) = (rng.between(0, KOLS - 1), rng.between(1, KOLS - 1));
        let mut kols: Vec<Kol> = (0..KOLS)
            .map(|place| Kol::of(seed, (start + step * place) % KOLS))
            .filter(|kol| kol.matches(filter))
            .take(usize::try_from(hits).unwrap_or(PAGE))
            .collect();
        kols.sort_by_key(|kol| (-kol.fans, kol.index));
        let total = if broad { CEILING } else { kols.len() };
        Self { key, kols, total, repeats: broad && rng.chance(500) }
    }

    fn page(&self, page: usize) -> Vec<&Kol> {
        let last = self.kols.len().div_ceil(PAGE).max(1);
        let page = if self.repeats { page.min(last) } else { page };
        let before = page.saturating_sub(1).saturating_mul(PAGE);
        self.kols.iter().skip(before).take(PAGE).collect()
    }
}

/// One page of the search for `filter`: the same KOLs at any time, with the figures of `at`.
pub(super) fn page(
    world: &World,
    filter: &BTreeMap<String, String>,
    page: usize,
    at: Time,
) -> Page {
    let search = Search::of(world.seed, filter);
    let shown = search.page(page);
    let at = seconds(at);
    let track = Rng::of(world.seed, &["track", &search.key, &at.to_string()]).hex(32);
    let data = json!({
        "kols": shown.iter().map(|kol| body(world, kol, filter, at)).collect::<Vec<_>>(),
        "total": search.total,
        "trackId": format!("kolSearch_{track}"),
        "highlightWords": [],
        "resultType": 1,
        "redirect2NickSearch": false,
    });
    let followers = shown.iter().map(|kol| (kol.id.clone(), kol.followers(at))).collect();
    Page { followers, data }
}

fn body(world: &World, kol: &Kol, filter: &BTreeMap<String, String>, at: i64) -> Value {
    let mut rng = Rng::of(world.seed, &["kol body", &kol.id]);
    let rng = &mut rng;
    let followers = kol.followers(at);
    let theme = filter.get("keyword").map_or(kol.theme, |keyword| theme_of(rng, keyword));
    let mut body = filled(&KOL, profile(rng, kol));
    put(&mut body, tags(rng, theme));
    put(&mut body, cooperation(&mut Rng::of(world.seed, &["coop", &kol.id]), theme));
    put(&mut body, json!({ "noteList": notes(world, rng, theme) }));
    put(&mut body, prices(rng, kol.fans));
    let video_price =
        body["videoPrice"].as_f64().filter(|price| (1.0..NOT_FOR_SALE).contains(price));
    put(&mut body, figures(rng, followers, video_price));
    // The real count of followers; `fansCount` and the growth are 0 for everybody.
    put(
        &mut body,
        json!({ "fansNum": followers, "fansCount": 0, "fans30GrowthNum": 0,
        "fans30GrowthRate": tenths(kol.drift * 30 / 1000) }),
    );
    body
}

fn profile(rng: &mut Rng, kol: &Kol) -> Value {
    let avatar = rng.letters(40).to_lowercase();
    let lettered = rng.chance(120);
    let agency = format!("{}文化传媒", rng.pick(&["潮声", "青禾", "拾光"]));
    let signed = json!({ "userId": rng.hex(24), "name": agency });
    json!({
        "userId": kol.id,
        "valid": 1,
        "headPhoto": format!("https://sns-avatar-qc.xhscdn.com/avatar/{avatar}?imageView2/2/w/120"),
        "name": kol.name,
        "redId": if lettered { rng.letters(8).to_lowercase() } else { rng.digits(10) },
        "location": if rng.chance(100) { "" } else { *rng.pick::<&str>(&PLACES) },
        "gender": if kol.female { "女" } else { "男" },
        "noteSign": if rng.chance(150) { signed } else { Value::Null },
        "businessNoteCount": 0,
        "currentLevel": rng.between(1, 3),
        "nextLevel": -1,
        "promiseImpNum": "0",
        "lowActive": rng.chance(300),
    })
}

/// Each of the three kinds of tags is often null.
fn tags(rng: &mut Rng, theme: &Theme) -> Value {
    let (first, second) = theme.taxonomy;
    let count = usize::from(rng.chance(400)) + 1;
    let content = json!([{ "taxonomy1Tag": first, "taxonomy2Tags": rng.pick_some(second, count) }]);
    let features = json!([rng.pick(&["氛围感", "干货满满", "真实测评"])]);
    let personal = json!([rng.pick(&["学生", "宝妈", "上班族"])]);
    let mut or_null = |tags: Value, null: i64| if rng.chance(null) { Value::Null } else { tags };
    json!({ "contentTags": or_null(content, 350), "featureTags": or_null(features, 500),
        "personalTags": or_null(personal, 550) })
}

fn put(body: &mut Value, more: Value) {
    *body = filled(body, more);
}

fn notes(world: &World, rng: &mut Rng, theme: &Theme) -> Value {
    let count = rng.between(1, 3);
    let note = |_| {
        let id = world.note_behind(&rng.letters(8));
        let kind = if world.note(&id).video_ms.is_some() { 2 } else { 1 };
        json!({ "noteId": id, "noteType": kind, "contentTag": theme.taxonomy.0, "bind": false,
            "imageUrl": format!("http://ci.xiaohongshu.com/{id}?imageView2/2/w/540/format/jpg/q/75"),
            "featureTags": [], "industryTags": null })
    };
    (0..count).map(note).collect()
}

/// Prices with upstream's quirks: "not for sale" is a very large number, 0 with a flag, or null.
fn prices(rng: &mut Rng, fans: i64) -> Value {
    let picture = whole(rng.between(1, 9) * 10 + fans / 50);
    let video = match rng.between(0, 9) {
        0..=3 => json!(NOT_FOR_SALE),
        4 => json!(0.0),
        _ => json!(picture * 1.5),
    };
    let picture = if rng.chance(80) { Value::Null } else { json!(picture) };
    json!({ "picturePrice": picture, "lowerPrice": picture, "videoPriceGtZero": video != json!(0.0),
        "picturePriceGtZero": !picture.is_null(), "videoPrice": video,
        "pictureCpcBasePrice": "0", "videoCpcBasePrice": "0" })
}

/// Medians and rates in proportion to the followers. What a video costs is 0 for those who sell none.
fn figures(rng: &mut Rng, followers: i64, video_price: Option<f64>) -> Value {
    let reads = followers * rng.between(30, 900) / 1000 + 40;
    let engagements = reads * rng.between(30, 160) / 1000;
    let video = if rng.chance(400) { 0 } else { reads * 7 / 10 };
    let cost = |count: i64| match video_price {
        Some(price) if count > 0 => (price / whole(count) * 100.0).ceil() / 100.0,
        _ => 0.0,
    };
    json!({
        "clickMidNum": reads, "interMidNum": engagements,
        "pictureClickMidNum": reads * 11 / 10, "pictureInterMidNum": engagements * 11 / 10,
        "videoClickMidNum": video, "videoInterMidNum": video / 9,
        "accumCommonImpMedinNum30d": reads * 4, "accumPicCommonImpMedinNum30d": reads * 5,
        "accumVideoCommonImpMedinNum30d": video * 4,
        "mEngagementNum": engagements * 21 / 20, "mengagementNum": engagements * 21 / 20,
        "totalNoteCount": null,
        "pictureReadCost": format!("0.{:02}", rng.between(5, 95)), "videoReadCost": format!("{:.2}", cost(video)),
        "estimatePictureCpm": tenths(rng.between(20, 900)), "estimateVideoCpm": cost(video * 4 / 1000),
        "estimatePictureEngageCost": tenths(rng.between(1, 40)), "estimateVideoEngageCost": cost(video / 9),
        "hundredLikePercent30": tenths(rng.between(100, 1000)),
        "thousandLikePercent30": tenths(rng.between(0, 100)),
        "estimatePictureCpmCompare": tenths(rng.between(0, 1000)),
        "estimateVideoCpmCompare": tenths(rng.between(0, 1000)),
        "estimatePictureEngageCostCompare": tenths(rng.between(0, 1000)),
        "estimateVideoEngageCostCompare": tenths(rng.between(0, 1000)),
        "fansActiveIn28dLv": tenths(rng.between(500, 990)),
        "fansEngageNum30dLv": tenths(rng.between(20, 430)),
        "inviteReply48hNumRatio": tenths(rng.between(0, 1000)),
    })
}

/// What brands paid for lately; the medians are 0 for those who made no such note.
fn cooperation(rng: &mut Rng, theme: &Theme) -> Value {
    let notes = rng.between(-3, 6).max(0);
    let reads = notes.min(1) * rng.between(300, 9_000);
    let trades = json!([theme.taxonomy.0]);
    json!({
        "coopNoteNum30d": notes, "readMidCoop30": reads, "interMidCoop30": reads / 12,
        "accumCoopImpMedinNum30d": reads * 4, "tradeType": if notes > 0 { trades } else { Value::Null },
    })
}

fn tenths(count: i64) -> f64 {
    whole(count) / 10.0
}

/// Small enough to be exact.
fn whole(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap_or(i32::MAX))
}
