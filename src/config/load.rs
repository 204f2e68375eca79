//! Loads [`Config`] from the text of `jobs.toml`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use encoding_rs::Encoding;
use secrecy::SecretString;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problems::{ConfigError, Problem, Problems, Source, quoted};
use super::toml_signs::{foreign_sign, open_text};
use super::wire::{self, Daemon, Douyin, Health, ProviderSection, TopLevel};
use super::{Config, Environment, secrets, section};
use crate::api::{Choice, Endpoint, Provider};
use crate::model::Kind;
use crate::{suggest, watchlist};

/// Maximum size of `jobs.toml` in bytes. Long watchlists belong in files of their own.
const LARGEST_FILE: usize = 1 << 20;

/// Default zone of schedules: that of both platforms.
pub(super) const DEFAULT_ZONE: Tz = Tz::Asia__Shanghai;

/// The sections apart from those of the providers, read one by one.
const SECTIONS: [&str; 7] = ["alert", "archive", "budget", "daemon", "douyin", "health", "job"];

/// State while the file is read.
pub(super) struct Reader<'a> {
    pub(super) source: Source<'a>,
    pub(super) problems: Problems,
    pub(super) warnings: Vec<String>,
    pub(super) environment: &'a Environment,
    pub(super) tokens: BTreeMap<Provider, SecretString>,
    /// Directory of watchlist files.
    pub(super) directory: PathBuf,
}

impl Config {
    /// Loads `jobs.toml` and the files it names.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let text = read_file(path).map_err(|problem| {
            let mut problems = Problems::of(vec![path.to_owned()]);
            problems.anywhere(problem);
            problems.into_error()
        })?;
        Self::parse(&text, path, environment)
    }

    /// Parses the text of a `jobs.toml` as if it were at `path`.
    pub fn parse(text: &str, path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let files = std::iter::once(path.to_owned()).chain(environment.token_files());
        let mut problems = Problems::of(files.collect());
        let mut warnings = Vec::new();
        let tokens: BTreeMap<_, _> = Provider::ALL
            .into_iter()
            .filter_map(|it| Some((it, environment.token(it, &mut problems, &mut warnings)?)))
            .collect();
        let reader = Reader {
            source: Source::new(
                path.display().to_string(),
                text,
                tokens.values().cloned().collect(),
            ),
            problems,
            warnings,
            environment,
            tokens,
            directory: path.parent().unwrap_or(Path::new("")).to_owned(),
        };
        reader.config(text, path)
    }
}

impl<'a> Reader<'a> {
    fn config(mut self, text: &'a str, path: &Path) -> Result<Config, ConfigError> {
        let Some(mut document) = self.document(text) else {
            return Err(self.problems.into_error());
        };
        refuse_secrets(&mut document, &mut self.source, &mut self.problems);
        let [alert, archive, budget, daemon, douyin, health, job] =
            SECTIONS.map(|name| document.remove(name));
        let providers = Provider::ALL.map(|it| (it, document.remove(it.as_str())));
        let top: TopLevel = self.section(Some(whole(document, text)));
        let timezone = self.zone(top.timezone.as_ref(), DEFAULT_ZONE);
        let providers = providers.map(|(provider, value)| self.provider_section(provider, value));
        let douyin: Douyin = self.section(douyin);
        let daemon: Daemon = self.section(daemon);
        let budget: wire::Budget = self.section(budget);
        let archive: wire::Archive = self.section(archive);
        let (jobs, disabled_jobs) = self.jobs(job, timezone);
        let health: Health = self.section(health);
        let listen = self.listen(health.listen.as_ref());
        let alerts = self.alerts(alert);
        let config = Config {
            path: path.to_owned(),
            timezone,
            endpoints: Kind::ALL.map(|kind| self.endpoint(kind, &providers, &douyin)),
            providers: providers.map(|it| {
                let token = self.tokens.get(&it.provider).cloned();
                self.provider(it.provider, &it.wire, token)
            }),
            lease: self.lease(&daemon),
            budget: self.budget(&budget),
            cold_after: self.cold_after(&archive),
            jobs,
            disabled_jobs,
            listen,
            alerts,
            warnings: self.warnings,
            files: self.problems.files.clone(),
        };
        if config.budget.max_cost_per_day_micros.is_some() {
            for endpoint in config.unpriced(config.jobs.iter().flat_map(|job| &job.targets)) {
                let title = format!("max_cost_per_day needs the price of {}", endpoint.as_str());
                let help = format!(
                    "set it under `[{}.price]`: without prices the limit cannot work",
                    endpoint.provider()
                );
                let at = budget.max_cost_per_day.as_ref().map_or(0..0, Spanned::span);
                self.problems.at(&self.source, at, Problem::new(title, help));
            }
        }
        if self.problems.is_empty() { Ok(config.warned()) } else { Err(self.problems.into_error()) }
    }

