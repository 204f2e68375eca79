//! Share links: which item a link leads to, and what a resolved short link says.

use serde_json::Value;
use url::Url;

use super::{Outcome, Reading, json};
use crate::model::Kind;

/// Where notes live. Names are compared whole, so `evil-xiaohongshu.com` is none of them.
const NOTE_HOSTS: [&str; 5] = [
    "www.xiaohongshu.com",
    "xiaohongshu.com",
    "m.xiaohongshu.com",
    "www.rednote.com",
    "rednote.com",
];

/// Where works live.
const WORK_HOSTS: [&str; 5] = [
    "www.douyin.com",
    "douyin.com",
    "m.douyin.com",
    "www.iesdouyin.com",
    "iesdouyin.com",
];

/// Hexadecimal digits of a note id.
const NOTE_ID_DIGITS: usize = 24;

/// Digits of a work id: 19 today; older ones are shorter.
const WORK_ID_DIGITS: std::ops::RangeInclusive<usize> = 15..=20;

/// Reads where a Xiaohongshu short link leads.
pub(super) fn note(data: &Value) -> Reading {
    resolve(data, Kind::Note)
}

/// Reads where a Douyin short link leads.
pub(super) fn work(data: &Value) -> Reading {
    resolve(data, Kind::Work)
}

fn resolve(data: &Value, kind: Kind) -> Reading {
    let Some(link) = json::text(data, "/redirect_url") else {
        return Reading::unreadable("data.redirect_url is missing");
    };
    let url = Url::parse(&link).ok();
    match url.as_ref().and_then(item_of_url) {
        Some((found, id)) if found == kind => Reading {
            resolved: Some(id),
            ..Reading::of(Outcome::Ok)
        },
        _ => Reading::unreadable(&format!(
            "data.redirect_url leads to no {}: {}",
            kind.as_str(),
            url.as_ref().map_or_else(|| "not a link".to_owned(), place)
        )),
    }
}

/// Where a link leads, without its query, which carries tokens.
fn place(url: &Url) -> String {
    format!(
        "{}://{}{}",
        url.scheme(),
        url.host_str().unwrap_or_default(),
        url.path()
    )
}

/// The note or work that a link names, if it is a link of one of the platforms' own sites.
///
/// Pure: short links name no item and give `None`.
pub fn item_of_url(url: &Url) -> Option<(Kind, String)> {
    let trusted = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none();
    let host = url.host_str().filter(|_| trusted)?;
    if NOTE_HOSTS.contains(&host) {
        note_id(url).map(|id| (Kind::Note, id))
    } else if WORK_HOSTS.contains(&host) {
        work_id(url).map(|id| (Kind::Work, id))
    } else {
        None
    }
}

fn note_id(url: &Url) -> Option<String> {
    let segments: Vec<&str> = url.path_segments()?.collect();
    let id = match segments.as_slice() {
        ["discovery", "item", id, ..] | ["explore", id, ..] => *id,
        _ => return None,
    };
    let is_id = id.len() == NOTE_ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| id.to_ascii_lowercase())
}

fn work_id(url: &Url) -> Option<String> {
    let segments: Vec<&str> = url.path_segments()?.collect();
    let in_path = match segments.as_slice() {
        ["share", "video" | "note" | "slides", id, ..] | ["video" | "note" | "slides", id, ..] => {
            Some((*id).to_owned())
        }
        _ => None,
    };
    let in_query = || {
        url.query_pairs()
            .find(|(name, _)| name == "modal_id")
            .map(|(_, id)| id.into_owned())
    };
    in_path.or_else(in_query).filter(|id| is_work_id(id))
}

/// Whether a text is the id of a work.
pub(super) fn is_work_id(text: &str) -> bool {
    WORK_ID_DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(link: &str) -> Option<(Kind, String)> {
        item_of_url(&Url::parse(link).expect("a link"))
    }

    #[test]
    fn every_form_of_link_gives_its_item() {
        let note = Some((Kind::Note, "6a01b2c3000000000e00d4e5".to_owned()));
        for link in [
            "https://www.xiaohongshu.com/discovery/item/6a01b2c3000000000e00d4e5?xsec_token=x",
            "https://www.xiaohongshu.com/explore/6a01b2c3000000000e00d4e5",
            "http://xiaohongshu.com/explore/6A01B2C3000000000E00D4E5/",
            "https://www.rednote.com/explore/6a01b2c3000000000e00d4e5#comments",
        ] {
            assert_eq!(item(link), note, "{link}");
        }
        let work = Some((Kind::Work, "7601234567890123456".to_owned()));
        for link in [
            "https://www.iesdouyin.com/share/video/7601234567890123456/?region=CN",
            "https://www.iesdouyin.com/share/slides/7601234567890123456/",
            "https://www.iesdouyin.com/share/note/7601234567890123456/",
            "https://www.douyin.com/video/7601234567890123456",
            "https://www.douyin.com/note/7601234567890123456",
            "https://www.douyin.com/user/MS4wAbc?modal_id=7601234567890123456",
            "https://m.douyin.com/share/video/7601234567890123456",
        ] {
            assert_eq!(item(link), work, "{link}");
        }
    }

    #[test]
    fn an_id_of_digits_only_is_still_a_note() {
        let link = "https://www.xiaohongshu.com/explore/698877660000000025021234";
        assert_eq!(
            item(link),
            Some((Kind::Note, "698877660000000025021234".to_owned()))
        );
    }

    #[test]
    fn links_of_other_sites_and_without_an_item_give_nothing() {
        for link in [
            "https://evil-douyin.com/video/7601234567890123456",
            "https://www.douyin.com.evil.example/video/7601234567890123456",
            "https://www.douyin.com@evil.example/video/7601234567890123456",
            "https://someone@www.douyin.com/video/7601234567890123456",
            "https://www.douyin.com:8443/video/7601234567890123456",
            "https://www.douyin.com./video/7601234567890123456",
            "ftp://www.douyin.com/video/7601234567890123456",
            "https://www.douyin.com/video/",
            "https://www.douyin.com/video/7601234567890123456x",
            "https://www.douyin.com/user/MS4wAbc",
            "https://www.xiaohongshu.com/explore/7601234567890123456",
            "https://www.xiaohongshu.com/404?redirect=/explore/6a01b2c3000000000e00d4e5",
            "https://v.douyin.com/AbCdEf/",
            "data:text/plain,video",
        ] {
            assert_eq!(item(link), None, "{link}");
        }
    }

    #[test]
    fn a_resolved_link_gives_the_item_behind_it() {
        let answer = json!({ "redirect_url": "https://www.douyin.com/video/7601234567890123456" });
        let reading = work(&answer);
        assert_eq!(reading.outcome, Outcome::Ok);
        assert_eq!(reading.resolved.as_deref(), Some("7601234567890123456"));
        assert_eq!(note(&answer).outcome, Outcome::Unreadable);
    }

    #[test]
    fn a_link_to_nowhere_known_is_evidence_without_its_query() {
        let reading = work(&json!({ "redirect_url": "https://www.example.com/gone?secret=1" }));
        assert_eq!(reading.outcome, Outcome::Unreadable);
        let drift = reading.drift.expect("a drift");
        assert!(drift.ends_with("https://www.example.com/gone"), "{drift}");
        for odd in [json!({}), json!({ "redirect_url": "::" }), json!(7)] {
            assert_eq!(note(&odd).outcome, Outcome::Unreadable);
        }
    }
}
