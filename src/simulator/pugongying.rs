//! What Pugongying's KOL search answers: pages of KOLs that move from day to day.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::catalogue::seconds;
use super::curves::power_of_two;
use super::dice::Dice;
use super::shapes::{KOL, filled};
use super::words::{PLACES, THEMES, Theme, nickname, theme_of};
use super::world::World;
use crate::time::Time;

/// KOLs on a page: observed upstream, not documented.
pub(super) const PAGE: usize = 20;

/// How many KOLs there are. A prime, so that steps of any length visit each of them once.
const KOLS: i64 = 3001;

/// What upstream says for "many": a ceiling for paging, not a count.
const CEILING: usize = 5000;

/// Filters with more parameters than this are narrow: their total is their number of hits.
const BROAD: usize = 3;

/// What is asked for how, not for whom.
const NOT_FILTERS: [&str; 4] = ["token", "page", "sort", "searchType"];

/// 2026-01-01 00:00 UTC: where the drift of followers is counted from.
const DRIFT_FROM: i64 = 1_767_225_600;

const NOT_FOR_SALE: f64 = 9_999_999.0;

/// A page of the answer.
pub(super) struct Page {
    /// Id and followers of those on it.
    pub(super) followers: Vec<(String, i64)>,
    /// `data`.
    pub(super) data: Value,
}

/// A KOL, as its number decides.
struct Kol {
    index: i64,
    id: String,
    name: String,
    female: bool,
    fans: i64,
    /// Followers gained or lost in a day, in millionths.
    drift: i64,
    theme: &'static Theme,
}

