//! A Douyin work: the same platform object from JustOneAPI and from every version of amagi.

mod rows;

use serde_json::Value;
use url::Url;

use super::{Ask, Billed, Outcome, Reading, Request, envelope, json, share_link};
use crate::model::Kind;

/// Reasons of a filter that say that the work is deleted or hidden. Any other reason, or none,
/// is no verdict.
const VERDICTS: [&str; 3] = ["status_deleted", "status_self_see", "author_defriend"];

/// The reason of a filter that says that this way of asking does not serve albums.
const NOT_SERVED: &str = "images_base";

/// What to send to amagi 3.2 to 4.0, which take links only.
pub(super) fn request_by_url(ask: &Ask) -> Request {
    let link = if share_link::is_work_id(&ask.key) {
        format!("https://www.douyin.com/video/{}", ask.key)
    } else {
        ask.key.clone()
    };
    Request {
        path: "/douyin/fetch_one_work",
        query: vec![("url".to_owned(), link)],
    }
}

/// Rows of the work asked for, from JustOneAPI's `data`.
pub(super) fn normalise(ask: &Ask, data: &Value) -> Reading {
    match holder(data) {
        Some(holder) => read_holder(asked_id(ask).as_deref(), holder),
        None => Reading::unreadable("data.aweme_detail is missing"),
    }
}

/// Rows of the work asked for, from a body of amagi: 3.2 to 4.0 and 4.5 to 6 wrap the platform's
/// answer in `data`, 4.1 to 4.4 send it bare. amagi is never paid.
pub(super) fn read_amagi(ask: &Ask, http_status: u16, text: &str) -> Reading {
    let Ok(body) = serde_json::from_str::<Value>(text) else {
        return Reading {
            billed: Billed::No,
            ..envelope::without_code(http_status, text)
        };
    };
    let code = json::int(&body, "/code");
    let failed = json::flag(&body, "/success") == Some(false)
        || code.is_some_and(|code| code != 0 && code != 200)
        || !(200..300).contains(&http_status);
    let asked = asked_id(ask);
    let reading = match holder(json::at(&body, "/data")).or_else(|| holder(&body)) {
        _ if failed => failure(&body, code, http_status),
        Some(holder) => read_holder(asked.as_deref(), holder),
        None if json::is_nothing(json::at(&body, "/data")) && code.is_some() => {
            Reading::of(Outcome::Empty)
        }
        None => Reading::unreadable("data.aweme_detail and aweme_detail are missing"),
    };
    let resolved = match reading.batch.works.first() {
        Some(work) if asked.is_none() => Some(work.work_id.clone()),
        _ => None,
    };
    let said = json::text(&body, "/message").map(|message| envelope::shown(&message));
    Reading {
        code: code.map(|code| code.to_string()),
        message: reading.message.or(said),
        billed: Billed::No,
        resolved,
        ..reading
    }
}

/// The id asked for, where the key says it: a short link does not.
fn asked_id(ask: &Ask) -> Option<String> {
    if !ask.key.contains("://") {
        return Some(ask.key.clone());
    }
    match share_link::item_of_url(&Url::parse(&ask.key).ok()?) {
        Some((Kind::Work, id)) => Some(id),
        _ => None,
    }
}

/// The object that holds `aweme_detail`, or says why there is none.
fn holder(value: &Value) -> Option<&Value> {
    let known = ["aweme_detail", "filter_detail"];
    known
        .iter()
        .any(|key| value.get(key).is_some())
        .then_some(value)
}

fn read_holder(asked: Option<&str>, holder: &Value) -> Reading {
    let detail = json::at(holder, "/aweme_detail");
    if json::is_nothing(detail) {
        return without_work(asked, holder);
    }
    // The platform's own sign of success, inside the provider's.
    if let Some(code) = json::int(holder, "/status_code").filter(|code| *code != 0) {
        return Reading::unreadable(&format!("aweme_detail beside status_code {code}"));
    }
    let Some(work_id) = json::text(detail, "/aweme_id") else {
        return Reading::unreadable("aweme_detail.aweme_id is missing");
    };
    match asked {
        Some(asked) if asked != work_id => Reading::about_another(asked, &work_id),
        _ => rows::of(detail, &work_id),
    }
}

/// No work: deleted or hidden where the platform says so, and only then.
fn without_work(asked: Option<&str>, holder: &Value) -> Reading {
    let filter = json::at(holder, "/filter_detail");
    let Some(reason) = json::text(filter, "/filter_reason") else {
        return match json::int(holder, "/status_code").filter(|code| *code != 0) {
            Some(code) => Reading::unreadable(&format!("no work, and status_code {code}")),
            None => Reading::of(Outcome::Empty),
        };
    };
    if let (Some(asked), Some(id)) = (asked, json::text(filter, "/aweme_id"))
        && asked != id
    {
        return Reading::about_another(asked, &id);
    }
    let message = Some(envelope::shown(&reason));
    if VERDICTS.contains(&reason.as_str()) {
        return Reading {
            message,
            ..Reading::of(Outcome::Gone)
        };
    }
    let unknown = reason != NOT_SERVED;
    let drift = unknown.then(|| envelope::shown(&format!("filter_reason {reason} is not known")));
    Reading {
        message,
        drift,
        ..Reading::of(Outcome::Empty)
    }
}

/// What amagi's failure means. Its code is 500 for a deleted work, a dead cookie, risk control
/// and a broken network alike; only the words differ.
fn failure(body: &Value, code: Option<i64>, http_status: u16) -> Reading {
    let said: Vec<String> = ["/error/errorDescription", "/message", "/errors/0/message"]
        .into_iter()
        .filter_map(|path| json::text(body, path))
        .collect();
    let evidence = said.join("; ");
    let status = code.unwrap_or(i64::from(http_status));
    let outcome = if VERDICTS.iter().any(|verdict| evidence.contains(verdict)) {
        Outcome::Gone
    } else if evidence.contains(NOT_SERVED) {
        Outcome::Empty
    } else {
        match status {
            429 => Outcome::RateLimited,
            // A cookie that died is renewed by the user; until then it is as a broken network.
            401 | 403 => Outcome::Retryable,
            400..500 => Outcome::BadRequest,
            _ => Outcome::Retryable,
        }
    };
    let message = if evidence.is_empty() {
        format!("failure {status}")
    } else {
        evidence
    };
    Reading {
        message: Some(envelope::shown(&message)),
        ..Reading::of(outcome)
    }
}

#[cfg(test)]
mod tests;
