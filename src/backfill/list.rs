//! Lists of targets: plain lines, CSV with a header, or JSON lines.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Cursor, Read};

use anyhow::{Result, bail, ensure};
use serde_json::{Map, Value};

use super::lines::Lines;
use crate::model::{Kind, Target};
use crate::watchlist;

/// Maximum targets of one backfill; their keys are held in memory, about 100 bytes each.
const MOST_TARGETS: usize = 1_000_000;

/// Invalid lines reported one by one; the others are counted.
const BAD_LINES_NAMED: usize = 20;

/// Recognised columns and keys, the most specific first, with the kind of their values where it is
/// certain. Case, `_`, `-` and spaces are ignored.
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

/// Format of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One id, link, share text or keyword per line; `#` starts a comment.
    Lines,
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object per line.
    Jsonl,
}

/// How to read lists.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// Kind of the entries; `None`: detected per entry.
    pub kind: Option<Kind>,
    /// Format; `None`: detected by file name and first line.
    pub format: Option<Format>,
    /// Column or key with the target; `None`: a recognised one.
    pub column: Option<String>,
}

/// The targets read from lists.
#[derive(Debug, Default)]
pub struct List {
    /// Distinct targets.
    pub targets: BTreeSet<Target>,
    /// Repeated entries.
    pub repeated: u64,
    /// The first invalid lines, as `file:line: reason`.
    pub bad: Vec<String>,
    /// Number of invalid lines.
    pub bad_lines: u64,
}

impl List {
    /// Reads a list; `name` appears in messages, and its extension tells the format. Fails if the
    /// list cannot be read, has no column with targets, or has too many targets.
    pub fn read(&mut self, name: &str, input: impl Read, options: &ListOptions) -> Result<()> {
        let mut input = BufReader::new(input);
        let mut first = Vec::new();
        input.read_until(b'\n', &mut first)?;
        let first_line = String::from_utf8_lossy(&first).into_owned();
        let input = BufReader::new(Cursor::new(first).chain(input));
        match options.format.unwrap_or_else(|| format_of(name, &first_line, options)) {
            Format::Lines => self.read_lines(name, input, options),
            Format::Jsonl => self.read_jsonl(name, input, options),
            Format::Csv => self.read_csv(name, input, &first_line, options),
        }
    }

    /// Adds one target from a list or the archive. Fails if there are too many.
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

    fn read_lines(&mut self, name: &str, input: impl BufRead, options: &ListOptions) -> Result<()> {
        for line in Lines::new(input) {
            let (number, line) = line?;
            match line.as_deref().map(str::trim) {
                Ok("") => {}
                Ok(text) if text.starts_with('#') => {}
                Ok(text) => self.entry(name, number, options.kind, text)?,
                Err(why) => self.refuse(name, number, why),
            }
        }
        Ok(())
    }

    fn read_jsonl(&mut self, name: &str, input: impl BufRead, options: &ListOptions) -> Result<()> {
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
                self.refuse(name, number, "the line is not a JSON object");
                continue;
            };
            let names = chosen(fields.keys().map(String::as_str), options);
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
        options: &ListOptions,
    ) -> Result<()> {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .trim(csv::Trim::All)
            .delimiter(delimiter(first_line))
            .from_reader(input);
        let head: Vec<String> = texts(reader.byte_headers()?);
        let columns = chosen(head.iter().map(String::as_str), options);
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
                None => self.refuse(name, line, "the row has no target"),
            }
        }
        Ok(())
    }
}

/// Indices of the columns that may hold a target, best first, with their kinds.
fn chosen<'a>(
    names: impl Iterator<Item = &'a str>,
    options: &ListOptions,
) -> Vec<(usize, Option<Kind>)> {
    let names: Vec<_> = names.collect();
    if let Some(column) = &options.column {
        let place = names.iter().position(|name| name == column);
        let place = place.or_else(|| names.iter().position(|name| plain(name) == plain(column)));
        return place.map(|at| (at, options.kind)).into_iter().collect();
    }
    let fits = |kind: &Option<Kind>| match options.kind {
        Some(Kind::Keyword) => *kind == Some(Kind::Keyword),
        Some(asked) => kind.is_none_or(|kind| kind == asked),
        None => true,
    };
    let known = COLUMNS.iter().filter(|(_, kind)| fits(kind));
    known
        .filter_map(|(known, kind)| {
            let at = names.iter().position(|name| plain(name) == *known)?;
            Some((at, options.kind.or(*kind)))
        })
        .collect()
}

/// A name in the notation of [`COLUMNS`].
fn plain(name: &str) -> String {
    let letters = name.trim_start_matches('\u{feff}').chars();
    letters.filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// A JSON value as an entry: a string, or an id written as a number.
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
    format!("no known column with targets (found {}); choose one with --column", shown.join(", "))
}

/// The format by the file extension, otherwise by the first line.
fn format_of(name: &str, first_line: &str, options: &ListOptions) -> Format {
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
    if chosen(head, options).is_empty() { Format::Lines } else { Format::Csv }
}

/// The delimiter of a header: spreadsheets also write tabs and semicolons.
fn delimiter(header: &str) -> u8 {
    let count = |delimiter: &u8| header.bytes().filter(|byte| byte == delimiter).count();
    // `max_by_key` returns the last maximum, so the comma wins a tie.
    [b';', b'\t', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

#[cfg(test)]
mod tests;
