//! `[[job]]`, resolved.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use toml::Spanned;
use toml::de::DeValue;

use super::problems::{Problem, quoted};
use super::section::{self, Section};
use super::wire::JobEntry;
use super::{Job, Positions, Reader};
use crate::api::LAST_PAGE;
use crate::model::{Kind, KolSearch, Target};
use crate::schedule::Schedule;
use crate::suggest;
use crate::watchlist::kol_filter;

/// Maximum length of a job's name in characters.
pub(super) const LONGEST_NAME: usize = 64;

/// Common wrong key names, and the right ones.
const OTHER_NAMES: [(&str, &str); 4] =
    [("cron", "schedule"), ("links", "urls"), ("works", "urls"), ("works_file", "urls_file")];

/// Kinds in `jobs.toml`, each with the keys of its own.
pub(super) const KINDS: [(&str, Kind, &[&str]); 4] = [
    ("notes", Kind::Note, &["notes", "notes_file"]),
    ("keywords", Kind::Keyword, &["keywords", "keywords_file"]),
    ("kols", Kind::KolSearch, &["filter", "max_pages"]),
    ("works", Kind::Work, &["urls", "urls_file"]),
];

/// The name of a kind in `jobs.toml`.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    KINDS.iter().find(|(_, it, _)| *it == kind).map_or("", |(name, _, _)| *name)
}

/// The kind called `name` in `jobs.toml`.
pub(crate) fn kind_named(name: &str) -> Option<Kind> {
    KINDS.iter().find(|(it, _, _)| *it == name).map(|(_, kind, _)| *kind)
}

/// Common spellings of Asia/Shanghai that no zone list contains.
const BEIJING: [&str; 16] = [
    "CST",
    "GMT+8",
    "GMT+08:00",
    "UTC+8",
    "UTC+08:00",
    "+08:00",
    "+0800",
    "+8",
    "Beijing",
    "Asia/Beijing",
    "China",
    "China Standard Time",
    "北京时间",
    "北京",
    "上海",
    "东八区",
];

/// Chinese names of kinds.
const CHINESE_KINDS: [(&str, &str); 7] = [
    ("笔记", "notes"),
    ("关键词", "keywords"),
    ("达人", "kols"),
    ("博主", "kols"),
    ("作品", "works"),
    ("视频", "works"),
    ("抖音", "works"),
];

/// A job, and whether it is enabled.
type Read = Option<(Job, bool)>;

