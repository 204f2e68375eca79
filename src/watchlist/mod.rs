//! Watchlist entries: ids, links, and text pasted from the apps.
//!
//! [`parse`] turns one entry into a [`Target`], `list` reads whole lists of them, `decode` their
//! bytes, and [`kol_filter`] checks the filter of a KOL search.

mod columns;
mod decode;
mod ids;
mod keywords;
pub mod kol_filter;
mod kol_names;
pub mod links;
mod list;
mod options;
mod share_text;
mod signs;

use crate::model::{Kind, Target};
use links::Link;

pub(crate) use decode::encoding_of;
pub use decode::{Decoded, decode};
pub use ids::is_work_id;
pub use keywords::nearly;
pub(crate) use kol_names::known_filters;
pub use list::{Hashtags, read};
pub use options::{Format, ListOptions};

/// Maximum length of an entry in bytes: share text is a few hundred.
const LONGEST_ENTRY: usize = 4096;

/// Phrases of share texts whose short links lead to no work.
const NOT_WORKS: [(&str, &str); 3] = [
    ("直接观看直播", "the link is to a live room, not to a work"),
    ("正在直播，来和我一起", "the link is to a live room, not to a work"),
    ("查看TA的更多作品", "the link is to a person, not to a work: open the work and copy its link"),
];

/// Parses an entry of a known kind. The error gives the reason without repeating the entry.
pub fn parse(kind: Kind, text: &str) -> Result<Target, String> {
    let text = bounded(text)?;
    let text = text.trim();
    if text.is_empty() {
        return Err("the entry is empty".to_owned());
    }
    match kind {
        Kind::Keyword => Ok(Target { kind, key: keywords::normal(text)? }),
        Kind::Note | Kind::Work => item(kind, text),
        Kind::KolSearch => Err("a KOL search is a `filter`, not a list".to_owned()),
    }
}

/// Parses an entry of the archive or about it, where an id that ends in zeros is not taken for a rounded
/// one. The error gives the reason without repeating the entry.
pub fn parse_exact(kind: Kind, text: &str) -> Result<Target, String> {
    let key = text.trim();
    if kind == Kind::Work && is_work_id(key) {
        return Ok(Target { kind, key: key.to_owned() });
    }
    parse(kind, text)
}

/// Parses an entry of unknown kind: an id, a link, or share text. The error gives the reason
/// without repeating the entry.
pub fn recognise(text: &str) -> Result<Target, String> {
    let (kind, key) = found(&bounded(text)?)?;
    Ok(Target { kind, key })
}

/// The item of a share text of the apps; `None` if it is none.
pub fn share_text(kind: Kind, text: &str) -> Option<Target> {
    parse(kind, text).ok().filter(|_| kind != Kind::Keyword && share_text::is_phrase(text))
}

/// The entry without invisible signs.
fn bounded(text: &str) -> Result<std::borrow::Cow<'_, str>, String> {
    if text.len() > LONGEST_ENTRY {
        return Err(format!("the entry is longer than {LONGEST_ENTRY} bytes"));
    }
    Ok(signs::visible(text))
}

/// Kind and key of the only item in a text.
fn found(text: &str) -> Result<(Kind, String), String> {
    // Most entries of long lists.
    if let Some(id) = ids::note_id(text.trim()) {
        return Ok((Kind::Note, id));
    }
    match links::only_link(text)? {
        Some(Link::Item(kind, key)) => return Ok((kind, key)),
        Some(Link::Short(kind, key)) => {
            let other =
                NOT_WORKS.iter().find(|(said, _)| kind == Kind::Work && text.contains(said));
            return other.map_or(Ok((kind, key)), |(_, why)| Err((*why).to_owned()));
        }
        None => {}
    }
    ids::only_id(text)?.ok_or_else(|| {
        "there is neither a link nor an id in it: expected a note id (24 hexadecimal digits), a work id \
         (15 to 20 digits), a link to one, or share text from the app with its link"
            .to_owned()
    })
}

/// Whether a line names an item, or tries to.
fn names_item(line: &str) -> bool {
    line.len() > LONGEST_ENTRY
        || ids::note_id(line).is_some()
        || is_work_id(line)
        || links::has_link(line)
        || !matches!(ids::only_id(line), Ok(None))
}

fn item(kind: Kind, text: &str) -> Result<Target, String> {
    let (found, key) = found(text)?;
    match (kind, found) {
        (Kind::Note, Kind::Work) => {
            Err("this is a Douyin work; it belongs to a job of kind `works`".to_owned())
        }
        (Kind::Work, Kind::Note) => {
            Err("this is a Xiaohongshu note; it belongs to a job of kind `notes`".to_owned())
        }
        _ => Ok(Target { kind, key }),
    }
}

#[cfg(test)]
mod tests;
