//! The report of a note or a work.

use anyhow::Result;
use chrono_tz::Tz;

use super::tables::{along, columns, facts, shown};
use super::{Part, ReportData};
use crate::cli::format::table;
use crate::model::Suspect;
use crate::store::{Span, Table, Tx, Value};

/// The report; `None` if the archive has no data on the item.
pub(super) async fn content(
    tx: &mut Tx,
    platform: &str,
    id: &str,
    span: Span,
) -> Result<Option<ReportData>> {
    let item = Item {
        facts: tx.facts_of_item(platform, id).await?,
        latest: tx.item_latest(platform, id).await?,
        growth: tx.item_growth(platform, id).await?,
        timeline: tx.item_timeline(platform, id).await?,
        days: tx.item_days(platform, id, span).await?,
        curve: tx.item_curve(platform, id, span).await?,
    };
    if item.facts.rows.is_empty() && item.timeline.rows.is_empty() {
        return Ok(None);
    }
    let text = format!("{platform} {id}\n{}", item.text(span.zone));
    let Item { facts, latest, growth, timeline, days, curve } = item;
    let one = |name, table| Part { name, table, one: true };
    let many = |name, table| Part { name, table, one: false };
    let parts = vec![
        one("facts", facts),
        one("latest", latest),
        many("growth", growth),
        many("timeline", timeline),
        many("days", days),
        many("observations", curve),
    ];
    Ok(Some(ReportData { text, parts, main: "observations" }))
}

struct Item {
    facts: Table,
    latest: Table,
    growth: Table,
    timeline: Table,
    days: Table,
    curve: Table,
}

/// The counts: columns and headings.
const COUNTS: [(&str, &str); 5] = [
    ("likes", "likes"),
    ("comments", "comments"),
    ("collects", "collects"),
    ("shares", "shares"),
    ("views", "views"),
];

impl Item {
    fn text(&self, zone: Tz) -> String {
        let known = [
            ("title", "title"),
            ("nickname", "author"),
            ("item_type", "type"),
            ("published_at", "published"),
            ("first_seen_at", "first seen"),
            ("last_seen_at", "last seen"),
        ];
        let mut text = facts(&self.facts, &known, zone);
        let latest = [
            [("observed_at", "latest")].as_slice(),
            &COUNTS,
            &[("exact", "exact"), ("suspect", "doubtful"), ("document_id", "document")],
        ];
        text += &columns(&self.latest, &latest.concat(), zone);
        let curves = COUNTS.map(|(column, head)| along(&self.curve, "observed_at", column, head));
        text += &curves.concat();
        text += &doubtful(&self.curve);
        if !self.days.rows.is_empty() {
            let days = [
                ("day", "day"),
                ("observations", "observations"),
                ("likes", "likes"),
                ("likes_delta", "growth"),
                ("comments", "comments"),
                ("comments_delta", "growth"),
                ("collects", "collects"),
                ("collects_delta", "growth"),
                ("days", "since days"),
            ];
            text += &columns(&self.days, &days, zone);
        }
        text += &self.growth(zone);
        let events = [
            ("at", "when"),
            ("event", "what"),
            ("evidence", "evidence"),
            ("document_id", "document"),
        ];
        text + &columns(&self.timeline, &events, zone)
    }

    /// The counts at certain ages, interpolated as a range between two observations.
    fn growth(&self, zone: Tz) -> String {
        let column = |name: &str| self.growth.column(name).cloned().collect::<Vec<_>>();
        let ages = column("age_hours");
        if column("likes").iter().all(|value| *value == Value::Null) {
            return String::new();
        }
        let named: Vec<_> = ages.iter().map(age).collect();
        let counts = ["likes", "comments", "collects"].map(|name| {
            let bounds =
                column(&format!("{name}_before")).into_iter().zip(column(&format!("{name}_after")));
            let counts = column(name).into_iter().zip(bounds);
            counts.map(|(value, bounds)| between(&value, &bounds, zone)).collect::<Vec<_>>()
        });
        let [likes, comments, collects] = counts;
        let rows = named.into_iter().zip(likes).zip(comments.into_iter().zip(collects));
        let rows =
            rows.map(|((age, likes), (comments, collects))| vec![age, likes, comments, collects]);
        table(&["at age", "likes", "comments", "collects"], &[1, 2, 3], rows.collect())
    }
}

/// How many of the observations are doubtful, and why.
fn doubtful(curve: &Table) -> String {
    let why: Vec<_> = Suspect::ALL
        .into_iter()
        .filter_map(|suspect| {
            let found = curve.column("suspect").filter(|it| it.to_string() == suspect.as_str());
            Some(found.count()).filter(|count| *count > 0).map(|count| format!("{count} {suspect}"))
        })
        .collect();
    if why.is_empty() {
        String::new()
    } else {
        format!("  {:<12} {}\n", "doubtful", why.join(", "))
    }
}

fn age(hours: &Value) -> String {
    match hours {
        Value::Int(hours @ 72..) => format!("{} d", hours / 24),
        other => format!("{other} h"),
    }
}

/// A count at an age: observed, or a range between two observations.
fn between(value: &Value, (low, high): &(Value, Value), zone: Tz) -> String {
    let Value::Real(number) = value else { return "–".to_owned() };
    let rounded = Value::Real(number.round());
    match low == high {
        true => shown(low, zone),
        false => format!("{} ({}–{})", shown(&rounded, zone), shown(low, zone), shown(high, zone)),
    }
}
