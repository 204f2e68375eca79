//! Texts of `backfill`: the plan, and the result.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use chrono_tz::Tz;
use serde::Serialize;

use crate::backfill::{Estimate, Found, List, Progress, drop_archived, resolve_known};
use crate::cli::format::{cost, count, local, money, safe, table, times_in};
use crate::config::{Config, named, price_sections};
use crate::erasure::{Tombstones, notice};
use crate::model::{BackfillState, MissedReason, Target};
use crate::store::{Limits, SlotResult, Spent, Store};
use crate::text::things;
use crate::time::Time;

/// Skipped targets named one by one; the others are counted.
const NAMED: usize = 5;

/// The plan of a backfill.
#[derive(Serialize)]
pub(super) struct BackfillPlan {
    /// Its name.
    pub(super) name: String,
    /// Whether it exists already; then only its open slots are fetched.
    begun_before: bool,
    repeated: u64,
    skipped_lines: u64,
    archived: usize,
    /// Skipped because they are forgotten.
    forgotten: usize,
    /// Missed slots that it makes up for; absent without --missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) missed_slots: Option<i64>,
    #[serde(skip)]
    pub(super) targets: BTreeSet<Target>,
    #[serde(flatten)]
    pub(super) estimate: Estimate,
    /// Calls left in today's budget; absent without a limit.
    calls_left_today: Option<i64>,
    cost_micros_left_today: Option<i64>,
}

/// Removes forgotten targets, reports them and returns their number.
async fn drop_forgotten(store: &Store, targets: &mut BTreeSet<Target>) -> Result<usize> {
    let all = Tombstones::of(store.read().await?.tombstones().await?);
    let mut forgotten = 0;
    targets.retain(|target| {
        let Some(it) = all.target(target) else { return true };
        forgotten += 1;
        if forgotten <= NAMED {
            tracing::warn!("skipping {}: {}", target.key, notice(it));
        }
        false
    });
    if forgotten > NAMED {
        tracing::warn!("skipping {} more forgotten targets", forgotten - NAMED);
    }
    Ok(forgotten)
}

impl BackfillPlan {
    pub(super) async fn of(
        config: &Config,
        store: Option<&Store>,
        list: List,
        begun: &Found,
        missing: bool,
        now: Time,
    ) -> Result<Self> {
        let List { mut targets, repeated, bad_lines, .. } = list;
        let mut spent = Spent::default();
        let (mut archived, mut forgotten) = (0, 0);
        if let Some(store) = store {
            forgotten = drop_forgotten(store, &mut targets).await?;
            resolve_known(store, &mut targets).await?;
            if missing {
                archived = drop_archived(store, &mut targets).await?;
            }
            let mut tx = store.read().await?;
            spent = tx.spent_since(now.last_midnight(config.timezone)).await?;
        }
        let (name, begun_before) = match begun {
            Found::New(name) => (name.clone(), false),
            Found::Existing(row) => (row.name.clone(), row.state != BackfillState::Planning),
        };
        let budget = &config.budget;
        let left = |limit: Option<i64>, spent: i64| limit.map(|limit| (limit - spent).max(0));
        Ok(Self {
            name,
            begun_before,
            repeated,
            skipped_lines: bad_lines,
            archived,
            forgotten,
            missed_slots: None,
            estimate: Estimate::of(config, &targets),
            targets,
            calls_left_today: left(budget.max_calls_per_day, spent.calls),
            cost_micros_left_today: left(budget.max_cost_per_day_micros, spent.cost_micros),
        })
    }

    /// Checks that prices are known if the cost is limited, and that a backfill beyond today's
    /// budget has a limit.
    pub(super) fn require_means(&self, config: &Config, limits: Limits) -> Result<()> {
        require_prices(config, limits, &self.targets)?;
        match self.over_budget() {
            Some(why) if limits == Limits::default() => bail!(
                "{why}, nothing fetched: --max-calls or --max-cost starts it anyway and \
                 stops there; the budget of each day still holds"
            ),
            _ => Ok(()),
        }
    }

    /// Why it exceeds today's budget, if it does.
    fn over_budget(&self) -> Option<String> {
        let (calls, cost) = (self.estimate.calls(), self.estimate.cost_micros());
        if let Some(left) = self.calls_left_today.filter(|left| calls > *left) {
            let (calls, left) = (things(count(calls), "call"), count(left));
            return Some(format!("it takes {calls}, but today's budget has {left} left"));
        }
        let left = self.cost_micros_left_today.filter(|left| cost > *left)?;
        let (cost, left) = (money(cost), money(left));
        Some(format!("it costs {cost} yuan, but today's budget has {left} left"))
    }

    /// Why it would not be started, if it would not.
    pub(super) fn refusal(&self, config: &Config, limits: Limits) -> Option<anyhow::Error> {
        self.require_means(config, limits).err().filter(|_| !self.begun_before)
    }

