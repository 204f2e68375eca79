//! `check`: what the settings mean, when the jobs fire next, and what they will cost.

use std::fmt::Write;

use chrono::Offset;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::api::Provider;
use crate::config::{Config, Job, kind_name};
use crate::model::{Kind, KolSearch, Target};
use crate::time::Time;

/// Fire times shown of each job.
const FIRES_SHOWN: usize = 5;

/// Targets shown of each job.
const TARGETS_SHOWN: usize = 3;

/// A target is cut to this many columns.
const TARGET_COLUMNS: usize = 86;

/// The widest line, in columns.
const WIDTH: u16 = 100;

/// Millionths of a yuan in a yuan.
const MICROS: f64 = 1_000_000.0;

/// What stands for a price that the settings do not name.
const UNKNOWN: &str = "?";

/// What a job takes each day, at the most.
#[derive(Clone, Copy, Debug)]
struct Daily {
    fires: f64,
    calls: f64,
    /// `None` where a price is not known.
    yuan: Option<f64>,
}

/// What the settings mean, as text for people. No call is made and nothing is written.
pub fn report(config: &Config, now: Time) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}: {} jobs",
        config.path.display(),
        config.jobs.len()
    );
    let _ = writeln!(
        text,
        "Times are shown in the zone of the job; default {}.",
        config.timezone
    );
    for job in &config.jobs {
        text.push('\n');
        text.push_str(&job_text(config, job, now));
    }
    for job in &config.disabled_jobs {
        let _ = writeln!(
            text,
            "\n{} ({}): switched off",
            job.name,
            kind_name(job.kind)
        );
    }
    if !config.jobs.is_empty() {
        text.push_str(&daily_text(config, now));
    }
    for warning in &config.warnings {
        let _ = write!(text, "\nwarning: {warning}\n");
    }
    text
}

fn job_text(config: &Config, job: &Job, now: Time) -> String {
    let mut text = String::new();
    let schedule = &job.schedule;
    let _ = writeln!(text, "{} ({})", job.name, kind_name(job.kind));
    let english = schedule.describe();
    let english = english.trim_end_matches('.');
    let _ = writeln!(
        text,
        "  schedule  {}  {english}, {}",
        schedule.pattern, schedule.zone
    );
    let _ = writeln!(text, "  asks      {}", config.endpoint(job.kind).name());
    let _ = writeln!(text, "  targets   {}", job.targets.len());
    for target in job.targets.iter().take(TARGETS_SHOWN) {
        let _ = writeln!(text, "            {}", shown(target));
    }
    if job.targets.len() > TARGETS_SHOWN {
        let _ = writeln!(
            text,
            "            … and {} more",
            job.targets.len() - TARGETS_SHOWN
        );
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

/// A fire in the job's zone and in UTC: `2026-03-10 Tue 09:00:00 +08:00   2026-03-10 01:00:00 UTC`.
fn fire_text(job: &Job, fire: Time) -> String {
    let local = fire.utc().with_timezone(&job.schedule.zone);
    let offset = local.offset().fix();
    format!(
        "{} {offset}   {fire} UTC",
        local.format("%Y-%m-%d %a %H:%M:%S")
    )
}

/// A target as people wrote it, or nearly.
fn shown(target: &Target) -> String {
    let text = match KolSearch::from_key(&target.key) {
        Some(search) if target.kind == Kind::KolSearch => {
            let filter: Vec<String> = search
                .filter
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!("{} (up to {} pages)", filter.join(" "), search.max_pages)
        }
        _ => target.key.clone(),
    };
    cut(&text)
}

/// Cuts a text to the columns it may take; Chinese characters take two.
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
    let calls_a_fire: u32 = job.targets.iter().map(calls).fold(0, u32::saturating_add);
    let fires = job.schedule.fires_per_day(now);
    let calls = fires * f64::from(calls_a_fire);
    let endpoint = config.endpoint(job.kind);
    let paid = endpoint.provider() == Provider::JustOneApi;
    let known = !paid || config.justoneapi.price_micros.contains_key(&endpoint);
    #[expect(
        clippy::cast_precision_loss,
        reason = "prices in millionths are far below 2^53"
    )]
    let micros = config.price_micros(endpoint) as f64;
    Daily {
        fires,
        calls,
        yuan: known.then_some(calls * micros / MICROS),
    }
}

