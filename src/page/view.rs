//! One request: its parameters and language, and the frame of every page.

use std::convert::Infallible;
use std::fmt::Display;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use chrono_tz::Tz;
use maud::{DOCTYPE, Markup, html};

use super::plain::{escaped, plain};
use super::texts::Text;
use crate::config::Language;
use crate::text::{self, is_visible};
use crate::time::Time;

/// The cookie with the language.
pub(super) const COOKIE: &str = "lang";

/// Maximum length in characters of a search text or parameter.
const LONGEST: usize = 200;

/// The request.
pub(super) struct Visit {
    pub(super) language: Language,
    path: String,
    query: Vec<(String, String)>,
}

/// State of a page: the request, its time, and the state of the archive.
pub(super) struct View {
    pub(super) visit: Visit,
    /// The archive's zone.
    pub(super) zone: Tz,
    /// The time now.
    pub(super) now: Time,
    /// Reference time of the latest hours and days: now, or the archive's last call if that is long
    /// ago.
    pub(super) as_of: Time,
}

/// An error response.
pub(super) struct Failure(StatusCode, Markup);

/// A handler's result.
pub(super) type Answer = Result<Html<String>, Failure>;

/// The language of a tag such as `zh-CN`.
pub(super) fn language(name: &str) -> Option<Language> {
    match name.trim().to_ascii_lowercase().split(['-', ';']).next() {
        Some("zh") => Some(Language::Chinese),
        Some("en") => Some(Language::English),
        _ => None,
    }
}

/// The tag of a language.
pub(super) fn tag(language: Language) -> &'static str {
    match language {
        Language::Chinese => "zh",
        Language::English => "en",
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let query: Vec<(String, String)> = query
            .take(64)
            .map(|(name, value)| (name.into_owned(), value.chars().take(LONGEST).collect()))
            .collect();
        let asked = query.iter().find(|(name, _)| name == COOKIE).map(|(_, value)| value.as_str());
        let kept = header(&parts.headers, &header::COOKIE)
            .split(';')
            .find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='));
        let accepted =
            header(&parts.headers, &header::ACCEPT_LANGUAGE).split(',').find_map(language);
        let chosen = asked.and_then(language).or_else(|| kept.and_then(language)).or(accepted);
        let path = parts.uri.path().to_owned();
        Ok(Self { language: chosen.unwrap_or(Language::English), path, query })
    }
}

impl Visit {
    /// The value of a query parameter.
    pub(super) fn asks<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// All values of a query parameter.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The page number of a list, from 1.
    pub(super) fn page(&self) -> i64 {
        self.asks("page").and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, 100_000)
    }

    /// This URL with changed parameters.
    pub(super) fn with(&self, changes: &[(&str, &str)]) -> String {
        let kept = self.query.iter().filter(|(name, _)| changes.iter().all(|(new, _)| new != name));
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs = kept.chain(changes.iter().copied());
        let pairs = pairs.map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
        format!("{}?{}", self.path, pairs.collect::<Vec<_>>().join("&"))
    }
}

