//! A stored answer as text, and its call.

use axum::extract::{Path, State};
use maud::html;

use super::Page;
use super::format::{NOTHING, count, visible};
use super::texts::{Text, named};
use super::view::{Answer, Visit, not_found};
use crate::api::Endpoint;
use crate::model::KolSearch;
use crate::text::money;

/// Maximum characters shown of an answer.
const MOST: i64 = 400_000;

pub(super) async fn page(State(page): State<Page>, Path(id): Path<String>, visit: Visit) -> Answer {
    let Ok(id) = id.parse() else { return Err(not_found(&visit)) };
    let (view, mut tx) = page.open(visit).await?;
    let Some(kept) = tx.stored_document(id, MOST).await? else { return Err(view.not_found()) };
    let language = view.visit.language;
    let kind = Endpoint::parse(&kept.endpoint).map_or("", |endpoint| endpoint.kind().as_str());
    let name = format!("{} #{id}", view.say(Text::Document));
    let body = html! {
        h1 { (name) }
        dl.facts {
            dt { (view.say(Text::Endpoint)) }
            dd { code { (kept.endpoint) } @if kept.page > 1 { " · " (kept.page) } }
            dt { (view.say(Text::Asked)) }
            dd { code { (visible(&KolSearch::shown(kind, &kept.asked))) } }
            dt { (view.say(Text::Fetched)) }
            dd { (view.exactly_at(kept.fetched_at)) }
            dt { (view.say(Text::Outcome)) }
            dd {
                (named(language, kept.outcome.as_deref().unwrap_or(NOTHING)))
                @if let Some(status) = kept.http_status { " · HTTP " (status) }
                @if let Some(code) = &kept.code { " · " (view.say(Text::Code)) " " (visible(code)) }
            }
            dt { (view.say(Text::Billed)) }
            dd {
                (named(language, kept.billed.as_str())) " · "
                @match kept.price_micros { Some(price) => (money(price)), None => (NOTHING) }
                " " (view.say(Text::Yuan))
            }
            dt { (view.say(Text::Size)) }
            dd { (count(kept.bytes)) " B · " (count(kept.duration_ms)) " ms · " (view.say(Text::Attempt)) " " (kept.attempt) }
            @if let Some(drift) = &kept.drift { dt { (view.say(Text::Drift)) } dd { (visible(drift)) } }
            @if let Some(cleaned) = &kept.cleaned { dt { (view.say(Text::Cleaned)) } dd { (visible(cleaned)) } }
            @if let Some(at) = kept.redacted_at { dt { (view.say(Text::Redacted)) } dd { (view.exactly_at(at)) } }
            @if let Some(at) = kept.imported_at { dt { (view.say(Text::Imported)) } dd { (view.exactly_at(at)) } }
        }
        @if kept.length > MOST { p.notice { (view.say(Text::CutShort)) " " (count(Some(kept.length))) } }
        pre.raw { (visible(&indented(&kept.body))) }
    };
    Ok(view.page(&name, &body))
}

/// Indents JSON without changing its tokens: numbers keep every digit.
fn indented(json: &str) -> String {
    let (mut shown, mut depth, mut in_text, mut escaped) = (String::new(), 0_usize, false, false);
    let mut signs = json.chars().peekable();
    while let Some(c) = signs.next() {
        if in_text {
            shown.push(c);
            in_text = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        let line = |depth: usize| format!("\n{}", "  ".repeat(depth.min(40)));
        match c {
            '{' | '[' => {
                shown.push(c);
                while signs.next_if(|next| next.is_whitespace()).is_some() {}
                if let Some(end) = signs.next_if(|next| matches!(next, '}' | ']')) {
                    shown.push(end);
                } else {
                    depth += 1;
                    shown += &line(depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                shown += &line(depth);
                shown.push(c);
            }
            ',' => shown += &format!(",{}", line(depth)),
            ':' => shown += ": ",
            _ if c.is_whitespace() => {}
            _ => {
                in_text = c == '"';
                shown.push(c);
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::indented;

    #[test]
    fn json_is_indented_without_losing_digits() {
        let json = r#"{"a": 12345678901234567890123,"b":[1.10, "x,\"{y}"],"c":{ },"d":[]}"#;
        let expected = "{\n  \"a\": 12345678901234567890123,\n  \"b\": [\n    1.10,\n    \
                        \"x,\\\"{y}\"\n  ],\n  \"c\": {},\n  \"d\": []\n}";
        assert_eq!(indented(json), expected);
        assert_eq!(indented("[1, [2"), "[\n  1,\n  [\n    2", "cut short");
    }
}
