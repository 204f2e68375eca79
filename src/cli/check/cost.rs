//! What jobs cost at most: calls and money, of each job alone and of all together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::WIDTH;
use crate::api::Endpoint;
use crate::cli::format::{count, money};
use crate::config::{Config, Job, price_sections};
use crate::model::Target;
use crate::text::things;
use crate::time::Time;

/// Millionths of a yuan in a yuan.
pub(super) const MICROS: f64 = 1_000_000.0;

/// Days in a month, of an estimate.
const MONTH: f64 = 30.0;

/// Placeholder for an unknown price.
const UNKNOWN: &str = "?";

/// Calls and cost a day, at most.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Daily {
    pub(super) calls: f64,
    /// The known part.
    pub(super) yuan: f64,
    /// Whether a price is unknown.
    is_unpriced: bool,
}

impl Daily {
    fn add(&mut self, config: &Config, endpoint: Endpoint, calls: f64) {
        self.calls += calls;
        match config.price_micros(endpoint) {
            Some(micros) => self.yuan += calls * as_float(micros) / MICROS,
            None => self.is_unpriced |= calls > 0.0,
        }
    }

    /// The cost of so many days.
    fn yuan_in(&self, days: f64) -> String {
        match (self.is_unpriced, self.yuan > 0.0) {
            (false, _) => format!("{:.2}", self.yuan * days),
            (true, true) => format!("{:.2} + {UNKNOWN}", self.yuan * days),
            (true, false) => UNKNOWN.to_owned(),
        }
    }

    fn cells(&self) -> [String; 4] {
        let (calls, month) = (number(self.calls), number(self.calls * MONTH));
        [calls, self.yuan_in(1.0), month, self.yuan_in(MONTH)]
    }
}

/// Of one job alone.
pub(super) fn daily(config: &Config, job: &Job, now: Time) -> Daily {
    let calls_a_fire: u32 = job.targets.iter().map(Target::pages).fold(0, u32::saturating_add);
    let mut daily = Daily::default();
    let calls = job.schedule.fires_per_day(now) * f64::from(calls_a_fire);
    daily.add(config, config.endpoint(job.kind), calls);
    daily
}

/// Of all jobs together: a target is fetched once however many of them fire at the same time.
pub(super) fn together(config: &Config, now: Time) -> Daily {
    let mut jobs_of: BTreeMap<&Target, Vec<&Job>> = BTreeMap::new();
    for job in &config.jobs {
        for target in &job.targets {
            jobs_of.entry(target).or_default().push(job);
        }
    }
    // Pages of each endpoint that the same jobs watch.
    let mut pages = BTreeMap::new();
    for (target, jobs) in jobs_of {
        let names: Vec<_> = jobs.iter().map(|job| job.name.as_str()).collect();
        let of_these = pages.entry((names, config.endpoint(target.kind))).or_insert((jobs, 0u32));
        of_these.1 = of_these.1.saturating_add(target.pages());
    }
    let mut daily = Daily::default();
    for ((_, endpoint), (jobs, pages)) in pages {
        daily.add(config, endpoint, fires_together(jobs, now) * f64::from(pages));
    }
    daily
}

/// Fires a day at which at least one of the jobs fires.
fn fires_together(mut jobs: Vec<&Job>, now: Time) -> f64 {
    jobs.sort_by(|a, b| b.schedule.fires_per_day(now).total_cmp(&a.schedule.fires_per_day(now)));
    let schedules: Vec<_> = jobs.iter().map(|job| &job.schedule).collect();
    // The fires of rare schedules are few to compare with those of dense ones.
    let alone = |(n, schedule): (usize, &&crate::schedule::Schedule)| {
        schedule.fires_per_day_beside(schedules.get(..n).unwrap_or_default(), now)
    };
    schedules.iter().enumerate().map(alone).sum()
}

/// The cost of each job and the total.
pub(super) fn table(config: &Config, now: Time) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH);
    table.set_header([
        "job",
        "targets",
        "fires/day",
        "calls/day",
        "yuan/day",
        "calls/month",
        "yuan/month",
    ]);
    for job in &config.jobs {
        let fires = number(job.schedule.fires_per_day(now));
        let name = [job.name.clone(), job.targets.len().to_string(), fires];
        table.add_row(name.into_iter().chain(daily(config, job, now).cells()));
    }
    let total = together(config, now);
    let name = ["total", "", ""].map(str::to_owned);
    table.add_row(name.into_iter().chain(total.cells()));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = String::new();
    for line in table.lines() {
        let _ = write!(text, "\n{}", line.trim_end());
    }
    text.push_str(
        "\nA month is 30 days. In the total, a target that several jobs fetch at the same time counts \
         once.\n",
    );
    text.push_str(&resolving(config));
    if total.is_unpriced {
        let unpriced = config.unpriced(config.jobs.iter().flat_map(|job| &job.targets));
        let section = price_sections(&unpriced);
        let _ = writeln!(text, "{UNKNOWN}: set the price of the endpoint under {section}.");
    }
    text
}

/// What it takes to resolve the short links, once; empty where there are none.
fn resolving(config: &Config) -> String {
    let targets: BTreeSet<_> = config.jobs.iter().flat_map(|job| &job.targets).collect();
    let resolvers: Vec<_> = targets.into_iter().filter_map(|it| config.resolver(it)).collect();
    if resolvers.is_empty() {
        return String::new();
    }
    let cost = resolvers.iter().map(|it| config.price_micros(*it)).sum::<Option<i64>>();
    let cost = cost.map_or(format!("{UNKNOWN} yuan, no price is set"), |it| money(it) + " yuan");
    let links = things(count(i64::try_from(resolvers.len()).unwrap_or(i64::MAX)), "short link");
    format!("Resolving {links} takes one more call each, once: {cost}.\n")
}

#[expect(clippy::cast_precision_loss, reason = "limits and prices are far below 2^53")]
pub(super) fn as_float(number: i64) -> f64 {
    number as f64
}

/// A count, possibly fractional, without insignificant digits.
pub(super) fn number(count: f64) -> String {
    if count.fract().abs() < 0.005 { format!("{count:.0}") } else { format!("{count:.2}") }
}
