//! The filter of a KOL search: parameter names and values of the upstream query.
//!
//! Upstream ignores a misspelt parameter and bills the search anyway, so known names are checked
//! closely. Unknown names are passed on from `jobs.toml`, because upstream often adds parameters;
//! `fetch` refuses them.

use std::collections::BTreeMap;

use toml::Value;

use super::kol_names::{KNOWN, Shape};
use crate::suggest;

/// Default order of results, pinned because upstream's default has changed.
const DEFAULT_SORT: &str = "FANS";

/// The value of `sort` that sends none.
const NO_SORT: &str = "NONE";

/// Texts that may contain a comma; of others it separates values.
const PROSE: [&str; 2] = ["keyword", "similarWord"];

/// Maximum length of a value in characters: it is sent in a URL.
const LONGEST_VALUE: usize = 1000;

/// Maximum size of a filter in bytes of its values: it is a key in the database.
const LARGEST_FILTER: usize = 1500;

/// A problem of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The parameter.
    pub name: String,
    /// The problem.
    pub message: String,
    /// The fix.
    pub help: String,
}

/// A filter as query parameters, or all its problems.
pub fn read(filter: &BTreeMap<String, Value>) -> Result<BTreeMap<String, String>, Vec<Complaint>> {
    let mut query = BTreeMap::new();
    let mut complaints = Vec::new();
    for (name, value) in filter {
        match parameter(name, value) {
            Ok(text) => {
                query.insert(name.clone(), text);
            }
            Err((message, help)) => {
                complaints.push(Complaint { name: name.clone(), message, help });
            }
        }
    }
    complaints.extend(pairs(&query));
    if query.values().map(String::len).sum::<usize>() > LARGEST_FILTER {
        complaints.push(Complaint {
            name: query.keys().next().cloned().unwrap_or_default(),
            message: format!("the filter is larger than {LARGEST_FILTER} bytes"),
            help: "split it into several jobs".to_owned(),
        });
    }
    if !complaints.is_empty() {
        return Err(complaints);
    }
    let sort = query.entry("sort".to_owned()).or_insert_with(|| DEFAULT_SORT.to_owned());
    if sort == NO_SORT {
        query.remove("sort");
    }
    Ok(query)
}

/// The first parameter that the vendor does not document, if any.
pub fn undocumented(query: &BTreeMap<String, String>) -> Option<&str> {
    let is_known = |name: &str| KNOWN.iter().any(|(known, _)| *known == name);
    query.keys().map(String::as_str).find(|name| !is_known(name))
}

/// A message and its help.
type Refusal = (String, String);

fn refusal(message: impl Into<String>, help: impl Into<String>) -> Refusal {
    (message.into(), help.into())
}

fn parameter(name: &str, value: &Value) -> Result<String, Refusal> {
    if name == "page" {
        return Err(refusal("`page` is not a filter", "set `max_pages` beside `filter`"));
    }
    if name.eq_ignore_ascii_case("token") {
        let help = "set the environment variable JUSTONEAPI_TOKEN";
        return Err(refusal("the token does not belong in a filter", help));
    }
    let text = text_of(value)?;
    if text.trim().is_empty() {
        return Err(refusal(format!("`{name}` is empty"), "leave it out to search without it"));
    }
    if text.chars().count() > LONGEST_VALUE || text.chars().any(char::is_control) {
        let help = format!("at most {LONGEST_VALUE} characters, without line breaks");
        return Err(refusal(format!("`{name}` cannot be sent"), help));
    }
    let Some((_, shape)) = KNOWN.iter().find(|(known, _)| *known == name) else {
        return unknown(name).map_or(Ok(text), Err);
    };
    if name == "sort" && text == NO_SORT {
        return Ok(text);
    }
    check(name, *shape, &text)
}

/// A near miss of a known name is a typing error; any other name may be new upstream.
fn unknown(name: &str) -> Option<Refusal> {
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_name {
        let help = "filters have the names of the documentation, such as `fansNumberLower`";
        return Some(refusal("invalid filter name", help));
    }
    let near = suggest::nearest(name, KNOWN.iter().map(|(known, _)| *known))?;
    let letters = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    // `readMidNor90` beside `readMidNor30` is a neighbour, not a typing error.
    if letters(name) == letters(near) {
        return None;
    }
    Some(refusal(format!("unknown filter `{name}`"), format!("did you mean `{near}`?")))
}

