//! The findings of each alert condition, read from the archive.

use anyhow::Result;

use crate::api::Provider;
use crate::config::{Alert, Condition, Config};
use crate::model::{PauseReason, PauseScope, Unavailability};
use crate::store::{Finding, Tx};
use crate::text::money;
use crate::time::Time;

/// Share of a limit, in percent, from which it counts as nearly reached.
const NEARLY_PERCENT: i128 = 80;

/// The current findings of a condition.
pub(super) async fn find(
    tx: &mut Tx,
    condition: Condition,
    config: &Config,
    alert: &Alert,
    now: Time,
) -> Result<Vec<Finding>> {
    match condition {
        Condition::Stopped => stopped(tx, now).await,
        Condition::Budget => nearly_spent(tx, config, now).await,
        Condition::Balance => low_balances(tx, config).await,
        Condition::Silent => tx.silent_jobs(alert.silent_after).await,
        Condition::Gone => tx.unavailable_items(Unavailability::Gone).await,
        Condition::Refused => tx.unavailable_items(Unavailability::Refused).await,
        Condition::Unreadable => tx.unavailable_items(Unavailability::Unreadable).await,
    }
}

/// Paused providers, and endpoints that deny access.
async fn stopped(tx: &mut Tx, now: Time) -> Result<Vec<Finding>> {
    let pauses = tx.pauses(now).await?;
    let mut findings: Vec<Finding> = Vec::new();
    for pause in pauses {
        let stops = pause.scope == PauseScope::Provider
            || (pause.scope == PauseScope::Endpoint && pause.reason == PauseReason::Denied);
        // Oldest pause first: it says since when.
        if stops && !findings.iter().any(|finding| finding.subject == pause.name) {
            let (subject, detail, since) = (pause.name, pause.reason.to_string(), pause.since);
            findings.push(Finding { subject, detail, since });
        }
    }
    Ok(findings)
}

/// The daily limits that are nearly reached. Each day is a finding of its own.
async fn nearly_spent(tx: &mut Tx, config: &Config, now: Time) -> Result<Vec<Finding>> {
    let budget = &config.budget;
    if !budget.is_set() {
        return Ok(Vec::new());
    }
    let since = now.last_midnight(config.timezone);
    let spent = tx.spent_since(since).await?;
    let day = since.utc().with_timezone(&config.timezone).date_naive();
    let limits = [
        ("calls", spent.calls, budget.max_calls_per_day),
        ("cost", spent.cost_micros, budget.max_cost_per_day_micros),
    ];
    let nearly = limits.into_iter().filter_map(|(what, spent, limit)| {
        let limit = limit?;
        is_nearly(spent, limit).then(|| Finding {
            subject: format!("{what} {day}"),
            detail: format!("{spent}/{limit}"),
            since: now,
        })
    });
    Ok(nearly.collect())
}

/// The accounts with less left than their settings want.
async fn low_balances(tx: &mut Tx, config: &Config) -> Result<Vec<Finding>> {
    let low = tx.balances().await?.into_iter().filter_map(|row| {
        let settings = config.provider(Provider::parse(&row.provider)?);
        let micros = row.micros.filter(|micros| *micros < settings.low_balance_micros)?;
        let is_ours = settings.token.is_some() && settings.base_url.as_str() == row.base_url;
        is_ours.then(|| Finding {
            subject: row.provider.clone(),
            detail: format!("{} {}", money(micros), row.currency.as_deref().unwrap_or_default()),
            since: row.asked_at,
        })
    });
    Ok(low.collect())
}

fn is_nearly(spent: i64, limit: i64) -> bool {
    i128::from(spent) * 100 >= i128::from(limit) * NEARLY_PERCENT
}

#[cfg(test)]
mod tests {
    use super::is_nearly;

    #[test]
    fn limit_is_nearly_reached_at_four_fifths() {
        assert!(!is_nearly(79, 100) && is_nearly(80, 100) && is_nearly(4, 5));
        assert!(is_nearly(i64::MAX, i64::MAX));
    }
}
