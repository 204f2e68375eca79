//! What amagi sends around a Douyin work, in each of its versions.

use url::Url;

use super::{NOT_SERVED, VERDICTS, holder, read_holder};
use crate::api::json::{self, Json};
use crate::api::{Ask, Billed, Outcome, Reading, Request, envelope};
use crate::document::JsonText;
use crate::model::Kind;
use crate::watchlist::{is_work_id, links};

/// What to send to amagi 3.2 to 4.0, which take links only.
pub(in crate::api) fn request_by_url(ask: &Ask) -> Request {
    let link = if is_work_id(&ask.key) {
        format!("https://www.douyin.com/video/{}", ask.key)
    } else {
        ask.key.clone()
    };
    Request { path: "/douyin/fetch_one_work", query: vec![("url".to_owned(), link)] }
}

/// Rows of the work asked for, from a body of amagi: 3.2 to 4.0 and 4.5 to 6 wrap the platform's
/// answer in `data`, 4.1 to 4.4 send it bare. amagi is never paid.
pub(in crate::api) fn read(ask: &Ask, http_status: u16, body: &JsonText<'_>) -> Reading {
    let text = body.text();
    let Some(body) = body.tree() else {
        return Reading { billed: Billed::No, ..envelope::without_code(http_status, text) };
    };
    let code = json::int(body, "/code").into_value();
    let failed = json::flag(body, "/success").value() == Some(&false)
        || code.is_some_and(|code| code != 0 && code != 200)
        || !(200..300).contains(&http_status);
    let asked = asked_id(ask);
    let reading = match holder(json::at(body, "/data")).or_else(|| holder(body)) {
        _ if failed => failure(body, code, http_status),
        Some(holder) => read_holder(asked.as_deref(), holder),
        None if json::is_nothing(json::at(body, "/data")) && code.is_some() => {
            Reading::of(Outcome::Empty)
        }
        None => Reading::unreadable("data.aweme_detail and aweme_detail are missing"),
    };
    let resolved = match reading.facts.works.first() {
        Some(work) if asked.is_none() => Some(work.row.work_id.clone()),
        _ => None,
    };
    let said = json::text(body, "/message").value().map(|message| envelope::shown(message));
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
    match links::item_of_url(&Url::parse(&ask.key).ok()?) {
        Some((Kind::Work, id)) => Some(id),
        _ => None,
    }
}

/// What amagi's failure means. Its code is 500 for a deleted work, a dead cookie, risk control
/// and a broken network alike; only the words differ.
fn failure(body: Json<'_>, code: Option<i64>, http_status: u16) -> Reading {
    let said: Vec<String> = ["/error/errorDescription", "/message", "/errors/0/message"]
        .into_iter()
        .filter_map(|path| json::text(body, path).into_value())
        .collect();
    let evidence = said.join("; ");
    let status = code.unwrap_or(i64::from(http_status));
    let outcome = if VERDICTS.iter().any(|verdict| evidence.contains(verdict)) {
        Outcome::Gone
    } else if evidence.contains(NOT_SERVED) {
        Outcome::Empty
    } else {
        match (status, code) {
            (429, _) => Outcome::RateLimited,
            // A cookie that died is renewed by the user; until then it is as a broken network.
            (401 | 403, _) => Outcome::Retryable,
            // Without a code it need not be amagi that answers.
            (400 | 422, _) | (400..500, Some(_)) => Outcome::BadRequest,
            _ => Outcome::Retryable,
        }
    };
    let message = if evidence.is_empty() { format!("failure {status}") } else { evidence };
    Reading { message: Some(envelope::shown(&message)), ..Reading::of(outcome) }
}

#[cfg(test)]
mod tests;