impl View {
    /// A text in the visitor's language.
    pub(super) fn say(&self, text: Text) -> &'static str {
        text.say(self.visit.language)
    }

    /// A number with a noun.
    pub(super) fn things(&self, number: impl Display, one: Text) -> String {
        match self.visit.language {
            Language::Chinese => format!("{number} {}", self.say(one)),
            Language::English => text::things(number, self.say(one)),
        }
    }

    /// A whole page.
    pub(super) fn page(&self, title: &str, body: &Markup) -> Html<String> {
        let reloads = self.visit.path == "/";
        Html(frame(&self.visit, title, reloads, &html! { (self.age()) (body) }).into_string())
    }

    /// A notice that the archive ends long ago.
    fn age(&self) -> Markup {
        html! {
            @if self.as_of != self.now {
                p.notice { (self.say(Text::ArchiveEnds)) " " (self.exactly_at(self.as_of)) }
            }
        }
    }

    /// The archive has no data on the subject.
    pub(super) fn not_found(&self) -> Failure {
        not_found(&self.visit)
    }

    /// The same, with the time if it was forgotten.
    pub(super) fn not_there(&self, forgotten: Option<Time>) -> Failure {
        let Some(at) = forgotten else { return self.not_found() };
        let text = self.say(Text::Forgotten);
        let body = html! { p.notice { (text) " " (self.exactly_at(at)) } };
        Failure(StatusCode::GONE, frame(&self.visit, text, false, &body))
    }

    /// Links to the previous and next page of a list.
    pub(super) fn pages(&self, has_more: bool) -> Markup {
        let page = self.visit.page();
        let link = |page: i64| self.visit.with(&[("page", &page.to_string())]);
        html! {
            @if page > 1 || has_more {
                nav.pages {
                    @if page > 1 { a href=(link(page - 1)) rel="prev" { "← " (page - 1) } }
                    span { (page) }
                    @if has_more { a href=(link(page + 1)) rel="next" { (page + 1) " →" } }
                }
            }
        }
    }

    /// Links that set a query parameter; the first value is the default.
    pub(super) fn switch(&self, name: &str, choices: &[(&str, &str)]) -> Markup {
        let first = choices.first().map_or("", |(value, _)| value);
        let now = self.visit.asks(name).filter(|now| choices.iter().any(|(it, _)| it == now));
        html! {
            span.switch {
                @for (value, label) in choices {
                    @if now.unwrap_or(first) == *value {
                        b { (label) }
                    } @else {
                        a href=(self.visit.with(&[(name, value)])) { (label) }
                    }
                }
            }
        }
    }
}

/// The archive has no data on the subject.
pub(super) fn not_found(visit: &Visit) -> Failure {
    let text = Text::NotFound.say(visit.language);
    Failure(StatusCode::NOT_FOUND, frame(visit, text, false, &html! { p.notice { (text) } }))
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error: anyhow::Error = error.into();
        tracing::warn!(error = format!("{error:#}"), "rendering a page failed");
        let body = html! {
            @for language in [Language::English, Language::Chinese] {
                p { (Text::Failed.say(language)) }
            }
        };
        Self(StatusCode::SERVICE_UNAVAILABLE, html! { (DOCTYPE) html { body { (body) } } })
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Html(self.1.into_string())).into_response()
    }
}

/// The frame of every page.
fn frame(visit: &Visit, title: &str, reloads: bool, body: &Markup) -> Markup {
    let language = visit.language;
    let say = |text: Text| text.say(language);
    let other = match language {
        Language::Chinese => Language::English,
        Language::English => Language::Chinese,
    };
    // A control cannot mark invisible characters.
    let asked: String =
        visit.asks("q").unwrap_or_default().chars().filter(|c| is_visible(*c)).collect();
    let links = [("/", Text::Home), ("/keywords", Text::Keywords), ("/kols", Text::Kols)];
    html! {
        (DOCTYPE)
        html lang=(tag(language)) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if reloads { meta http-equiv="refresh" content="300"; }
                title { (plain(title)) " · Tidewatch" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/assets/uPlot.css";
                link rel="stylesheet" href="/assets/page.css";
                script src="/assets/uPlot.js" defer {}
                script src="/assets/page.js" defer {}
            }
            body {
                header {
                    a.name href="/" { "Tidewatch" }
                    nav {
                        @for (to, text) in links {
                            a href=(to) aria-current=[(visit.path == to).then_some("page")] { (say(text)) }
                        }
                    }
                    form.search action="/search" role="search" {
                        input type="search" name="q" maxlength="100" aria-label=(say(Text::Search))
                            placeholder=(say(Text::SearchHint)) value=(asked);
                    }
                    a.language href=(visit.with(&[(COOKIE, tag(other))])) lang=(tag(other)) {
                        (Text::ThisLanguage.say(other))
                    }
                }
                main { (body) }
                footer { (say(Text::Footer)) }
            }
        }
    }
}
