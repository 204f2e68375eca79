//! The envelope around JustOneAPI's answers: `{code, data, message, …}`.
//!
//! Its `code` decides at every HTTP status; the status only speaks where there is no envelope.

use super::json::{self, Json};
use super::{Billed, Outcome, Reading};
use crate::document::JsonText;

/// How much of a message or of a body is shown to people.
const SHOWN_CHARS: usize = 300;

/// Reads an answer; `normalise` is given the `data` of a success.
pub(super) fn read(
    http_status: u16,
    body: &JsonText<'_>,
    normalise: impl FnOnce(Json<'_>) -> Reading,
) -> Reading {
    let code = |envelope| Some((envelope, json::int(envelope, "/code").into_value()?));
    let Some((envelope, code)) = body.tree().and_then(code) else {
        return without_code(http_status, body.text());
    };
    let (outcome, billed) = by_code(code);
    let data = json::at(envelope, "/data");
    let reading = match outcome {
        Outcome::Ok if json::is_nothing(data) => Reading::of(Outcome::Empty),
        Outcome::Ok => normalise(data),
        Outcome::Unreadable => Reading {
            drift: Some(format!("code {code} is not explained upstream")),
            ..Reading::of(outcome)
        },
        _ => Reading::of(outcome),
    };
    let said = json::text(envelope, "/message").value().map(|message| shown(message));
    Reading { code: Some(code.to_string()), message: reading.message.or(said), billed, ..reading }
}

/// What a code means, and whether such an answer is paid for.
fn by_code(code: i64) -> (Outcome, Billed) {
    match code {
        0 => (Outcome::Ok, Billed::Yes),
        201 => (Outcome::Empty, Billed::Yes),
        301 | 500 | 503 => (Outcome::Retryable, Billed::No),
        302 => (Outcome::RateLimited, Billed::No),
        303 => (Outcome::Quota, Billed::No),
        400 | 404 => (Outcome::BadRequest, Billed::No),
        100 => (Outcome::BadCredentials, Billed::No),
        600 => (Outcome::Denied, Billed::No),
        601 | 602 => (Outcome::Balance, Billed::No),
        _ => (Outcome::Unreadable, Billed::Unknown),
    }
}

/// What an answer without a `code` means: only its HTTP status is left to go by.
pub(super) fn without_code(http_status: u16, body: &str) -> Reading {
    let (outcome, billed) = by_http_status(http_status);
    let evidence = format!("HTTP {http_status} without a code: {}", body.trim());
    let drift = (outcome == Outcome::Unreadable).then(|| match http_status {
        300..400 => "a redirect, which is never followed".to_owned(),
        _ => "code is missing".to_owned(),
    });
    Reading { message: Some(shown(&evidence)), billed, drift, ..Reading::of(outcome) }
}

/// A failing server may have done the work, and been paid for it, before it failed. Only 400 and 422
/// are about the question: any other 4xx without a code is as likely a gateway's word, and passes.
fn by_http_status(http_status: u16) -> (Outcome, Billed) {
    match http_status {
        401 => (Outcome::BadCredentials, Billed::No),
        403 => (Outcome::Denied, Billed::No),
        429 => (Outcome::RateLimited, Billed::No),
        400 | 422 => (Outcome::BadRequest, Billed::No),
        400..600 => (Outcome::Retryable, Billed::Unknown),
        _ => (Outcome::Unreadable, Billed::Unknown),
    }
}

/// As much of a text as people are shown.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        None => text.replace('\0', "\u{FFFD}"),
        Some((end, _)) => {
            let start = text.get(..end).unwrap_or_default();
            format!("{}…", start.replace('\0', "\u{FFFD}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_code(http_status: u16, body: &str) -> Reading {
        read(http_status, &JsonText::of(body), |_| Reading::of(Outcome::Ok))
    }

    #[test]
    fn every_code_has_its_outcome_and_its_price_at_every_http_status() {
        use {Billed as B, Outcome as O};
        for (code, outcome, billed) in [
            (0, O::Ok, B::Yes),
            (201, O::Empty, B::Yes),
            (301, O::Retryable, B::No),
            (500, O::Retryable, B::No),
            (503, O::Retryable, B::No),
            (302, O::RateLimited, B::No),
            (303, O::Quota, B::No),
            (400, O::BadRequest, B::No),
            (404, O::BadRequest, B::No),
            (100, O::BadCredentials, B::No),
            (600, O::Denied, B::No),
            (601, O::Balance, B::No),
            (602, O::Balance, B::No),
            (101, O::Unreadable, B::Unknown),
            (202, O::Unreadable, B::Unknown),
            (300, O::Unreadable, B::Unknown),
            (777, O::Unreadable, B::Unknown),
            (-1, O::Unreadable, B::Unknown),
        ] {
            for http_status in [200, 302, 400, 401, 403, 429, 500, 503] {
                for written in [code.to_string(), format!("\"{code}\"")] {
                    let body = format!(r#"{{"code":{written},"data":{{"a":1}},"message":null}}"#);
                    let reading = read_code(http_status, &body);
                    let got = (reading.outcome, reading.billed, reading.code);
                    assert_eq!(got, (outcome, billed, Some(code.to_string())), "{body}");
                }
            }
        }
    }

    #[test]
    fn a_body_without_a_code_leaves_the_http_status_to_decide() {
        use {Billed as B, Outcome as O};
        for (http_status, outcome, billed) in [
            (200, O::Unreadable, B::Unknown),
            (204, O::Unreadable, B::Unknown),
            (302, O::Unreadable, B::Unknown),
            (400, O::BadRequest, B::No),
            (401, O::BadCredentials, B::No),
            (403, O::Denied, B::No),
            (404, O::Retryable, B::Unknown),
            (405, O::Retryable, B::Unknown),
            (408, O::Retryable, B::Unknown),
            (413, O::Retryable, B::Unknown),
            (421, O::Retryable, B::Unknown),
            (422, O::BadRequest, B::No),
            (429, O::RateLimited, B::No),
            (500, O::Retryable, B::Unknown),
            (502, O::Retryable, B::Unknown),
            (504, O::Retryable, B::Unknown),
            (999, O::Unreadable, B::Unknown),
        ] {
            for body in ["<html>", "", "[]", r#"{"code":"x"}"#, r#"{"code":null,"data":[1]}"#] {
                let reading = read_code(http_status, body);
                let got = (reading.outcome, reading.billed);
                assert_eq!(got, (outcome, billed), "{http_status} {body}");
                assert_eq!(reading.code, None);
                assert_eq!(reading.drift.is_some(), outcome == O::Unreadable);
            }
        }
    }

    #[test]
    fn a_missing_parameter_is_answered_without_a_code_and_is_a_bad_request() {
        let body = include_str!("../../tests/fixtures/error_400_without_code.json");
        let reading = read_code(400, body);
        assert_eq!((reading.outcome, reading.billed), (Outcome::BadRequest, Billed::No));
        assert!(reading.message.is_some_and(|message| message.contains("Bad Request")));
    }

    #[test]
    fn a_failed_collection_is_retried_whatever_the_http_status() {
        let body = include_str!("../../tests/fixtures/error_301.json");
        for http_status in [200, 503] {
            let reading = read_code(http_status, body);
            assert_eq!((reading.outcome, reading.billed), (Outcome::Retryable, Billed::No));
            assert_eq!(reading.message.as_deref(), Some("COLLECT FAILED, SEND REQUEST AGAIN"));
        }
    }

    #[test]
    fn a_success_with_nothing_in_it_is_empty_and_paid_for() {
        for data in ["null", "[]", "{}", "\"\"", "[{}]", "[null]"] {
            let body = format!(r#"{{"code":0,"data":{data},"message":""}}"#);
            let reading = read_code(200, &body);
            assert_eq!((reading.outcome, reading.billed), (Outcome::Empty, Billed::Yes), "{data}");
        }
        assert_eq!(read_code(200, r#"{"code":0}"#).outcome, Outcome::Empty);
    }

    #[test]
    fn extra_keys_do_not_matter_and_messages_are_cut() {
        let long = "长".repeat(1_000);
        let body = format!(
            r#"{{"code":500,"data":null,"message":"{long}","recordTime":"2026-01-02T03:04:05.123456789","requestId":"7","new":[]}}"#
        );
        let reading = read_code(200, &body);
        assert_eq!(reading.outcome, Outcome::Retryable);
        assert_eq!(reading.message.map(|message| message.chars().count()), Some(SHOWN_CHARS + 1));
    }

    #[test]
    fn json_that_is_too_deep_or_too_large_in_number_is_unreadable() {
        let deep = format!(r#"{{"code":0,"data":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        for body in [deep.as_str(), r#"{"code":0,"data":[1e400]}"#, r#"{"code":1e300}"#] {
            let reading = read_code(200, body);
            assert_eq!((reading.outcome, reading.billed), (Outcome::Unreadable, Billed::Unknown));
        }
    }
}
