//! Lists of targets as people have them: plain lines, CSV with a header, or lines of JSON.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Cursor, Read};

use anyhow::{Result, bail, ensure};
use serde_json::{Map, Value};

use super::lines::Lines;
use crate::model::{Kind, Target};
use crate::watchlist;

/// The most targets of one backfill; their keys are held in memory, some 100 bytes each.
const MOST_TARGETS: usize = 1_000_000;

/// Bad lines that are named one by one; the others are counted.
const BAD_LINES_NAMED: usize = 20;

/// Columns and keys that are recognised, the telling ones first, and what their values are where
/// that is certain. Written in any case, with or without `_`, `-` and spaces.
const COLUMNS: [(&str, Option<Kind>); 20] = [
    ("noteid", Some(Kind::Note)),
    ("笔记id", Some(Kind::Note)),
    ("awemeid", Some(Kind::Work)),
    ("workid", Some(Kind::Work)),
    ("videoid", Some(Kind::Work)),
    ("作品id", Some(Kind::Work)),
    ("itemid", None),
    ("id", None),
    ("noteurl", None),
    ("notelink", None),
    ("笔记链接", None),
    ("作品链接", None),
    ("url", None),
    ("link", None),
    ("链接", None),
    ("shareurl", None),
    ("sharelink", None),
    ("分享链接", None),
    ("keyword", Some(Kind::Keyword)),
    ("关键词", Some(Kind::Keyword)),
];

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An id, a link, a share text or a keyword a line; `#` begins a comment.
    Lines,
    /// Comma-separated values with a header.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

/// How to read lists.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// What the entries are; `None`: each says itself.
    pub kind: Option<Kind>,
    /// How they are written; `None`: as the name and the first line look.
    pub format: Option<Format>,
    /// The column or key that names the target; `None`: one that is recognised.
    pub column: Option<String>,
}

/// What lists came to.
#[derive(Debug, Default)]
pub struct List {
    /// Each target once.
    pub targets: BTreeSet<Target>,
    /// Entries that repeat another.
    pub repeated: u64,
    /// The first of the bad lines, as `file:line: why`.
    pub bad: Vec<String>,
    /// How many bad lines there are.
    pub bad_lines: u64,
}

impl List {
    /// Takes in a list; `name` is for messages, and its ending tells a format.
    ///
    /// # Errors
    /// When it cannot be read, has no column that names the targets, or has too many of them.
    pub fn read(&mut self, name: &str, input: impl Read, reading: &Reading) -> Result<()> {
        let mut input = BufReader::new(input);
        let mut first = Vec::new();
        input.read_until(b'\n', &mut first)?;
        let first_line = String::from_utf8_lossy(&first).into_owned();
        let input = BufReader::new(Cursor::new(first).chain(input));
        match reading.format.unwrap_or_else(|| format_of(name, &first_line, reading)) {
            Format::Lines => self.read_lines(name, input, reading),
            Format::Jsonl => self.read_jsonl(name, input, reading),
            Format::Csv => self.read_csv(name, input, &first_line, reading),
        }
    }

    /// Adds one target that some list or the archive names.
    ///
    /// # Errors
    /// When there are too many.
    pub fn add(&mut self, target: Target) -> Result<()> {
        if !self.targets.insert(target) {
            self.repeated += 1;
        }
        ensure!(
            self.targets.len() <= MOST_TARGETS,
            "more than {MOST_TARGETS} targets: split the list into several backfills"
        );
        Ok(())
    }

    fn entry(&mut self, name: &str, line: u64, kind: Option<Kind>, text: &str) -> Result<()> {
        let target = match kind {
            Some(kind) => watchlist::parse(kind, text),
            None => watchlist::recognise(text)
                .map_err(|why| format!("{why}; keywords need --kind keywords")),
        };
        match target {
            Ok(target) => self.add(target)?,
            Err(why) => self.refuse(name, line, &why),
        }
        Ok(())
    }

    fn refuse(&mut self, name: &str, line: u64, why: &str) {
        self.bad_lines += 1;
        if self.bad.len() < BAD_LINES_NAMED {
            self.bad.push(format!("{name}:{line}: {why}"));
        }
    }

    fn read_lines(&mut self, name: &str, input: impl BufRead, reading: &Reading) -> Result<()> {
        for line in Lines::new(input) {
            let (number, line) = line?;
            match line.as_deref().map(str::trim) {
                Ok("") => {}
                Ok(text) if text.starts_with('#') => {}
                Ok(text) => self.entry(name, number, reading.kind, text)?,
                Err(why) => self.refuse(name, number, why),
            }
        }
        Ok(())
    }

