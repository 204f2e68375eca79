//! Problems of the settings, shown with line and caret, never with a secret.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use secrecy::{ExposeSecret, SecretString};

use super::secrets;
use crate::text::things;

/// Maximum problems shown; the rest is counted.
const MOST_SHOWN: usize = 50;

/// Longer lines are not shown.
const LONGEST_LINE: usize = 400;

/// Longer lines are not searched for secrets and count as secret.
const LONGEST_SEARCHED: usize = 1 << 16;

/// All problems of the settings.
#[derive(Clone)]
pub struct ConfigError {
    problems: Vec<String>,
    count: usize,
    files: Vec<PathBuf>,
}

impl ConfigError {
    /// The files that were read, or should have been.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The problems in file order, each a text of several lines.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.problems.join("\n\n"))?;
        let hidden = self.count.saturating_sub(self.problems.len());
        if hidden > 0 {
            write!(f, "\n\n… and {}", things(hidden, "more problem"))?;
        }
        Ok(())
    }
}

/// Without the files: a path may contain a secret.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigError")
            .field("problems", &self.problems)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for ConfigError {}

/// A text that problems refer to.
#[derive(Debug)]
pub(super) struct Source<'a> {
    /// Its name in messages.
    name: String,
    text: &'a str,
    /// Offset of each line.
    lines: Vec<usize>,
    /// Ranges whose lines are never shown.
    hidden: Vec<Range<usize>>,
    /// The tokens: a line that contains one is never shown.
    tokens: Vec<SecretString>,
}

impl<'a> Source<'a> {
    pub(super) fn new(name: String, text: &'a str, tokens: Vec<SecretString>) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Self { name, text, lines, hidden: Vec::new(), tokens }
    }

    /// Hides the lines of this range.
    pub(super) fn hide(&mut self, part: Range<usize>) {
        self.hidden.push(part);
    }

    /// Hides everything after the first secret: the text after it could not be parsed.
    pub(super) fn hide_after_first_secret(&mut self) {
        let starts = self.lines.iter().copied();
        let first = starts.enumerate().find(|(line, _)| secrets::mentioned(self.line(*line)));
        if let Some((_, start)) = first {
            self.hide(start..self.text.len());
        }
    }

    /// The line number of an offset, from 1.
    pub(super) fn line_number(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    /// The range of a line, from 1, without its line break.
    pub(super) fn line_span(&self, number: usize) -> Range<usize> {
        let index = number.saturating_sub(1);
        let start = self.line_start(index);
        start..start + self.line(index).trim_end().len()
    }

    /// Offset of a line, counted from 0.
    fn line_start(&self, index: usize) -> usize {
        self.lines.get(index).copied().unwrap_or(self.text.len())
    }

    /// A line without its line break, counted from 0.
    fn line(&self, index: usize) -> &'a str {
        let start = self.lines.get(index).copied().unwrap_or(self.text.len());
        let end = self.lines.get(index + 1).copied().unwrap_or(self.text.len());
        let line = self.text.get(start..end).unwrap_or_default();
        line.trim_end_matches(['\n', '\r'])
    }

    /// Whether these lines must not be shown.
    fn is_secret(&self, lines: &Range<usize>) -> bool {
        let Some(text) = self.text.get(lines.clone()) else {
            return true;
        };
        let hides = |part: &Range<usize>| part.start <= lines.end && lines.start <= part.end;
        let holds = |token: &SecretString| text.contains(token.expose_secret());
        text.len() > LONGEST_SEARCHED
            || self.hidden.iter().any(hides)
            || self.tokens.iter().any(holds)
            || secrets::mentioned(text)
    }
}

/// A problem before rendering.
pub(super) struct Problem {
    /// What is wrong.
    pub(super) title: String,
    /// The fix.
    pub(super) help: String,
}

impl Problem {
    pub(super) fn new(title: impl Into<String>, help: impl Into<String>) -> Self {
        Self { title: title.into(), help: help.into() }
    }
}

