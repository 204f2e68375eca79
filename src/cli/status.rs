//! `tidewatch status`: how the jobs stand.

use std::process::ExitCode;

use anyhow::Result;
use chrono_tz::Tz;
use clap::Args;
use serde::Serialize;

use super::show::{count, money, safe, table};
use super::{Cli, Json, load, open, print};
use crate::config::Config;
use crate::store::{CallTotals, JobReport, Problem, SlotTotals};
use crate::time::{Clock, Time};

#[derive(Args, Debug)]
pub(super) struct Status {
    #[command(flatten)]
    json: Json,
}

/// How everything stands; the shape of `--json`.
#[derive(Serialize)]
struct Report {
    now: Time,
    since: Time,
    jobs: Vec<Job>,
    slots: SlotTotals,
    calls: Vec<CallTotals>,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Job {
    #[serde(flatten)]
    report: JobReport,
    next_due_at: Option<Time>,
}

impl Status {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let config = load(cli)?;
        let store = open(cli).await?;
        let now = Clock::system().now();
        let since = day_begins(now, config.timezone);
        let mut tx = store.read().await?;
        let next = |name: &str| {
            let job = config.jobs.iter().find(|job| job.name == name);
            job.and_then(|job| job.schedule.next_after(now))
        };
        let jobs = tx.job_reports(since).await?.into_iter();
        let report = Report {
            now,
            since,
            jobs: jobs.map(|report| Job { next_due_at: next(&report.name), report }).collect(),
            slots: tx.slot_totals(since).await?,
            calls: tx.call_totals(since).await?,
            problems: tx.problems(since).await?,
        };
        drop(tx);
        store.close().await;
        let json = || serde_json::to_string(&report).map(|json| json + "\n");
        print(&if self.json.json { json()? } else { report.shown(&config) })?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Report {
    fn shown(&self, config: &Config) -> String {
        let zone = config.timezone;
        let at = |time: Option<Time>| time.map_or_else(|| "–".to_owned(), |time| local(time, zone));
        let rows = self.jobs.iter().map(|Job { report, next_due_at }| {
            let next = if report.is_active { at(*next_due_at) } else { "not in jobs.toml".into() };
            let counts = [report.targets, report.due, report.observed, report.missed].map(count);
            let name = safe(&report.name, 32);
            [name, report.kind.clone(), at(report.last_due_at), next]
                .into_iter()
                .chain(counts)
                .collect()
        });
        let head = ["job", "kind", "last", "next", "targets", "due", "observed", "missed"];
        let mut text = format!("today, since {} ({zone})\n", local(self.since, zone));
        text += &table(&head, &[4, 5, 6, 7], rows.collect());
        let slots = &self.slots;
        text += &format!(
            "looks: {} due, {} observed, {} missed, {} open\n",
            slots.due, slots.observed, slots.missed, slots.open
        );
        let cost: i64 = self.calls.iter().map(|row| row.cost_micros).sum();
        let unknown: i64 = self.calls.iter().map(|row| row.unknown_micros).sum();
        let calls: i64 = self.calls.iter().map(|row| row.calls).sum();
        text += &format!("calls: {calls}, {} billed", money(cost));
        text += &if unknown > 0 {
            format!(" and perhaps {} more\n", money(unknown))
        } else {
            "\n".into()
        };
        if self.problems.is_empty() {
            return text + "no problems\n";
        }
        let rows = self.problems.iter().map(|problem| {
            let why = safe(&problem.why, 60);
            vec![problem.what.clone(), why, count(problem.times), at(problem.last_at)]
        });
        text + &table(&["problem", "why", "times", "last"], &[2], rows.collect())
    }
}

/// When the day of `now` began in a zone.
fn day_begins(now: Time, zone: Tz) -> Time {
    let date = now.utc().with_timezone(&zone).date_naive();
    let midnight = date.and_time(chrono::NaiveTime::MIN).and_local_timezone(zone);
    midnight.earliest().map_or(now, |midnight| Time::new(midnight.to_utc()))
}

fn local(time: Time, zone: Tz) -> String {
    time.utc().with_timezone(&zone).format("%m-%d %H:%M:%S").to_string()
}