    fn read_jsonl(&mut self, name: &str, input: impl BufRead, reading: &Reading) -> Result<()> {
        for line in Lines::new(input) {
            let (number, line) = line?;
            let text = match line.as_deref().map(str::trim) {
                Ok("") => continue,
                Ok(text) => text,
                Err(why) => {
                    self.refuse(name, number, why);
                    continue;
                }
            };
            let Ok(fields) = serde_json::from_str::<Map<String, Value>>(text) else {
                self.refuse(name, number, "the line is no JSON object");
                continue;
            };
            let names = chosen(fields.keys().map(String::as_str), reading);
            let value = names
                .iter()
                .find_map(|(at, kind)| Some((written(fields.values().nth(*at)?)?, *kind)));
            match value {
                Some((text, kind)) => self.entry(name, number, kind, &text)?,
                None => self.refuse(name, number, &nothing_in(&fields.keys().collect::<Vec<_>>())),
            }
        }
        Ok(())
    }

    fn read_csv(
        &mut self,
        name: &str,
        input: impl BufRead,
        first_line: &str,
        reading: &Reading,
    ) -> Result<()> {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .trim(csv::Trim::All)
            .delimiter(delimiter(first_line))
            .from_reader(input);
        let head: Vec<String> = texts(reader.byte_headers()?);
        let columns = chosen(head.iter().map(String::as_str), reading);
        if columns.is_empty() {
            bail!("{name}:1: {}", nothing_in(&head.iter().collect::<Vec<_>>()));
        }
        let mut row = csv::ByteRecord::new();
        while reader.read_byte_record(&mut row)? {
            let line = row.position().map_or(0, csv::Position::line);
            let cell = columns.iter().find_map(|(at, kind)| {
                row.get(*at).filter(|cell| !cell.is_empty()).map(|cell| (cell, *kind))
            });
            match cell.map(|(cell, kind)| (std::str::from_utf8(cell), kind)) {
                Some((Ok(text), kind)) => self.entry(name, line, kind, text)?,
                Some((Err(_), _)) => self.refuse(name, line, "the line is not UTF-8 text"),
                None => self.refuse(name, line, "the row names nothing"),
            }
        }
        Ok(())
    }
}

/// The places of the names that may hold a target, the best first, and what their values are.
fn chosen<'a>(
    names: impl Iterator<Item = &'a str>,
    reading: &Reading,
) -> Vec<(usize, Option<Kind>)> {
    let names: Vec<_> = names.collect();
    if let Some(column) = &reading.column {
        let place = names.iter().position(|name| name == column);
        let place = place.or_else(|| names.iter().position(|name| plain(name) == plain(column)));
        return place.map(|at| (at, reading.kind)).into_iter().collect();
    }
    let fits = |kind: &Option<Kind>| match reading.kind {
        Some(Kind::Keyword) => *kind == Some(Kind::Keyword),
        Some(asked) => kind.is_none_or(|kind| kind == asked),
        None => true,
    };
    let known = COLUMNS.iter().filter(|(_, kind)| fits(kind));
    known
        .filter_map(|(known, kind)| {
            let at = names.iter().position(|name| plain(name) == *known)?;
            Some((at, reading.kind.or(*kind)))
        })
        .collect()
}

/// A name as [`COLUMNS`] writes it.
fn plain(name: &str) -> String {
    let letters = name.trim_start_matches('\u{feff}').chars();
    letters.filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// A JSON value as an entry: a text, or an id written as a number.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

fn texts(row: &csv::ByteRecord) -> Vec<String> {
    row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
}

fn nothing_in(names: &[&String]) -> String {
    let shown: Vec<_> = names.iter().take(12).map(|name| format!("{name:?}")).collect();
    format!(
        "nothing here names a target (there are {}); --column names the one that does",
        shown.join(", ")
    )
}

/// What a file is by the ending of its name, else by its first line.
fn format_of(name: &str, first_line: &str, reading: &Reading) -> Format {
    let lower = name.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
    if ends(&[".csv", ".tsv"]) {
        return Format::Csv;
    }
    if ends(&[".jsonl", ".ndjson"]) || first_line.trim_start_matches('\u{feff}').starts_with('{') {
        return Format::Jsonl;
    }
    let by_header = char::from(delimiter(first_line));
    let head = first_line.trim_end().split(by_header).map(|cell| cell.trim_matches('"'));
    if chosen(head, reading).is_empty() { Format::Lines } else { Format::Csv }
}

/// What separates the columns of a header: spreadsheets write tabs and semicolons, too.
fn delimiter(header: &str) -> u8 {
    let count = |delimiter: &u8| header.bytes().filter(|byte| byte == delimiter).count();
    // The first of those that are as frequent: `max_by_key` takes the last.
    [b';', b'\t', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

#[cfg(test)]
mod tests;