/// The value of a documented parameter as it is sent.
fn check(name: &str, shape: Shape, text: &str) -> Result<String, Refusal> {
    match shape {
        Shape::Text if PROSE.contains(&name) => Ok(text.to_owned()),
        Shape::Text => {
            let values = text.split([',', '，', '、']).map(str::trim);
            Ok(values.filter(|value| !value.is_empty()).collect::<Vec<_>>().join(","))
        }
        Shape::Flag if matches!(text, "true" | "false") => Ok(text.to_owned()),
        Shape::Flag => {
            Err(refusal(format!("`{name}` must be true or false"), format!("{name} = true")))
        }
        Shape::Count if text.parse::<u64>().is_ok() => Ok(text.to_owned()),
        Shape::Count => Err(refusal(
            format!("`{name}` must be a whole number"),
            format!("such as {name} = 1000"),
        )),
        Shape::Range => range(name, text),
        Shape::Choice(choices) if choices.contains(&text) => Ok(text.to_owned()),
        Shape::Choice(choices) => {
            let help = suggest::nearest(text, choices.iter().copied()).map_or_else(
                || format!("one of {}", choices.join(", ")),
                |near| format!("did you mean \"{near}\"?"),
            );
            Err(refusal(format!("invalid value of `{name}`"), help))
        }
    }
}

fn range(name: &str, text: &str) -> Result<String, Refusal> {
    let help = format!("write two numbers, -1 for an open bound: {name} = [1000, -1]");
    let Some((low, high)) = text.split_once([',', '，']) else {
        return Err(refusal(format!("`{name}` must be a range"), help));
    };
    match (bound(low), bound(high)) {
        (Some(from), Some(to)) if to < 0.0 || from <= to => {
            Ok(format!("{},{}", low.trim(), high.trim()))
        }
        (Some(_), Some(_)) => {
            Err(refusal(format!("the range of `{name}` ends before it begins"), help))
        }
        _ => Err(refusal(format!("`{name}` must be a range of two numbers"), help)),
    }
}

/// A bound of a range; open bounds are negative.
fn bound(text: &str) -> Option<f64> {
    match text.trim() {
        "null" | "" => Some(-1.0),
        number => number.parse().ok().filter(|bound: &f64| bound.is_finite()),
    }
}

/// Checks parameters that must agree.
fn pairs(query: &BTreeMap<String, String>) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (name, other) in [("similarUserId", "similarWord"), ("similarWord", "similarUserId")] {
        if query.contains_key(name) && !query.contains_key(other) {
            complaints.push(Complaint {
                name: name.to_owned(),
                message: format!("`{name}` has no effect without `{other}`"),
                help: "give both or neither".to_owned(),
            });
        }
    }
    let count = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
    if let (Some(low), Some(high)) = (count("fansNumberLower"), count("fansNumberUpper"))
        && low > high
    {
        complaints.push(Complaint {
            name: "fansNumberLower".to_owned(),
            message: "`fansNumberLower` is above `fansNumberUpper`".to_owned(),
            help: "no KOL matches; swap them".to_owned(),
        });
    }
    complaints
}

fn text_of(value: &Value) -> Result<String, Refusal> {
    match value {
        Value::Array(items) if !items.is_empty() => {
            let texts: Result<Vec<String>, Refusal> = items.iter().map(scalar).collect();
            Ok(texts?.join(","))
        }
        Value::Array(_) => Err(refusal("the list is empty", "leave the filter out")),
        other => scalar(other),
    }
}

fn scalar(value: &Value) -> Result<String, Refusal> {
    match value {
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) if number.is_finite() => Ok(number.to_string()),
        Value::Boolean(flag) => Ok(flag.to_string()),
        Value::Float(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
            let help = "a text, a number, true or false, or a list of them";
            Err(refusal("invalid filter value", help))
        }
    }
}

#[cfg(test)]
mod tests;
