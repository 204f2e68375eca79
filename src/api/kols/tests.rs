use serde_json::{Value, json};

use super::super::{Billed, Endpoint};
use super::*;
use crate::document::JsonText;
use crate::model::{Field, Kol, KolFacts, KolFigures};

const PAGE: &str = include_str!("../../../tests/fixtures/kol_search_page1.json");

fn ask(page: u32) -> Ask {
    let filter = BTreeMap::from([
        ("contentTag".to_owned(), "兴趣爱好".to_owned()),
        ("page".to_owned(), "9".to_owned()),
        ("token".to_owned(), "stray".to_owned()),
    ]);
    Ask { key: KolSearch { filter, max_pages: 3 }.to_key(), page }
}

fn read(body: &str) -> Reading {
    Endpoint::KolSearch.read(&ask(1), 200, &JsonText::of(body))
}

fn is(text: &str) -> Field<String> {
    Field::Value(text.to_owned())
}

fn figures() -> Vec<KolFigures> {
    read(PAGE).facts.kols.into_iter().map(|kol| kol.figures).collect()
}

fn kol(fields: &Value) -> KolFacts {
    let mut kol = json!({ "userId": "k1", "fansNum": 5 });
    kol.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    read(&json!({ "code": 0, "data": { "kols": [kol] } }).to_string()).facts.kols.remove(0)
}

#[test]
fn a_request_carries_the_filter_and_its_page() {
    let request = Endpoint::KolSearch.request(&ask(2));
    assert_eq!(request.path, PATH);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(request.query, [pair("contentTag", "兴趣爱好"), pair("page", "2")]);
}

#[test]
fn an_order_that_the_filter_names_is_kept() {
    let filter = BTreeMap::from([("sort".to_owned(), "DEFAULT".to_owned())]);
    let key = KolSearch { filter, max_pages: 1 }.to_key();
    let request = Endpoint::KolSearch.request(&Ask { key, page: 1 });
    assert_eq!(request.query.iter().filter(|(name, _)| name == "sort").count(), 1);
    assert!(request.query.contains(&("sort".to_owned(), "DEFAULT".to_owned())));
}

#[test]
fn a_page_lists_its_kols_and_skips_cards_without_an_id() {
    let reading = read(PAGE);
    assert_eq!((reading.outcome, reading.billed), (Outcome::Ok, Billed::Yes));
    assert_eq!(
        reading.drift.as_deref(),
        Some("noteList without noteId: 1 unreadable; 1 of kols without userId skipped")
    );
    let results = &reading.facts.kol_search_results;
    let places: Vec<(i64, i64)> = results.iter().map(|row| (row.page, row.position)).collect();
    assert_eq!(places, [(1, 0), (1, 1), (1, 3)]);
    let listing = reading.listing.expect("a listing");
    assert_eq!((listing.ids.len(), listing.total), (3, Some(5000)));
}

#[test]
fn a_kol_gives_its_row_tags_and_notes() {
    let kols = read(PAGE).facts.kols;
    let first = &kols[0];
    assert_eq!(first.row.kol_id, "5f00aa11000000000101ee55");
    assert_eq!((&first.row.red_id, &first.row.mcn_name), (&is("sjk_books9"), &is("溪流传媒")));
    assert_eq!((first.row.level.value(), first.row.low_active.value()), (Some(&3), Some(&true)));
    let lists = [&first.content_tags, &first.feature_tags, &first.personal_tags];
    let tags: Vec<(i64, &str, Option<&str>, Option<&str>)> = lists
        .into_iter()
        .flat_map(|list| list.value().unwrap())
        .map(|tag| {
            let (category, name) = (tag.category.value(), tag.tag.value());
            let kind = tag.tag_kind.as_str();
            (tag.position, kind, category.map(String::as_str), name.map(String::as_str))
        })
        .collect();
    assert_eq!(
        tags,
        [
            (0, "content", Some("兴趣爱好"), Some("阅读")),
            (1, "content", Some("兴趣爱好"), Some("文具手账")),
            (2, "content", Some("音乐"), None),
            (0, "feature", None, Some("知性")),
            (0, "personal", None, Some("书虫")),
            (1, "personal", None, Some("早起")),
        ]
    );
    // A note of the first KOL has no id.
    let notes: Vec<_> = kols.iter().map(|kol| &kol.notes).collect();
    assert_eq!(notes, [&Field::Absent, &Field::Absent, &Field::Empty]);
    let listed = json!([{ "noteId": "6a01", "noteType": 1, "contentTag": "文化艺术" },
                        { "noteId": "6a02", "noteType": 2 }]);
    let notes = kol(&json!({ "noteList": listed })).notes.into_value().unwrap();
    assert_eq!((&notes[0].note_type, &notes[1].note_type), (&is("normal"), &is("video")));
    assert_eq!(notes[0].content_tag, is("文化艺术"));
}

#[test]
fn followers_come_from_fans_num_because_fans_count_is_always_zero() {
    let metrics = figures();
    let followers: Vec<Option<i64>> = metrics.iter().map(|row| row.followers).collect();
    assert_eq!(followers, [Some(8123), Some(15_000), Some(220_000)]);
}

#[test]
fn zeros_that_mean_unknown_are_none_and_true_zeros_stay() {
    let metrics = figures();
    let growth: Vec<Option<i64>> = metrics.iter().map(|row| row.followers_growth_30d).collect();
    assert_eq!(growth, [None, Some(0), Some(-35)]);
    let business: Vec<Option<i64>> = metrics.iter().map(|row| row.business_notes).collect();
    assert_eq!(business, [None, Some(4), None]);
    assert_eq!((metrics[0].total_notes, metrics[1].total_notes), (None, Some(77)));
    assert_eq!(metrics[1].read_median, Some(0));
}

