//! Small drawings rendered on the server, without a script.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::format::real;
use crate::time::Time;

/// Size of a sparkline.
const SPARK: (f64, f64) = (120.0, 26.0);

/// A part of a curve between two gaps: points from 0 to 1 on both axes.
type Stroke = Vec<(f64, f64)>;

/// A curve: its sorted points, and for each but the last whether the line to the next is broken.
pub(super) struct Line {
    pub(super) points: Vec<(Time, Option<i64>)>,
    pub(super) gaps: Vec<bool>,
}

/// Start of the earliest curve.
pub(super) fn beginning<'a>(lines: impl Iterator<Item = &'a Line>, otherwise: Time) -> Time {
    lines.filter_map(|line| line.points.first().map(|(at, _)| *at)).min().unwrap_or(otherwise)
}

/// A sparkline over a shared time span. Gaps are not drawn.
pub(super) fn sparkline(line: &Line, span: (Time, Time)) -> Markup {
    let strokes = strokes(line, span);
    let (width, height) = SPARK;
    let place = |(x, y): &(f64, f64)| (2.0 + x * (width - 4.0), height - 3.0 - y * (height - 6.0));
    let mut line = String::new();
    for stroke in &strokes {
        for (nth, point) in stroke.iter().enumerate() {
            let (x, y) = place(point);
            let _ = write!(line, "{}{x:.1} {y:.1}", if nth == 0 { "M" } else { "L" });
        }
        // A single point is a dot.
        if stroke.len() == 1 {
            line += "h0";
        }
    }
    let last = strokes.last().and_then(|stroke| stroke.last()).map(place);
    html! {
        svg.spark viewBox={ "0 0 " (width) " " (height) } aria-hidden="true" {
            path d=(line) {}
            @if let Some((x, y)) = last {
                circle cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="2" {}
            }
        }
    }
}

fn strokes(Line { points, gaps }: &Line, (from, to): (Time, Time)) -> Vec<Stroke> {
    let values = || points.iter().filter_map(|(_, value)| *value);
    let (low, high) = (values().min().unwrap_or_default(), values().max().unwrap_or_default());
    let span = real(to.micros() - from.micros()).max(1.0);
    // A constant curve is drawn at the bottom.
    let rise = real(high.saturating_sub(low)).max(1.0);
    let mut strokes = vec![Stroke::new()];
    for (nth, (at, value)) in points.iter().enumerate() {
        if let (Some(value), Some(stroke)) = (value, strokes.last_mut()) {
            let x = (real(at.micros() - from.micros()) / span).clamp(0.0, 1.0);
            stroke.push((x, real(value.saturating_sub(low)) / rise));
        }
        if value.is_none() || gaps.get(nth).copied().unwrap_or(false) {
            strokes.push(Stroke::new());
        }
    }
    strokes.retain(|stroke| !stroke.is_empty());
    strokes
}

/// A line of a bump chart: a name, and its rank at each observation.
pub(super) struct Ranks {
    pub(super) name: String,
    /// From 1; `None` if absent.
    pub(super) at: Vec<Option<i64>>,
}

/// A bump chart of ranks over observations. `gaps` tells for each observation but the last whether
/// observations are missing after it; `labels` are their times.
pub(super) fn bump(lines: &[Ranks], gaps: &[bool], labels: &[String]) -> Markup {
    let (left, top, step, names) = (28.0, 10.0, 26.0, 190.0);
    let places = lines.iter().flat_map(|line| line.at.iter().flatten()).max().copied().unwrap_or(1);
    let width = 1200.0;
    let height = top * 2.0 + step * real(places) + 18.0;
    let last = labels.len().max(2) - 1;
    let x = |nth: usize| left + (width - left - names) * number(nth) / number(last);
    let y = |rank: i64| top + step * (real(rank) - 0.5);
    html! {
        svg.bump viewBox={ "0 0 " (width) " " (height) } role="img" {
            @for rank in 1..=places {
                text.rank x="4" y=(format!("{:.1}", y(rank) + 4.0)) { (rank) }
            }
            @for nth in [0, last] {
                @if let Some(label) = labels.get(nth) {
                    text.when x=(format!("{:.1}", x(nth))) y=(format!("{:.1}", height - 6.0))
                        text-anchor=(if nth == 0 { "start" } else { "end" }) { (label) }
                }
            }
            @for (nth, _) in gaps.iter().enumerate().filter(|(_, gap)| **gap) {
                line.gap x1=(format!("{:.1}", f64::midpoint(x(nth), x(nth + 1)))) y1="4"
                    x2=(format!("{:.1}", f64::midpoint(x(nth), x(nth + 1))))
                    y2=(format!("{:.1}", height - 22.0)) {}
            }
            @for (nth, line) in lines.iter().enumerate() {
                g class={ "line k" (nth % 10) } {
                    title { (line.name) }
                    path d=(bump_path(line, gaps, x, y)) {}
                    @for (nth, rank) in line.at.iter().enumerate() {
                        @if let Some(rank) = rank {
                            circle cx=(format!("{:.1}", x(nth))) cy=(format!("{:.1}", y(*rank))) r="3" {}
                        }
                    }
                    @if let Some(Some(rank)) = line.at.last() {
                        text x=(format!("{:.1}", x(line.at.len() - 1) + 10.0))
                            y=(format!("{:.1}", y(*rank) + 4.0)) { (short(&line.name, 13)) }
                    }
                }
            }
        }
    }
}