/// Calls that one look at a target takes, at the most.
fn calls(target: &Target) -> u32 {
    match target.kind {
        Kind::KolSearch => KolSearch::from_key(&target.key).map_or(1, |search| search.max_pages),
        Kind::Note | Kind::Keyword | Kind::Work => 1,
    }
}

/// What the jobs take each day, one a line, and together.
fn daily_text(config: &Config, now: Time) -> String {
    let days: Vec<Daily> = config
        .jobs
        .iter()
        .map(|job| daily(config, job, now))
        .collect();
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH);
    table.set_header(["job", "targets", "fires a day", "calls a day", "yuan a day"]);
    for (job, day) in config.jobs.iter().zip(&days) {
        let targets = job.targets.len().to_string();
        let yuan = day
            .yuan
            .map_or(UNKNOWN.to_owned(), |yuan| format!("{yuan:.2}"));
        table.add_row([
            job.name.clone(),
            targets,
            number(day.fires),
            number(day.calls),
            yuan,
        ]);
    }
    let calls = number(days.iter().map(|day| day.calls).sum());
    let yuan: f64 = days.iter().filter_map(|day| day.yuan).sum();
    let all_known = days.iter().all(|day| day.yuan.is_some());
    let yuan = if all_known {
        format!("{yuan:.2}")
    } else {
        format!("{yuan:.2} + {UNKNOWN}")
    };
    table.add_row(["total", "", "", &calls, &yuan]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = String::new();
    for line in table.lines() {
        let _ = write!(text, "\n{}", line.trim_end());
    }
    text.push_str("\nAt most: a target that several jobs share is fetched once.\n");
    if config
        .jobs
        .iter()
        .flat_map(|job| &job.targets)
        .any(Target::is_short_link)
    {
        text.push_str("Each short link takes one call more, once, to learn what is behind it.\n");
    }
    if !all_known {
        let _ = writeln!(
            text,
            "{UNKNOWN}: set the price of the endpoint under [justoneapi.price]."
        );
    }
    text
}

