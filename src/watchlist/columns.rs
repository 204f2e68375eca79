//! Which column of a table, or key of an object, names its target.

use super::keywords::spelling;
use super::options::{Format, LONGEST_LINE, ListOptions};
use crate::model::Kind;

/// What columns with ids are of: the word before `id`, and the kind if it is certain.
const IDS: [(&str, Option<Kind>); 14] = [
    ("note", Some(Kind::Note)),
    ("笔记", Some(Kind::Note)),
    ("aweme", Some(Kind::Work)),
    ("work", Some(Kind::Work)),
    ("video", Some(Kind::Work)),
    ("作品", Some(Kind::Work)),
    ("视频", Some(Kind::Work)),
    ("item", None),
    ("content", None),
    ("post", None),
    ("内容", None),
    ("帖子", None),
    ("图文", None),
    ("", None),
];

/// Words before `url`; their kind is that of the link.
const LINKS: [&str; 13] = [
    "小红书",
    "小红书笔记",
    "抖音",
    "抖音视频",
    "抖音作品",
    "发布",
    "原文",
    "分享",
    "share",
    "web",
    "链接",
    "xhs",
    "douyin",
];

/// Endings of columns with ids, and with links.
const ID_ENDINGS: [&str; 2] = ["id", "编号"];
const LINK_ENDINGS: [&str; 5] = ["url", "link", "链接", "地址", "网址"];

/// Columns with links and with keywords that have names of their own.
const OTHER_LINKS: [&str; 1] = ["回链"];
const KEYWORDS: [&str; 5] = ["keyword", "keywords", "关键词", "关键字", "搜索词"];

/// Lines searched for a header: titles and notes stand above it.
const LINES_SEARCHED: usize = 5;

/// The header of a table.
pub(super) struct Header {
    /// Index of its line.
    pub(super) line: usize,
    pub(super) delimiter: u8,
}

/// The header among the first lines of a text, if there is one.
pub(super) fn header(text: &str, options: &ListOptions) -> Option<Header> {
    let lines = text.lines().enumerate().take(LINES_SEARCHED);
    lines.filter(|(_, line)| line.len() <= LONGEST_LINE).find_map(|(line, header)| {
        let delimiter = delimiter(header);
        let cells = header.split(char::from(delimiter)).map(|cell| cell.trim().trim_matches('"'));
        (!chosen(cells, options).is_empty()).then_some(Header { line, delimiter })
    })
}

/// The delimiter of a line: spreadsheets also write tabs and semicolons.
pub(super) fn delimiter(line: &str) -> u8 {
    let count = |delimiter: &u8| line.bytes().filter(|byte| byte == delimiter).count();
    // `max_by_key` returns the last maximum, so the comma wins a tie.
    [b';', b'\t', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// Indices of the columns that may hold a target, best first, with their kinds.
pub(super) fn chosen<'a>(
    names: impl Iterator<Item = &'a str>,
    options: &ListOptions,
) -> Vec<(usize, Option<Kind>)> {
    let names: Vec<_> = names.collect();
    if let Some(column) = &options.column {
        let place = names.iter().position(|name| name == column);
        let place = place.or_else(|| names.iter().position(|name| plain(name) == plain(column)));
        return place.map(|at| (at, options.kind)).into_iter().collect();
    }
    let fits = |kind: Option<Kind>| match options.kind {
        Some(Kind::Keyword) => kind == Some(Kind::Keyword),
        Some(asked) => kind.is_none_or(|kind| kind == asked),
        None => true,
    };
    let known = names.iter().enumerate().filter_map(|(at, name)| Some((known(name)?, at)));
    let mut known: Vec<_> = known.filter(|((_, kind), _)| fits(*kind)).collect();
    known.sort_by_key(|((rank, _), at)| (*rank, *at));
    known.into_iter().map(|((_, kind), at)| (at, options.kind.or(kind))).collect()
}

/// Rank and kind of a known name, the most specific first.
fn known(name: &str) -> Option<(usize, Option<Kind>)> {
    let name = plain(name);
    let name = name.as_str();
    if KEYWORDS.contains(&name) {
        return Some((IDS.len() + 1, Some(Kind::Keyword)));
    }
    let before = |endings: &[&str]| {
        endings.iter().find_map(|ending| name.strip_suffix(ending).map(str::to_owned))
    };
    if let Some(of) = before(&ID_ENDINGS)
        && let Some((rank, (_, kind))) = IDS.iter().enumerate().find(|(_, (known, _))| *known == of)
    {
        return Some((rank, *kind));
    }
    let is_link = before(&LINK_ENDINGS).is_some_and(|of| {
        LINKS.contains(&of.as_str()) || IDS.iter().any(|(known, _)| *known == of)
    });
    (is_link || OTHER_LINKS.contains(&name)).then_some((IDS.len(), None))
}

/// A name without case, separators, marks of required columns, and what stands in brackets.
fn plain(name: &str) -> String {
    let name = spelling(name);
    let name = name.split('(').next().unwrap_or_default();
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-' | ' ' | '*' | ':'));
    letters.flat_map(char::to_lowercase).collect()
}

/// The format by the file extension, otherwise by the first line.
pub(super) fn format_of(name: &str, text: &str, options: &ListOptions) -> Format {
    let lower = name.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
    if ends(&[".jsonl", ".ndjson"]) || text.starts_with('{') {
        return Format::Jsonl;
    }
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    match header(if ends(&[".csv", ".tsv"]) { text } else { first }, options) {
        Some(_) => Format::Csv,
        // A table without a header is read line by line, unless no line could be read.
        None if ends(&[".csv", ".tsv"]) && !is_entry(first, options) => Format::Csv,
        None => Format::Lines,
    }
}

/// Whether a line of a table without a header is an entry as it stands.
fn is_entry(line: &str, options: &ListOptions) -> bool {
    match options.kind {
        Some(Kind::Keyword) => !line.contains(char::from(delimiter(line))),
        _ => super::names_item(line),
    }
}
