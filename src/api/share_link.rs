//! What a resolved short link says.

use url::Url;

use super::json::{self, Json};
use super::{Outcome, Reading};
use crate::model::Kind;
use crate::watchlist::links::item_of_url;

/// Reads where a Xiaohongshu short link leads.
pub(super) fn note(data: Json<'_>) -> Reading {
    resolve(data, Kind::Note)
}

/// Reads where a Douyin short link leads.
pub(super) fn work(data: Json<'_>) -> Reading {
    resolve(data, Kind::Work)
}

fn resolve(data: Json<'_>, kind: Kind) -> Reading {
    let Some(link) = json::text(data, "/redirect_url").into_value() else {
        return Reading::unreadable("data.redirect_url is missing");
    };
    let url = Url::parse(&link).ok();
    match url.as_ref().and_then(item_of_url) {
        Some((found, id)) if found == kind => {
            Reading { resolved: Some(id), ..Reading::of(Outcome::Ok) }
        }
        _ => Reading::unreadable(&format!(
            "data.redirect_url leads to no {}: {}",
            kind.as_str(),
            url.as_ref().map_or_else(|| "not a link".to_owned(), place)
        )),
    }
}

/// Where a link leads, without its query, which carries tokens.
fn place(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serde_json_borrow::Value;

    use super::*;

    #[test]
    fn a_resolved_link_gives_the_item_behind_it() {
        let answer = json!({ "redirect_url": "https://www.douyin.com/video/7601234567890123456" });
        let reading = work(&Value::from(&answer));
        assert_eq!(reading.outcome, Outcome::Ok);
        assert_eq!(reading.resolved.as_deref(), Some("7601234567890123456"));
        assert_eq!(note(&Value::from(&answer)).outcome, Outcome::Unreadable);
    }

    #[test]
    fn a_link_to_nowhere_known_is_evidence_without_its_query() {
        let answer = json!({ "redirect_url": "https://www.example.com/gone?secret=1" });
        let reading = work(&Value::from(&answer));
        assert_eq!(reading.outcome, Outcome::Unreadable);
        let drift = reading.drift.expect("a drift");
        assert!(drift.ends_with("https://www.example.com/gone"), "{drift}");
        for odd in [json!({}), json!({ "redirect_url": "::" }), json!(7)] {
            assert_eq!(note(&Value::from(&odd)).outcome, Outcome::Unreadable);
        }
    }
}
