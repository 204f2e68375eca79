//! Warnings about valid but unlikely settings.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cost::{Daily, MICROS, as_float, daily, number, together};
use crate::api::Endpoint;
use crate::config::{Config, Job};
use crate::schedule::Overlap;
use crate::text::things;
use crate::time::Time;

/// Seconds per day, to compare daily calls with a rate.
const SECONDS_A_DAY: f64 = 86_400.0;

/// Days searched for the first one over a limit.
const DAYS_SEARCHED: u32 = 7;

/// All warnings, each a sentence.
pub fn warnings(config: &Config, now: Time) -> Vec<String> {
    let days: Vec<_> = config.jobs.iter().map(|job| (job, daily(config, job, now))).collect();
    [over_budget(config, &days, now), over_limits(config, &days, now), over_rates(config, &days)]
        .concat()
        .into_iter()
        .chain(config.warnings.iter().cloned())
        .collect()
}

/// Daily calls and cost above the budget.
fn over_budget(config: &Config, days: &[(&Job, Daily)], now: Time) -> Vec<String> {
    if !config.budget.is_set() {
        return Vec::new();
    }
    let Daily { calls, yuan, .. } = together(config, now);
    let warn = |key: &str, wanted: String, allowed: String, over: String, from: String| {
        format!(
            "the jobs need {wanted} a day, but [budget] allows {allowed}, {over} less: {from}; raise \
             {key} under [budget], or let jobs fire less often"
        )
    };
    let mut warnings = Vec::new();
    if let Some(limit) = config.budget.max_calls_per_day.filter(|limit| calls > as_float(*limit)) {
        let takes: Vec<_> = days.iter().map(|(job, _)| (*job, calls_a_fire(job))).collect();
        let wanted = things(number(calls), "call");
        let over = number(calls - as_float(limit));
        let from = missed_from(config, &takes, limit, now);
        warnings.push(warn("max_calls_per_day", wanted, limit.to_string(), over, from));
    }
    let limit = config.budget.max_cost_per_day_micros;
    if let Some(limit) = limit.filter(|limit| yuan > as_float(*limit) / MICROS) {
        let price = |job: &Job| config.price_micros(config.endpoint(job.kind)).unwrap_or(0);
        let takes =
            days.iter().map(|(job, _)| (*job, calls_a_fire(job).saturating_mul(price(job))));
        let allowed = as_float(limit) / MICROS;
        let (wanted, over) = (format!("{yuan:.2} yuan"), format!("{:.2}", yuan - allowed));
        let from = missed_from(config, &takes.collect::<Vec<_>>(), limit, now);
        warnings.push(warn("max_cost_per_day", wanted, format!("{allowed:.2}"), over, from));
    }
    warnings
}

/// Daily calls above a job's own limit.
fn over_limits(config: &Config, days: &[(&Job, Daily)], now: Time) -> Vec<String> {
    let over = days.iter().filter_map(|(job, day)| {
        let limit = job.max_calls_per_day.filter(|limit| day.calls > as_float(*limit))?;
        let from = missed_from(config, &[(*job, calls_a_fire(job))], limit, now);
        Some(format!(
            "{} needs {} a day, but its max_calls_per_day allows {limit}, {} less: {from}; raise it, \
             or let the job fire less often",
            job.name,
            things(number(day.calls), "call"),
            number(day.calls - as_float(limit)),
        ))
    });
    over.collect()
}

fn calls_a_fire(job: &Job) -> i64 {
    job.targets.iter().map(|target| i64::from(target.pages())).fold(0, i64::saturating_add)
}

/// Predicts when slots will be missed: on the first day of the coming week whose fires take more
/// than the limit, at each job's number of calls per fire.
fn missed_from(config: &Config, takes: &[(&Job, i64)], limit: i64, now: Time) -> String {
    let zone = config.timezone;
    let mut midnight = now;
    for _ in 0..DAYS_SEARCHED {
        midnight = midnight.next_midnight(zone);
        // The fire at midnight belongs to the new day.
        let before = |at: Time| at.minus(Duration::from_micros(1));
        let day = (before(midnight), before(midnight.next_midnight(zone)));
        let fires = |(job, takes): &(&Job, i64)| {
            let (schedule, takes) = (job.schedule.clone(), *takes);
            schedule.fires(day.0, day.1).map(|at| (at, takes)).collect::<Vec<_>>()
        };
        let mut fires: Vec<_> = takes.iter().flat_map(fires).collect();
        fires.sort_by_key(|(at, _)| *at);
        let mut taken = 0_i64;
        let over = fires.into_iter().find(|(_, takes)| {
            taken = taken.saturating_add(*takes);
            taken > limit
        });
        if let Some((at, _)) = over {
            let at = at.utc().with_timezone(&zone).format("%H:%M");
            return format!("slots will be missed (budget) from about {at} on ({zone})");
        }
    }
    "slots will be missed (budget)".to_owned()
}

/// Daily calls above the rate of an endpoint, which its jobs share.
fn over_rates(config: &Config, days: &[(&Job, Daily)]) -> Vec<String> {
    let mut sharing: BTreeMap<Endpoint, Vec<&(&Job, Daily)>> = BTreeMap::new();
    for day in days {
        sharing.entry(config.endpoint(day.0.kind)).or_default().push(day);
    }
    let over = sharing.into_iter().filter_map(|(endpoint, days)| {
        let rate = config.provider(endpoint.provider()).rate_per_second;
        let calls: f64 = days.iter().map(|(_, day)| day.calls).sum();
        if calls <= f64::from(rate) * SECONDS_A_DAY {
            return None;
        }
        let names: Vec<_> = days.iter().map(|(job, _)| job.name.as_str()).collect();
        let what = match days.iter().all(|(job, _)| job.overlap == Overlap::Queue) {
            true => "queue up without limit",
            false => "be missed as superseded",
        };
        let want = if names.len() == 1 { "needs" } else { "need" };
        let (names, endpoint) = (names.join(" and "), endpoint.as_str());
        Some(format!(
            "{names} {want} more calls to {endpoint} than rate_per_second = {rate} allows: slots \
             will {what}"
        ))
    });
    over.collect()
}
