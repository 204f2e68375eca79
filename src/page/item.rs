//! A note or work: facts, curves, observations, and events.

use anyhow::Result;
use axum::Json;
use axum::extract::{Path, State};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::curve::Expected;
use super::format::{NOTHING, count, path, title, visible, whole};
use super::home::item_link;
use super::plain::escaped;
use super::texts::{Text, named};
use super::view::{Answer, Failure, View, Visit};
use super::{Page, item_word, series};
use crate::model::{MissedReason, Platform};
use crate::store::Tx;
use crate::store::page::{Event, Growth, ItemFacts, ItemObservation, MissedSlot, Watcher};
use crate::text::is_visible;
use crate::time::Time;

/// Maximum observations drawn, latest first.
pub(super) const MOST_POINTS: i64 = 20_000;

/// Rows of the table of observations.
const ROWS: i64 = 50;

/// Missed slots listed.
const MISSED: i64 = 20;

pub(super) async fn page(
    platform: Platform,
    State(page): State<Page>,
    Path(id): Path<String>,
    visit: Visit,
) -> Answer {
    let (view, mut tx) = page.open(visit).await?;
    let Some(facts) = tx.item_facts(platform, &id).await? else {
        return Err(view.not_there(tx.forgotten_at(item_word(platform), platform, &id).await?));
    };
    let before = view.visit.asks("before").and_then(|at| at.parse().ok()).unwrap_or(Time::MAX);
    let hashtags = tx.hashtags_of(platform, &id).await?;
    let watchers = tx.watchers_of(platform, &id).await?;
    let seen = tx.observations_before(platform, &id, before, ROWS + 1).await?;
    let grown = tx.growth(platform, &id).await?;
    let events = tx.events_of(platform, &id).await?;
    let missed = tx.missed_of(platform, &id, Time::EPOCH, MISSED).await?;
    let name = title(facts.title.as_deref().or(facts.body.as_deref()), &id);
    let body = html! {
        h1 { (visible(&name)) }
        div.columns {
            section { (cover(&view, platform, &facts, &hashtags, &watchers)) }
            section {
                h2 { (view.say(Text::ByAge)) }
                (ages(&view, &grown))
                h2 { (view.say(Text::Timeline)) }
                (timeline(&view, &events))
            }
        }
        section {
            h2 { (view.say(Text::Curves)) }
            (chart(&view, &path(&[item_word(platform), &id, "series"])))
        }
        div.columns {
            section {
                h2 { (view.say(Text::Observations)) }
                (observations(&view, &seen))
            }
            section {
                h2 { (view.say(Text::MissedSlots)) }
                (missed_slots(&view, &missed))
            }
        }
    };
    Ok(view.page(&name, &body))
}

/// Placeholder in which the script draws a curve.
pub(super) fn chart(view: &View, series: &str) -> Markup {
    html! {
        div.chart data-series=(series) {
            noscript { p.empty { (view.say(Text::NeedsScript)) } }
        }
    }
}

