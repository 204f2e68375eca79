//! The reports of a KOL and of a keyword.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono_tz::Tz;

use super::curve::curve;
use super::tables::{along, columns, facts, shown};
use super::{Part, ReportData};
use crate::cli::format::{safe, table};
use crate::store::{Span, Table, Tx, Value};
use crate::text::things;
use crate::time::Time;

/// The report on a KOL; `None` without data.
pub(super) async fn kol(tx: &mut Tx, id: &str, span: Span) -> Result<Option<ReportData>> {
    let known = tx.facts_of_kol(id).await?;
    if known.rows.is_empty() {
        return Ok(None);
    }
    let history = tx.history_of_kol(id, span).await?;
    let zone = span.zone;
    let head = [
        ("nickname", "name"),
        ("red_id", "red id"),
        ("gender", "gender"),
        ("location", "location"),
        ("level", "level"),
        ("mcn_name", "MCN"),
        ("picture_price", "picture yuan"),
        ("video_price", "video yuan"),
        ("first_seen_at", "first seen"),
        ("last_seen_at", "last seen"),
    ];
    let mut text = format!("KOL {}\n{}", safe(id, 80), facts(&known, &head, zone));
    text += &along(&history, "observed_at", "followers", "followers");
    text += &along(&history, "observed_at", "read_median", "read median");
    let times = [
        ("observed_at", "observation"),
        ("followers", "followers"),
        ("read_median", "reads"),
        ("engagement_median", "engaged"),
        ("picture_price", "picture yuan"),
        ("picture_price_per_read", "a read"),
        ("picture_price_per_engagement", "engaged"),
        ("video_price", "video yuan"),
        ("video_price_per_read", "a read"),
        ("video_price_per_engagement", "engaged"),
    ];
    text += &columns(&history, &times, zone);
    let parts = vec![
        Part { name: "facts", table: known, one: true },
        Part { name: "history", table: history, one: false },
    ];
    Ok(Some(ReportData { text, parts, main: "history" }))
}

/// The report on a keyword; `None` if it was not observed in the span.
pub(super) async fn keyword(tx: &mut Tx, keyword: &str, span: Span) -> Result<Option<ReportData>> {
    let ranks = tx.keyword_history(keyword, span).await?;
    if ranks.rows.is_empty() {
        return Ok(None);
    }
    let text = format!("keyword {}\n{}", safe(keyword, 80), standings(&ranks, span.zone));
    let parts = vec![Part { name: "ranks", table: ranks, one: false }];
    Ok(Some(ReportData { text, parts, main: "ranks" }))
}

/// The current suggestions by rank, then the former ones, each with its rank over time.
fn standings(ranks: &Table, zone: Tz) -> String {
    let mut times: Vec<Time> = Vec::new();
    let mut ways: BTreeMap<&str, BTreeMap<Time, (Option<i64>, String)>> = BTreeMap::new();
    let values = ranks.column("observed_at").zip(ranks.column("suggestion"));
    for ((at, suggestion), (rank, change)) in
        values.zip(ranks.column("rank").zip(ranks.column("change")))
    {
        let (Value::Time(at), Value::Text(suggestion)) = (at, suggestion) else { continue };
        if times.last() != Some(at) {
            times.push(*at);
        }
        let rank = if let Value::Int(rank) = rank { Some(*rank) } else { None };
        ways.entry(suggestion).or_default().insert(*at, (rank, shown(change, zone)));
    }
    let rows = ways.iter().map(|(suggestion, way)| {
        let points = times.iter().map(|at| {
            // Rank 1 is the top of the curve.
            (*at, way.get(at).and_then(|(rank, _)| rank.map(|rank| -rank)))
        });
        let points: Vec<_> = points.collect();
        let last = way.last_key_value();
        let now = last.filter(|(at, _)| times.last() == Some(*at));
        let rank = now.and_then(|(_, (rank, _))| *rank);
        let change = now.map_or_else(|| "left".to_owned(), |(_, (_, change))| change.clone());
        let mut seen = way.iter().filter(|(_, (rank, _))| rank.is_some()).map(|(at, _)| *at);
        let seen = Value::from_time(seen.next_back());
        let shown_rank = shown(&rank.map_or(Value::Null, Value::Int), zone);
        let row =
            vec![shown_rank, safe(suggestion, 40), curve(&points), change, shown(&seen, zone)];
        (rank.unwrap_or(i64::MAX), row)
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|(rank, _)| *rank);
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    let text = table(
        &["rank", "suggestion", "over time, best on top", "last change", "last seen"],
        &[0],
        rows,
    );
    let from_to =
        [times.first(), times.last()].map(|at| shown(&Value::from_time(at.copied()), zone));
    format!("{text}{} from {} to {}\n", things(times.len(), "observation"), from_to[0], from_to[1])
}
