//! Search results.

use axum::extract::State;
use maud::html;

use super::Page;
use super::format::{path, visible};
use super::item::target_link;
use super::texts::{Text, named};
use super::view::{Answer, Visit};

/// Maximum results per kind.
const MOST: i64 = 50;

pub(super) async fn page(State(page): State<Page>, visit: Visit) -> Answer {
    let (view, mut tx) = page.open(visit).await?;
    let asked = view.visit.asks("q").unwrap_or_default().trim().to_owned();
    let found = if asked.is_empty() { Vec::new() } else { tx.search(&asked, MOST).await? };
    let body = html! {
        h1 { (view.say(Text::Search)) @if !asked.is_empty() { ": " (visible(&asked)) } }
        @if found.is_empty() {
            p.empty { (view.say(Text::NothingFound)) }
        } @else {
            div.scroll { table { tbody {
                @for it in &found {
                    tr {
                        td.wide { (named(view.visit.language, &it.kind)) }
                        td.title {
                            @if it.kind == "kol" {
                                a href=(path(&["kol", &it.key])) { (visible(it.title.as_deref().unwrap_or(&it.key))) }
                            } @else {
                                (target_link(&it.kind, &it.key, it.title.as_deref()))
                            }
                        }
                        td.by { (visible(it.nickname.as_deref().unwrap_or("–"))) }
                        td.wide { code { (visible(&it.key)) } }
                    }
                }
            } } }
        }
    };
    Ok(view.page(view.say(Text::Search), &body))
}
