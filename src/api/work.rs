//! A Douyin work: the same platform object from JustOneAPI and from every version of amagi.

pub(super) mod amagi;
mod categories;
mod lists;
mod rows;

use super::json::{self, Json};
use super::{Ask, Outcome, Reading, envelope};
use crate::watchlist::is_work_id;

/// Reasons of a filter that say that the work is deleted or hidden. Any other reason, or none,
/// is no verdict.
const VERDICTS: [&str; 3] = ["status_deleted", "status_self_see", "author_defriend"];

/// The reason of a filter that says that this way of asking does not serve albums.
const NOT_SERVED: &str = "images_base";

/// Rows of the work asked for, from JustOneAPI's `data`.
pub(super) fn normalise(ask: &Ask, data: Json<'_>) -> Reading {
    match holder(data) {
        Some(holder) => read_holder(Some(&ask.key), holder),
        None => Reading::unreadable("data.aweme_detail is missing"),
    }
}

/// The id of the work in an answer: JustOneAPI's `data`, or a body of amagi or its `data`.
pub(super) fn subject(value: Json<'_>) -> Option<String> {
    json::first_id(holder(value)?, &["/aweme_detail/aweme_id", "/filter_detail/aweme_id"])
}

/// The object that holds `aweme_detail`, or says why there is none.
fn holder<'v>(value: Json<'v>) -> Option<Json<'v>> {
    let known = ["aweme_detail", "filter_detail"];
    known.iter().any(|key| json::field(value, key).is_some()).then_some(value)
}

fn read_holder(asked: Option<&str>, holder: Json<'_>) -> Reading {
    let detail = json::at(holder, "/aweme_detail");
    if json::is_nothing(detail) {
        return without_work(asked, holder);
    }
    // The platform's own sign of success, inside the provider's.
    if let Some(code) = status_code(holder) {
        return Reading::unreadable(&format!("aweme_detail beside status_code {code}"));
    }
    let Some(work_id) = json::id(detail, "/aweme_id") else {
        return Reading::unreadable("aweme_detail.aweme_id is missing");
    };
    match asked {
        Some(asked) if asked != work_id => Reading::about_another(asked, &work_id),
        // A short link says no id to compare with, so at least it must be one.
        None if !is_work_id(&work_id) => {
            Reading::unreadable(&format!("aweme_detail.aweme_id is no id: {work_id}"))
        }
        _ => rows::of(detail, &work_id),
    }
}

/// The platform's own code of a failure.
fn status_code(holder: Json<'_>) -> Option<i64> {
    json::int(holder, "/status_code").into_value().filter(|code| *code != 0)
}

/// No work: deleted or hidden where the platform says so, and only then.
fn without_work(asked: Option<&str>, holder: Json<'_>) -> Reading {
    let filter = json::at(holder, "/filter_detail");
    let Some(reason) = json::text(filter, "/filter_reason").into_value() else {
        return match status_code(holder) {
            Some(code) => Reading::unreadable(&format!("no work, and status_code {code}")),
            None => Reading::of(Outcome::Empty),
        };
    };
    if let (Some(asked), Some(id)) = (asked, json::id(filter, "/aweme_id"))
        && asked != id
    {
        return Reading::about_another(asked, &id);
    }
    let message = Some(envelope::shown(&reason));
    if VERDICTS.contains(&reason.as_str()) {
        return Reading { message, ..Reading::of(Outcome::Gone) };
    }
    let unknown = reason != NOT_SERVED;
    let drift = unknown.then(|| envelope::shown(&format!("filter_reason {reason} is not known")));
    Reading { message, drift, ..Reading::of(Outcome::Empty) }
}

#[cfg(test)]
mod tests;
