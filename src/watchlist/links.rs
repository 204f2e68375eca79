//! Links to notes and works, alone or inside share text.
//!
//! Only the platforms' own hosts are accepted. Nothing is fetched here: a provider resolves short
//! links.

use url::Url;

use super::ids::{is_work_id, note_id};
use crate::model::Kind;

/// Hosts of notes.
const NOTE_HOSTS: [&str; 8] = [
    "xiaohongshu.com",
    "www.xiaohongshu.com",
    "m.xiaohongshu.com",
    "pgy.xiaohongshu.com",
    "rednote.com",
    "www.rednote.com",
    "rnote.com",
    "www.rnote.com",
];

/// Hosts of works.
const WORK_HOSTS: [&str; 7] = [
    "douyin.com",
    "www.douyin.com",
    "m.douyin.com",
    "jingxuan.douyin.com",
    "open.douyin.com",
    "iesdouyin.com",
    "www.iesdouyin.com",
];

/// Hosts of Xiaohongshu's short links. `www.` before them is dropped.
const SHORT_NOTE_HOSTS: [&str; 2] = ["xhslink.com", "xhslink.cn"];

/// Hosts of Douyin's short links.
const SHORT_WORK_HOSTS: [&str; 2] = ["v.douyin.com", "jx.douyin.com"];

/// Links that only the apps open: scheme and path before the id, and the same on the web.
const APP_LINKS: [(&str, &str, &str); 2] = [
    ("xhsdiscover", "item/", "https://www.xiaohongshu.com/explore/"),
    ("snssdk1128", "aweme/detail/", "https://www.douyin.com/video/"),
];

/// Pages of works, each with the id behind it. Films and series (`lvdetail`, `vsdetail`) have ids of
/// their own.
const WORK_PAGES: [&str; 6] = ["video", "note", "slides", "article", "light", "shipin"];

/// Maximum length of a short link's code.
const LONGEST_SHORT_CODE: usize = 32;

/// The target of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// An item by its id.
    Item(Kind, String),
    /// A normalised short link; a provider resolves it.
    Short(Kind, String),
}

/// The kind and id of the item a full link refers to. `None` for short links, pages without a
/// single item, and foreign hosts.
pub fn item_of_url(url: &Url) -> Option<(Kind, String)> {
    if let Some(url) = on_the_web(url) {
        return item_of_page(&url);
    }
    safe_host(url).ok()?;
    item_of_page(url).or_else(|| item_of_page(&behind_login(url)?))
}

/// The web page of an app's link.
fn on_the_web(url: &Url) -> Option<Url> {
    let (_, path) = url.as_str().split_once("://")?;
    let same = |(scheme, before, web): &(&str, &str, &str)| {
        let id = path.strip_prefix(before).filter(|_| url.scheme() == *scheme)?;
        Url::parse(&format!("{web}{id}")).ok()
    };
    APP_LINKS.iter().find_map(same)
}

/// The page that a login, captcha or 404 page of Xiaohongshu stands before.
fn behind_login(url: &Url) -> Option<Url> {
    url.host_str().filter(|host| NOTE_HOSTS.contains(host))?;
    let wanted = query(url, "redirectPath")?;
    url.join(&wanted).ok().filter(|it| safe_host(it).is_ok())
}

fn query(url: &Url, key: &str) -> Option<String> {
    url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.into_owned())
}

fn item_of_page(url: &Url) -> Option<(Kind, String)> {
    let host = url.host_str()?;
    // Java servers append `;jsessionid=…`.
    let parts = url.path().split('/').map(|part| part.split(';').next().unwrap_or(part));
    let path: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    if NOTE_HOSTS.contains(&host) {
        let id = match path.as_slice() {
            ["explore" | "search_result", id]
            | ["discovery", "item", id]
            | ["user", "profile", _, id] => note_id(id),
            ["explore"] => note_id(url.fragment()?),
            _ if host == "pgy.xiaohongshu.com" => note_id(&query(url, "noteId")?),
            _ => None,
        };
        return id.map(|id| (Kind::Note, id));
    }
    if !WORK_HOSTS.contains(&host) {
        return None;
    }
    let work_id = |id: &str| is_work_id(id).then(|| id.to_owned());
    let id = match path.as_slice() {
        [page, id] | ["share" | "m", page, id] if WORK_PAGES.contains(page) => work_id(id),
        _ => ["modal_id", "vid"].iter().find_map(|key| work_id(&query(url, key)?)),
    };
    id.map(|id| (Kind::Work, id))
}

/// The only link to an item in a text, whatever other sites it names; `None` without any link. The
/// error says why links are refused.
pub(super) fn only_link(text: &str) -> Result<Option<Link>, String> {
    let mut found: Option<Link> = None;
    let mut refused = None;
    for candidate in candidates(text) {
        let link = match candidate.and_then(|url| link_of(&url)) {
            Ok(link) => link,
            Err(why) => {
                refused.get_or_insert(why);
                continue;
            }
        };
        if found.as_ref().is_some_and(|other| *other != link) {
            return Err("there are two different links: write each on its own".to_owned());
        }
        found = Some(link);
    }
    match (found, refused) {
        (None, Some(why)) => Err(why),
        (found, _) => Ok(found),
    }
}