impl Reader<'_> {
    /// The enabled and the disabled jobs.
    pub(super) fn jobs(
        &mut self,
        value: Option<Spanned<DeValue<'_>>>,
        zone: Tz,
    ) -> (Vec<Job>, Vec<Job>) {
        let Some(value) = value else {
            return (Vec::new(), Vec::new());
        };
        let span = value.span();
        let DeValue::Array(entries) = value.into_inner() else {
            let help = "write `[[job]]`, in double brackets, above the keys of each job";
            self.problem(span, Problem::new("jobs must be a list", help));
            return (Vec::new(), Vec::new());
        };
        let mut names = BTreeMap::new();
        let read: Vec<(Job, bool)> =
            entries.into_iter().filter_map(|entry| self.job(entry, zone, &mut names)).collect();
        let (on, off): (Vec<_>, Vec<_>) = read.into_iter().partition(|(_, enabled)| *enabled);
        let jobs = |list: Vec<(Job, bool)>| list.into_iter().map(|(job, _)| job).collect();
        (jobs(on), jobs(off))
    }

    fn job(
        &mut self,
        entry: Spanned<DeValue<'_>>,
        zone: Tz,
        names: &mut BTreeMap<String, usize>,
    ) -> Read {
        let written = entry.get_ref().get("kind").and_then(|it| it.get_ref().as_str());
        let kind = written.and_then(kind_named);
        let misplaced = move |key: &str| misplaced(kind, key);
        let section: Section<JobEntry> =
            section::read(entry, &misplaced, &self.source, &mut self.problems);
        let name = self.job_name(&section, names);
        let kind = self.kind(&section);
        let zone = self.zone(section.value.timezone.as_ref(), zone);
        let schedule = self.schedule(&section, zone);
        let schedule = schedule.and_then(|schedule| self.active(&section.value, schedule));
        let spread = self.spread(&section.value, schedule.as_ref());
        let misfire = self.misfire(&section.value);
        let overlap = self.overlap(&section.value, misfire);
        let targets = kind.map(|kind| self.targets(kind, &section, name.as_deref()));
        let (name, kind, schedule, (targets, positions)) = (name?, kind?, schedule?, targets?);
        if schedule.either_day_matches() {
            self.warnings.push(format!(
                "job {}: `{}` sets day-of-month and day-of-week: it fires on either, not on \
                 days that are both (write `+` before the weekday for both)",
                quoted(&name),
                schedule.pattern
            ));
        }
        if let Some(why) = schedule.uneven_step() {
            self.warnings.push(format!("job {}: {why}", quoted(&name)));
        }
        let enabled = section.value.enabled.unwrap_or(true);
        let max_calls_per_day = self.limit(section.value.max_calls_per_day.as_ref());
        let job = Job {
            name,
            kind,
            schedule,
            misfire,
            overlap,
            spread,
            max_calls_per_day,
            targets,
            positions,
        };
        Some((job, enabled))
    }

    fn required<'a, T, U>(
        &mut self,
        section: &Section<T>,
        key: &str,
        value: Option<&'a U>,
        help: &str,
    ) -> Option<&'a U> {
        if value.is_none() && !section.broken.contains(key) {
            // Point at the section's first line only.
            let at = section.span.start..section.span.start;
            self.problem(at, Problem::new(format!("this job has no `{key}`"), help));
        }
        value
    }

    fn job_name(
        &mut self,
        section: &Section<JobEntry>,
        names: &mut BTreeMap<String, usize>,
    ) -> Option<String> {
        let help = "such as name = \"spring-campaign\"";
        let wire = self.required(section, "name", section.value.name.as_ref(), help)?;
        let name = wire.get_ref().trim().to_owned();
        let length = name.chars().count();
        let line = self.source.line_number(wire.span().start);
        let problem = if length == 0 {
            Problem::new("the name is empty", help)
        } else if length > LONGEST_NAME || name.chars().any(char::is_control) {
            let help = format!("at most {LONGEST_NAME} characters, on one line");
            Problem::new("invalid job name", help)
        } else if let Some(first) = names.get(&name) {
            let title = format!("duplicate job name {}, first used in line {first}", quoted(&name));
            Problem::new(title, "job names must be unique: they identify the job's history")
        } else {
            names.insert(name.clone(), line);
            return Some(name);
        };
        self.problem(wire.span(), problem);
        None
    }

    fn kind(&mut self, section: &Section<JobEntry>) -> Option<Kind> {
        let help = "kind is one of notes, keywords, kols and works";
        let wire = self.required(section, "kind", section.value.kind.as_ref(), help)?;
        let kind = kind_named(wire.get_ref());
        if kind.is_none() {
            let names = KINDS.iter().map(|(name, _, _)| *name);
            let chinese = CHINESE_KINDS.iter().find(|(name, _)| name == wire.get_ref());
            let help = chinese
                .map(|(_, kind)| *kind)
                .or_else(|| suggest::nearest(wire.get_ref(), names))
                .map_or(help.to_owned(), |near| format!("did you mean \"{near}\"? {help}"));
            let title = format!("unknown kind {}", quoted(wire.get_ref()));
            self.problem(wire.span(), Problem::new(title, help));
        }
        kind
    }

    fn schedule(&mut self, section: &Section<JobEntry>, zone: Tz) -> Option<Schedule> {
        let help = "such as schedule = \"0 * * * *\" (every hour) or \"@daily\"";
        let wire = self.required(section, "schedule", section.value.schedule.as_ref(), help)?;
        match Schedule::parse(wire.get_ref(), zone) {
            Ok(schedule) => Some(schedule),
            Err(reason) => {
                let title = format!("invalid schedule: {reason}");
                self.problem(wire.span(), Problem::new(title, help));
                None
            }
        }
    }

    fn targets(
        &mut self,
        kind: Kind,
        section: &Section<JobEntry>,
        name: Option<&str>,
    ) -> (Vec<Target>, Positions) {
        let job = &section.value;
        let (list, file) = match kind {
            Kind::Note => (&job.notes, &job.notes_file),
            Kind::Keyword => (&job.keywords, &job.keywords_file),
            Kind::Work => (&job.urls, &job.urls_file),
            Kind::KolSearch => {
                return (self.kol_search(section).into_iter().collect(), Positions::default());
            }
        };
        let keys = KINDS.iter().find(|(_, it, _)| *it == kind).map_or([].as_slice(), |it| it.2);
        if keys.iter().any(|key| section.broken.contains(*key)) {
            return (Vec::new(), Positions::default());
        }
        let targets = self.listed(kind, list.as_deref(), file.as_ref(), name.unwrap_or_default());
        if let Some((targets, _)) = &targets
            && targets.is_empty()
        {
            let help = format!(
                "list them under `{}`",
                keys.join("`, or one a line in the file named by `")
            );
            let at = section.span.start..section.span.start;
            self.problem(at, Problem::new("this job has no targets", help));
        }
        targets.unwrap_or_default()
    }

    fn kol_search(&mut self, section: &Section<JobEntry>) -> Option<Target> {
        let help = "such as filter = { keyword = \"阅读\", fansNumberLower = 1000 }";
        let max_pages = self.number(&section.value.max_pages, 1, LAST_PAGE);
        let wire = self.required(section, "filter", section.value.filter.as_ref(), help)?;
        let values = wire.get_ref().iter();
        let values =
            values.map(|(name, value)| (name.get_ref().clone(), value.get_ref().clone())).collect();
        match kol_filter::read(&values) {
            Ok(filter) => {
                if let Some(name) = kol_filter::undocumented(&filter) {
                    self.warnings.push(format!(
                        "the filter `{name}` is not documented upstream: it is sent, and a search that \
                         ignores it is billed all the same"
                    ));
                }
                let key = KolSearch { filter, max_pages }.to_key();
                Some(Target { kind: Kind::KolSearch, key })
            }
            Err(complaints) => {
                for complaint in complaints {
                    let entry = wire.get_ref().keys().find(|it| *it.get_ref() == complaint.name);
                    let span = entry.map_or(wire.span(), Spanned::span);
                    self.problem(span, Problem::new(complaint.message, complaint.help));
                }
                None
            }
        }
    }

    /// The zone of a name; `default` if missing or invalid.
    pub(super) fn zone(&mut self, wire: Option<&Spanned<String>>, default: Tz) -> Tz {
        let Some(wire) = wire else { return default };
        let written = wire.get_ref().trim();
        if let Ok(zone) = written.parse() {
            // POSIX counts the hours to UTC, not from it.
            if let Some(hours) = written.strip_prefix("Etc/GMT+").filter(|hours| *hours != "0") {
                self.warnings.push(format!(
                    "{written} is {hours} hours behind UTC; ahead of it is Etc/GMT-{hours}"
                ));
            }
            return zone;
        }
        let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let beijing = BEIJING.iter().any(|name| name.eq_ignore_ascii_case(written));
        let near = match written {
            _ if beijing => Some("Asia/Shanghai"),
            "Z" | "z" => Some("UTC"),
            _ => suggest::nearest(written, names),
        };
        let help = near.map_or(
            "zones are named as in the IANA list, such as Asia/Shanghai or UTC".to_owned(),
            |near| format!("did you mean \"{near}\"?"),
        );
        let title = match written {
            "" => "the time zone is empty".to_owned(),
            _ => format!("unknown time zone {}", quoted(written)),
        };
        self.problem(wire.span(), Problem::new(title, help));
        default
    }
}

/// Hints for keys of another kind of job, or with another name.
fn misplaced(kind: Option<Kind>, key: &str) -> Option<Problem> {
    if let Some((_, ours)) = OTHER_NAMES.iter().find(|(other, _)| *other == key) {
        let title = format!("unknown key `{key}`");
        return Some(Problem::new(title, format!("did you mean `{ours}`?")));
    }
    let (name, _, own) = KINDS.iter().find(|(_, it, _)| Some(*it) == kind)?;
    let (other, _, _) = KINDS.iter().find(|(_, _, keys)| keys.contains(&key))?;
    (!own.contains(&key)).then(|| {
        Problem::new(
            format!("`{key}` is not a key of jobs of kind `{name}`"),
            format!("it belongs to kind `{other}`; this kind has `{}`", own.join("` and `")),
        )
    })
}
