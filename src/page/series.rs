//! Points of a curve for the script that draws it.

use axum::Json;
use serde_json::{Value, json};

use super::curve::{Expected, gaps};
use super::format::real;
use super::plain::plain;
use super::texts::{Text, named};
use super::view::View;
use crate::model::MissedReason;
use crate::store::page::{Event, ItemObservation, MissedSlot};
use crate::time::Time;

/// The counts: names and labels, in the order of the points.
pub(super) const COUNTS: [(&str, Text); 5] = [
    ("likes", Text::Likes),
    ("comments", Text::Comments),
    ("collects", Text::Collects),
    ("shares", Text::Shares),
    ("views", Text::Views),
];

/// Sorted observations as columns: x (seconds since 1970, or `x` of the time), the counts, whether
/// they are exact, the documents, and why they are doubtful. A gap is a point without counts.
pub(super) fn columns(
    view: &View,
    seen: &[ItemObservation],
    missed: &[Time],
    expected: &Expected,
    x: impl Fn(Time) -> f64,
) -> Value {
    let times: Vec<_> = seen.iter().map(|point| point.observed_at).collect();
    let gaps = gaps(&times, missed, expected);
    let mut columns: [Vec<Value>; 9] = Default::default();
    let mut push = |row: [Value; 9]| {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    };
    for (nth, point) in seen.iter().enumerate() {
        let at = x(point.observed_at);
        push([
            json!(at),
            json!(point.likes),
            json!(point.comments),
            json!(point.collects),
            json!(point.shares),
            json!(point.views),
            json!(point.exact),
            json!(point.document_id),
            json!(point.suspect.map(|it| view.why_doubtful(it))),
        ]);
        if let (Some(next), true) = (seen.get(nth + 1), gaps.get(nth).copied().unwrap_or(false)) {
            let middle = f64::midpoint(at, x(next.observed_at));
            let mut gap = [(); 9].map(|()| Value::Null);
            gap[0] = json!(middle);
            push(gap);
        }
    }
    json!(columns)
}

/// Seconds since 1970.
pub(super) fn seconds(at: Time) -> f64 {
    real(at.micros()) / 1e6
}

/// Events, as marks on the chart.
pub(super) fn events(view: &View, events: &[Event]) -> Value {
    let shown = events.iter().map(|event| {
        json!([
            seconds(event.at),
            event.event,
            named(view.visit.language, &event.event),
            plain(&event.evidence)
        ])
    });
    shown.collect()
}

/// Missed slots, as marks on the chart.
pub(super) fn missed(view: &View, missed: &[MissedSlot]) -> Value {
    let why = |slot: &MissedSlot| {
        named(view.visit.language, slot.reason.map_or("", MissedReason::as_str)).into_owned()
    };
    missed.iter().map(|slot| json!([seconds(slot.due_at), why(slot)])).collect()
}

/// The script's labels in the visitor's language.
pub(super) fn labels(view: &View) -> Value {
    let texts = [
        ("total", Text::Total),
        ("per_day", Text::PerDay),
        ("linear", Text::Linear),
        ("log", Text::Log),
        ("document", Text::Document),
        ("rounded", Text::Rounded),
        ("hours", Text::HoursOld),
        ("hint", Text::ChartHint),
        ("click", Text::ClickHint),
        ("nothing", Text::NothingSeen),
    ];
    texts.into_iter().map(|(name, text)| (name.to_owned(), json!(view.say(text)))).collect()
}

/// The script's data on one item or KOL.
pub(super) fn answer(view: &View, metrics: &[(&str, Text)], rest: Value) -> Json<Value> {
    let metrics: Vec<_> =
        metrics.iter().map(|(name, label)| json!([name, view.say(*label)])).collect();
    let mut answer = json!({
        "metrics": metrics,
        "zone": view.zone.name(),
        "texts": labels(view),
    });
    if let (Some(answer), Value::Object(rest)) = (answer.as_object_mut(), rest) {
        answer.extend(rest);
    }
    Json(answer)
}