/// Whether a text has anything that looks like a link.
pub(super) fn has_link(text: &str) -> bool {
    !candidates(text).is_empty()
}

/// Everything in a text that looks like a link.
fn candidates(text: &str) -> Vec<Result<Url, String>> {
    // Chinese keyboards type the colon of `https://` at full width.
    let text = text.replace("：//", "://").replace("：／／", "://");
    // Characters that no link contains; prose may follow a link without a space.
    let words = text.split(|c: char| {
        !c.is_ascii_graphic() || matches!(c, '"' | '<' | '>' | '`' | '{' | '}' | '|' | '\\' | '^')
    });
    words.flat_map(links_in_word).collect()
}

/// The links in a run of characters.
fn links_in_word(word: &str) -> Vec<Result<Url, String>> {
    let Some((before, after)) = word.split_once("://") else {
        return without_scheme(word).map(|link| read(&link)).into_iter().collect();
    };
    // A second scheme starts another link: `https://a/https://b` is two.
    let lower = after.to_ascii_lowercase();
    let next = ["https://", "http://"].iter().filter_map(|scheme| lower.find(scheme)).min();
    let (this, rest) = after.split_at_checked(next.unwrap_or(after.len())).unwrap_or((after, ""));
    let scheme = before.to_ascii_lowercase();
    let app = APP_LINKS.iter().find(|(app, _, _)| scheme.ends_with(app));
    let first = if scheme.ends_with("https") || scheme.ends_with("http") {
        read(&format!("https://{this}"))
    } else if let Some((app, _, _)) = app {
        read(&format!("{app}://{this}"))
    } else {
        Err("only http and https links are accepted".to_owned())
    };
    let mut links = vec![first];
    if !rest.is_empty() {
        links.extend(links_in_word(rest));
    }
    links
}

/// A known host with a path but no scheme, as people type links.
fn without_scheme(word: &str) -> Option<String> {
    let (host, path) = word.split_once('/')?;
    let host = host.to_ascii_lowercase();
    let is_known = |host: &str| {
        NOTE_HOSTS.contains(&host)
            || WORK_HOSTS.contains(&host)
            || SHORT_NOTE_HOSTS.contains(&host)
            || SHORT_WORK_HOSTS.contains(&host)
    };
    let known = is_known(&host) || host.strip_prefix("www.").is_some_and(is_known);
    known.then(|| format!("https://{host}/{path}"))
}

fn read(link: &str) -> Result<Url, String> {
    let link = link.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '*']);
    Url::parse(link).map_err(|error| format!("invalid link: {error}"))
}

fn link_of(url: &Url) -> Result<Link, String> {
    if let Some((kind, id)) = item_of_url(url) {
        return Ok(Link::Item(kind, id));
    }
    let host = safe_host(url)?;
    let short = host.strip_prefix("www.").unwrap_or(host);
    let path: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    let is_code = !path.is_empty() && path.iter().all(|part| short_code(part));
    let path = (path.len(), path.join("/"));
    match path {
        (1 | 2, code) if is_code && SHORT_NOTE_HOSTS.contains(&short) => {
            Ok(Link::Short(Kind::Note, format!("https://{short}/{code}")))
        }
        (1, code) if is_code && SHORT_WORK_HOSTS.contains(&short) => {
            Ok(Link::Short(Kind::Work, format!("https://{short}/{code}/")))
        }
        _ if SHORT_NOTE_HOSTS.contains(&short) || SHORT_WORK_HOSTS.contains(&short) => {
            Err("the short link is not complete".to_owned())
        }
        _ if NOTE_HOSTS.contains(&host) => {
            Err("the link is not to a single note: open the note and copy its link".to_owned())
        }
        _ if WORK_HOSTS.contains(&host) => {
            Err("the link is not to a single work: open the work and copy its link".to_owned())
        }
        _ => Err(
            "the link's host is not one of xiaohongshu.com, xhslink.com, xhslink.cn, rednote.com, \
                  rnote.com, douyin.com and iesdouyin.com"
                .to_owned(),
        ),
    }
}

fn short_code(part: &str) -> bool {
    part.len() <= LONGEST_SHORT_CODE
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The host of a link without user name and port, and not an address.
fn safe_host(url: &Url) -> Result<&str, String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err("only http and https links are accepted".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the link contains a user name before an `@`, which hides its host".to_owned());
    }
    if url.port().is_some() {
        return Err("the link contains a port".to_owned());
    }
    match url.host() {
        Some(url::Host::Domain(host)) => Ok(host),
        _ => Err("the link's host is an address, not a name".to_owned()),
    }
}
