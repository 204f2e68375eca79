//! `tidewatch status`: the state of the jobs.

mod daemons;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use chrono_tz::Tz;
use clap::Args;
use serde::Serialize;

use self::daemons::Daemon;
use super::forget::uncleared;
use super::format::{cost, count, local, local_after, money, safe, table, times_in};
use super::settings::require_archive;
use super::{Cli, Json, load_without_calls, open, print, settings};
use crate::config::kind_name;
use crate::model::{Kind, KolSearch, Pause};
use crate::schedule::Schedule;
use crate::store::{
    BalanceRow, CallTotals, ColdTotals, JobReport, PathDrift, Problem, SlotTotals, Spent,
    Unavailable,
};
use crate::text::things;
use crate::time::Time;

/// Age from which an unclaimed slot is a problem: perhaps no daemon is running.
const OVERDUE: Duration = Duration::from_secs(300);

/// Maximum number of unavailable targets listed, latest first.
const UNAVAILABLE: i64 = 20;

/// Maximum number of drifted paths listed, vanished ones first.
const DRIFT: i64 = 50;

/// Consequence of invalid settings.
const BY_THE_DAEMON: &str = "its budget is unknown, and the jobs are those a daemon loaded last";

#[derive(Args, Debug)]
pub(super) struct Status {
    #[command(flatten)]
    json: Json,
}

/// The whole status; the shape of `--json`.
#[derive(Serialize)]
struct Report {
    now: Time,
    since: Time,
    daemons: Vec<Daemon>,
    /// Whether `jobs.toml` is invalid, now or as a daemon read it last.
    settings_refused: bool,
    jobs: Vec<Job>,
    slots: SlotTotals,
    calls: Vec<CallTotals>,
    budget: Budget,
    balances: Vec<BalanceRow>,
    pauses: Vec<Pause>,
    problems: Vec<Problem>,
    unavailable: Vec<Unavailable>,
    drift: Vec<PathDrift>,
    /// Entities whose rows wait to be derived.
    waiting: i64,
    /// Whether the database may lose what it has committed.
    may_lose_commits: bool,
    /// Since when deleted rows have not been cleared away.
    erasure_uncleared_since: Option<Time>,
    /// Answers whose text is in their rows.
    hot_answers: i64,
    /// Answers in cold files.
    cold: ColdTotals,
    /// As of when the last backup on record is.
    backed_up_at: Option<Time>,
}

/// Spending of today's budget.
#[derive(Serialize)]
struct Budget {
    spent: Spent,
    max_calls: Option<i64>,
    max_cost_micros: Option<i64>,
}

#[derive(Serialize)]
struct Job {
    #[serde(flatten)]
    report: JobReport,
    next_due_at: Option<Time>,
}

