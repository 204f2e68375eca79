//! Pugongying KOL search: what to ask, what a page of it means, and when to stop paging.

mod figures;
mod prices;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use super::json::{self, Json, Value};
use super::reading::Odd;
use super::{Ask, Listing, Outcome, Reading, Request};
use crate::model::{Facts, KolSearch, KolSearchResult};

/// Where the search is.
const PATH: &str = "/api/xiaohongshu-pgy/api/solar/cooperator/blogger/v2/v1";

/// Results on a full page.
const PAGE_SIZE: i64 = 20;

/// The last page that upstream serves.
pub const LAST_PAGE: u32 = 250;

/// What to send for a page of a search.
pub(super) fn request(ask: &Ask) -> Request {
    // A key that is no search can only have been meant as a keyword.
    let filter = KolSearch::from_key(&ask.key).map_or_else(
        || BTreeMap::from([("keyword".to_owned(), ask.key.clone())]),
        |search| search.filter,
    );
    let mut query: Vec<(String, String)> =
        filter.into_iter().filter(|(name, _)| !matches!(name.as_str(), "page" | "token")).collect();
    query.push(("page".to_owned(), ask.page.to_string()));
    Request { path: PATH, query }
}

/// Whether a page that held `new_ids` not seen before is worth another call after it.
pub fn has_more(page: u32, max_pages: u32, listing: &Listing, new_ids: usize) -> bool {
    let within_total = listing.total.is_none_or(|total| i64::from(page) * PAGE_SIZE < total);
    page < max_pages.min(LAST_PAGE) && !listing.ids.is_empty() && new_ids > 0 && within_total
}

/// Rows of a page of results.
pub(super) fn normalise(ask: &Ask, data: Json<'_>) -> Reading {
    let kols = match json::field(data, "kols") {
        Some(Value::Array(kols)) => kols.as_slice(),
        Some(Value::Null) => &[],
        _ => return Reading::unreadable("data.kols is missing or no list"),
    };
    let mut listing = Listing { ids: Vec::new(), total: json::int(data, "/total").into_value() };
    if kols.is_empty() {
        return Reading { listing: Some(listing), ..Reading::of(Outcome::Empty) };
    }
    let reading = page(kols, i64::from(ask.page), &mut listing);
    Reading { listing: Some(listing), ..reading }
}

/// Rows of the results on a page, whose ids are added to the listing.
fn page(kols: &[Value<'_>], page: i64, listing: &mut Listing) -> Reading {
    let mut facts = Facts::default();
    let mut odd = Odd::default();
    let mut seen = BTreeSet::new();
    let mut without_id = 0;
    for (position, kol) in (0..).zip(kols) {
        let Some(kol_id) = json::id(kol, "/userId") else {
            without_id += 1;
            continue;
        };
        facts.kol_search_results.push(KolSearchResult {
            position,
            page,
            kol_id: kol_id.clone(),
            total: listing.total,
        });
        if seen.insert(kol_id.clone()) {
            facts.kols.push(rows::of(kol, &kol_id, &mut odd));
            listing.ids.push(kol_id);
        } else {
            odd.note(format!("{kol_id} is listed twice"));
        }
    }
    if listing.ids.is_empty() {
        return Reading::unreadable("data.kols[].userId is missing");
    }
    odd.skipped(without_id, "kols without userId");
    Reading::facts(facts, odd)
}

#[cfg(test)]
mod tests;
