//! Spans of errors in the text of a query.

use std::collections::BTreeSet;
use std::ops::Range;

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

use crate::store::sql::columns;

/// An error in a query.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// The message of the database.
    pub message: String,
    /// A suggestion.
    pub hint: Option<String>,
    /// The error span in the query, in bytes.
    pub at: Option<std::ops::Range<usize>>,
}

/// The only statement of a text, without a trailing semicolon.
///
/// # Errors
/// When there are several.
pub(super) fn only_statement(sql: &str) -> Result<&str, QueryError> {
    let mut end = None;
    for (word, at) in tokens(sql) {
        match end {
            None if word == ";" => end = Some(at.start),
            Some(_) if word != ";" => {
                let message = "several statements in one query".to_owned();
                let hint = Some("run them one by one".to_owned());
                return Err(QueryError { message, hint, at: Some(at) });
            }
            _ => {}
        }
    }
    Ok(end.and_then(|end| sql.get(..end)).unwrap_or(sql))
}

/// Tokens of a SQLite statement, without comments.
fn tokens(sql: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = sql.get(from..)?;
            let length = length(rest)?;
            let (start, word) = (from, rest.get(..length)?);
            from += length;
            if !(word.trim().is_empty() || word.starts_with("--") || word.starts_with("/*")) {
                return Some((word, start..from));
            }
        }
    })
}

/// Length of the first token; `None` at the end.
fn length(rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    let until = |end: &str, from: usize| {
        let found = rest.get(from..).and_then(|rest| rest.find(end));
        found.map_or(rest.len(), |found| from + found + end.len())
    };
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    Some(match first {
        // A doubled quote yields two adjacent strings, which makes no difference here.
        '\'' | '"' | '`' => until(first.encode_utf8(&mut [0; 4]), 1),
        '[' => until("]", 1),
        '-' if rest.starts_with("--") => until("\n", 2),
        '/' if rest.starts_with("/*") => until("*/", 2),
        c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
        c => c.len_utf8(),
    })
}

/// An unknown name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unknown<'a> {
    /// A table or view.
    Table(&'a str),
    /// A column.
    Column(&'a str),
}

/// The unknown name in a message of either database, without its qualifier.
pub(super) fn unknown(message: &str) -> Option<Unknown<'_>> {
    // Differs by necessity: `no such column: n.likes`, and `column "likes" does not exist`.
    let of_sqlite = message.strip_prefix("no such ").and_then(|rest| rest.split_once(": "));
    let of_postgres = || message.strip_suffix(" does not exist")?.split_once(' ');
    let (what, name) = of_sqlite.or_else(of_postgres)?;
    let name = name.rsplit('.').next().unwrap_or(name).trim_matches('"');
    match what {
        "table" | "relation" => Some(Unknown::Table(name)),
        "column" => Some(Unknown::Column(name)),
        _ => None,
    }
}

/// Tables and views that a query names.
pub(super) fn tables(sql: &str) -> BTreeSet<&'static str> {
    let named = |(word, _): (&str, _)| columns::table(&word.trim_matches('"').to_lowercase());
    tokens(sql).filter_map(named).map(|(table, _)| table).collect()
}

/// Whether a message of SQLite is about syntax, not about names.
pub(super) fn is_syntax(message: &str) -> bool {
    message.ends_with("syntax error")
}

/// Spans of the token that a message of SQLite names, in order.
pub(super) fn candidates(message: &str, sql: &str) -> Vec<Range<usize>> {
    let named = match message.strip_prefix("near \"") {
        Some(rest) => rest.rsplit_once('"').map(|(word, _)| word),
        None => message.rsplit_once(": ").map(|(_, name)| name),
    };
    // `no such column: n.likes`: the last part.
    let wanted = named.map(|name| name.rsplit('.').next().unwrap_or(name).to_owned());
    let Some(wanted) = wanted.filter(|word| !word.is_empty()) else { return Vec::new() };
    let plain = |word: &str| word.trim_matches(['"', '`', '[', ']']).eq_ignore_ascii_case(&wanted);
    tokens(sql).filter(|(word, _)| *word == wanted || plain(word)).map(|(_, at)| at).collect()
}

/// Converts a database error to a [`QueryError`] if the query is at fault.
pub(super) fn query_error(error: anyhow::Error, sql: &str) -> anyhow::Error {
    let Some(said) = crate::store::db::said(&error) else {
        return error;
    };
    let Some(postgres) = said.try_downcast_ref::<PgDatabaseError>() else {
        let message = said.message().to_owned();
        return QueryError { message, hint: None, at: None }.into();
    };
    let at = match postgres.position() {
        Some(PgErrorPosition::Original(nth)) => {
            let start = sql.char_indices().nth(nth.saturating_sub(1)).map(|(start, _)| start);
            start.map(|start| {
                let rest = sql.get(start..).unwrap_or_default();
                start..start + length(rest).unwrap_or(0)
            })
        }
        _ => None,
    };
    let hint = postgres.hint().or(postgres.detail()).map(str::to_owned);
    QueryError { message: postgres.message().to_owned(), hint, at }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_statement_may_end_in_a_semicolon_and_hold_some_in_texts() {
        for sql in
            ["select 1", "select 1;", "select 1 ; -- that; is all\n", "/* ; */ select ';' as \";\""]
        {
            assert!(only_statement(sql).is_ok(), "{sql}");
        }
        assert_eq!(only_statement("select 1 ;;").ok(), Some("select 1 "));
        let error = only_statement("select '' ; select 2").expect_err("two statements");
        assert_eq!(error.at, Some(12..18));
    }

    #[test]
    fn the_name_that_is_unknown_is_found_in_the_words_of_either_database() {
        for (message, expected) in [
            ("no such column: lieks", Some(Unknown::Column("lieks"))),
            ("no such column: e.lieks", Some(Unknown::Column("lieks"))),
            ("no such table: main.engagment", Some(Unknown::Table("engagment"))),
            ("column \"lieks\" does not exist", Some(Unknown::Column("lieks"))),
            ("column e.lieks does not exist", Some(Unknown::Column("lieks"))),
            ("relation \"engagment\" does not exist", Some(Unknown::Table("engagment"))),
            ("no such function: likes", None),
            ("near \"form\": syntax error", None),
        ] {
            assert_eq!(unknown(message), expected, "{message}");
        }
        let tables: Vec<_> =
            tables("select 'kols' from Engagement e join \"items\" i").into_iter().collect();
        assert_eq!(tables, ["engagement", "items"]);
    }

    #[test]
    fn a_word_is_found_outside_texts_and_comments() {
        let sql = "select 'form', form -- form\n form [form]";
        let found = candidates("near \"form\": syntax error", sql);
        assert_eq!(found, [15..19, 29..33, 34..40]);
        assert_eq!(candidates("no such column: n.form", sql).first(), Some(&(15..19)));
        assert!(candidates("incomplete input", sql).is_empty());
    }
}
