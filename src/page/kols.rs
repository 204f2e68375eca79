//! KOLs: prices and results, and the history of one.

use axum::Json;
use axum::extract::{Path, State};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::Page;
use super::format::{NOTHING, count, path, real, visible, yuan};
use super::item::chart;
use super::plain::{escaped, plain};
use super::series::{answer, seconds};
use super::svg::{Dot, scatter};
use super::texts::Text;
use super::view::{Answer, Failure, View, Visit};
use crate::erasure::AUTHOR;
use crate::model::Platform;
use crate::store::page::{KolFacts, KolOrder, KolValue};

/// KOLs per page.
const ROWS: i64 = 50;

/// KOLs in the scatter plot, the first ones of the order.
const DOTS: i64 = 500;

/// Observations in the history of one KOL.
const HISTORY: i64 = 1_000;

/// Observations in the table of one KOL.
const OBSERVATIONS: usize = 60;

/// Metrics of the KOL curves.
const METRICS: [(&str, Text); 5] = [
    ("followers", Text::Followers),
    ("read_median", Text::ReadMedian),
    ("engagement_median", Text::EngagementMedian),
    ("picture_price", Text::PicturePrice),
    ("video_price", Text::VideoPrice),
];

fn heading(order: KolOrder) -> Text {
    match order {
        KolOrder::Followers => Text::Followers,
        KolOrder::Reads => Text::ReadMedian,
        KolOrder::Engagements => Text::EngagementMedian,
        KolOrder::PicturePrice => Text::PicturePrice,
        KolOrder::PicturePerRead => Text::PicturePerRead,
        KolOrder::PicturePerEngagement => Text::PicturePerEngagement,
        KolOrder::VideoPrice => Text::VideoPrice,
        KolOrder::VideoPerRead => Text::VideoPerRead,
        KolOrder::VideoPerEngagement => Text::VideoPerEngagement,
    }
}

fn figure(kol: &KolValue, order: KolOrder) -> String {
    match order {
        KolOrder::Followers => count(kol.followers),
        KolOrder::Reads => count(kol.read_median),
        KolOrder::Engagements => count(kol.engagement_median),
        KolOrder::PicturePrice => yuan(kol.picture_price),
        KolOrder::PicturePerRead => yuan(kol.picture_per_read),
        KolOrder::PicturePerEngagement => yuan(kol.picture_per_engagement),
        KolOrder::VideoPrice => yuan(kol.video_price),
        KolOrder::VideoPerRead => yuan(kol.video_per_read),
        KolOrder::VideoPerEngagement => yuan(kol.video_per_engagement),
    }
}

pub(super) async fn list(State(page): State<Page>, visit: Visit) -> Answer {
    let (view, mut tx) = page.open(visit).await?;
    let order = view.visit.asks("sort").and_then(KolOrder::parse).unwrap_or(KolOrder::Followers);
    let falling = view.visit.asks("up").is_none();
    let offset = (view.visit.page() - 1) * ROWS;
    let kols = tx.kol_values(order, falling, ROWS + 1, offset).await?;
    let dots = tx.kol_values(order, falling, DOTS, 0).await?;
    let video = view.visit.asks("of") == Some("video");
    let shown = kols.get(..kols.len().min(usize::try_from(ROWS).unwrap_or(usize::MAX)));
    let body = html! {
        h1 { (view.say(Text::Kols)) }
        @if kols.is_empty() { p.empty { (view.say(Text::NoKols)) } } @else {
            section {
                h2 {
                    (view.say(Text::PriceAgainstEngagement)) " "
                    (view.switch("of", &[("picture", view.say(Text::PictureNotes)), ("video", view.say(Text::VideoNotes))]))
                }
                (scattered(&view, &dots, video))
            }
            section { (table(&view, shown.unwrap_or_default(), order, falling)) }
        }
        (view.pages(kols.len() > shown.map_or(0, <[_]>::len)))
    };
    Ok(view.page(view.say(Text::Kols), &body))
}

fn table(view: &View, kols: &[KolValue], order: KolOrder, falling: bool) -> Markup {
    html! {
        div.scroll { table.kols {
            thead { tr {
                th { (view.say(Text::Kol)) }
                @for column in KolOrder::ALL {
                    th.n aria-sort=[(column == order).then_some(if falling { "descending" } else { "ascending" })] {
                        (sort_link(view, column, order, falling))
                    }
                }
            } }
            tbody {
                @for kol in kols {
                    tr {
                        td.title { a href=(path(&["kol", &kol.kol_id])) { (visible(kol.nickname.as_deref().unwrap_or(&kol.kol_id))) } }
                        @for column in KolOrder::ALL { td.n { (figure(kol, column)) } }
                    }
                }
            }
        } }
        p.empty { (view.say(Text::PricesInYuan)) }
    }
}

