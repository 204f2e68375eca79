//! A job: its fires, its coverage, and its targets side by side.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Path, State};
use maud::{Markup, html};

use super::curve::Expected;
use super::format::{count, local, real, visible};
use super::home::{likes_line, next_fire};
use super::item::target_link;
use super::svg::{beginning, sparkline};
use super::texts::{Text, named};
use super::view::{Answer, View, Visit};
use super::{Page, platform_of};
use crate::model::{KolSearch, MissedReason, SlotOutcome};
use crate::store::page::{FireOutcome, JobFacts, JobTarget};
use crate::time::Time;

/// Targets per page.
const TARGETS: i64 = 24;

/// Weeks of the calendar.
const WEEKS: u32 = 12;

/// Maximum slots counted for the calendar: a large job shows fewer weeks.
const MOST_SLOTS: f64 = 500_000.0;

/// Time span of the sparklines.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// Fires listed.
const FIRES: usize = 3;

pub(super) async fn page(
    State(page): State<Page>,
    Path(name): Path<String>,
    visit: Visit,
) -> Answer {
    let (view, mut tx) = page.open(visit).await?;
    let Some(job) = tx.job_named(&name).await? else { return Err(view.not_found()) };
    let all = tx.count_job_targets(job.job_id).await?;
    let weeks = weeks(Expected::by_job(&job).fires_per_day(view.as_of) * real(all));
    let midnights = midnights(&view, weeks);
    let since = midnights.first().copied().unwrap_or(view.as_of);
    let outcomes = tx.fire_outcomes(job.job_id, since).await?;
    let offset = (view.visit.page() - 1) * TARGETS;
    let targets = tx.job_targets(job.job_id, TARGETS, offset).await?;
    let since = view.as_of.minus(WEEK);
    let mut lines = Vec::new();
    for target in &targets {
        lines.push(match (platform_of(&target.kind), &target.item_id) {
            (Some(platform), Some(id)) => Some(likes_line(&mut tx, platform, id, since).await?),
            _ => None,
        });
    }
    let span = (beginning(lines.iter().flatten(), since), view.as_of);
    let cards = targets.iter().zip(&lines);
    let cards: Vec<_> = cards
        .map(|(target, line)| card(&view, target, line.as_ref().map(|it| sparkline(it, span))))
        .collect();
    let can_compare = platform_of(&job.kind).is_some();
    let body = html! {
        h1 { (visible(&job.name)) }
        div.columns {
            section { (facts(&view, &job, all, weeks, &outcomes)) }
            section { h2 { (view.say(Text::Coverage)) } (calendar(&view, &midnights, &days(&outcomes, &midnights))) }
        }
        section {
            h2 { (view.say(Text::Targets)) " " small { (count(Some(all))) } }
            @if cards.is_empty() { p.empty { (view.say(Text::NoTargets)) } }
            form action="/compare" {
                div.cards { @for card in &cards { (card) } }
                @if can_compare && !cards.is_empty() {
                    button type="submit" { (view.say(Text::CompareByAge)) }
                }
            }
            (view.pages(offset + TARGETS < all))
        }
    };
    Ok(view.page(&job.name, &body))
}

fn facts(
    view: &View,
    job: &JobFacts,
    targets: i64,
    weeks: u32,
    outcomes: &[FireOutcome],
) -> Markup {
    let slots = |outcome: Option<SlotOutcome>| {
        let slots = outcomes.iter().filter(|it| it.outcome == outcome).map(|it| it.slots);
        count(Some(slots.sum()))
    };
    let expected = Expected::by_job(job);
    let fires = std::iter::successors(expected.next_after(view.now), |at| expected.next_after(*at));
    html! {
        dl.facts {
            dt { (view.say(Text::Kind)) }
            dd { (named(view.visit.language, &job.kind)) }
            dt { (view.say(Text::Schedule)) }
            dd { code { (visible(&job.schedule)) } " " span.still { (visible(&job.timezone)) } }
            @if let Some(active) = &job.active {
                dt { (view.say(Text::Windows)) }
                dd { (visible(active)) }
            }
            dt { (view.say(Text::Targets)) }
            dd { (count(Some(targets))) }
            dt { (view.say(Text::NextFire)) }
            dd {
                @if job.is_active {
                    @for fire in fires.take(FIRES) { (view.exactly_at(fire)) br; }
                } @else { (next_fire(view, job)) }
            }
            dt { (view.things(weeks, Text::Weeks)) }
            dd {
                (slots(Some(SlotOutcome::Observed))) " " (view.say(Text::Observed)) " · "
                (slots(Some(SlotOutcome::Missed))) " " (view.say(Text::Missed)) " · "
                (slots(None)) " " (view.say(Text::Open))
            }
        }
    }
}

