use serde_json::{Value, json};

use super::*;
use crate::api::Endpoint;
use crate::model::Facts;

const AMAGI_5: &str = include_str!("../../../../tests/fixtures/work_amagi_5.json");
const AMAGI_BARE: &str = include_str!("../../../../tests/fixtures/work_amagi_bare.json");
const AMAGI_3: &str = include_str!("../../../../tests/fixtures/work_amagi_3.json");
const VIDEO_ID: &str = "7601234567890123456";
const ALBUM_ID: &str = "7603456789012345678";

fn ask(key: &str) -> Ask {
    Ask { key: key.to_owned(), page: 1 }
}

fn read_by_id(http_status: u16, body: &str) -> Reading {
    Endpoint::AmagiWorkById.read(&ask(VIDEO_ID), http_status, &JsonText::of(body))
}

#[test]
fn every_version_of_amagi_gives_the_same_rows_and_is_never_paid() {
    let mut seven: Value = serde_json::from_str(AMAGI_5).unwrap();
    seven.as_object_mut().unwrap().remove("code");
    let seven = seven.to_string();
    let readings = [AMAGI_5, AMAGI_BARE, AMAGI_3, &seven].map(|body| read_by_id(200, body));
    for reading in &readings {
        assert_eq!((reading.outcome, reading.billed), (Outcome::Ok, Billed::No));
        let counts = reading.facts.works[0].counts.as_ref().unwrap();
        assert_eq!(counts.likes, Some(46_777));
        assert_eq!(reading.facts, readings[0].facts);
    }
    let codes = readings.map(|reading| reading.code);
    assert_eq!(codes, [Some("200".to_owned()), None, Some("200".to_owned()), None]);
}

#[test]
fn a_short_link_asked_of_amagi_is_resolved_by_the_answer() {
    let short = ask("https://v.douyin.com/Invented1/");
    let reading = Endpoint::AmagiWorkByUrl.read(&short, 200, &JsonText::of(AMAGI_3));
    assert_eq!(reading.outcome, Outcome::Ok);
    assert_eq!(reading.resolved.as_deref(), Some(VIDEO_ID));
}

#[test]
fn a_placeholder_in_the_place_of_an_id_gives_no_row() {
    let short = ask("https://v.douyin.com/Invented1/");
    let body = r#"{"code":0,"message":"string","data":{"aweme_detail":{"aweme_id":"string"}}}"#;
    let reading = Endpoint::AmagiWorkByUrl.read(&short, 200, &JsonText::of(body));
    assert_eq!(reading.outcome, Outcome::Unreadable);
    assert_eq!((reading.facts, reading.resolved), (Facts::default(), None));
}

#[test]
fn amagi_that_takes_links_is_asked_with_one() {
    let query = |key: &str| Endpoint::AmagiWorkByUrl.request(&ask(key)).query;
    let link = "https://www.douyin.com/video/7601234567890123456";
    assert_eq!(query(VIDEO_ID), [("url".to_owned(), link.to_owned())]);
    let short = "https://v.douyin.com/Invented1/";
    assert_eq!(query(short), [("url".to_owned(), short.to_owned())]);
}

#[test]
fn amagi_failures_are_told_apart_by_their_words() {
    for (http_status, body, outcome) in [
        (200, include_str!("../../../../tests/fixtures/work_amagi_5_deleted.json"), Outcome::Gone),
        (
            200,
            include_str!("../../../../tests/fixtures/work_amagi_5_dead_cookie.json"),
            Outcome::Retryable,
        ),
        (
            400,
            include_str!("../../../../tests/fixtures/work_amagi_5_bad_request.json"),
            Outcome::BadRequest,
        ),
        (200, r#"{"success":false,"message":"风控","code":500}"#, Outcome::Retryable),
        (200, r#"{"success":false,"message":"images_base","code":500}"#, Outcome::Empty),
        (404, r#"{"message":"no such route"}"#, Outcome::Retryable),
        (422, r#"{"message":"no such parameter"}"#, Outcome::BadRequest),
        (404, r#"{"code":404,"message":"no such route"}"#, Outcome::BadRequest),
        (404, "<html>", Outcome::Retryable),
        (401, r#"{"message":"cookie"}"#, Outcome::Retryable),
        (502, "<html>", Outcome::Retryable),
        (200, "<html>", Outcome::Unreadable),
        (200, r#"{"code":0,"message":"","data":null}"#, Outcome::Empty),
        (200, r#"{"hello":"world"}"#, Outcome::Unreadable),
        (200, "7", Outcome::Unreadable),
    ] {
        let reading = read_by_id(http_status, body);
        assert_eq!((reading.outcome, reading.billed), (outcome, Billed::No), "{body}");
        assert_eq!(reading.facts, Facts::default());
    }
}

#[test]
fn another_work_than_the_one_asked_for_gives_no_row() {
    for reading in [
        Endpoint::AmagiWorkById.read(&ask(ALBUM_ID), 200, &JsonText::of(AMAGI_5)),
        Endpoint::AmagiWorkByUrl.read(&ask(ALBUM_ID), 200, &JsonText::of(AMAGI_3)),
        Endpoint::AmagiWorkByUrl.read(
            &ask("https://www.douyin.com/video/7603456789012345678"),
            200,
            &JsonText::of(AMAGI_3),
        ),
    ] {
        assert_eq!(reading.outcome, Outcome::Unreadable);
        assert_eq!(reading.drift, Some(format!("asked {ALBUM_ID}, got {VIDEO_ID}")));
        assert_eq!(reading.facts, Facts::default());
    }
}

#[test]
fn a_failure_code_beside_a_work_gives_no_row() {
    for change in [json!({ "success": false }), json!({ "code": 500 })] {
        let mut body: Value = serde_json::from_str(AMAGI_5).unwrap();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let reading = read_by_id(200, &body.to_string());
        assert_eq!(reading.outcome, Outcome::Retryable, "{change}");
        assert_eq!(reading.facts, Facts::default());
    }
    assert_eq!(read_by_id(500, AMAGI_BARE).outcome, Outcome::Retryable);
}