/// Collects problems.
#[derive(Debug, Default)]
pub(super) struct Problems {
    /// Offsets in jobs.toml, and texts.
    shown: Vec<(usize, String)>,
    count: usize,
    /// The files that were read, or should have been.
    pub(super) files: Vec<PathBuf>,
}

impl Problems {
    /// No problems so far.
    pub(super) fn of(files: Vec<PathBuf>) -> Self {
        Self { files, ..Self::default() }
    }

    /// Adds a problem at a range of a text.
    pub(super) fn at(&mut self, source: &Source<'_>, span: Range<usize>, problem: Problem) {
        self.push(span.start, || render(source, span, problem, false));
    }

    /// Adds a problem of an unwanted key without showing its value.
    pub(super) fn at_key(&mut self, source: &Source<'_>, key: Range<usize>, problem: Problem) {
        self.push(key.start, || render(source, key, problem, true));
    }

    /// Adds a problem without a position.
    pub(super) fn anywhere(&mut self, problem: Problem) {
        let Problem { title, help } = problem;
        self.push(0, || format!("error: {title}\n  = help: {help}"));
    }

    /// Adds a problem of another file, shown where `jobs.toml` names that file.
    pub(super) fn elsewhere(
        &mut self,
        named_at: usize,
        source: &Source<'_>,
        span: Range<usize>,
        problem: Problem,
    ) {
        self.push(named_at, || render(source, span, problem, false));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The error, with the problems in file order.
    pub(super) fn into_error(mut self) -> ConfigError {
        self.shown.sort_by_key(|(at, _)| *at);
        let problems = self.shown.into_iter().map(|(_, text)| text).collect();
        ConfigError { problems, count: self.count, files: self.files }
    }

    fn push(&mut self, at: usize, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.shown.len() < MOST_SHOWN {
            self.shown.push((at, text()));
        }
    }
}

fn render(source: &Source<'_>, span: Range<usize>, problem: Problem, key_only: bool) -> String {
    let index = source.line_number(span.start).saturating_sub(1);
    let start = source.line_start(index);
    let line = source.line(index);
    let end = start + line.len();
    let from = span.start.clamp(start, end) - start;
    let to = span.end.clamp(start, end) - start;
    let Problem { title, help } = problem;
    // Show the first line of a value of several lines.
    let last = source.line_number(span.end.max(span.start)).saturating_sub(1);
    let covered = start..(source.line_start(last) + source.line(last).len()).max(end);
    if source.is_secret(&covered) {
        return unshown(source, line, from, &without_quotes(&title), &without_quotes(&help));
    }
    if line.len() > LONGEST_LINE {
        return unshown(source, line, from, &title, &help);
    }
    let shown = if key_only { line.get(..to).unwrap_or(line) } else { line };
    let snippet = Snippet::source(shown)
        .path(source.name.as_str())
        .line_start(index + 1)
        .annotation(AnnotationKind::Primary.span(from..to.max(from)));
    let group = Level::ERROR.primary_title(title).element(snippet);
    Renderer::plain().render(&[group.element(Level::HELP.message(help))])
}

/// The same without the line.
fn unshown(source: &Source<'_>, line: &str, from: usize, title: &str, help: &str) -> String {
    let number = source.lines.partition_point(|start| *start <= offset(source, line));
    let column = line.get(..from).map_or(from, |before| before.chars().count()) + 1;
    format!(
        "error: {title}\n --> {}:{number}:{column}\n  | (the line is not shown here)\n  = help: {help}",
        source.name
    )
}

/// Offset of a line in the source.
fn offset(source: &Source<'_>, line: &str) -> usize {
    (line.as_ptr() as usize).saturating_sub(source.text.as_ptr() as usize)
}

/// Removes quoted values from a message.
fn without_quotes(message: &str) -> String {
    let parts = message.split('`').enumerate();
    parts.map(|(index, part)| if index % 2 == 1 { "…" } else { part }).collect()
}

/// A value for messages: short, on one line.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let short: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    let dots = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    format!("`{}{dots}`", short.replace('`', "'"))
}
