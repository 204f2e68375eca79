//! Lists of targets: plain lines, CSV with a header, or JSON lines.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::value::RawValue;

use super::columns::{chosen, format_of, header};
use super::options::{Format, LONGEST_LINE, ListOptions};
use super::share_text::Entries;
use super::signs::visible;
use crate::model::{Kind, Target};
use crate::text::things;

/// The keywords of lines that begin with `#`, as comments of other lists do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hashtags {
    /// How many there are.
    count: u64,
    /// Line and keyword of the first.
    first: (u64, String),
}

impl Hashtags {
    fn add(&mut self, line: u64, keyword: Target) {
        if self.count == 0 {
            self.first = (line, keyword.key);
        }
        self.count += 1;
    }

    /// What to tell about those of the list `name`; `None` if there are none.
    pub fn notice(&self, name: &str) -> Option<String> {
        let ((line, keyword), count) = (&self.first, things(self.count, "keyword"));
        (self.count > 0).then(|| {
            format!(
                "{name}: {count} from lines that begin with #, such as `{keyword}` in line {line}; \
                 a comment begins with # and a space"
            )
        })
    }
}

/// Reads a list and calls `each` with the line of every entry, and its target or why it is refused.
/// The extension of `name` tells the format. Returns its hashtags. Fails if `each` does.
pub fn read(
    name: &str,
    text: &str,
    options: &ListOptions,
    each: impl FnMut(u64, Result<Target, String>) -> Result<()>,
) -> Result<Hashtags> {
    let mut reader = Reader { options, each, hashtags: Hashtags::default() };
    match options.format.unwrap_or_else(|| format_of(name, text, options)) {
        Format::Lines => reader.lines(text),
        Format::Jsonl => reader.jsonl(text),
        Format::Csv => reader.csv(text),
    }?;
    Ok(reader.hashtags)
}

struct Reader<'a, F> {
    options: &'a ListOptions,
    each: F,
    hashtags: Hashtags,
}

