//! Reports on the whole archive: movers, jobs, cost, and missed slots.

use std::collections::BTreeMap;

use anyhow::Result;

use super::curve::curve;
use super::tables::{columns, facts, points, shown};
use super::{By, Part, ReportData};
use crate::cli::format::{count, money, safe, table};
use crate::cli::rows::moment;
use crate::store::{Span, Table, Tx, Value};
use crate::time::Time;

/// The items with the largest change.
pub(super) async fn top(tx: &mut Tx, by: By, most: u32, span: Span) -> Result<ReportData> {
    let (since, until) = ends(span);
    let moved = tx.top_movers(by.metric(), since, until, most).await?;
    let name = format!("{by:?}").to_lowercase();
    let mut rows = Vec::new();
    let keys = moved.column("platform").zip(moved.column("item_id"));
    for ((platform, id), title) in keys.zip(moved.column("title")) {
        let curve_of = tx.item_curve(&platform.to_string(), &id.to_string(), span).await?;
        let name_or_id = if *title == Value::Null { id } else { title };
        let curve = curve(&points(&curve_of, "observed_at", &name));
        rows.push(vec![
            platform.to_string(),
            id.to_string(),
            safe(&name_or_id.to_string(), 20),
            curve,
        ]);
    }
    let cells = ["count_after", "growth", "from_at"].map(|column| {
        moved.column(column).map(|value| shown(value, span.zone)).collect::<Vec<_>>()
    });
    let [after, growth, from] = cells;
    for (row, (after, (growth, from))) in
        rows.iter_mut().zip(after.into_iter().zip(growth.into_iter().zip(from)))
    {
        let sign = if growth.starts_with('-') { "" } else { "+" };
        row.extend([after, format!("{sign}{growth}"), from]);
    }
    let heads =
        ["platform", "item", "title", &format!("{name} over time"), &name, "growth", "from"];
    let text =
        format!("largest change of {name}, {}\n{}", from_to(span), table(&heads, &[4, 5], rows));
    Ok(ReportData {
        text,
        parts: vec![Part { name: "movers", table: moved, one: false }],
        main: "movers",
    })
}

/// A job; `None` if the name is unknown.
pub(super) async fn job(tx: &mut Tx, name: &str, span: Span) -> Result<Option<ReportData>> {
    let job = tx.facts_of_job(name).await?;
    if job.rows.is_empty() {
        return Ok(None);
    }
    let targets = tx.job_targets_report(name, span).await?;
    let head = [
        ("kind", "kind"),
        ("schedule", "schedule"),
        ("timezone", "zone"),
        ("is_active", "active"),
        ("last_due_at", "last fire"),
    ];
    let wanted = [
        ("key", "target"),
        ("title", "title"),
        ("observed_at", "last seen"),
        ("likes", "likes"),
        ("comments", "comments"),
        ("collects", "collects"),
        ("due", "due"),
        ("observed", "observed"),
        ("missed", "missed"),
        ("open", "open"),
    ];
    let text = format!(
        "job {}\n{}slots {}\n{}{}\n",
        safe(name, 80),
        facts(&job, &head, span.zone),
        from_to(span),
        columns(&targets, &wanted, span.zone),
        slots(&targets)
    );
    let parts = vec![
        Part { name: "job", table: job, one: true },
        Part { name: "targets", table: targets, one: false },
    ];
    Ok(Some(ReportData { text, parts, main: "targets" }))
}

/// The cost of calls.
pub(super) async fn spend(tx: &mut Tx, span: Span) -> Result<ReportData> {
    let spend = tx.spend(span).await?;
    let (days, months) = (tx.spend_totals(false, span).await?, tx.spend_totals(true, span).await?);
    let wanted = [
        ("day", "day"),
        ("job", "job"),
        ("origin", "origin"),
        ("endpoint", "endpoint"),
        ("calls", "calls"),
        ("billed", "billed"),
        ("unknown", "unknown"),
        ("unpriced", "unpriced"),
        ("cost_micros", "yuan"),
    ];
    let totals = |of: &Table, period| {
        let head = [(period, period)];
        columns(of, &[head.as_slice(), wanted.get(4..).unwrap_or_default()].concat(), span.zone)
    };
    let [calls, billed, unknown, unpriced, cost] =
        ["calls", "billed", "unknown", "unpriced", "cost_micros"].map(|name| sum(&spend, name));
    let text = format!(
        "cost of calls, {}\n{}{}{}calls {}, billed {}, possibly billed {}, billed without a price {}, cost {} yuan\n",
        from_to(span),
        columns(&spend, &wanted, span.zone),
        totals(&days, "day"),
        totals(&months, "month"),
        count(calls),
        count(billed),
        count(unknown),
        count(unpriced),
        money(cost),
    );
    Ok(ReportData {
        text,
        parts: vec![
            Part { name: "spend", table: spend, one: false },
            Part { name: "days", table: days, one: false },
            Part { name: "months", table: months, one: false },
        ],
        main: "spend",
    })
}

/// The outcome of slots.
pub(super) async fn coverage(tx: &mut Tx, span: Span) -> Result<ReportData> {
    let (days, reasons) = (tx.coverage(span).await?, tx.coverage_reasons(span).await?);
    let mut why: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let named = reasons.column("day").zip(reasons.column("reason"));
    for ((day, reason), slots) in named.zip(reasons.column("slots")) {
        let slots = shown(slots, span.zone);
        why.entry(day.to_string()).or_default().push(format!("{slots} {reason}"));
    }
    let counts = ["due", "observed", "missed", "open"];
    let rows = days.column("day").enumerate().map(|(n, day)| {
        let cells = counts.map(|name| {
            days.column(name).nth(n).map_or_else(String::new, |value| shown(value, span.zone))
        });
        let why = why.remove(&day.to_string()).unwrap_or_default().join(", ");
        [vec![day.to_string()], cells.to_vec(), vec![why]].concat()
    });
    let heads = ["day", "due", "observed", "missed", "open", "reasons"];
    let text = format!(
        "outcome of slots, {}\n{}{}\n",
        from_to(span),
        table(&heads, &[1, 2, 3, 4], rows.collect()),
        slots(&days)
    );
    let parts = vec![
        Part { name: "days", table: days, one: false },
        Part { name: "reasons", table: reasons, one: false },
    ];
    Ok(ReportData { text, parts, main: "days" })
}

fn slots(of: &Table) -> String {
    let [due, observed, missed, open] =
        ["due", "observed", "missed", "open"].map(|name| count(sum(of, name)));
    format!("slots: {due} due = {observed} observed + {missed} missed + {open} open")
}

fn sum(of: &Table, column: &str) -> i64 {
    let number = |value: &Value| if let Value::Int(number) = value { *number } else { 0 };
    of.column(column).map(number).sum()
}

fn ends(span: Span) -> (Time, Time) {
    (span.since.unwrap_or(Time::EPOCH), span.until.unwrap_or(Time::MAX))
}

fn from_to(span: Span) -> String {
    let (since, until) = ends(span);
    format!("from {} to {}", moment(since, span.zone), moment(until, span.zone))
}
