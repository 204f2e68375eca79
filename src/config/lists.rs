//! The targets of a job: entries in `jobs.toml` and in a file beside it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};

use toml::Spanned;

use super::Reader;
use super::problems::{Problem, Source, quoted};
use crate::model::{Kind, Target};
use crate::watchlist::{self, Decoded, ListOptions};

/// Maximum size of a watchlist file in bytes: hundreds of thousands of links.
const LARGEST_FILE: u64 = 32 << 20;

/// Repeated entries reported one by one; the rest is counted.
const REPEATS_NAMED: usize = 5;

/// Help for an invalid entry.
const fn entry_help(kind: Kind) -> &'static str {
    match kind {
        Kind::Keyword => "one entry is one keyword",
        _ => "one entry is one id, one link, or one piece of share text",
    }
}

/// Source positions of a job's targets.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    /// Line of each target, those in `jobs.toml` first.
    lines: Vec<u32>,
    /// Number of targets in `jobs.toml`.
    inline: usize,
    /// File of the others.
    file: Option<String>,
}

impl Positions {
    /// File and line of the target at index `at`; `jobs` is the path of `jobs.toml`.
    pub fn of(&self, at: usize, jobs: &Path) -> String {
        let jobs = jobs.display().to_string();
        let file = if at < self.inline { &jobs } else { self.file.as_ref().unwrap_or(&jobs) };
        self.lines.get(at).map_or_else(|| jobs.clone(), |line| format!("{file}:{line}"))
    }
}

/// The distinct targets of a job in order, and the repeats.
#[derive(Default)]
struct Targets {
    list: Vec<Target>,
    positions: Positions,
    /// First line of each target.
    seen: BTreeMap<Target, String>,
    repeats: Vec<String>,
}

impl Targets {
    fn add(&mut self, target: Target, line: usize, place: String) {
        match self.seen.entry(target) {
            Entry::Occupied(first) => self.repeats.push(format!("{place} repeats {}", first.get())),
            Entry::Vacant(new) => {
                self.list.push(new.key().clone());
                self.positions.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
                new.insert(place);
            }
        }
    }
}

impl Reader<'_> {
    /// The targets of a job and their positions; `None` if an entry or the file is invalid.
    pub(super) fn listed(
        &mut self,
        kind: Kind,
        list: Option<&[Spanned<String>]>,
        file: Option<&Spanned<String>>,
        job: &str,
    ) -> Option<(Vec<Target>, Positions)> {
        let mut targets = Targets::default();
        let mut complete = true;
        for entry in list.unwrap_or_default() {
            match watchlist::parse(kind, entry.get_ref()) {
                Ok(target) => {
                    let line = self.source.line_number(entry.span().start);
                    targets.add(target, line, format!("line {line}"));
                }
                Err(reason) => {
                    complete = false;
                    self.problem(entry.span(), Problem::new(reason, entry_help(kind)));
                }
            }
        }
        targets.positions.inline = targets.list.len();
        if let Some(file) = file {
            complete &= self.listed_in_file(kind, file, &mut targets);
        }
        self.warn_of_repeats(job, &targets.repeats);
        self.warn_of_near_keywords(job, &targets.list);
        complete.then_some((targets.list, targets.positions))
    }

    fn listed_in_file(
        &mut self,
        kind: Kind,
        file: &Spanned<String>,
        targets: &mut Targets,
    ) -> bool {
        self.problems.files.push(self.directory.join(file.get_ref()));
        let Decoded { text, encoding } = match read_list(&self.directory, file.get_ref()) {
            Ok(text) => text,
            Err(problem) => {
                self.problem(file.span(), problem);
                return false;
            }
        };
        let name = self.directory.join(file.get_ref()).display().to_string();
        if let Some(encoding) = encoding {
            self.warnings.push(format!("{} is read as {encoding}", quoted(&name)));
        }
        let source = Source::new(name.clone(), &text, self.tokens.values().cloned().collect());
        targets.positions.file = Some(name.clone());
        let mut complete = true;
        let options = ListOptions { kind: Some(kind), ..ListOptions::default() };
        let read = watchlist::read(&name, &text, &options, |line, target| {
            let line = usize::try_from(line).unwrap_or(usize::MAX);
            match target {
                Ok(target) => targets.add(target, line, format!("{name}:{line}")),
                Err(reason) => {
                    complete = false;
                    let problem = Problem::new(reason, entry_help(kind));
                    let span = source.line_span(line);
                    self.problems.elsewhere(file.span().start, &source, span, problem);
                }
            }
            Ok(())
        });
        match read {
            Ok(hashtags) => self.warnings.extend(hashtags.notice(&name)),
            Err(error) => {
                self.problem(file.span(), Problem::new(error.to_string(), entry_help(kind)));
            }
        }
        complete
    }

    /// Warns of keywords that differ in spaces or case alone.
    fn warn_of_near_keywords(&mut self, job: &str, targets: &[Target]) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for target in targets.iter().filter(|target| target.kind == Kind::Keyword) {
            let near = seen.entry(watchlist::nearly(&target.key)).or_insert(&target.key);
            if *near != target.key {
                self.warnings.push(format!(
                    "job {}: {} and {} are nearly the same, and both are paid for",
                    quoted(job),
                    quoted(near),
                    quoted(&target.key)
                ));
            }
        }
    }

    fn warn_of_repeats(&mut self, job: &str, repeats: &[String]) {
        let job = quoted(job);
        for repeat in repeats.iter().take(REPEATS_NAMED) {
            self.warnings.push(format!("job {job}: {repeat}; it is fetched once"));
        }
        let more = repeats.len().saturating_sub(REPEATS_NAMED);
        if more > 0 {
            self.warnings.push(format!("job {job}: {more} more entries are repeats"));
        }
    }
}

fn read_list(directory: &Path, name: &str) -> Result<Decoded, Problem> {
    let path = Path::new(name);
    let inside = path.components().all(|it| matches!(it, Component::Normal(_) | Component::CurDir));
    if !inside || name.trim().is_empty() {
        let help = "name a file in the directory of jobs.toml or below it, such as \
                    \"watchlists/spring.txt\"";
        return Err(Problem::new("the file is not beside jobs.toml", help));
    }
    let path = directory.join(path);
    let cannot = |reason: String| {
        let title = format!("cannot read {}: {reason}", quoted(&path.display().to_string()));
        Problem::new(
            title,
            "a text file with one entry a line (comments begin with # and a space), or a CSV file",
        )
    };
    let failed = |error: std::io::Error| match name.contains(char::is_control) {
        true => cannot(format!("{error}; write folders with /: in quotes, \\n and \\t are signs")),
        false => cannot(error.to_string()),
    };
    // What a link leads to is inside as well: other files of the machine are not read.
    let real = path.canonicalize().map_err(failed)?;
    let folder = if directory == Path::new("") { Path::new(".") } else { directory };
    if !folder.canonicalize().is_ok_and(|folder| real.starts_with(folder)) {
        let help = "copy the file into the directory of jobs.toml";
        return Err(Problem::new(
            "the file is a link that leads out of the directory of jobs.toml",
            help,
        ));
    }
    if !real.metadata().map_err(failed)?.is_file() {
        return Err(cannot("it is not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(&real)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST_FILE {
        return Err(cannot(format!("it is larger than {} MiB", LARGEST_FILE >> 20)));
    }
    watchlist::decode(bytes).map_err(cannot)
}