fn cover(
    view: &View,
    platform: Platform,
    facts: &ItemFacts,
    hashtags: &[String],
    watchers: &[Watcher],
) -> Markup {
    let by = facts.nickname.as_deref().unwrap_or(NOTHING);
    html! {
        dl.facts {
            dt { (view.say(Text::Author)) }
            dd {
                (visible(by))
                @if let Some(handle) = &facts.handle { " " span.still { (visible(handle)) } }
            }
            dt { "ID" }
            dd { code { (visible(&facts.item_id)) } }
            dt { (view.say(Text::Kind)) }
            dd {
                (named(view.visit.language, item_word(platform))) " · "
                (visible(&named(view.visit.language, facts.item_type.as_deref().unwrap_or(NOTHING))))
                @if facts.images > 0 { " · " (view.say(Text::Pictures)) " " (count(Some(facts.images))) }
                @if let Some(duration) = facts.duration_ms { " · " (duration / 1000) " s" }
            }
            dt { (view.say(Text::Published)) }
            dd { (view.perhaps_at(facts.published_at)) }
            dt { (view.say(Text::Edited)) }
            dd { (view.perhaps_at(facts.edited_at)) }
            dt { (view.say(Text::Place)) }
            dd { (visible(facts.place.as_deref().unwrap_or(NOTHING))) }
            dt { (view.say(Text::FirstSeen)) }
            dd { (view.exactly_at(facts.first_seen_at)) }
            dt { (view.say(Text::LastSeen)) }
            dd { (view.exactly_at(facts.last_seen_at)) }
            dt { (view.say(Text::Document)) }
            dd { (view.document(facts.document_id)) }
            dt { (view.say(Text::Jobs)) }
            dd {
                @for watcher in watchers {
                    a.(if watcher.watches { "watches" } else { "watched" }) href=(path(&["job", &watcher.name])) { (visible(&watcher.name)) } " "
                }
                @if watchers.is_empty() { (NOTHING) }
            }
            @if let Some(next) = next_slot(view, watchers) {
                dt { (view.say(Text::NextSlot)) }
                dd { (view.exactly_at(next)) }
            }
            @if let Some(url) = facts.share_url.as_deref().and_then(safe_link) {
                dt { (view.say(Text::Address)) }
                dd { a href=(url) rel="noopener noreferrer" target="_blank" { (visible(&url)) } }
            }
        }
        @if let Some(body) = facts.body.as_deref().filter(|body| !body.is_empty()) {
            p.body { (visible(body)) }
        }
        @if !hashtags.is_empty() {
            p.tags { @for tag in hashtags { span { "#" (visible(tag)) } " " } }
        }
    }
}

fn next_slot(view: &View, watchers: &[Watcher]) -> Option<Time> {
    let watching: Vec<_> = watchers.iter().filter(|it| it.watches).cloned().collect();
    Expected::by(&watching).next_after(view.now)
}

/// An address that is safe to link: https, without user name and odd characters.
pub(super) fn safe_link(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    (url.scheme() == "https" && address.chars().all(is_visible)).then(|| url.to_string())
}

fn observations(view: &View, seen: &[ItemObservation]) -> Markup {
    let shown = seen.iter().take(usize::try_from(ROWS).unwrap_or(usize::MAX));
    let more =
        seen.get(usize::try_from(ROWS - 1).unwrap_or(usize::MAX)).filter(|_| seen.len() > 50);
    html! {
        @if seen.is_empty() { p.empty { (view.say(Text::NothingSeen)) } } @else {
            div.scroll { table {
                thead { tr {
                    th { (view.say(Text::Time)) }
                    th.n { (view.say(Text::Document)) }
                    @for (_, label) in series::COUNTS { th.n { (view.say(label)) } }
                } }
                tbody {
                    @for point in shown {
                        tr {
                            td { (view.exactly_at(point.observed_at)) (view.doubt(point.suspect)) }
                            td.n { (view.document(point.document_id)) }
                            @for value in [point.likes, point.comments, point.collects, point.shares, point.views] {
                                td.n { (view.seen(value, point.exact)) }
                            }
                        }
                    }
                }
            } }
            @if let Some(last) = more {
                nav.pages { a href={ "?before=" (escaped(&last.observed_at.to_string())) } rel="next" { (view.say(Text::Older)) " →" } }
            }
        }
    }
}

/// The counts at certain ages.
pub(super) fn ages(view: &View, grown: &[Growth]) -> Markup {
    let shown = |value: Option<f64>| count(value.map(whole));
    html! {
        @if grown.is_empty() { p.empty { (view.say(Text::NoAge)) } } @else {
            div.scroll { table {
                thead { tr {
                    th { (view.say(Text::Age)) }
                    @for (_, label) in series::COUNTS.iter().take(4) { th.n { (view.say(*label)) } }
                } }
                tbody {
                    @for at in grown {
                        tr {
                            td { (age(view, at.age_hours)) }
                            td.n { (shown(at.likes)) }
                            td.n { (shown(at.comments)) }
                            td.n { (shown(at.collects)) }
                            td.n { (shown(at.shares)) }
                        }
                    }
                }
            } }
        }
    }
}