#[test]
fn twins_that_differ_only_by_case_are_kept_apart() {
    let metrics = figures();
    assert_eq!(metrics[0].seeding_engagement_median, Some(1500));
    assert_eq!(metrics[1].seeding_engagement_median, Some(0));
    let only_twin = kol(&json!({ "mengagementNum": 9 }));
    assert_eq!(only_twin.figures.seeding_engagement_median, None);
}

#[test]
fn prices_that_mean_not_for_sale_are_empty() {
    let price = |kol: &Kol| {
        [&kol.picture_price, &kol.video_price, &kol.lower_price].map(|price| price.value().copied())
    };
    let prices: Vec<_> = read(PAGE).facts.kols.iter().map(|kol| price(&kol.row)).collect();
    assert_eq!(
        prices,
        [
            [Some(320.0), None, Some(320.0)],
            [None, None, None],
            [Some(1888.0), Some(2666.5), Some(1888.0)],
        ]
    );
    for (fields, price) in [
        (json!({ "videoPrice": 9_999_999 }), Field::Empty),
        (json!({ "videoPrice": 9_999_999.0 }), Field::Empty),
        (json!({ "videoPrice": "99999999" }), Field::Empty),
        (json!({ "videoPrice": 500, "videoPriceGtZero": false }), Field::Empty),
        (json!({ "videoPrice": 0, "videoState": 0 }), Field::Empty),
        (json!({ "videoPrice": 0 }), Field::Absent),
        (json!({ "videoPrice": -1, "videoState": 1 }), Field::Empty),
        (json!({ "videoPrice": null }), Field::Absent),
        (json!({ "videoPrice": 500.5, "videoState": 0 }), Field::Value(500.5)),
        (json!({ "videoPrice": 0, "videoState": 1 }), Field::Value(0.0)),
    ] {
        assert_eq!(kol(&fields).figures.video_price, price.value().copied());
        assert_eq!(kol(&fields).row.video_price, price, "{fields}");
    }
}

#[test]
fn costs_of_what_is_not_sold_are_null() {
    let figures = figures();
    assert_eq!(figures[0].picture_read_cost, Some(0.47));
    assert_eq!(figures[0].picture_cpm, Some(6.75));
    // The answer says 0.03 yuan a read of a video that it does not sell.
    assert_eq!((figures[0].video_read_cost, figures[0].video_cpm), (None, None));
    // It sells videos, and the answer hides what they cost.
    assert_eq!((figures[2].video_price, figures[2].video_cpm), (Some(2666.5), None));
}

#[test]
fn a_level_below_zero_and_an_empty_place_are_none() {
    let kols = read(PAGE).facts.kols;
    assert_eq!((&kols[1].row.level, &kols[1].row.location), (&Field::Empty, &Field::Empty));
}

#[test]
fn a_kol_listed_twice_gives_one_row_and_two_places() {
    let data = json!({ "kols": [{ "userId": "k1", "fansNum": 5 }, { "userId": "k1" }] });
    let reading = normalise(&ask(1), &(&data).into());
    assert_eq!((reading.facts.kols.len(), reading.facts.kol_search_results.len()), (1, 2));
    assert_eq!(reading.drift.as_deref(), Some("k1 is listed twice"));
    assert_eq!(reading.listing.map(|listing| listing.ids), Some(vec!["k1".to_owned()]));
}

#[test]
fn an_empty_page_is_empty_and_still_says_the_total() {
    for (kols, outcome) in [
        (json!([]), Outcome::Empty),
        (Value::Null, Outcome::Empty),
        (json!([{ "name": "x" }]), Outcome::Unreadable),
    ] {
        let reading =
            read(&json!({ "code": 0, "data": { "kols": kols, "total": 41 } }).to_string());
        assert_eq!((reading.outcome, reading.billed), (outcome, Billed::Yes));
        assert_eq!(reading.facts, Facts::default());
        let listing = reading.listing.expect("a listing");
        assert_eq!(listing, Listing { ids: Vec::new(), total: Some(41) });
    }
    assert_eq!(read(r#"{"code":0,"data":{"list":[]}}"#).outcome, Outcome::Unreadable);
}

#[test]
fn paging_stops_at_the_first_reason_to() {
    let listing = |ids: usize, total: Option<i64>| Listing {
        ids: (0..ids).map(|id| id.to_string()).collect(),
        total,
    };
    for (page, max_pages, listing, new_ids, more) in [
        (1, 10, listing(20, Some(5000)), 20, true),
        (1, 10, listing(20, None), 1, true),
        (1, 10, listing(0, Some(5000)), 0, false),
        (2, 10, listing(20, Some(5000)), 0, false),
        (2, 10, listing(20, Some(40)), 20, false),
        (2, 10, listing(20, Some(41)), 20, true),
        (10, 10, listing(20, Some(5000)), 20, false),
        (249, 1000, listing(20, Some(100_000)), 20, true),
        (250, 1000, listing(20, Some(100_000)), 20, false),
        (u32::MAX, u32::MAX, listing(20, Some(i64::MAX)), 20, false),
    ] {
        assert_eq!(has_more(page, max_pages, &listing, new_ids), more, "page {page}");
    }
}