    fn document(&mut self, text: &'a str) -> Option<DeTable<'a>> {
        if text.len() > LARGEST_FILE {
            let title = format!("the file is larger than {} KiB", LARGEST_FILE >> 10);
            let help = "put long watchlists into files: notes_file, keywords_file, urls_file";
            self.problems.anywhere(Problem::new(title, help));
            return None;
        }
        match DeTable::parse(text) {
            Ok(document) => Some(document.into_inner()),
            Err(error) => {
                // One syntax error causes many others: report only the first.
                self.source.hide_after_first_secret();
                let at = error.span().unwrap_or(0..0);
                let known = open_text(text, at.start).or_else(|| foreign_sign(text, at.start));
                let (at, problem) = known.unwrap_or_else(|| {
                    let title = format!("this is not TOML: {}", error.message());
                    let before = text.get(..at.start).unwrap_or_default();
                    let help = match error.message().starts_with("missing comma") {
                        true if before.ends_with('"') => {
                            "a comma stands between texts; a text with quotation marks in it stands \
                             between ''' and '''"
                        }
                        _ => "texts are in quotes, lists in brackets",
                    };
                    (at, Problem::new(title, help))
                });
                self.problem(at, problem);
                None
            }
        }
    }

    fn section<T: Deserialize<'a> + Default>(&mut self, value: Option<Spanned<DeValue<'a>>>) -> T {
        let Some(value) = value else {
            return T::default();
        };
        section::read(value, &misplaced, &self.source, &mut self.problems).value
    }

    fn provider_section(
        &mut self,
        provider: Provider,
        value: Option<Spanned<DeValue<'a>>>,
    ) -> Written {
        let is_written = value.is_some();
        let wire: ProviderSection = value.map_or_else(Default::default, |value| {
            let written = |key| written_key(provider, key);
            section::read_as(value, written, &misplaced, &self.source, &mut self.problems).value
        });
        let chosen = provider.profile().choice.as_ref().map(|choice| {
            let names: Vec<_> = choice.values.iter().map(|it| it.0).collect();
            self.choice_among(wire.choice.as_ref(), &names, choice.default, || remarked(choice))
        });
        Written { provider, is_written, wire, chosen }
    }

    /// The endpoint of a kind: of the provider named, otherwise of the last one with a section.
    fn endpoint(&mut self, kind: Kind, providers: &[Written], douyin: &Douyin) -> Endpoint {
        let first = Endpoint::first_of(kind);
        let serving: Vec<_> = providers
            .iter()
            .filter_map(|it| Some((it, it.provider.endpoint(kind, it.chosen)?)))
            .collect();
        let written = serving.iter().rev().find(|(it, _)| it.is_written);
        let default = written.map_or(first.provider(), |(it, _)| it.provider).as_str();
        let named = match kind {
            Kind::Work => {
                let names: Vec<_> = serving.iter().map(|(it, _)| it.provider.as_str()).collect();
                self.choice(douyin.provider.as_ref(), &names, default)
            }
            Kind::Note | Kind::Keyword | Kind::KolSearch => default,
        };
        let named = serving.iter().find(|(it, _)| it.provider.as_str() == named);
        named.map_or(first, |(_, endpoint)| *endpoint)
    }

    /// One of `choices`; `default` if missing or invalid.
    pub(super) fn choice(
        &mut self,
        wire: Option<&Spanned<String>>,
        choices: &[&'static str],
        default: &'static str,
    ) -> &'static str {
        let all = || format!("one of \"{}\"", choices.join("\" and \""));
        self.choice_among(wire, choices, default, all)
    }

    /// The same; `all` names the choices for people.
    fn choice_among(
        &mut self,
        wire: Option<&Spanned<String>>,
        choices: &[&'static str],
        default: &'static str,
        all: impl FnOnce() -> String,
    ) -> &'static str {
        let Some(wire) = wire else { return default };
        if let Some(choice) = choices.iter().find(|it| *it == wire.get_ref()) {
            return choice;
        }
        let near = suggest::nearest(wire.get_ref(), choices.iter().copied());
        let help = near.map_or_else(all, |near| format!("did you mean \"{near}\"?"));
        let title = format!("unknown value {}", quoted(wire.get_ref()));
        self.problem(wire.span(), Problem::new(title, help));
        default
    }
}

/// The section of a provider as written.
struct Written {
    provider: Provider,
    /// Whether there is one.
    is_written: bool,
    wire: ProviderSection,
    /// The value of its [`Choice`].
    chosen: Option<&'static str>,
}

/// The name of a key of [`ProviderSection`] in a provider's section, if it has it.
pub(super) fn written_key(provider: Provider, key: &str) -> Option<&str> {
    let profile = provider.profile();
    match key {
        "choice" => profile.choice.as_ref().map(|choice| choice.key),
        "price" => profile.paid.then_some(key),
        "low_balance" => profile.balance.map(|_| key),
        key => Some(key),
    }
}

