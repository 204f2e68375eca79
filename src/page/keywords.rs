//! Keywords and the ranks of their suggestions.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use maud::{Markup, html};

use super::Page;
use super::format::{count, local, path, visible};
use super::plain::plain;
use super::svg::{Ranks, bump};
use super::texts::Text;
use super::view::{Answer, View, Visit};
use crate::store::page::RankedSuggestion;
use crate::time::Time;

/// Keywords per page.
const KEYWORDS: i64 = 100;

/// Maximum observations drawn, latest first.
const OBSERVATIONS: i64 = 30;

/// A span this many times the median is a gap.
const UNUSUAL: f64 = 1.75;

pub(super) async fn list(State(page): State<Page>, visit: Visit) -> Answer {
    let (view, mut tx) = page.open(visit).await?;
    let offset = (view.visit.page() - 1) * KEYWORDS;
    let mut seen = tx.keyword_facts(KEYWORDS + 1, offset).await?;
    let has_more = seen.len() > usize::try_from(KEYWORDS).unwrap_or(usize::MAX);
    seen.truncate(usize::try_from(KEYWORDS).unwrap_or(usize::MAX));
    let body = html! {
        h1 { (view.say(Text::Keywords)) }
        @if seen.is_empty() { p.empty { (view.say(Text::NoKeywords)) } } @else {
            div.scroll { table {
                thead { tr {
                    th { (view.say(Text::Keyword)) }
                    th { (view.say(Text::FirstSuggestion)) }
                    th.n.wide { (view.say(Text::Suggestions)) }
                    th { (view.say(Text::LastSeen)) }
                } }
                tbody {
                    @for word in &seen {
                        tr {
                            td.title { a href=(path(&["keyword", &word.keyword])) { (visible(&word.keyword)) } }
                            td { (visible(word.first.as_deref().unwrap_or("–"))) }
                            td.n.wide { (count(word.observed_at.map(|_| word.suggestions))) }
                            td { (view.perhaps_at(word.observed_at)) }
                        }
                    }
                }
            } }
        }
        (view.pages(has_more))
    };
    Ok(view.page(view.say(Text::Keywords), &body))
}

pub(super) async fn page(
    State(page): State<Page>,
    Path(word): Path<String>,
    visit: Visit,
) -> Answer {
    let (view, mut tx) = page.open(visit).await?;
    let ranked = tx.suggestion_ranks(&word, OBSERVATIONS).await?;
    if ranked.is_empty() {
        return Err(view.not_found());
    }
    let history = RankHistory::of(&ranked);
    let labels: Vec<_> =
        history.times.iter().map(|at| local(*at, view.zone, "%m-%d %H:%M")).collect();
    let body = html! {
        h1 { (visible(&word)) }
        section {
            h2 {
                (view.say(Text::RanksOverTime)) " "
                small { (view.things(history.times.len(), Text::OneObservation)) }
            }
            div.scroll.end { (bump(&history.lines, &history.gaps(), &labels)) }
        }
        section { h2 { (view.say(Text::LatestObservation)) } (latest(&view, &history, &ranked)) }
    };
    Ok(view.page(&word, &body))
}

/// The suggestions of each observation.
struct RankHistory {
    /// Times of the observations, oldest first.
    times: Vec<Time>,
    /// One line per suggestion, ordered by current rank.
    lines: Vec<Ranks>,
}

impl RankHistory {
    fn of(ranked: &[RankedSuggestion]) -> Self {
        let mut times: Vec<_> = ranked.iter().map(|row| row.observed_at).collect();
        times.sort_unstable();
        times.dedup();
        let mut lines: BTreeMap<&str, Vec<Option<i64>>> = BTreeMap::new();
        for row in ranked {
            let Ok(at) = times.binary_search(&row.observed_at) else { continue };
            let line = lines.entry(&row.suggestion).or_insert_with(|| vec![None; times.len()]);
            if let Some(place) = line.get_mut(at) {
                // Of a duplicate suggestion the better rank counts.
                *place = Some(place.map_or(row.rank, |rank| rank.min(row.rank)));
            }
        }
        let mut lines: Vec<_> =
            lines.into_iter().map(|(name, at)| Ranks { name: plain(name), at }).collect();
        let last = |line: &Ranks| line.at.last().copied().flatten().unwrap_or(i64::MAX);
        lines.sort_by_key(last);
        Self { times, lines }
    }

    /// Whether observations are missing after each one.
    fn gaps(&self) -> Vec<bool> {
        let spans = self.times.windows(2).filter_map(|pair| match pair {
            [from, to] => Some(to.since(*from).as_secs_f64()),
            _ => None,
        });
        let spans: Vec<_> = spans.collect();
        let mut sorted = spans.clone();
        sorted.sort_by(f64::total_cmp);
        let usual = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        spans.into_iter().map(|span| span > usual * UNUSUAL).collect()
    }
}

/// The latest observation, compared with the one before.
fn latest(view: &View, history: &RankHistory, ranked: &[RankedSuggestion]) -> Markup {
    let Some(last) = history.times.len().checked_sub(1) else { return html! {} };
    let rank_at = |line: &Ranks, at: usize| line.at.get(at).copied().flatten();
    let before = |line: &Ranks| last.checked_sub(1).and_then(|at| rank_at(line, at));
    let here = history.lines.iter().filter(|line| rank_at(line, last).is_some());
    let left =
        history.lines.iter().filter(|line| rank_at(line, last).is_none() && before(line).is_some());
    let moved = |line: &Ranks| match (before(line), rank_at(line, last)) {
        _ if last == 0 => html! {},
        (Some(from), Some(to)) if to < from => html! { span.up { "▲" (from - to) } },
        (Some(from), Some(to)) if to > from => html! { span.down { "▼" (to - from) } },
        (None, _) => html! { span.up { (view.say(Text::Entered)) } },
        _ => html! { span.still { "=" } },
    };
    html! {
        @if let Some(row) = ranked.first() {
            p { (view.exactly_at(row.observed_at)) " " (view.document(row.document_id)) }
        }
        table.narrow { tbody {
            @for line in here {
                tr {
                    td.n { (count(rank_at(line, last))) }
                    td { (line.name) }
                    td { (moved(line)) }
                }
            }
            @for line in left {
                tr { td.n { "–" } td { (line.name) } td { span.down { (view.say(Text::Left)) } } }
            }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(hour: i64, rank: i64, suggestion: &str) -> RankedSuggestion {
        let observed_at = Time::from_micros(hour * 3_600_000_000).expect("a time");
        RankedSuggestion { observed_at, rank, suggestion: suggestion.into(), document_id: 1 }
    }

    #[test]
    fn suggestion_has_a_rank_per_observation() {
        let ranked =
            [row(2, 1, "b"), row(2, 2, "a"), row(1, 1, "a"), row(1, 3, "a"), row(0, 1, "c")];
        let history = RankHistory::of(&ranked);
        let lines: Vec<_> =
            history.lines.iter().map(|it| (it.name.as_str(), it.at.clone())).collect();
        let expected = [
            ("b", vec![None, None, Some(1)]),
            ("a", vec![None, Some(1), Some(2)]),
            ("c", vec![Some(1), None, None]),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn day_without_observation_is_a_gap() {
        let ranked = [row(0, 1, "a"), row(24, 1, "a"), row(72, 1, "a"), row(96, 1, "a")];
        assert_eq!(RankHistory::of(&ranked).gaps(), [false, true, false]);
    }
}