impl Status {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let (config, settings_refused) = match load_without_calls(cli) {
            Ok(config) => (config, false),
            Err(_) => (settings(cli, BY_THE_DAEMON)?, true),
        };
        require_archive(cli)?;
        let store = open(cli).await?;
        let now = store.clock().await?.now();
        let mut tx = store.read().await?;
        tx.disable_timeout().await?;
        let zone = tx.zone().await?;
        let since = now.last_midnight(zone);
        let jobs = tx.job_reports(since).await?.into_iter();
        let daemons = daemons::daemons(&store, &mut tx, now, since, config.lease).await?;
        let report = Report {
            now,
            since,
            settings_refused: settings_refused || daemons.iter().any(Daemon::refuses_settings),
            daemons,
            jobs: jobs.map(|report| Job { next_due_at: next_fire(&report, now), report }).collect(),
            slots: tx.slot_totals(since).await?,
            calls: tx.call_totals(since).await?,
            budget: Budget {
                spent: tx.spent_since(since).await?,
                max_calls: config.budget.max_calls_per_day,
                max_cost_micros: config.budget.max_cost_per_day_micros,
            },
            balances: tx.balances().await?,
            pauses: tx.pauses(now).await?,
            problems: tx.problems(since, now.minus(OVERDUE)).await?,
            unavailable: tx.unavailable(UNAVAILABLE).await?,
            drift: tx.drift(now, DRIFT).await?,
            waiting: tx.count_stale().await?,
            hot_answers: tx.count_hot().await?,
            cold: tx.cold_totals().await?,
            may_lose_commits: tx.may_lose_commits().await?,
            erasure_uncleared_since: tx.uncleared_since().await?,
            backed_up_at: tx.backed_up_at().await?,
        };
        drop(tx);
        store.close().await;
        let json = || serde_json::to_string(&report).map(|json| json + "\n");
        print(&if self.json.json { json()? } else { report.shown(zone) })?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Report {
    fn shown(&self, zone: Tz) -> String {
        let at = |time: Option<Time>| time.map_or_else(|| "–".to_owned(), |time| local(time, zone));
        let rows = self.jobs.iter().map(|Job { report, next_due_at }| {
            let next = if report.is_active { at(*next_due_at) } else { "not in jobs.toml".into() };
            let JobReport { targets, due, observed, missed, open, .. } = report;
            let counts = [*targets, *due, *observed, *missed, *open].map(count);
            let name = safe(&report.name, 32);
            [name, kind(&report.kind), at(report.last_due_at), next]
                .into_iter()
                .chain(counts)
                .collect()
        });
        let head = ["job", "kind", "last", "next", "targets", "due", "observed", "missed", "open"];
        let mut text = String::new();
        text += &times_in(zone);
        text += &daemons::shown(&self.daemons, zone);
        text += &format!("today, since {}\n", local(self.since, zone));
        text += &table(&head, &[4, 5, 6, 7, 8], rows.collect());
        let slots = &self.slots;
        text += &format!(
            "slots, including manual ones: {} due, {} observed, {} missed, {} open\n",
            slots.due, slots.observed, slots.missed, slots.open
        );
        let calls = self.calls.iter().map(|row| row.calls).sum();
        text += &format!("calls: {}, cost {}\n", count(calls), cost(&self.calls));
        text += &self.budget.shown();
        text += &self.balances.iter().map(|row| balance(row, zone)).collect::<String>();
        if !self.pauses.is_empty() {
            let rows = self.pauses.iter().map(|pause| paused(pause, zone));
            text += &table(&["paused", "why", "since", "until", "note"], &[], rows.collect());
        }
        text += &unseen(&self.unavailable, zone);
        text += &drift(&self.drift, zone);
        text += &cold_answers(self.hot_answers, &self.cold, zone);
        text += &match self.backed_up_at {
            Some(backed_up_at) => format!("last backup: {}\n", local(backed_up_at, zone)),
            None => "last backup: none on record; see `tidewatch backup --help`\n".to_owned(),
        };
        if self.may_lose_commits {
            text += "the ledger is not durable: the database keeps `synchronous_commit` off\n";
        }
        if self.waiting > 0 {
            let waiting = things(count(self.waiting), "entity").replace("ys", "ies");
            text += &format!("older answers came: the rows of {waiting} wait to be derived\n");
        }
        if self.settings_refused {
            text += "jobs.toml is refused: see `tidewatch check`\n";
        }
        if let Some(since) = self.erasure_uncleared_since {
            text += &format!("{}\n", uncleared(since, zone));
        }
        let is_well = !self.settings_refused && self.erasure_uncleared_since.is_none();
        if self.problems.is_empty() && is_well {
            return text + "no problems\n";
        }
        if self.problems.is_empty() {
            return text;
        }
        let rows = self.problems.iter().map(|problem| {
            let why = safe(&problem.detail, 60);
            vec![problem.kind.to_string(), why, count(problem.count), at(problem.last_at)]
        });
        text + &table(&["problem", "why", "times", "last"], &[2], rows.collect())
    }
}

/// The next fire of a job by the settings a daemon loaded last; a newer jobs.toml counts once it is
/// loaded.
fn next_fire(job: &JobReport, now: Time) -> Option<Time> {
    let schedule = Schedule::stored(&job.schedule, &job.timezone, job.active.as_deref());
    schedule.filter(|_| job.is_active)?.next_after(now)
}

/// How many answers are hot and cold, and what the cold ones take; nothing where none is cold.
fn cold_answers(hot: i64, cold: &ColdTotals, zone: Tz) -> String {
    let (Some(made_at), Some(verified_at)) = (cold.made_at, cold.verified_at) else {
        return String::new();
    };
    format!(
        "answers: {} hot, {} cold in {} ({} MB, 1/{} of their text), last packed {}, all verified \
         since {}\n",
        count(hot),
        count(cold.documents),
        things(count(cold.files), "file"),
        count((cold.bytes + 999_999) / 1_000_000),
        cold.text_bytes / cold.bytes.max(1),
        local(made_at, zone),
        local(verified_at, zone)
    )
}

/// The unavailable targets with the evidence.
fn unseen(targets: &[Unavailable], zone: Tz) -> String {
    if targets.is_empty() {
        return String::new();
    }
    let rows = targets.iter().map(|target| {
        let again = target.probe_at.map(|at| local(at, zone));
        let again = again.unwrap_or_else(|| "when its entry changes".to_owned());
        let key = safe(&KolSearch::shown(&target.kind, &target.key), 60);
        let evidence = safe(&target.evidence, 60);
        vec![target.state.to_string(), key, local(target.since, zone), evidence, again]
    });
    table(&["unavailable", "item", "since", "evidence", "next fetch"], &[], rows.collect())
}

/// The drifted paths.
fn drift(paths: &[PathDrift], zone: Tz) -> String {
    if paths.is_empty() {
        return String::new();
    }
    let rows = paths.iter().map(|it| {
        let types = [&it.old_type, &it.new_type].into_iter().flatten().map(String::as_str);
        let types = types.collect::<Vec<_>>().join(" → ");
        let [change, path] = [&it.change, &it.path].map(|text| safe(text, 80));
        vec![change, path, types, local(it.since, zone), it.endpoint.clone()]
    });
    table(&["drift", "path", "type", "since", "endpoint"], &[], rows.collect())
}

impl Budget {
    fn shown(&self) -> String {
        let mut text = String::new();
        if let Some(most) = self.max_calls {
            text += &format!(
                "budget: {} of {}\n",
                count(self.spent.calls),
                things(count(most), "call")
            );
        }
        if let Some(most) = self.max_cost_micros {
            text += &format!("budget: {} of {} yuan\n", money(self.spent.cost_micros), money(most));
        }
        text
    }
}

/// What is left on an account.
fn balance(row: &BalanceRow, zone: Tz) -> String {
    let (provider, at) = (safe(&row.provider, 40), local(row.asked_at, zone));
    match (row.micros, &row.error) {
        (Some(micros), _) => {
            let currency = safe(row.currency.as_deref().unwrap_or_default(), 8);
            format!("balance: {provider} {} {currency} at {at}\n", money(micros))
        }
        (None, error) => {
            let why = safe(error.as_deref().unwrap_or_default(), 80);
            format!("balance: {provider} unknown at {at}: {why}\n")
        }
    }
}

/// A pause as a table row.
fn paused(pause: &Pause, zone: Tz) -> Vec<String> {
    let until = match (pause.until, pause.probe_at) {
        (_, Some(at)) => format!("an answer, tried at {}", local(at, zone)),
        (Some(at), None) => local_after(pause.since, at, zone),
        (None, None) => "tidewatch resume".to_owned(),
    };
    let note = safe(pause.note.as_deref().unwrap_or("–"), 40);
    let what = format!("{} {}", pause.scope, safe(&pause.name, 40));
    vec![what, pause.reason.as_str().replace('_', " "), local(pause.since, zone), until, note]
}

/// The name of a kind in `jobs.toml`.
fn kind(name: &str) -> String {
    Kind::parse(name).map_or_else(|| name.to_owned(), |kind| kind_name(kind).to_owned())
}