impl Kol {
    fn of(seed: u64, index: i64) -> Self {
        let mut dice = Dice::of(seed, &["kol", &index.to_string()]);
        let dice = &mut dice;
        Self {
            index,
            id: format!("{:08x}00000000{}", dice.between(0x5a00_0000, 0x6800_0000), dice.hex(8)),
            name: nickname(dice),
            female: dice.chance(720),
            fans: power_of_two((14_000 + 2_200 * dice.bell() / 1000).clamp(9_000, 23_000)),
            drift: dice.between(-900, 4_200),
            theme: dice.pick(&THEMES),
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

/// What a filter finds.
struct Search {
    /// The filter, without what only says how to list.
    key: String,
    /// Those with the most followers first.
    kols: Vec<Kol>,
    /// A ceiling, or the number of hits.
    total: usize,
    /// Whether pages behind the last one are the last one again; else they are empty.
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
        let mut dice = Dice::of(seed, &["kol search", &key]);
        let broad = filters.len() <= BROAD;
        let hits = if broad { dice.between(90, 400) } else { dice.between(0, 70) };
        let (start, step) = (dice.between(0, KOLS - 1), dice.between(1, KOLS - 1));
        let mut kols: Vec<Kol> = (0..KOLS)
            .map(|place| Kol::of(seed, (start + step * place) % KOLS))
            .filter(|kol| kol.matches(filter))
            .take(usize::try_from(hits).unwrap_or(PAGE))
            .collect();
        kols.sort_by_key(|kol| (-kol.fans, kol.index));
        let total = if broad { CEILING } else { kols.len() };
        Self { key, kols, total, repeats: broad && dice.chance(500) }
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
    let track = Dice::of(world.seed, &["track", &search.key, &at.to_string()]).hex(32);
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
    let mut dice = Dice::of(world.seed, &["kol body", &kol.id]);
    let dice = &mut dice;
    let followers = kol.followers(at);
    let theme = filter.get("keyword").map_or(kol.theme, |keyword| theme_of(dice, keyword));
    let mut body = filled(&KOL, profile(dice, kol));
    put(&mut body, tags(dice, theme));
    put(&mut body, json!({ "noteList": notes(world, dice, theme) }));
    put(&mut body, prices(dice, kol.fans));
    put(&mut body, figures(dice, followers));
    // The true count of followers; `fansCount` is 0 for everybody, and so is the growth.
    put(
        &mut body,
        json!({ "fansNum": followers, "fansCount": 0, "fans30GrowthNum": 0,
        "fans30GrowthRate": tenths(kol.drift * 30 / 1000) }),
    );
    body
}

fn profile(dice: &mut Dice, kol: &Kol) -> Value {
    let avatar = dice.letters(40).to_lowercase();
    let lettered = dice.chance(120);
    let agency = format!("{}文化传媒", dice.pick(&["潮声", "青禾", "拾光"]));
    let signed = json!({ "userId": dice.hex(24), "name": agency });
    json!({
        "userId": kol.id,
        "valid": 1,
        "headPhoto": format!("https://sns-avatar-qc.xhscdn.com/avatar/{avatar}?imageView2/2/w/120"),
        "name": kol.name,
        "redId": if lettered { dice.letters(8).to_lowercase() } else { dice.digits(10) },
        "location": if dice.chance(100) { "" } else { *dice.pick::<&str>(&PLACES) },
        "gender": if kol.female { "女" } else { "男" },
        "noteSign": if dice.chance(150) { signed } else { Value::Null },
        "businessNoteCount": 0,
        "currentLevel": dice.between(1, 3),
        "nextLevel": -1,
        "promiseImpNum": "0",
        "lowActive": dice.chance(300),
    })
}

/// Each of the three kinds of tags is null for many.
fn tags(dice: &mut Dice, theme: &Theme) -> Value {
    let (first, second) = theme.taxonomy;
    let count = usize::from(dice.chance(400)) + 1;
    let content =
        json!([{ "taxonomy1Tag": first, "taxonomy2Tags": dice.pick_some(second, count) }]);
    let features = json!([dice.pick(&["氛围感", "干货满满", "真实测评"])]);
    let personal = json!([dice.pick(&["学生", "宝妈", "上班族"])]);
    let mut or_null = |tags: Value, null: i64| if dice.chance(null) { Value::Null } else { tags };
    json!({ "contentTags": or_null(content, 350), "featureTags": or_null(features, 500),
        "personalTags": or_null(personal, 550) })
}

fn put(body: &mut Value, more: Value) {
    *body = filled(body, more);
}

fn notes(world: &World, dice: &mut Dice, theme: &Theme) -> Value {
    let count = dice.between(1, 3);
    let note = |_| {
        let id = world.note_behind(&dice.letters(8));
        let kind = if world.note(&id).video_ms.is_some() { 2 } else { 1 };
        json!({ "noteId": id, "noteType": kind, "contentTag": theme.taxonomy.0, "bind": false,
            "imageUrl": format!("http://ci.xiaohongshu.com/{id}?imageView2/2/w/540/format/jpg/q/75"),
            "featureTags": [], "industryTags": null })
    };
    (0..count).map(note).collect()
}

/// Prices with their traps: not for sale is a very large number, or 0 with a flag, or null.
fn prices(dice: &mut Dice, fans: i64) -> Value {
    let picture = whole(dice.between(1, 9) * 10 + fans / 50);
    let video = match dice.between(0, 9) {
        0..=3 => json!(NOT_FOR_SALE),
        4 => json!(0.0),
        _ => json!(picture * 1.5),
    };
    let picture = if dice.chance(80) { Value::Null } else { json!(picture) };
    json!({ "picturePrice": picture, "lowerPrice": picture, "videoPriceGtZero": video != json!(0.0),
        "picturePriceGtZero": !picture.is_null(), "videoPrice": video,
        "pictureCpcBasePrice": "0", "videoCpcBasePrice": "0" })
}

/// Medians and rates, which follow the followers.
fn figures(dice: &mut Dice, followers: i64) -> Value {
    let reads = followers * dice.between(30, 900) / 1000 + 40;
    let engagements = reads * dice.between(30, 160) / 1000;
    let video = if dice.chance(400) { 0 } else { reads * 7 / 10 };
    json!({
        "clickMidNum": reads, "interMidNum": engagements,
        "pictureClickMidNum": reads * 11 / 10, "pictureInterMidNum": engagements * 11 / 10,
        "videoClickMidNum": video, "videoInterMidNum": video / 9,
        "accumCommonImpMedinNum30d": reads * 4, "accumPicCommonImpMedinNum30d": reads * 5,
        "mEngagementNum": engagements * 3, "mengagementNum": engagements * 3,
        "totalNoteCount": null,
        "pictureReadCost": format!("0.{:02}", dice.between(5, 95)), "videoReadCost": "0.00",
        "estimatePictureCpm": tenths(dice.between(20, 900)), "estimateVideoCpm": 0.0,
        "estimatePictureEngageCost": tenths(dice.between(1, 40)), "estimateVideoEngageCost": 0.0,
        "hundredLikePercent30": tenths(dice.between(100, 1000)),
        "thousandLikePercent30": tenths(dice.between(0, 100)),
        "fansActiveIn28dLv": tenths(dice.between(500, 990)),
        "fansEngageNum30dLv": tenths(dice.between(20, 430)),
        "inviteReply48hNumRatio": tenths(dice.between(0, 1000)),
    })
}

fn tenths(count: i64) -> f64 {
    whole(count) / 10.0
}

/// Small enough to be exact.
fn whole(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap_or(i32::MAX))
}
