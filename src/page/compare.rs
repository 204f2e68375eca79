//! Comparison of several items by age.

use anyhow::Result;
use axum::Json;
use axum::extract::State;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::curve::Expected;
use super::format::{count, title, whole};
use super::home::item_link;
use super::item::{age, chart, curve};
use super::plain::{escaped, plain};
use super::texts::Text;
use super::view::{Answer, Failure, View, Visit};
use super::{Page, item_word, platform_of, series};
use crate::model::Platform;
use crate::store::Tx;
use crate::store::page::{Growth, ItemFacts};
use crate::time::Time;

/// Maximum number of items.
const MOST: usize = 12;

/// Maximum length of a name in the legend in characters.
const LEGEND: usize = 24;

/// A compared item.
struct Compared {
    platform: Platform,
    facts: ItemFacts,
}

impl Compared {
    fn name(&self) -> String {
        let facts = &self.facts;
        title(facts.title.as_deref().or(facts.body.as_deref()), &facts.item_id)
    }

    /// The origin of its age.
    fn born(&self) -> Time {
        self.facts.published_at.unwrap_or(self.facts.first_seen_at)
    }
}

async fn compared(view: &View, tx: &mut Tx) -> Result<Vec<Compared>> {
    let mut items = Vec::new();
    for item in view.visit.all("item").take(MOST) {
        let Some((kind, id)) = item.split_once(':') else { continue };
        let Some(platform) = platform_of(kind) else { continue };
        if let Some(facts) = tx.item_facts(platform, id).await? {
            items.push(Compared { platform, facts });
        }
    }
    Ok(items)
}

pub(super) async fn page(State(page): State<Page>, visit: Visit) -> Answer {
    let (view, mut tx) = page.open(visit).await?;
    let items = compared(&view, &mut tx).await?;
    let mut rows = Vec::new();
    for item in &items {
        let grown = tx.growth(item.platform, &item.facts.item_id).await?;
        rows.push(row(&view, item, &grown));
    }
    let chosen = items.iter().map(|item| {
        let key = format!("{}:{}", item_word(item.platform), item.facts.item_id);
        format!("item={}", escaped(&key))
    });
    let chosen: Vec<_> = chosen.collect();
    let body = html! {
        h1 { (view.say(Text::CompareByAge)) }
        @if items.is_empty() {
            p.empty { (view.say(Text::NothingChosen)) }
        } @else {
            section { (chart(&view, &format!("/compare/series?{}", chosen.join("&")))) }
            section {
                h2 { (view.say(Text::LikesByAge)) }
                div.scroll { table {
                    thead { tr {
                        th { (view.say(Text::Item)) }
                        th.wide { (view.say(Text::Published)) }
                        @for hours in [1, 6, 24, 72, 168, 720] { th.n { (age(&view, hours)) } }
                    } }
                    tbody { @for row in &rows { (row) } }
                } }
            }
        }
    };
    Ok(view.page(view.say(Text::CompareByAge), &body))
}

fn row(view: &View, item: &Compared, grown: &[Growth]) -> Markup {
    let likes = |hours| grown.iter().find(|at| at.age_hours == hours).and_then(|at| at.likes);
    html! {
        tr {
            td.title { (item_link(item.platform, &item.facts.item_id, Some(&item.name()))) }
            td.wide { (view.perhaps_at(item.facts.published_at)) }
            @for hours in [1, 6, 24, 72, 168, 720] { td.n { (count(likes(hours).map(whole))) } }
        }
    }
}

pub(super) async fn series(State(page): State<Page>, visit: Visit) -> Result<Json<Value>, Failure> {
    let (view, mut tx) = page.open(visit).await?;
    let mut lines = Vec::new();
    for item in compared(&view, &mut tx).await? {
        let (id, born) = (&item.facts.item_id, item.born());
        let (seen, missed) = curve(&mut tx, item.platform, id).await?;
        let expected = Expected::by(&tx.watchers_of(item.platform, id).await?);
        let due: Vec<_> = missed.iter().map(|slot| slot.due_at).collect();
        let hours = |at: Time| (series::seconds(at) - series::seconds(born)) / 3600.0;
        let columns = series::columns(&view, &seen, &due, &expected, hours);
        let name: String = plain(&item.name()).chars().take(LEGEND).collect();
        lines.push(json!({ "name": name, "columns": columns }));
    }
    Ok(series::answer(&view, &series::COUNTS, json!({ "lines": lines, "by_age": true })))
}
