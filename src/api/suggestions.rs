//! Xiaohongshu search suggestions of a keyword, in the order they are shown.

use super::json::{self, Json, Value};
use super::reading::Odd;
use super::{Ask, Outcome, Reading};
use crate::model::{Facts, KeywordSuggestion};

/// Rows of the suggestions; the answer holds a second sign of success.
pub(super) fn normalise(ask: &Ask, data: Json<'_>) -> Reading {
    let success = json::flag(data, "/result/success").into_value();
    if success == Some(false) {
        let said = json::text(data, "/result/message").into_value().unwrap_or_default();
        return Reading::unreadable(&format!("data.result.success is false: {said}"));
    }
    let items = match json::field(data, "items").or_else(|| json::field(data, "sug_items")) {
        Some(Value::Array(items)) if !items.is_empty() => items,
        Some(items) if json::is_nothing(items) => return Reading::of(Outcome::Empty),
        None if success == Some(true) => return Reading::of(Outcome::Empty),
        _ => return Reading::unreadable("data.items is missing or no list"),
    };
    let suggestions: Vec<KeywordSuggestion> =
        (1..).zip(items).filter_map(|(rank, item)| suggestion(ask, data, rank, item)).collect();
    if suggestions.is_empty() {
        return Reading::unreadable("data.items[].text is missing");
    }
    let mut odd = Odd::default();
    odd.skipped(items.len() - suggestions.len(), "items without text");
    Reading::facts(Facts { keyword_suggestions: suggestions, ..Facts::default() }, odd)
}

fn suggestion(ask: &Ask, data: Json<'_>, rank: i64, item: Json<'_>) -> Option<KeywordSuggestion> {
    Some(KeywordSuggestion {
        keyword: ask.key.clone(),
        rank,
        suggestion: json::text(item, "/text").into_value()?,
        suggestion_type: json::text(item, "/type").into_value(),
        search_type: json::text(item, "/search_type").into_value(),
        link: json::text(item, "/link").into_value(),
        highlight: highlight(json::items(item, "/highlight_flags")),
        is_intervened: json::flag(item, "/is_intervened").into_value(),
        icon_url: json::text(item, "/icon").into_value(),
        message: json::text(data, "/result/message").into_value(),
        search_cpl_id: json::text(data, "/search_cpl_id").into_value(),
        word_request_id: json::text(data, "/word_request_id").into_value(),
    })
}

/// One digit a character; nothing when any flag is not understood.
fn highlight(flags: &[Value<'_>]) -> Option<String> {
    if flags.is_empty() {
        return None;
    }
    flags
        .iter()
        .map(|flag| json::flag(flag, "").into_value().map(|on| if on { '1' } else { '0' }))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Billed, Endpoint};
    use super::*;
    use crate::document::JsonText;

    fn ask() -> Ask {
        Ask { key: "露营".to_owned(), page: 1 }
    }

    #[test]
    fn suggestions_keep_their_order_from_rank_one() {
        let body = include_str!("../../tests/fixtures/suggestions.json");
        let reading = Endpoint::SearchSuggestions.read(&ask(), 200, &JsonText::of(body));
        assert_eq!((reading.outcome, reading.billed), (Outcome::Ok, Billed::Yes));
        assert_eq!(reading.drift, None);
        let rows = &reading.facts.keyword_suggestions;
        let ranks: Vec<i64> = rows.iter().map(|row| row.rank).collect();
        assert_eq!(ranks, [1, 2, 3, 4]);
        assert_eq!(
            rows[0],
            KeywordSuggestion {
                keyword: "露营".to_owned(),
                rank: 1,
                suggestion: "露营装备清单".to_owned(),
                suggestion_type: Some("top_note".to_owned()),
                search_type: Some("notes".to_owned()),
                link: None,
                highlight: Some("110000".to_owned()),
                is_intervened: Some(false),
                icon_url: Some(
                    "http://picasso-static.xiaohongshu.com/fe-platform/invented.png".to_owned()
                ),
                message: Some("success".to_owned()),
                search_cpl_id: Some("0f1e2d3c4b5a69788796a5b4c3d2e1f0".to_owned()),
                word_request_id: Some("a1b2c3d4e5f60718293a4b5c6d7e8f90".to_owned()),
            }
        );
        let last = &rows[3];
        assert_eq!((last.highlight.as_deref(), last.is_intervened), (None, None));
    }

    #[test]
    fn the_second_name_of_the_list_is_read_and_rows_without_text_are_counted() {
        let data = json!({ "sug_items": [{ "type": "ads" }, { "text": "露营地" }] });
        let reading = normalise(&ask(), &Value::from(&data));
        assert_eq!(reading.outcome, Outcome::Ok);
        assert_eq!(reading.facts.keyword_suggestions[0].rank, 2);
        assert_eq!(reading.drift.as_deref(), Some("1 of items without text skipped"));
    }

    #[test]
    fn no_suggestions_are_empty_and_an_inner_failure_is_not_an_answer() {
        for (data, outcome) in [
            (json!({ "items": [], "result": { "success": true } }), Outcome::Empty),
            (json!({ "items": null }), Outcome::Empty),
            (json!({ "result": { "success": true, "message": "success" } }), Outcome::Empty),
            (json!({ "items": [], "result": { "success": false } }), Outcome::Unreadable),
            (
                json!({ "items": [{ "text": "x" }], "result": { "success": false } }),
                Outcome::Unreadable,
            ),
            (json!({ "items": "x" }), Outcome::Unreadable),
            (json!({ "items": [{ "word": "x" }] }), Outcome::Unreadable),
            (json!({ "suggestions": [] }), Outcome::Unreadable),
            (json!(7), Outcome::Unreadable),
        ] {
            let reading = normalise(&ask(), &Value::from(&data));
            assert_eq!(reading.outcome, outcome, "{data}");
            assert_eq!(reading.facts, Facts::default(), "{data}");
            assert_eq!(reading.drift.is_some(), outcome == Outcome::Unreadable, "{data}");
        }
    }
}
