//! Links to notes and works, alone or inside share text.
//!
//! Only the platforms' own hosts are accepted. Nothing is fetched here: a provider resolves short
//! links.

use url::Url;

use crate::model::Kind;

/// Hosts of notes.
const NOTE_HOSTS: [&str; 5] = [
    "xiaohongshu.com",
    "www.xiaohongshu.com",
    "m.xiaohongshu.com",
    "rednote.com",
    "www.rednote.com",
];

/// Hosts of works.
const WORK_HOSTS: [&str; 5] =
    ["douyin.com", "www.douyin.com", "m.douyin.com", "iesdouyin.com", "www.iesdouyin.com"];

/// Host of Xiaohongshu's short links.
const SHORT_NOTE_HOST: &str = "xhslink.com";

/// Host of Douyin's short links.
const SHORT_WORK_HOST: &str = "v.douyin.com";

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
    let host = safe_host(url).ok()?;
    let path: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    if NOTE_HOSTS.contains(&host) {
        let id = match path.as_slice() {
            ["explore" | "search_result", id]
            | ["discovery", "item", id]
            | ["user", "profile", _, id] => *id,
            _ => return None,
        };
        return note_id(id).map(|id| (Kind::Note, id));
    }
    if !WORK_HOSTS.contains(&host) {
        return None;
    }
    let id = match path.as_slice() {
        ["video" | "note" | "slides", id] | ["share", "video" | "note" | "slides", id] => {
            work_id(id)
        }
        _ => {
            url.query_pairs().find(|(name, _)| name == "modal_id").and_then(|(_, id)| work_id(&id))
        }
    };
    id.map(|id| (Kind::Work, id))
}

/// The item of a bare id.
pub(super) fn bare_id(text: &str) -> Option<(Kind, String)> {
    let note = note_id(text).map(|id| (Kind::Note, id));
    note.or_else(|| work_id(text).map(|id| (Kind::Work, id)))
}

/// The only link of a text. The error says why there is none, or why it is refused.
pub(super) fn only_link(text: &str) -> Result<Link, String> {
    let mut found: Option<Link> = None;
    for candidate in candidates(text) {
        let link = link_of(&candidate?)?;
        match &found {
            Some(other) if *other != link => {
                return Err("there are two different links: write each on its own".to_owned());
            }
            _ => found = Some(link),
        }
    }
    found.ok_or_else(|| {
        "there is neither a link nor an id in it: expected a note id (24 hexadecimal digits), a work id \
         (15 to 20 digits), a link to one, or share text from the app"
            .to_owned()
    })
}

/// 24 hexadecimal digits in lower case.
fn note_id(text: &str) -> Option<String> {
    let is_id = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| text.to_ascii_lowercase())
}

fn work_id(text: &str) -> Option<String> {
    is_work_id(text).then(|| text.to_owned())
}

/// Whether a text has the form of a work id: 15 to 20 decimal digits.
pub fn is_work_id(text: &str) -> bool {
    (15..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Everything in a text that looks like a link.
fn candidates(text: &str) -> Vec<Result<Url, String>> {
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
    let first = if scheme.ends_with("https") || scheme.ends_with("http") {
        read(&format!("https://{this}"))
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
    let known = NOTE_HOSTS.contains(&host.as_str())
        || WORK_HOSTS.contains(&host.as_str())
        || [SHORT_NOTE_HOST, SHORT_WORK_HOST].contains(&host.as_str());
    known.then(|| format!("https://{host}/{path}"))
}

fn read(link: &str) -> Result<Url, String> {
    let link = link.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '*']);
    Url::parse(link).map_err(|error| format!("invalid link: {error}"))
}

fn link_of(url: &Url) -> Result<Link, String> {
    let host = safe_host(url)?;
    if let Some((kind, id)) = item_of_url(url) {
        return Ok(Link::Item(kind, id));
    }
    let path: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    let is_code = !path.is_empty() && path.iter().all(|part| short_code(part));
    match host {
        SHORT_NOTE_HOST if is_code && path.len() <= 2 => {
            Ok(Link::Short(Kind::Note, format!("https://{SHORT_NOTE_HOST}/{}", path.join("/"))))
        }
        SHORT_WORK_HOST if is_code && path.len() == 1 => {
            Ok(Link::Short(Kind::Work, format!("https://{SHORT_WORK_HOST}/{}/", path.join("/"))))
        }
        SHORT_NOTE_HOST | SHORT_WORK_HOST => Err("the short link is not complete".to_owned()),
        _ if NOTE_HOSTS.contains(&host) => {
            Err("the link is not to a single note: open the note and copy its link".to_owned())
        }
        _ if WORK_HOSTS.contains(&host) => {
            Err("the link is not to a single work: open the work and copy its link".to_owned())
        }
        _ => Err("the link's host is not one of xiaohongshu.com, xhslink.com, douyin.com, \
                  v.douyin.com and iesdouyin.com"
            .to_owned()),
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