/// An age in hours or days.
pub(super) fn age(view: &View, hours: i64) -> String {
    match hours {
        ..72 => format!("{hours} {}", view.say(Text::HoursShort)),
        _ => format!("{} {}", hours / 24, view.say(Text::DaysShort)),
    }
}

fn timeline(view: &View, events: &[Event]) -> Markup {
    html! {
        @if events.is_empty() { p.empty { (view.say(Text::NothingSeen)) } }
        ol.timeline {
            @for event in events {
                li.(event.event) {
                    (view.exactly_at(event.at)) " "
                    b { (named(view.visit.language, &event.event)) } " "
                    span.still { (visible(&named(view.visit.language, &event.evidence))) } " "
                    @if let Some(id) = event.document_id { (view.document(id)) }
                }
            }
        }
    }
}

fn missed_slots(view: &View, missed: &[MissedSlot]) -> Markup {
    html! {
        @if missed.is_empty() { p.empty { (view.say(Text::NoneMissed)) } } @else {
            table { tbody {
                @for slot in missed {
                    tr {
                        td { (view.exactly_at(slot.due_at)) }
                        td { (named(view.visit.language, slot.reason.map_or(NOTHING, MissedReason::as_str))) }
                    }
                }
            } }
        }
    }
}

/// An item's latest observations in order, and the due times of missed slots in between.
pub(super) async fn curve(
    tx: &mut Tx,
    platform: Platform,
    id: &str,
) -> Result<(Vec<ItemObservation>, Vec<MissedSlot>)> {
    let mut seen = tx.observations_before(platform, id, Time::MAX, MOST_POINTS).await?;
    seen.reverse();
    let since = seen.first().map_or(Time::MAX, |first| first.observed_at);
    let mut missed = tx.missed_of(platform, id, since, MOST_POINTS).await?;
    missed.reverse();
    Ok((seen, missed))
}

pub(super) async fn series(
    platform: Platform,
    State(page): State<Page>,
    Path(id): Path<String>,
    visit: Visit,
) -> Result<Json<Value>, Failure> {
    let (view, mut tx) = page.open(visit).await?;
    let (seen, missed) = curve(&mut tx, platform, &id).await?;
    let expected = Expected::by(&tx.watchers_of(platform, &id).await?);
    let due: Vec<_> = missed.iter().map(|slot| slot.due_at).collect();
    let events = tx.events_of(platform, &id).await?;
    let columns = series::columns(&view, &seen, &due, &expected, series::seconds);
    let rest = json!({
        "lines": [{ "name": "", "columns": columns }],
        "until": due.last().copied().max(events.first().map(|event| event.at)).map(series::seconds),
        "events": series::events(&view, &events),
        "missed": series::missed(&view, &missed),
    });
    Ok(series::answer(&view, &series::COUNTS, rest))
}

/// A link to an item known only by kind and key.
pub(super) fn target_link(kind: &str, key: &str, text: Option<&str>) -> Markup {
    match super::platform_of(kind) {
        Some(platform) => item_link(platform, key, text),
        None if kind == "keyword" => html! { a href=(path(&["keyword", key])) { (visible(key)) } },
        None => html! { (visible(&title(text, key))) },
    }
}

#[cfg(test)]
mod tests {
    use super::safe_link;

    #[test]
    fn only_https_addresses_are_linked() {
        assert!(safe_link("https://www.xiaohongshu.com/explore/1").is_some());
        for address in ["javascript:alert(1)", "http://a.test/", "data:text/html,x", "//a.test", ""]
        {
            assert_eq!(safe_link(address), None, "{address}");
        }
        assert_eq!(safe_link("https://a.test/\u{202e}"), None);
    }
}
