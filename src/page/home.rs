//! The home page: movers, problems, cost, and next fires.

use std::time::Duration;

use anyhow::Result;
use axum::extract::State;
use maud::{Markup, html};

use super::curve::{Expected, gaps};
use super::format::{count, grew, path, title, visible};
use super::problems::Problems;
use super::svg::{Line, beginning, sparkline};
use super::texts::{Text, named};
use super::view::{Answer, View, Visit};
use super::{NOTE, Page, WORK, item_word};
use crate::config::Budget;
use crate::model::Platform;
use crate::store::page::{JobFacts, Mover};
use crate::store::{CallTotals, JobReport, Spent, Tx};
use crate::text::money;
use crate::time::Time;

/// Rows of the table of movers.
const MOVERS: i64 = 20;

/// Maximum points read for a sparkline.
pub(super) const MOST_POINTS: i64 = 2_000;

const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) async fn page(State(page): State<Page>, visit: Visit) -> Answer {
    let (view, mut tx) = page.open(visit).await?;
    let span = if view.visit.asks("since") == Some("7d") { DAY * 7 } else { DAY };
    let since = view.as_of.minus(span);
    let midnight = view.as_of.last_midnight(view.zone);
    let movers = movers(&view, &mut tx, since).await?;
    let problems = Problems::read(&view, &mut tx, midnight).await?.shown(&view);
    let spent = tx.spent_since(midnight).await?;
    let calls = tx.call_totals(midnight).await?;
    let budget = page.settings.borrow().budget;
    let jobs = jobs(&view, &tx.job_facts().await?, &tx.job_reports(midnight).await?);
    let body = html! {
        section {
            h2 { (view.say(Text::Movers)) " " (view.switch("since", &[("24h", view.say(Text::Hours24)), ("7d", view.say(Text::Days7))])) }
            (movers)
        }
        div.columns {
            section { h2 { (view.say(Text::Problems)) } (problems) }
            section {
                h2 { (view.say(Text::Cost)) small { (view.say(Text::Since)) " " (view.at(midnight)) } }
                (cost(&view, spent, &calls, &budget))
            }
        }
        section { h2 { (view.say(Text::Jobs)) } (jobs) }
    };
    Ok(view.page(view.say(Text::Home), &body))
}

async fn movers(view: &View, tx: &mut Tx, since: Time) -> Result<Markup> {
    let movers = tx.movers(since, MOVERS).await?;
    let mut lines = Vec::new();
    for mover in &movers {
        lines.push(likes_line(tx, platform(mover), &mover.item_id, mover.from_at.0).await?);
    }
    let span = (beginning(lines.iter(), since), view.as_of);
    let rows = movers.iter().zip(&lines);
    let rows: Vec<_> =
        rows.map(|(mover, line)| mover_row(view, mover, &sparkline(line, span))).collect();
    Ok(html! {
        @if rows.is_empty() {
            p.empty { (view.say(Text::NothingMoved)) }
        } @else {
            div.scroll { table {
                thead { tr {
                    th { (view.say(Text::Item)) }
                    th.wide { (view.say(Text::Author)) }
                    th { (view.say(Text::Likes)) }
                    th.n { (view.say(Text::Now)) }
                    th.n { (view.say(Text::Grew)) }
                    th.n.wide { (view.say(Text::Comments)) }
                    th.n.wide { (view.say(Text::Collects)) }
                    th.n.wide { (view.say(Text::MeasuredFrom)) }
                } }
                tbody { @for row in &rows { (row) } }
            } }
        }
    })
}

fn platform(mover: &Mover) -> Platform {
    if mover.platform == "douyin" { WORK } else { NOTE }
}

fn mover_row(view: &View, mover: &Mover, line: &Markup) -> Markup {
    html! {
        tr {
            td.title {
                (item_link(platform(mover), &mover.item_id, mover.title.as_deref()))
            }
            td.wide.by { (visible(mover.nickname.as_deref().unwrap_or("–"))) }
            td { (line) }
            td.n { (view.seen(mover.likes, mover.exact)) (view.doubt(mover.suspect)) }
            td.n { (grew(mover.grew)) }
            td.n.wide { (grew(mover.comments_grew)) }
            td.n.wide { (grew(mover.collects_grew)) }
            td.n.wide { (view.at(mover.from_at.0)) }
        }
    }
}

/// A link to an item with its title and platform.
pub(super) fn item_link(platform: Platform, id: &str, text: Option<&str>) -> Markup {
    let (class, mark) = match platform {
        Platform::Xiaohongshu => ("red", "红"),
        Platform::Douyin => ("dou", "抖"),
    };
    html! {
        span.mark.(class) { (mark) }
        a href=(path(&[item_word(platform), id])) { (visible(&title(text, id))) }
    }
}

