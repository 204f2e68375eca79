//! Watchlist entries: ids, links, and text pasted from the apps.
//!
//! [`parse`] turns one entry into a [`Target`]; [`kol_filter`] checks the filter of a KOL search.

pub mod kol_filter;
mod kol_names;
pub mod links;

use crate::model::{Kind, Target};
use links::Link;

pub(crate) use kol_names::known_filters;

/// Maximum length of an entry in bytes: share text is a few hundred.
const LONGEST_ENTRY: usize = 4096;

/// Maximum length of a keyword in characters.
const LONGEST_KEYWORD: usize = 100;

/// Parses an entry of a known kind. The error gives the reason without repeating the entry.
pub fn parse(kind: Kind, text: &str) -> Result<Target, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("the entry is empty".to_owned());
    }
    if text.len() > LONGEST_ENTRY {
        return Err(format!("the entry is longer than {LONGEST_ENTRY} bytes"));
    }
    match kind {
        Kind::Keyword => keyword(text),
        Kind::Note | Kind::Work => item(kind, text),
        Kind::KolSearch => Err("a KOL search is a `filter`, not a list".to_owned()),
    }
}

/// Parses an entry of unknown kind: an id, a link, or share text. The error gives the reason
/// without repeating the entry.
pub fn recognise(text: &str) -> Result<Target, String> {
    let text = text.trim();
    if text.len() > LONGEST_ENTRY {
        return Err(format!("the entry is longer than {LONGEST_ENTRY} bytes"));
    }
    let (kind, key) = found(text)?;
    Ok(Target { kind, key })
}

fn keyword(text: &str) -> Result<Target, String> {
    let length = text.chars().count();
    if length > LONGEST_KEYWORD {
        return Err(format!(
            "a keyword has at most {LONGEST_KEYWORD} characters, this has {length}"
        ));
    }
    if text.chars().any(char::is_control) {
        return Err("a keyword has no control characters (line breaks, tabs)".to_owned());
    }
    Ok(Target { kind: Kind::Keyword, key: text.to_owned() })
}

/// Kind and key of the only item in a text.
fn found(text: &str) -> Result<(Kind, String), String> {
    if let Some(item) = links::bare_id(text) {
        return Ok(item);
    }
    match links::only_link(text)? {
        Link::Item(kind, key) | Link::Short(kind, key) => Ok((kind, key)),
    }
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
