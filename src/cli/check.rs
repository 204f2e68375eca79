//! `tidewatch check`: a summary of the settings, the next fires, and the cost.

mod cost;
mod warnings;

use std::fmt::Write;

use chrono::Offset;

use super::format::safe;
use crate::config::{Config, Job, kind_name};
use crate::model::{KolSearch, Target};
use crate::schedule::{Misfire, Overlap};
use crate::text::things;
use crate::time::Time;

pub use warnings::warnings;

/// Fires shown per job.
const FIRES_SHOWN: usize = 5;

/// Targets shown per job.
const TARGETS_SHOWN: usize = 3;

/// Maximum width of a target in columns.
const TARGET_COLUMNS: usize = 86;

/// Maximum width of a line in columns.
const WIDTH: u16 = 100;

/// The settings as text. Makes no call and writes nothing.
pub fn report(config: &Config, now: Time) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}: {}", config.path.display(), things(config.jobs.len(), "job"));
    let _ = writeln!(text, "Times are in the zone of the job; default {}.", config.timezone);
    for provider in config.providers_in_use() {
        let settings = config.provider(provider);
        let (title, url) = (provider.profile().title, &settings.base_url);
        let proxy = settings.proxy.as_ref().map(|proxy| format!(", by proxy {}", proxy.url));
        let _ = writeln!(text, "{title} address: {url}{}", proxy.unwrap_or_default());
    }
    for job in &config.jobs {
        text.push('\n');
        text.push_str(&job_text(config, job, now));
    }
    for job in &config.disabled_jobs {
        let _ = writeln!(text, "\n{} ({}): switched off", job.name, kind_name(job.kind));
    }
    if !config.jobs.is_empty() {
        text.push_str(&cost::table(config, now));
    }
    for warning in warnings(config, now) {
        let _ = write!(text, "\nwarning: {warning}\n");
    }
    // Names and entries may contain control characters.
    text.lines().map(|line| safe(line, usize::MAX) + "\n").collect()
}

fn job_text(config: &Config, job: &Job, now: Time) -> String {
    let mut text = String::new();
    let schedule = &job.schedule;
    let _ = writeln!(text, "{} ({})", job.name, kind_name(job.kind));
    let english = schedule.describe();
    let english = english.trim_end_matches('.');
    let _ = writeln!(text, "  schedule  {}  {english}, {}", schedule.pattern, schedule.zone);
    text.push_str(&firing_text(job));
    let _ = writeln!(text, "  endpoint  {}", config.endpoint(job.kind).as_str());
    let _ = writeln!(text, "  targets   {}", job.targets.len());
    for target in job.targets.iter().take(TARGETS_SHOWN) {
        let _ = writeln!(text, "            {}", shown(target));
    }
    if job.targets.len() > TARGETS_SHOWN {
        let _ = writeln!(text, "            … and {} more", job.targets.len() - TARGETS_SHOWN);
    }
    let mut at = now;
    for index in 0..FIRES_SHOWN {
        let Some(fire) = schedule.next_after(at) else {
            break;
        };
        let label = if index == 0 { "next" } else { "" };
        let _ = writeln!(text, "  {label:<9} {}", fire_text(job, fire));
        at = fire;
    }
    text
}

/// Fire settings of a job that differ from the defaults.
fn firing_text(job: &Job) -> String {
    let mut text = String::new();
    let long = humantime::format_duration;
    if let Some(active) = job.schedule.active.text() {
        let _ = writeln!(text, "  active    {active}");
    }
    if !job.spread.is_zero() {
        let _ = writeln!(text, "  spread    over {}", long(job.spread));
    }
    let late = match job.misfire {
        Misfire::Skip => "skipped".to_owned(),
        Misfire::Once { .. } => "the latest is fetched".to_owned(),
        Misfire::All { most, .. } => format!("all are fetched, at most {most}"),
    };
    let young =
        job.misfire.window().map_or(String::new(), |it| format!(", if younger than {}", long(it)));
    if job.misfire != Misfire::default() {
        let _ = writeln!(text, "  late      {late}{young}");
    }
    if job.overlap == Overlap::Queue {
        let _ = writeln!(text, "  overlap   slots are queued");
    }
    text
}

/// A fire in the job's zone and in UTC: `2026-03-10 Tue 09:00:00 +08:00   2026-03-10 01:00:00 UTC`.
fn fire_text(job: &Job, fire: Time) -> String {
    let local = fire.utc().with_timezone(&job.schedule.zone);
    let offset = local.offset().fix();
    format!("{} {offset}   {fire} UTC", local.format("%Y-%m-%d %a %H:%M:%S"))
}

/// A target as in `jobs.toml`.
fn shown(target: &Target) -> String {
    cut(&KolSearch::shown(target.kind.as_str(), &target.key))
}

/// Truncates a text to its column width; Chinese characters take two columns.
fn cut(text: &str) -> String {
    let mut columns = 0;
    let mut shown = String::new();
    for c in text.chars() {
        columns += if c.is_ascii() { 1 } else { 2 };
        if columns > TARGET_COLUMNS {
            shown.push('…');
            break;
        }
        shown.push(c);
    }
    shown
}

#[cfg(test)]
mod tests;