/// A column heading that sorts the table; a second click reverses the order.
fn sort_link(view: &View, column: KolOrder, order: KolOrder, falling: bool) -> Markup {
    let up = column == order && falling;
    let kind = view.visit.asks("of").unwrap_or("picture");
    let to = format!(
        "/kols?of={}&sort={}{}",
        escaped(kind),
        column.as_str(),
        if up { "&up=1" } else { "" }
    );
    let mark = match (column == order, falling) {
        (false, _) => "",
        (true, true) => " ↓",
        (true, false) => " ↑",
    };
    html! { a href=(to) { (view.say(heading(column))) (mark) } }
}

fn scattered(view: &View, kols: &[KolValue], video: bool) -> Markup {
    let dots = kols.iter().filter_map(|kol| {
        let (price, engagement) = if video {
            (kol.video_price, kol.video_engagement_median)
        } else {
            (kol.picture_price, kol.picture_engagement_median)
        };
        let (price, engagement) = (price?, engagement?);
        (price > 0.0 && engagement > 0).then(|| Dot {
            x: price,
            y: real(engagement),
            name: format!(
                "{}: {} / {}",
                plain(kol.nickname.as_deref().unwrap_or(&kol.kol_id)),
                yuan(Some(price)),
                count(Some(engagement))
            ),
            to: path(&["kol", &kol.kol_id]),
        })
    });
    let dots: Vec<_> = dots.collect();
    html! {
        @if dots.is_empty() { p.empty { (view.say(Text::NothingSeen)) } } @else {
            div.scroll { (scatter(&dots, (view.say(Text::PriceYuan), view.say(Text::EngagementMedian)))) }
        }
    }
}

pub(super) async fn page(State(page): State<Page>, Path(id): Path<String>, visit: Visit) -> Answer {
    let (view, mut tx) = page.open(visit).await?;
    let Some(facts) = tx.kol_facts(&id).await? else {
        return Err(view.not_there(tx.forgotten_at(AUTHOR, Platform::Xiaohongshu, &id).await?));
    };
    let history = tx.kol_history(&id, HISTORY).await?;
    let name = facts.nickname.clone().unwrap_or_else(|| id.clone());
    let body = html! {
        h1 { (visible(&name)) }
        section { (cover(&view, &facts)) }
        section {
            h2 { (view.say(Text::Curves)) }
            (chart(&view, &path(&["kol", &id, "series"])))
        }
        section { h2 { (view.say(Text::History)) } (observations(&view, &history)) }
    };
    Ok(view.page(&name, &body))
}

fn cover(view: &View, facts: &KolFacts) -> Markup {
    let rows = [
        (Text::Handle, facts.red_id.as_deref()),
        (Text::Place, facts.location.as_deref()),
        (Text::Agency, facts.mcn_name.as_deref()),
    ];
    html! {
        dl.facts {
            dt { "ID" }
            dd { code { (visible(&facts.kol_id)) } }
            @for (label, value) in rows {
                dt { (view.say(label)) }
                dd { (visible(value.unwrap_or(NOTHING))) }
            }
            dt { (view.say(Text::FirstSeen)) }
            dd { (view.exactly_at(facts.first_seen_at)) }
            dt { (view.say(Text::LastSeen)) }
            dd { (view.exactly_at(facts.last_seen_at)) }
        }
    }
}

fn observations(view: &View, history: &[KolValue]) -> Markup {
    html! {
        div.scroll { table.kols {
            thead { tr {
                th { (view.say(Text::Time)) }
                th.n { (view.say(Text::Document)) }
                @for column in KolOrder::ALL { th.n { (view.say(heading(column))) } }
            } }
            tbody {
                @for kol in history.iter().take(OBSERVATIONS) {
                    tr {
                        td { (view.exactly_at(kol.observed_at.0)) }
                        td.n { (view.document(kol.document_id)) }
                        @for column in KolOrder::ALL { td.n { (figure(kol, column)) } }
                    }
                }
            }
        } }
    }
}

pub(super) async fn series(
    State(page): State<Page>,
    Path(id): Path<String>,
    visit: Visit,
) -> Result<Json<Value>, Failure> {
    let (view, mut tx) = page.open(visit).await?;
    let mut history = tx.kol_history(&id, HISTORY).await?;
    history.reverse();
    let column = |value: fn(&KolValue) -> Value| history.iter().map(value).collect::<Vec<_>>();
    let columns = [
        column(|kol| json!(seconds(kol.observed_at.0))),
        column(|kol| json!(kol.followers)),
        column(|kol| json!(kol.read_median)),
        column(|kol| json!(kol.engagement_median)),
        column(|kol| json!(kol.picture_price)),
        column(|kol| json!(kol.video_price)),
        column(|_| json!(true)),
        column(|kol| json!(kol.document_id)),
    ];
    let lines = json!([{ "name": "", "columns": columns }]);
    Ok(answer(&view, &METRICS, json!({ "lines": lines, "log": true, "events": [], "missed": [] })))
}