/// A count that may be a fraction, without digits that say nothing.
fn number(count: f64) -> String {
    if count.fract().abs() < 0.005 {
        format!("{count:.0}")
    } else {
        format!("{count:.2}")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Environment;

    fn sample_report() -> String {
        let text = include_str!("../../jobs.toml");
        let config = Config::parse(text, Path::new("jobs.toml"), &Environment::default());
        report(
            &config.expect("the sample"),
            "2026-03-09 14:10:42".parse().expect("a time"),
        )
    }

    #[test]
    fn the_report_of_the_sample_says_when_what_and_how_much() {
        insta::assert_snapshot!(sample_report(), @r#"
jobs.toml: 4 jobs
Times are shown in the zone of the job; default Asia/Shanghai.

spring-campaign (notes)
  schedule  0 * * * *  At minute 0 past every hour, Asia/Shanghai
  asks      xiaohongshu/get-note-detail/v1
  targets   3
            68a1b2c3d4e5f60718293a4b
            68b0c1d2e3f405162738495a
            https://xhslink.com/a/Ab3dEfGh1
  next      2026-03-09 Mon 23:00:00 +08:00   2026-03-09 15:00:00 UTC
            2026-03-10 Tue 00:00:00 +08:00   2026-03-09 16:00:00 UTC
            2026-03-10 Tue 01:00:00 +08:00   2026-03-09 17:00:00 UTC
            2026-03-10 Tue 02:00:00 +08:00   2026-03-09 18:00:00 UTC
            2026-03-10 Tue 03:00:00 +08:00   2026-03-09 19:00:00 UTC

food-words (keywords)
  schedule  0 9 * * *  At 09:00, Asia/Shanghai
  asks      xiaohongshu/search-recommend/v1
  targets   2
            美食
            露营
  next      2026-03-10 Tue 09:00:00 +08:00   2026-03-10 01:00:00 UTC
            2026-03-11 Wed 09:00:00 +08:00   2026-03-11 01:00:00 UTC
            2026-03-12 Thu 09:00:00 +08:00   2026-03-12 01:00:00 UTC
            2026-03-13 Fri 09:00:00 +08:00   2026-03-13 01:00:00 UTC
            2026-03-14 Sat 09:00:00 +08:00   2026-03-14 01:00:00 UTC

reading-kols (kols)
  schedule  @daily  At 00:00, Asia/Shanghai
  asks      xiaohongshu-pgy/kol-search/v1
  targets   1
            fansNumberLower=1000 gender=FEMALE keyword=阅读 notePrice=500,5000 searchType=NOTE sor…
  next      2026-03-10 Tue 00:00:00 +08:00   2026-03-09 16:00:00 UTC
            2026-03-11 Wed 00:00:00 +08:00   2026-03-10 16:00:00 UTC
            2026-03-12 Thu 00:00:00 +08:00   2026-03-11 16:00:00 UTC
            2026-03-13 Fri 00:00:00 +08:00   2026-03-12 16:00:00 UTC
            2026-03-14 Sat 00:00:00 +08:00   2026-03-13 16:00:00 UTC

competitor-works (works)
  schedule  */30 * * * *  At every 30 minutes, Asia/Shanghai
  asks      amagi/fetch_one_work
  targets   2
            7512345678901234567
            7523456789012345678
  next      2026-03-09 Mon 22:30:00 +08:00   2026-03-09 14:30:00 UTC
            2026-03-09 Mon 23:00:00 +08:00   2026-03-09 15:00:00 UTC
            2026-03-09 Mon 23:30:00 +08:00   2026-03-09 15:30:00 UTC
            2026-03-10 Tue 00:00:00 +08:00   2026-03-09 16:00:00 UTC
            2026-03-10 Tue 00:30:00 +08:00   2026-03-09 16:30:00 UTC

 job               targets  fires a day  calls a day  yuan a day
 spring-campaign         3           24           72       10.80
 food-words              2            1            2        0.10
 reading-kols            1            1            5        1.50
 competitor-works        2           48           96        0.00
 total                                           175       12.40
At most: a target that several jobs share is fetched once.
Each short link takes one call more, once, to learn what is behind it.

warning: there is no token for JustOneAPI, and nothing can be fetched there without one: set JUSTONEAPI_TOKEN, or JUSTONEAPI_TOKEN_FILE to the path of a file that holds it
"#);
    }

    #[test]
    fn a_price_that_is_not_named_is_unknown_and_not_nothing() {
        let text = include_str!("../../jobs.toml").replace("\"xiaohongshu-pgy/kol", "# ");
        let config = Config::parse(&text, Path::new("jobs.toml"), &Environment::default());
        let report = report(
            &config.expect("settings"),
            "2026-03-09 14:10:42".parse().expect("a time"),
        );
        assert!(report.contains("10.90 + ?\n"), "{report}");
        assert!(report.contains("?: set the price"), "{report}");
    }

    #[test]
    fn no_line_but_a_warning_is_wider_than_a_terminal() {
        let report = sample_report();
        let columns =
            |line: &str| -> usize { line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum() };
        for line in report.lines().filter(|line| !line.starts_with("warning: ")) {
            assert!(columns(line) <= usize::from(WIDTH), "{line}");
        }
    }

    #[test]
    fn fires_are_shown_across_a_change_of_the_clocks() {
        let text = "[[job]]\nname = \"a\"\nkind = \"keywords\"\nschedule = \"0 9 * * *\"\n\
                    timezone = \"America/New_York\"\nkeywords = [\"露营\"]\nenabled = true\n";
        let config = Config::parse(text, Path::new("jobs.toml"), &Environment::default());
        let report = report(
            &config.expect("settings"),
            "2027-03-13 00:00:00".parse().expect("a time"),
        );
        assert!(
            report.contains("2027-03-13 Sat 09:00:00 -05:00   2027-03-13 14:00:00 UTC"),
            "{report}"
        );
        assert!(
            report.contains("2027-03-14 Sun 09:00:00 -04:00   2027-03-14 13:00:00 UTC"),
            "{report}"
        );
    }
}