/// Number of weeks for a job with this many slots per day.
fn weeks(slots_per_day: f64) -> u32 {
    (1..=WEEKS).rev().find(|weeks| f64::from(weeks * 7) * slots_per_day <= MOST_SLOTS).unwrap_or(1)
}

/// Start of each day in the calendar: whole weeks from a Monday on, and the end of the last day.
fn midnights(view: &View, weeks: u32) -> Vec<Time> {
    use chrono::Datelike as _;
    let today = view.as_of.utc().with_timezone(&view.zone);
    let into_week = today.weekday().num_days_from_monday();
    let mut midnight = view.as_of.last_midnight(view.zone);
    for _ in 0..(weeks - 1) * 7 + into_week {
        midnight = midnight.minus(Duration::from_secs(1)).last_midnight(view.zone);
    }
    let mut midnights = vec![midnight];
    while let Some(last) = midnights.last().filter(|last| **last <= view.as_of) {
        midnights.push(last.next_midnight(view.zone));
    }
    midnights
}

/// Slots of one day by outcome.
#[derive(Default)]
struct DayTotals {
    due: i64,
    observed: i64,
    open: i64,
    reasons: BTreeMap<MissedReason, i64>,
}

/// Slots of each day by outcome.
fn days(outcomes: &[FireOutcome], midnights: &[Time]) -> Vec<DayTotals> {
    let mut days: Vec<_> = midnights.iter().skip(1).map(|_| DayTotals::default()).collect();
    for slot in outcomes {
        let nth = midnights.partition_point(|midnight| *midnight <= slot.due_at);
        let Some(day) = nth.checked_sub(1).and_then(|nth| days.get_mut(nth)) else { continue };
        day.due += slot.slots;
        match slot.outcome {
            Some(SlotOutcome::Observed) => day.observed += slot.slots,
            None => day.open += slot.slots,
            Some(SlotOutcome::Missed) => {
                if let Some(reason) = slot.reason {
                    *day.reasons.entry(reason).or_default() += slot.slots;
                }
            }
        }
    }
    days
}

impl DayTotals {
    /// Share of settled slots observed, in five steps; 0 without settled slots.
    fn step(&self) -> i64 {
        let settled = self.due - self.open;
        match self.observed.checked_mul(100).map(|seen| seen.checked_div(settled)) {
            Some(Some(100..)) => 5,
            Some(Some(95..)) => 4,
            Some(Some(75..)) => 3,
            Some(Some(1..)) => 2,
            Some(Some(_)) => 1,
            _ => 0,
        }
    }

    fn shown(&self, view: &View, day: &str) -> String {
        let mut text = format!(
            "{day}: {} {} / {} {}",
            view.say(Text::Observed),
            count(Some(self.observed)),
            view.say(Text::Due),
            count(Some(self.due))
        );
        for (reason, number) in &self.reasons {
            text += &format!(
                ", {} {}",
                named(view.visit.language, reason.as_str()),
                count(Some(*number))
            );
        }
        if self.open > 0 {
            text += &format!(", {} {}", view.say(Text::Open), count(Some(self.open)));
        }
        text
    }
}