impl<F: FnMut(u64, Result<Target, String>) -> Result<()>> Reader<'_, F> {
    fn lines(&mut self, text: &str) -> Result<()> {
        let is_keyword = self.options.kind == Some(Kind::Keyword);
        // `#露营` is a hashtag.
        let is_comment = |line: &str| match line.strip_prefix('#') {
            Some(rest) => !is_keyword || rest.is_empty() || rest.starts_with(char::is_whitespace),
            None => false,
        };
        let lines = numbered(text).filter(|(_, line)| !is_comment(line));
        if is_keyword {
            for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
                if line.starts_with('#')
                    && let Ok(target) = super::parse(Kind::Keyword, line)
                {
                    self.hashtags.add(number, target);
                }
                self.entry(number, &[(line, self.options.kind)])?;
            }
            return Ok(());
        }
        for (number, text) in Entries::new(lines) {
            self.entry(number, &[(&text, self.options.kind)])?;
        }
        Ok(())
    }

    fn jsonl(&mut self, text: &str) -> Result<()> {
        for (number, line) in numbered(text).filter(|(_, line)| !line.is_empty()) {
            if line.len() > LONGEST_LINE {
                self.refuse(number, too_long())?;
                continue;
            }
            let Ok(fields) = serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(line) else {
                self.refuse(number, "the line is not a JSON object".to_owned())?;
                continue;
            };
            let names: Vec<&str> = fields.keys().map(AsRef::as_ref).collect();
            let values = chosen(names.iter().copied(), self.options).into_iter();
            let values: Vec<_> = values
                .filter_map(|(at, kind)| Some((written(fields.values().nth(at)?)?, kind)))
                .collect();
            if values.is_empty() {
                self.refuse(number, nothing_in(&names))?;
                continue;
            }
            let values: Vec<_> = values.iter().map(|(text, kind)| (text.as_str(), *kind)).collect();
            self.entry(number, &values)?;
        }
        Ok(())
    }

    fn csv(&mut self, text: &str) -> Result<()> {
        let Some(header) = header(text, self.options) else {
            let first = text.lines().next().unwrap_or_default();
            let cells =
                first.split(char::from(super::columns::delimiter(first))).collect::<Vec<_>>();
            return self.refuse(1, nothing_in(&cells));
        };
        let begins = text.split_inclusive('\n').take(header.line).map(str::len).sum::<usize>();
        let table = text.get(begins..).unwrap_or_default();
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .trim(csv::Trim::All)
            .delimiter(header.delimiter)
            .from_reader(table.as_bytes());
        let columns = chosen(reader.headers()?.iter(), self.options);
        let mut lines = LineNumbers { text: table, at: 0, line: header.line as u64 + 1 };
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row)? {
            let line = lines.of(row.position().map_or(0, csv::Position::byte));
            if row.as_slice().len() > LONGEST_LINE {
                self.refuse(line, format!("{}; is a quotation mark missing?", too_long()))?;
                continue;
            }
            if row.iter().all(|cell| visible(cell).trim().is_empty()) {
                continue;
            }
            let cells = columns.iter().filter_map(|(at, kind)| Some((row.get(*at)?, *kind)));
            let cells: Vec<_> =
                cells.filter(|(cell, _)| !visible(cell).trim().is_empty()).collect();
            self.entry(line, &cells)?;
        }
        Ok(())
    }

    /// Gives out the first target among the texts of a line, otherwise why the first is refused.
    fn entry(&mut self, line: u64, texts: &[(&str, Option<Kind>)]) -> Result<()> {
        let mut refused = None;
        for (text, kind) in texts {
            let target = match kind {
                _ if text.len() > LONGEST_LINE => Err(too_long()),
                Some(kind) => super::parse(*kind, text),
                None => super::recognise(text).map_err(|why| {
                    match why.starts_with("there is neither") {
                        true => format!("{why}; keywords need --kind keywords"),
                        false => why,
                    }
                }),
            };
            match target {
                Ok(target) => return (self.each)(line, Ok(target)),
                Err(why) => _ = refused.get_or_insert(why),
            }
        }
        self.refuse(line, refused.unwrap_or_else(|| "the row has no target".to_owned()))
    }

    fn refuse(&mut self, line: u64, why: String) -> Result<()> {
        (self.each)(line, Err(why))
    }
}

/// Trimmed lines with their numbers.
fn numbered(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1..).zip(text.split('\n').map(|line| line.trim_matches(is_margin)))
}

fn is_margin(c: char) -> bool {
    c.is_whitespace() || visible(c.encode_utf8(&mut [0; 4])).is_empty()
}

/// Line numbers of growing offsets, as an editor counts them.
struct LineNumbers<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl LineNumbers<'_> {
    /// The line of a row: empty lines before it are skipped.
    fn of(&mut self, offset: u64) -> u64 {
        let bytes = self.text.as_bytes();
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        while self.at < offset || bytes.get(self.at) == Some(&b'\n') {
            self.line += u64::from(bytes.get(self.at) == Some(&b'\n'));
            self.at += 1;
        }
        self.line
    }
}

/// A JSON value as an entry: a string, or a number as it is written.
fn written(value: &RawValue) -> Option<String> {
    let text = value.get();
    match text.chars().next()? {
        '"' => serde_json::from_str(text).ok().filter(|text: &String| !text.trim().is_empty()),
        '0'..='9' => Some(text.to_owned()),
        _ => None,
    }
}

fn too_long() -> String {
    format!("the line is longer than {} kB", LONGEST_LINE >> 10)
}

fn nothing_in(names: &[&str]) -> String {
    let short = |name: &&str| format!("{:?}", name.chars().take(40).collect::<String>());
    let shown: Vec<_> = names.iter().take(12).map(short).collect();
    format!("no known column with targets (found {}); choose one with --column", shown.join(", "))
}

#[cfg(test)]
mod tests;