/// The likes of an item since `since`.
pub(super) async fn likes_line(
    tx: &mut Tx,
    platform: Platform,
    id: &str,
    since: Time,
) -> Result<Line> {
    let mut points = tx.likes_from(platform, id, since, MOST_POINTS).await?;
    points.reverse();
    let points: Vec<_> = points.into_iter().map(|(at, likes)| (at.0, likes)).collect();
    let expected = Expected::by(&tx.watchers_of(platform, id).await?);
    let mut missed = tx.missed_of(platform, id, since, MOST_POINTS).await?;
    missed.reverse();
    let missed: Vec<_> = missed.into_iter().map(|slot| slot.due_at).collect();
    let times: Vec<_> = points.iter().map(|(at, _)| *at).collect();
    Ok(Line { points, gaps: gaps(&times, &missed, &expected) })
}

fn cost(view: &View, spent: Spent, calls: &[CallTotals], budget: &Budget) -> Markup {
    let sum = |field: fn(&CallTotals) -> i64| calls.iter().map(field).sum::<i64>();
    let (unknown, unpriced) = (sum(|row| row.unknown), sum(|row| row.unpriced));
    html! {
        dl.facts {
            dt { (view.say(Text::Calls)) }
            dd { (count(Some(sum(|row| row.calls)))) }
            dt { (view.say(Text::Billed)) }
            dd { (count(Some(sum(|row| row.billed)))) }
            dt { (view.say(Text::Paid)) }
            dd { (money(sum(|row| row.cost_micros))) " " (view.say(Text::Yuan)) }
            @if unknown > 0 {
                dt { (view.say(Text::PerhapsBilled)) }
                dd { (count(Some(unknown))) " (" (money(sum(|row| row.unknown_micros))) " " (view.say(Text::Yuan)) ")" }
            }
            @if unpriced > 0 {
                dt { (view.say(Text::Unpriced)) }
                dd { (count(Some(unpriced))) }
            }
        }
        @if let Some(most) = budget.max_cost_per_day_micros {
            (meter(view.say(Text::BudgetMoney), spent.cost_micros, most, &money(spent.cost_micros), &money(most)))
        }
        @if let Some(most) = budget.max_calls_per_day {
            (meter(view.say(Text::BudgetCalls), spent.calls, most, &count(Some(spent.calls)), &count(Some(most))))
        }
        @if budget.max_cost_per_day_micros.is_none() && budget.max_calls_per_day.is_none() {
            p.empty { (view.say(Text::NoBudget)) }
        }
        @if !calls.is_empty() {
            div.scroll { table {
                tbody {
                    @for row in calls {
                        tr {
                            td { (row.endpoint) }
                            td.n { (count(Some(row.calls))) }
                            td.n { (money(row.cost_micros)) }
                        }
                    }
                }
            } }
        }
    }
}

fn meter(label: &str, spent: i64, most: i64, shown: &str, limit: &str) -> Markup {
    html! {
        p.meter {
            span { (label) } progress value=(spent.min(most)) max=(most.max(1)) {}
            span { (shown) " / " (limit) }
        }
    }
}

fn jobs(view: &View, facts: &[JobFacts], reports: &[JobReport]) -> Markup {
    let report = |name: &str| reports.iter().find(|report| report.name == name);
    html! {
        @if facts.is_empty() {
            p.empty { (view.say(Text::NoJobs)) }
        } @else {
            div.scroll { table {
                thead { tr {
                    th { (view.say(Text::Job)) }
                    th.wide { (view.say(Text::Kind)) }
                    th.n { (view.say(Text::NextFire)) }
                    th.n.wide { (view.say(Text::Targets)) }
                    th.n.wide { (view.say(Text::Due)) }
                    th.n { (view.say(Text::Observed)) }
                    th.n { (view.say(Text::Missed)) }
                    th.n.wide { (view.say(Text::Open)) }
                } }
                tbody {
                    @for job in facts {
                        tr {
                            td.title { a href=(path(&["job", &job.name])) { (visible(&job.name)) } }
                            td.wide { (named(view.visit.language, &job.kind)) }
                            td.n { (next_fire(view, job)) }
                            @if let Some(report) = report(&job.name) {
                                td.n.wide { (count(Some(report.targets))) }
                                td.n.wide { (count(Some(report.due))) }
                                td.n { (count(Some(report.observed))) }
                                td.n { span.(if report.missed > 0 { "down" } else { "still" }) { (count(Some(report.missed))) } }
                                td.n.wide { (count(Some(report.open))) }
                            }
                        }
                    }
                }
            } }
        }
    }
}

/// The next fire of a job, if it is enabled.
pub(super) fn next_fire(view: &View, job: &JobFacts) -> Markup {
    let next = Expected::by_job(job).next_after(view.now);
    html! {
        @match next.filter(|_| job.is_active) {
            Some(next) => { (view.at(next)) }
            None => { span.still { (view.say(Text::NotInFile)) } }
        }
    }
}