/// The values of a choice, each with its remark.
fn remarked(choice: &Choice) -> String {
    let shown = choice.values.iter().map(|(value, _, remark)| match *remark {
        "" => format!("\"{value}\""),
        remark => format!("\"{value}\" ({remark})"),
    });
    format!("one of {}", shown.collect::<Vec<_>>().join(", "))
}

impl Config {
    /// Adds warnings about the file as a whole.
    fn warned(mut self) -> Self {
        if self.jobs.is_empty() {
            self.warnings.push("no job is enabled: nothing will be fetched".to_owned());
        }
        let has_notes = self.jobs.iter().any(|job| job.kind == Kind::Note);
        if has_notes && self.endpoint(Kind::Note) == Endpoint::NoteDetailV7 {
            self.warnings.push(
                "note detail v7 is deprecated upstream, and v1 is recommended: \
                 `note_detail_version = \"v1\"` under `[justoneapi]` gives the same rows"
                    .to_owned(),
            );
        }
        if has_notes && self.endpoint(Kind::Note) == Endpoint::NoteDetailV6 {
            self.warnings.push(
                "note detail v6 serves video notes only; notes of images stay empty".to_owned(),
            );
        }
        if let Err(missing) = self.require_token() {
            self.warnings.push(missing.to_string());
        }
        if let Err(missing) = self.require_alert_urls() {
            self.warnings.push(missing.to_string());
        }
        self
    }
}

/// The keys outside all sections, as a section.
fn whole<'a>(document: DeTable<'a>, text: &str) -> Spanned<DeValue<'a>> {
    Spanned::new(0..text.len(), DeValue::Table(document))
}

/// Hint for a key that is the name of a section.
fn misplaced(key: &str) -> Option<Problem> {
    let names = Provider::ALL.into_iter().map(Provider::as_str).chain(SECTIONS);
    let near = suggest::nearest(key, names)?;
    let section = match near {
        "job" | "alert" => format!("[[{near}]]"),
        near => format!("[{near}]"),
    };
    let title = format!("unknown key {}", quoted(key));
    Some(Problem::new(title, format!("did you mean the section `{section}`?")))
}

pub(super) fn read_file(path: &Path) -> Result<String, Problem> {
    let help = "name the file with --config, or write one with `tidewatch init`";
    let cannot =
        |reason: String| Problem::new(format!("cannot read {}: {reason}", path.display()), help);
    let mut bytes = Vec::new();
    // Read one byte more than the limit to detect a larger file.
    let most = u64::try_from(LARGEST_FILE).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|error| cannot(error.to_string()))?;
    // A character cut at the limit must not hide that the file is too large.
    let large = bytes.len() > LARGEST_FILE;
    if large {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    match watchlist::encoding_of(&bytes).map(Encoding::name) {
        Ok("UTF-8") => String::from_utf8(bytes).map_err(|error| cannot(error.to_string())),
        Ok(encoding) => {
            let place = not_utf8(&bytes);
            let title = format!("{}:{place}: this is {encoding}, not UTF-8", path.display());
            Err(Problem::new(title, "save the file as UTF-8 (Notepad: Save as, Encoding)"))
        }
        Err(why) => Err(cannot(why)),
    }
}

/// Line and column of the first character that is not UTF-8.
fn not_utf8(bytes: &[u8]) -> String {
    let good = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let before = String::from_utf8_lossy(bytes.get(..good).unwrap_or_default());
    let line = before.rsplit('\n').next().unwrap_or_default();
    format!("{}:{}", before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// Removes secrets from a table at any depth and reports each without its value.
fn refuse_secrets(table: &mut DeTable<'_>, source: &mut Source<'_>, problems: &mut Problems) {
    let mut found = Vec::new();
    take(table, &mut found);
    for (key, value) in &found {
        source.hide(key.start..value.end.max(key.end));
    }
    for (key, _) in found {
        let with_token = Provider::ALL.into_iter().filter(|it| it.profile().token.is_some());
        let set: Vec<_> = with_token.map(Provider::token_help).collect();
        let help = format!(
            "{}, and remove this line; a token that was shared with this file should be replaced",
            set.join("; ")
        );
        problems.at_key(source, key, Problem::new("secrets do not belong in this file", help));
    }
}

fn take(table: &mut DeTable<'_>, found: &mut Vec<(Range<usize>, Range<usize>)>) {
    let names: Vec<String> = table.keys().map(|key| key.get_ref().to_string()).collect();
    for name in names.iter().filter(|name| secrets::is_name(name)) {
        if let Some((key, value)) = table.remove_entry(name.as_str()) {
            found.push((key.span(), value.span()));
        }
    }
    for (_, value) in table.iter_mut() {
        descend(value.get_mut(), found);
    }
}

fn descend(value: &mut DeValue<'_>, found: &mut Vec<(Range<usize>, Range<usize>)>) {
    match value {
        DeValue::Table(table) => take(table, found),
        DeValue::Array(items) => {
            for item in items.iter_mut() {
                descend(item.get_mut(), found);
            }
        }
        _ => {}
    }
}
