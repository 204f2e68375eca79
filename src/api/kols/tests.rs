use serde_json::{Value, json};

use super::super::{Billed, Endpoint};
use super::*;
use crate::document::JsonText;

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

fn kol(fields: &Value) -> Batch {
    let mut kol = json!({ "userId": "k1", "fansNum": 5 });
    kol.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    read(&json!({ "code": 0, "data": { "kols": [kol] } }).to_string()).batch
}

#[test]
fn a_request_carries_the_filter_its_page_and_a_pinned_order() {
    let request = Endpoint::KolSearch.request(&ask(2));
    assert_eq!(request.path, PATH);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        request.query,
        [pair("contentTag", "兴趣爱好"), pair("sort", "FANS"), pair("page", "2")]
    );
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
        Some("1 of noteList without noteId skipped; 1 of kols without userId skipped")
    );
    let results = &reading.facts.kol_search_results;
    let places: Vec<(i64, i64)> = results.iter().map(|row| (row.page, row.position)).collect();
    assert_eq!(places, [(1, 0), (1, 1), (1, 3)]);
    let listing = reading.listing.expect("a listing");
    assert_eq!((listing.ids.len(), listing.total), (3, Some(5000)));
}

#[test]
fn a_kol_gives_its_row_tags_and_notes() {
    let batch = read(PAGE).batch;
    let first = &batch.kols[0];
    assert_eq!(first.kol_id, "5f00aa11000000000101ee55");
    assert_eq!(first.red_id.as_deref(), Some("sjk_books9"));
    assert_eq!(first.mcn_name.as_deref(), Some("溪流传媒"));
    assert_eq!((first.level, first.low_active), (Some(3), Some(true)));
    let tags: Vec<(i64, &str, Option<&str>, Option<&str>)> = batch
        .kol_tags
        .iter()
        .filter(|tag| tag.kol_id == first.kol_id)
        .map(|tag| (tag.position, tag.tag_kind, tag.category.as_deref(), tag.tag.as_deref()))
        .collect();
    assert_eq!(
        tags,
        [
            (0, "content", Some("兴趣爱好"), Some("阅读")),
            (1, "content", Some("兴趣爱好"), Some("文具手账")),
            (2, "content", Some("音乐"), None),
            (3, "feature", None, Some("知性")),
            (4, "personal", None, Some("书虫")),
            (5, "personal", None, Some("早起")),
        ]
    );
    let types: Vec<Option<&str>> =
        batch.kol_notes.iter().take(2).map(|note| note.note_type.as_deref()).collect();
    assert_eq!(types, [Some("normal"), Some("video")]);
    assert_eq!(batch.kol_notes[0].content_tag.as_deref(), Some("文化艺术"));
}

#[test]
fn followers_come_from_fans_num_because_fans_count_is_always_zero() {
    let metrics = read(PAGE).batch.kol_metrics;
    let followers: Vec<Option<i64>> = metrics.iter().map(|row| row.followers).collect();
    assert_eq!(followers, [Some(8123), Some(15_000), Some(220_000)]);
}

#[test]
fn zeros_that_mean_unknown_are_none_and_true_zeros_stay() {
    let metrics = read(PAGE).batch.kol_metrics;
    let growth: Vec<Option<i64>> = metrics.iter().map(|row| row.followers_growth_30d).collect();
    assert_eq!(growth, [None, Some(0), Some(-35)]);
    let business: Vec<Option<i64>> = metrics.iter().map(|row| row.business_notes).collect();
    assert_eq!(business, [None, Some(4), None]);
    assert_eq!((metrics[0].total_notes, metrics[1].total_notes), (None, Some(77)));
    assert_eq!(metrics[1].read_median, Some(0));
}

#[test]
fn twins_that_differ_only_by_case_are_kept_apart() {
    let metrics = read(PAGE).batch.kol_metrics;
    assert_eq!(metrics[0].monthly_engagements, Some(1500));
    assert_eq!(metrics[1].monthly_engagements, Some(0));
    let only_twin = kol(&json!({ "mengagementNum": 9 }));
    assert_eq!(only_twin.kol_metrics[0].monthly_engagements, None);
}

#[test]
fn prices_that_mean_not_for_sale_are_none() {
    let prices: Vec<(Option<f64>, Option<f64>, Option<f64>)> = read(PAGE)
        .batch
        .kols
        .iter()
        .map(|kol| (kol.picture_price, kol.video_price, kol.lower_price))
        .collect();
    assert_eq!(
        prices,
        [
            (Some(320.0), None, Some(320.0)),
            (None, None, None),
            (Some(1888.0), Some(2666.5), Some(1888.0)),
        ]
    );
    for (fields, price) in [
        (json!({ "videoPrice": 9_999_999 }), None),
        (json!({ "videoPrice": 9_999_999.0 }), None),
        (json!({ "videoPrice": "99999999" }), None),
        (json!({ "videoPrice": 500, "videoPriceGtZero": false }), None),
        (json!({ "videoPrice": 0, "videoState": 0 }), None),
        (json!({ "videoPrice": 0 }), None),
        (json!({ "videoPrice": -1, "videoState": 1 }), None),
        (json!({ "videoPrice": null }), None),
        (json!({ "videoPrice": 500.5, "videoState": 0 }), Some(500.5)),
        (json!({ "videoPrice": 0, "videoState": 1 }), Some(0.0)),
    ] {
        assert_eq!(kol(&fields).kols[0].video_price, price, "{fields}");
        assert_eq!(kol(&fields).kol_metrics[0].video_price, price);
    }
}

#[test]
fn decimal_texts_and_sentinels_are_read_as_what_they_mean() {
    let batch = read(PAGE).batch;
    assert_eq!(batch.kol_metrics[0].picture_read_cost, Some(0.47));
    assert_eq!(batch.kol_metrics[0].picture_cpm, Some(6.75));
    assert_eq!((batch.kols[1].level, batch.kols[1].location.as_deref()), (None, None));
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