    /// The plan as text or JSON.
    pub(super) fn shown(
        &self,
        refusal: Option<&anyhow::Error>,
        limits: Limits,
        json: bool,
    ) -> Result<String> {
        if json {
            return Ok(serde_json::to_string(self)? + "\n");
        }
        let number = |number: usize| count(i64::try_from(number).unwrap_or(i64::MAX));
        let mut text = format!("{}: {}", self.name, things(number(self.targets.len()), "target"));
        for (many, what) in [
            (usize::try_from(self.repeated).unwrap_or(usize::MAX), "repeated"),
            (usize::try_from(self.skipped_lines).unwrap_or(usize::MAX), "skipped as invalid"),
            (self.archived, "archived already"),
            (self.forgotten, "skipped as forgotten"),
        ] {
            if many > 0 {
                text += &format!(", {} {what}", number(many));
            }
        }
        if let Some(slots) = self.missed_slots {
            text += &format!(", of {}", things(count(slots), "missed slot"));
        }
        text += "\n";
        let price = |micros: Option<i64>| micros.map_or_else(|| "?".to_owned(), money);
        let rows = self.estimate.endpoints.iter().map(|row| {
            let cost = row.price_micros.map(|micros| micros * row.calls);
            vec![row.endpoint.to_owned(), count(row.calls), price(row.price_micros), price(cost)]
        });
        text += &table(&["endpoint", "calls", "yuan per call", "yuan"], &[1, 2, 3], rows.collect());
        let unpriced = self.estimate.unpriced();
        let and = if unpriced.is_empty() { "" } else { " and what has no price in jobs.toml" };
        text += &format!(
            "total {}, {} yuan{and}, if no call fails\n",
            things(count(self.estimate.calls()), "call"),
            money(self.estimate.cost_micros())
        );
        if let Some(calls) = limits.max_calls.filter(|most| *most < self.estimate.calls()) {
            text += &format!("stops after {}\n", things(count(calls), "call"));
        }
        if let Some(most) = limits.max_cost_micros.filter(|it| *it < self.estimate.cost_micros()) {
            text += &format!("stops before the cost exceeds {} yuan\n", money(most));
        }
        if self.begun_before {
            text += "it exists already: only its open slots would be fetched\n";
        } else if let Some(why) = refusal {
            text += &format!("would be refused: {why}\n");
        }
        Ok(text + "dry run: no calls made, nothing written\n")
    }
}

/// Checks that every endpoint has a price if the cost is limited.
pub(super) fn require_prices<'a>(
    config: &Config,
    limits: Limits,
    targets: impl IntoIterator<Item = &'a Target> + Copy,
) -> Result<()> {
    config.require_prices_for(targets)?;
    let unpriced = config.unpriced(targets);
    if limits.max_cost_micros.is_some() && !unpriced.is_empty() {
        bail!(
            "--max-cost needs the price of {}: set it under {} in jobs.toml, or use --max-calls",
            named(&unpriced),
            price_sections(&unpriced)
        );
    }
    Ok(())
}

/// The state of a backfill, and the next step.
pub(super) fn standing(progress: &Progress, missed: &BTreeMap<MissedReason, i64>) -> String {
    let Progress { backfill, slots, calls } = progress;
    let reasons: Vec<_> =
        missed.iter().map(|(why, times)| format!("{} {why}", count(*times))).collect();
    let reasons =
        if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    let made = calls.iter().map(|row| row.calls).sum();
    let mut text = format!(
        "{}: {}, {} observed, {} missed{reasons}, {} open; calls {}, cost {}\n",
        safe(&backfill.name, 80),
        things(count(slots.total), "slot"),
        count(slots.observed),
        count(slots.missed),
        count(slots.open),
        count(made),
        cost(calls)
    );
    let name = &backfill.name;
    if slots.missed > 0 {
        text += &format!("tidewatch backfill missed {name:?} lists the missed slots\n");
    }
    text += &match backfill.state {
        BackfillState::Limited => format!(
            "limit{} reached; tidewatch backfill resume {name:?} with a larger one continues\n",
            limit(backfill.limits)
        ),
        BackfillState::Stopped => {
            format!("stopped; tidewatch backfill resume {name:?} continues\n")
        }
        BackfillState::Cancelled if slots.open > 0 => {
            "cancelled; calls in flight still finish\n".to_owned()
        }
        BackfillState::Planning => {
            "not planned to the end; the same command again, with the same list, continues\n"
                .to_owned()
        }
        BackfillState::Running | BackfillState::Cancelled | BackfillState::Done => String::new(),
    };
    text
}

/// Missed slots: what was asked for, and why there is no answer.
pub(super) fn missed_slots(slots: &[SlotResult]) -> String {
    let rows = slots.iter().map(|slot| {
        let reason = slot.reason.map(|it| it.as_str()).unwrap_or_default();
        let message = slot.message.as_deref().unwrap_or_default();
        vec![safe(&slot.key, 60), reason.to_owned(), safe(message, 60)]
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() { String::new() } else { table(&["missed", "reason", "message"], &[], rows) }
}

fn limit(limits: Limits) -> String {
    let calls = limits.max_calls.map(|most| things(count(most), "call"));
    let cost = limits.max_cost_micros.map(|most| format!("{} yuan", money(most)));
    let both: Vec<_> = calls.into_iter().chain(cost).collect();
    if both.is_empty() { String::new() } else { format!(" ({})", both.join(", ")) }
}

/// All backfills as a table.
pub(super) fn listed(all: &[Progress], zone: Tz) -> String {
    if all.is_empty() {
        return "no backfills\n".to_owned();
    }
    let rows = all.iter().map(|Progress { backfill, slots, calls }| {
        let counts = [slots.total, slots.observed, slots.missed, slots.open].map(count);
        let begun = local(backfill.created_at, zone);
        [safe(&backfill.name, 40), backfill.state.to_string(), begun]
            .into_iter()
            .chain(counts)
            .chain([cost(calls)])
            .collect()
    });
    let head = ["name", "state", "started", "slots", "observed", "missed", "open", "cost"];
    times_in(zone) + &table(&head, &[3, 4, 5, 6], rows.collect())
}
