//! Formatting of texts, numbers and times; external values are always escaped.

use chrono_tz::Tz;
use maud::{Markup, html};

use super::plain::{code, escaped, is_odd};
use super::texts::{Text, named};
use super::view::View;
use crate::model::Suspect;
use crate::text;
pub(super) use crate::text::whole;
use crate::time::Time;

/// Placeholder for an unknown value.
pub(super) const NOTHING: &str = "–";

/// Maximum length of a title in a list in characters.
const LONGEST: usize = 80;

/// An external text; invisible and bidirectional characters are shown as codes.
pub(super) fn visible(text: &str) -> Markup {
    html! {
        @for part in text.split_inclusive(is_odd) {
            (part.trim_end_matches(is_odd))
            @if let Some(odd) = part.chars().next_back().filter(|c| is_odd(*c)) {
                span.odd { (code(odd)) }
            }
        }
    }
}

/// A title in one line, or the key of an item without one.
pub(super) fn title(title: Option<&str>, key: &str) -> String {
    let title = title.map(str::trim).filter(|title| !title.is_empty()).unwrap_or(key);
    let line = title.replace(['\n', '\t'], " ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// A count; NULL is unknown.
pub(super) fn count(number: Option<i64>) -> String {
    number.map_or_else(|| NOTHING.to_owned(), text::count)
}

/// The growth of a count.
pub(super) fn grew(number: Option<i64>) -> Markup {
    let class = match number {
        Some(1..) => "up",
        Some(..=-1) => "down",
        Some(0) | None => "still",
    };
    let sign = if number.is_some_and(|number| number > 0) { "+" } else { "" };
    html! { span class=(class) { (sign) (count(number)) } }
}

/// A price in yuan.
pub(super) fn yuan(price: Option<f64>) -> String {
    price.map_or_else(|| NOTHING.to_owned(), text::price)
}

/// A number as a coordinate.
#[expect(clippy::cast_precision_loss, reason = "a place in a drawing")]
pub(super) fn real(number: i64) -> f64 {
    number as f64
}

/// A link to a path of arbitrary parts.
pub(super) fn path(parts: &[&str]) -> String {
    parts.iter().map(|part| format!("/{}", escaped(part))).collect()
}

/// A time in a zone.
pub(super) fn local(at: Time, zone: Tz, format: &'static str) -> String {
    at.utc().with_timezone(&zone).format(format).to_string()
}

impl View {
    /// A link to a stored answer.
    pub(super) fn document(&self, id: i64) -> Markup {
        let href = path(&["document", &id.to_string()]);
        html! { a.document href=(href) title=(self.say(Text::Document)) { "#" (id) } }
    }

    /// A time in the archive's zone, with UTC as a tooltip.
    pub(super) fn at(&self, at: Time) -> Markup {
        self.at_as(at, "%m-%d %H:%M")
    }

    /// The same to the second, with its year.
    pub(super) fn exactly_at(&self, at: Time) -> Markup {
        self.at_as(at, "%Y-%m-%d %H:%M:%S")
    }

    fn at_as(&self, at: Time, format: &'static str) -> Markup {
        html! {
            time datetime=(at.utc().to_rfc3339()) title={ (at) " UTC" } {
                (local(at, self.zone, format))
            }
        }
    }

    /// An optional time.
    pub(super) fn perhaps_at(&self, at: Option<Time>) -> Markup {
        html! { @if let Some(at) = at { (self.exactly_at(at)) } @else { (NOTHING) } }
    }

    /// A count, marked if the platform rounded it.
    pub(super) fn seen(&self, number: Option<i64>, exact: bool) -> Markup {
        html! {
            @if number.is_some() && !exact {
                span.rounded title=(self.say(Text::Rounded)) { "≈" }
            }
            (count(number))
        }
    }

    /// A mark at doubtful counts, with the reason.
    pub(super) fn doubt(&self, suspect: Option<Suspect>) -> Markup {
        html! {
            @if let Some(suspect) = suspect {
                " " span.rounded title=(self.why_doubtful(suspect)) { "?" }
            }
        }
    }

    /// Why counts are doubtful.
    pub(super) fn why_doubtful(&self, suspect: Suspect) -> String {
        format!("{}: {}", self.say(Text::Doubtful), named(self.visit.language, suspect.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_and_markup_are_escaped() {
        let shown = visible("<b>a\u{202e}b\u{1b}c</b>").into_string();
        let odd = |code| format!("<span class=\"odd\">{code}</span>");
        let expected = format!("&lt;b&gt;a{}b{}c&lt;/b&gt;", odd("U+202E"), odd("U+001B"));
        assert_eq!(shown, expected);
    }

    #[test]
    fn link_parts_are_escaped() {
        assert_eq!(path(&["keyword", "a/b?露"]), "/keyword/a%2Fb%3F%E9%9C%B2");
    }

    #[test]
    fn null_count_is_not_zero() {
        assert_eq!((count(None), count(Some(0))), ("–".to_owned(), "0".to_owned()));
        assert_eq!((yuan(None), yuan(Some(0.0))), ("–".to_owned(), "0.000".to_owned()));
    }
}
