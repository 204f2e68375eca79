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
    let Ok(url) = Url::parse(&link) else {
        return Reading::unreadable("data.redirect_url is not a link");
    };
    let kind_name = kind.as_str();
    match item_of_url(&url) {
        Some((found, id)) if found == kind => {
            Reading { resolved: Some(id), ..Reading::of(Outcome::Ok) }
        }
        // The platform asks its visitor who they are: nothing is known of the item.
        None if is_wall(&url) => Reading::unreadable(&format!(
            "data.redirect_url leads to no {kind_name} but to a login: {}",
            place(&url)
        )),
        found => {
            let what = found.map_or_else(|| page(&url), |(found, _)| found.as_str());
            let message =
                format!("the link leads to no {kind_name} but to a {what}: {}", place(&url));
            Reading { message: Some(message), ..Reading::of(Outcome::Gone) }
        }
    }
}

/// Whether a link leads to a login or a captcha.
fn is_wall(url: &Url) -> bool {
    ["login", "captcha", "verify"].iter().any(|word| url.path().contains(word))
}

/// What kind of page a link leads to, in words.
fn page(url: &Url) -> &'static str {
    let parts: Vec<_> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] | ["explore" | "discover" | "recommend"] => "home page",
        ["404", ..] | [.., "404"] => "404 page",
        parts if parts.iter().any(|part| ["user", "profile"].contains(part)) => "profile",
        parts if parts.iter().any(|part| part.contains("live") || *part == "webcast") => {
            "live room"
        }
        _ => "page without one",
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
        assert_eq!(note(&Value::from(&answer)).outcome, Outcome::Gone);
    }

    #[test]
    fn a_login_page_before_the_item_gives_the_item() {
        let answer = json!({ "redirect_url": "https://www.xiaohongshu.com/login?redirectPath=\
            https%3A%2F%2Fwww.xiaohongshu.com%2Fdiscovery%2Fitem%2F6a01b2c3000000000e00d4e5%3Fa%3D1" });
        let reading = note(&Value::from(&answer));
        assert_eq!(reading.resolved.as_deref(), Some("6a01b2c3000000000e00d4e5"));
    }

    #[test]
    fn a_link_without_an_item_is_gone_and_says_where_it_leads() {
        for (link, what) in [
            ("https://www.douyin.com/?from=1", "home page: https://www.douyin.com/"),
            ("https://www.iesdouyin.com/share/user/MS4wLjAB?sec_uid=MS4wLjAB", "profile"),
            ("https://webcast.amemv.com/douyin/webcast/reflow/7512345678901230001", "live room"),
            (
                "https://www.xiaohongshu.com/404?source=x",
                "404 page: https://www.xiaohongshu.com/404",
            ),
            ("https://www.xiaohongshu.com/explore/68a1b2c3d4e5f60718293a4b", "note"),
            (
                "https://www.example.com/gone?secret=1",
                "page without one: https://www.example.com/gone",
            ),
        ] {
            let answer = json!({ "redirect_url": link });
            let reading = work(&Value::from(&answer));
            assert_eq!(reading.outcome, Outcome::Gone, "{link}");
            let message = reading.message.expect("evidence");
            assert!(message.contains(what) && !message.contains('?'), "{message}");
        }
    }

    #[test]
    fn a_login_or_no_link_at_all_is_unreadable_without_its_query() {
        let answer = json!({ "redirect_url": "https://www.xiaohongshu.com/login?secret=1" });
        let drift = note(&Value::from(&answer)).drift.expect("a drift");
        assert!(drift.ends_with("https://www.xiaohongshu.com/login"), "{drift}");
        for odd in [json!({}), json!({ "redirect_url": "::" }), json!(7)] {
            assert_eq!(note(&Value::from(&odd)).outcome, Outcome::Unreadable);
        }
    }
}