fn calendar(view: &View, midnights: &[Time], days: &[DayTotals]) -> Markup {
    let day_of = |day: usize, format: &'static str| {
        midnights.get(day).map_or_else(String::new, |at| local(*at, view.zone, format))
    };
    let missing = days.iter().enumerate().rev().filter(|(_, totals)| !totals.reasons.is_empty());
    let missing: Vec<_> = missing.take(7).collect();
    html! {
        svg.calendar viewBox={ "0 0 " (28 + 20 * WEEKS) " 156" } role="img" {
            @for (day, totals) in days.iter().enumerate() {
                @let (week, weekday) = (day / 7, day % 7);
                @if weekday == 0 && week % 4 == 0 {
                    text x=(24 + 20 * week) y="9" { (day_of(day, "%m-%d")) }
                }
                rect.{ "c" (totals.step()) } x=(24 + 20 * week) y=(14 + 20 * weekday) width="17" height="17" rx="2" {
                    title { (totals.shown(view, &day_of(day, "%Y-%m-%d"))) }
                }
            }
        }
        p.legend {
            @for (step, label) in [(5, "100%"), (4, "≥95%"), (3, "≥75%"), (2, ">0%"), (1, "0%")] {
                span.{ "c" (step) } {} (label) " "
            }
            span.c0 {} (view.say(Text::NothingDue))
        }
        @if missing.is_empty() { p.empty { (view.say(Text::NoneMissed)) } }
        ul.days {
            @for (day, totals) in &missing {
                li { (totals.shown(view, &day_of(*day, "%m-%d"))) }
            }
        }
    }
}

fn card(view: &View, target: &JobTarget, line: Option<Markup>) -> Markup {
    let key = target.item_id.as_deref().unwrap_or(&target.key);
    html! {
        div.card {
            p.title {
                @if platform_of(&target.kind).is_some() && target.item_id.is_some() {
                    input type="checkbox" name="item" value={ (target.kind) ":" (key) }
                        aria-label=(view.say(Text::CompareByAge));
                }
                @if target.kind == "kol_search" {
                    a href="/kols" { (visible(&KolSearch::shown(&target.kind, &target.key))) }
                } @else {
                    (target_link(&target.kind, key, target.title.as_deref()))
                }
            }
            @if let Some(line) = line { (line) }
            p.now {
                @if target.likes.is_some() {
                    b { (view.seen(target.likes, target.exact.unwrap_or(true))) }
                    " " (view.say(Text::Likes))
                }
                @if let Some(at) = target.observed_at { " · " (view.at(at.0)) }
                @if let Some(state) = target.state { " " span.down { (named(view.visit.language, state.as_str())) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_count_for_the_day_they_were_due() {
        let at = |text: &str| text.parse::<Time>().expect("a time");
        let slots =
            |due: &str, outcome, reason| FireOutcome { due_at: at(due), outcome, reason, slots: 2 };
        let midnights = ["2026-03-01 16:00:00", "2026-03-02 16:00:00", "2026-03-03 16:00:00"];
        let outcomes = [
            slots("2026-03-01 15:59:59", Some(SlotOutcome::Observed), None),
            slots("2026-03-01 16:00:00", Some(SlotOutcome::Observed), None),
            slots("2026-03-02 15:00:00", Some(SlotOutcome::Missed), Some(MissedReason::Gone)),
            slots("2026-03-02 15:30:00", Some(SlotOutcome::Missed), Some(MissedReason::Gone)),
            slots("2026-03-02 16:00:00", None, None),
        ];
        let days = days(&outcomes, &midnights.map(at));
        let shown: Vec<_> = days.iter().map(|day| (day.due, day.observed, day.open)).collect();
        assert_eq!(shown, [(6, 2, 0), (2, 0, 2)]);
        assert_eq!(days[0].reasons, BTreeMap::from([(MissedReason::Gone, 4)]));
    }

    #[test]
    fn large_job_shows_fewer_weeks() {
        assert_eq!((weeks(0.0), weeks(288.0), weeks(24.0 * 500.0)), (12, 12, 5));
        assert_eq!(weeks(24.0 * 100_000.0), 1);
    }

    #[test]
    fn day_step_is_the_share_of_settled_slots() {
        let day = |due, observed, open| {
            DayTotals { due, observed, open, reasons: BTreeMap::new() }.step()
        };
        assert_eq!((day(0, 0, 0), day(3, 0, 3)), (0, 0), "nothing was due, or settled");
        assert_eq!((day(24, 24, 0), day(24, 20, 4)), (5, 5));
        assert_eq!((day(100, 95, 0), day(100, 94, 0), day(100, 1, 0), day(9, 0, 0)), (4, 3, 2, 1));
    }
}
