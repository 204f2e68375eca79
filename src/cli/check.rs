//! `tidewatch check`: a summary of the settings, the next fires, and the daily cost.

mod warnings;

use std::fmt::Write;

use chrono::Offset;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::format::safe;
use crate::config::{Config, Job, kind_name, price_sections};
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

/// Millionths of a yuan in a yuan.
const MICROS: f64 = 1_000_000.0;

/// Placeholder for an unknown price.
const UNKNOWN: &str = "?";

/// Maximum daily calls and cost of a job.
#[derive(Clone, Copy, Debug)]
struct Daily {
    fires: f64,
    calls: f64,
    /// `None` if a price is unknown.
    yuan: Option<f64>,
}

/// The settings as text. Makes no call and writes nothing.
pub fn report(config: &Config, now: Time) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}: {}", config.path.display(), things(config.jobs.len(), "job"));
    let _ = writeln!(text, "Times are in the zone of the job; default {}.", config.timezone);
    for provider in config.providers_in_use() {
        let (title, url) = (provider.profile().title, &config.provider(provider).base_url);
        let _ = writeln!(text, "{title} address: {url}");
    }
    for job in &config.jobs {
        text.push('\n');
        text.push_str(&job_text(config, job, now));
    }
    for job in &config.disabled_jobs {
        let _ = writeln!(text, "\n{} ({}): switched off", job.name, kind_name(job.kind));
    }
    if !config.jobs.is_empty() {
        text.push_str(&daily_text(config, now));
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

fn daily(config: &Config, job: &Job, now: Time) -> Daily {
    let calls_a_fire: u32 = job.targets.iter().map(Target::pages).fold(0, u32::saturating_add);
    let fires = job.schedule.fires_per_day(now);
    let calls = fires * f64::from(calls_a_fire);
    let endpoint = config.endpoint(job.kind);
    let price = config.price_micros(endpoint).map(|micros| as_float(micros) / MICROS);
    Daily { fires, calls, yuan: price.map(|price| calls * price) }
}

/// The daily cost of each job and the total.
fn daily_text(config: &Config, now: Time) -> String {
    let days: Vec<Daily> = config.jobs.iter().map(|job| daily(config, job, now)).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH);
    table.set_header(["job", "targets", "fires/day", "calls/day", "yuan/day"]);
    for (job, day) in config.jobs.iter().zip(&days) {
        let targets = job.targets.len().to_string();
        let yuan = day.yuan.map_or(UNKNOWN.to_owned(), |yuan| format!("{yuan:.2}"));
        table.add_row([job.name.clone(), targets, number(day.fires), number(day.calls), yuan]);
    }
    let calls = number(days.iter().map(|day| day.calls).sum());
    let cost = days.iter().filter_map(|day| day.yuan).fold(0.0, |sum, yuan| sum + yuan);
    let all_known = days.iter().all(|day| day.yuan.is_some());
    let yuan = if all_known { format!("{cost:.2}") } else { format!("{cost:.2} + {UNKNOWN}") };
    table.add_row(["total", "", "", &calls, &yuan]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = String::new();
    for line in table.lines() {
        let _ = write!(text, "\n{}", line.trim_end());
    }
    text.push_str("\nAt most: a target that several jobs share is fetched once.\n");
    if config.jobs.iter().flat_map(|job| &job.targets).any(Target::is_short_link) {
        text.push_str("Each short link takes one more call, once, to resolve it.\n");
    }
    if !all_known {
        let unpriced = config.unpriced(config.jobs.iter().flat_map(|job| &job.targets));
        let section = price_sections(&unpriced);
        let _ = writeln!(text, "{UNKNOWN}: set the price of the endpoint under {section}.");
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "limits and prices are far below 2^53")]
fn as_float(number: i64) -> f64 {
    number as f64
}

/// A count, possibly fractional, without insignificant digits.
fn number(count: f64) -> String {
    if count.fract().abs() < 0.005 { format!("{count:.0}") } else { format!("{count:.2}") }
}

#[cfg(test)]
mod tests;