fn bump_path(
    line: &Ranks,
    gaps: &[bool],
    x: impl Fn(usize) -> f64,
    y: impl Fn(i64) -> f64,
) -> String {
    let mut path = String::new();
    for (nth, pair) in line.at.windows(2).enumerate() {
        let ([Some(from), Some(to)], false) = (pair, gaps.get(nth).copied().unwrap_or(false))
        else {
            continue;
        };
        let (x0, y0, x1, y1) = (x(nth), y(*from), x(nth + 1), y(*to));
        let middle = f64::midpoint(x0, x1);
        let _ = write!(
            path,
            "M{x0:.1} {y0:.1}C{middle:.1} {y0:.1} {middle:.1} {y1:.1} {x1:.1} {y1:.1}"
        );
    }
    path
}

/// A point of a scatter plot: coordinates, name and link.
pub(super) struct Dot {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) name: String,
    pub(super) to: String,
}

/// A scatter plot on two logarithmic axes with titles.
pub(super) fn scatter(dots: &[Dot], (across, up): (&str, &str)) -> Markup {
    let (width, height, left, below) = (1200.0, 330.0, 64.0, 40.0);
    let (xs, ys) = (decades(dots.iter().map(|dot| dot.x)), decades(dots.iter().map(|dot| dot.y)));
    let x = |value: f64| left + 10.0 + (width - left - 50.0) * along(value, xs);
    let y = |value: f64| height - below - 8.0 - (height - below - 36.0) * along(value, ys);
    html! {
        svg.scatter viewBox={ "0 0 " (width) " " (height) } role="img" {
            @for tick in ticks(xs) {
                line.grid x1=(format!("{:.1}", x(tick))) x2=(format!("{:.1}", x(tick)))
                    y1="24" y2=(height - below) {}
                text text-anchor="middle" x=(format!("{:.1}", x(tick))) y=(height - below + 16.0) {
                    (crate::text::count(super::format::whole(tick)))
                }
            }
            @for tick in ticks(ys) {
                line.grid x1=(left) x2=(width - 10.0)
                    y1=(format!("{:.1}", y(tick))) y2=(format!("{:.1}", y(tick))) {}
                text text-anchor="end" x=(left - 6.0) y=(format!("{:.1}", y(tick) + 4.0)) {
                    (crate::text::count(super::format::whole(tick)))
                }
            }
            text.axis text-anchor="end" x=(width - 10.0) y=(height - 6.0) { (across) " →" }
            text.axis x="4" y="12" { "↑ " (up) }
            @for dot in dots {
                a href=(dot.to) {
                    circle cx=(format!("{:.1}", x(dot.x))) cy=(format!("{:.1}", y(dot.y))) r="5" {
                        title { (dot.name) }
                    }
                }
            }
        }
    }
}

/// The powers of ten around values above 0.
fn decades(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let logs = values.map(f64::log10);
    let (low, high) =
        logs.fold((f64::MAX, f64::MIN), |(low, high), log| (low.min(log), high.max(log)));
    if low > high {
        return (0.0, 1.0);
    }
    (low.floor(), high.ceil().max(low.floor() + 1.0))
}

fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    std::iter::successors(Some(low), |log| Some(log + 1.0))
        .take_while(|log| *log <= high)
        .take(12)
        .map(|log| 10_f64.powf(log))
        .collect()
}

fn along(value: f64, (low, high): (f64, f64)) -> f64 {
    (value.log10() - low) / (high - low)
}

#[expect(clippy::cast_precision_loss, reason = "a place in a drawing")]
fn number(number: usize) -> f64 {
    number as f64
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparkline_does_not_cross_gaps() {
        let at = |second: i64| Time::from_micros(second * 1_000_000).expect("a time");
        let drawn = |values: &[Option<i64>], gaps: &[bool]| {
            let points = (0..).map(at).zip(values.iter().copied()).collect();
            sparkline(&Line { points, gaps: gaps.to_vec() }, (at(0), at(3))).into_string()
        };
        let four = [Some(1), Some(2), Some(3), Some(4)];
        let moves = |gaps: &[bool]| drawn(&four, gaps).matches('M').count();
        assert_eq!(moves(&[false, false, false]), 1);
        assert_eq!(moves(&[false, true, false]), 2);
        assert_eq!(drawn(&[Some(1), None, Some(3)], &[false, false]).matches("h0").count(), 2);
        assert!(!drawn(&[], &[]).contains("circle"));
    }

    #[test]
    fn missing_rank_has_no_line() {
        let line = Ranks { name: "a".into(), at: vec![Some(1), None, Some(2), Some(1)] };
        let path = bump_path(&line, &[false; 3], number, real);
        assert_eq!(path.matches('M').count(), 1);
        assert_eq!(bump_path(&line, &[false, false, true], number, real), "");
    }
}
