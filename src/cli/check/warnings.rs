//! What is allowed and yet probably not meant.

use std::collections::BTreeMap;

use super::{Daily, MICROS, as_float, daily, number};
use crate::api::Endpoint;
use crate::config::{Config, Job};
use crate::schedule::Overlap;
use crate::time::Time;

/// To hold a day's calls against a rate.
const SECONDS_A_DAY: f64 = 86_400.0;

/// What to say of settings that are right, each a sentence.
pub fn warnings(config: &Config, now: Time) -> Vec<String> {
    let days: Vec<_> = config.jobs.iter().map(|job| (job, daily(config, job, now))).collect();
    [over_budget(config, &days), over_limits(&days), over_rates(config, &days)]
        .concat()
        .into_iter()
        .chain(config.warnings.iter().cloned())
        .collect()
}

/// Calls and money a day that the budget does not let through.
fn over_budget(config: &Config, days: &[(&Job, Daily)]) -> Vec<String> {
    let calls: f64 = days.iter().map(|(_, day)| day.calls).sum();
    let yuan: f64 = days.iter().filter_map(|(_, day)| day.yuan).sum();
    let say = |wanted: String, limit: String| {
        format!(
            "the jobs want {wanted} a day and [budget] allows {limit}: the rest of the looks will be \
             missed: budget"
        )
    };
    let mut warnings = Vec::new();
    if let Some(limit) = config.budget.max_calls_per_day
        && calls > as_float(limit)
    {
        warnings.push(say(format!("{} calls", number(calls)), limit.to_string()));
    }
    if let Some(limit) = config.budget.max_cost_per_day_micros
        && yuan > as_float(limit) / MICROS
    {
        let limit = format!("{:.2}", as_float(limit) / MICROS);
        warnings.push(say(format!("{yuan:.2} yuan"), limit));
    }
    warnings
}

/// Calls a day that a job's own limit does not let through.
fn over_limits(days: &[(&Job, Daily)]) -> Vec<String> {
    let over = days.iter().filter_map(|(job, day)| {
        let limit = job.max_calls_per_day.filter(|limit| day.calls > as_float(*limit))?;
        Some(format!(
            "{} wants more than its max_calls_per_day = {limit}: the rest of its looks will be \
             missed: budget",
            job.name
        ))
    });
    over.collect()
}

/// Calls a day that the rate of their endpoint does not let through, which its jobs share.
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
            true => "queue up without end",
            false => "be missed as superseded",
        };
        let want = if names.len() == 1 { "wants" } else { "want" };
        let (names, endpoint) = (names.join(" and "), endpoint.name());
        Some(format!(
            "{names} {want} more calls to {endpoint} than rate_per_second = {rate} lets through: looks \
             will {what}"
        ))
    });
    over.collect()
}
