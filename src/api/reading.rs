//! What an answer means, and the few forms that every endpoint's answers take.

use super::counts::CountReader;
use super::json::{Json, Value};
use super::{Billed, Endpoint, Outcome, envelope};
use crate::model::{Facts, Field};

/// What an answer means.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What came of the call.
    pub outcome: Outcome,
    /// The upstream code, as text.
    pub code: Option<String>,
    /// What upstream said, or the evidence of the outcome, for people.
    pub message: Option<String>,
    /// Whether the call was paid for.
    pub billed: Billed,
    /// What it says; empty unless the outcome is [`Outcome::Ok`].
    pub facts: Facts,
    /// What in the answer was not understood, or is not what was asked for.
    pub drift: Option<String>,
    /// Of a page of a listing: what the paging rules need.
    pub listing: Option<Listing>,
    /// Of a resolved short link: the id of the item behind it.
    pub resolved: Option<String>,
}

impl Billed {
    /// What is known of a call of which no whole answer came.
    fn unless_free(endpoint: Endpoint) -> Self {
        if endpoint.provider().profile().paid { Self::Unknown } else { Self::No }
    }
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The ids on this page.
    pub ids: Vec<String>,
    /// `total`: a ceiling for paging, not a count of hits.
    pub total: Option<i64>,
}

impl Reading {
    /// The reading of a call that brought no whole answer; `error` says why, and `sent`
    /// whether the question may have gone out.
    pub fn transport(endpoint: Endpoint, error: &str, sent: bool) -> Self {
        let billed = if sent { Billed::unless_free(endpoint) } else { Billed::No };
        Self { message: Some(envelope::shown(error)), billed, ..Self::of(Outcome::Transport) }
    }

    /// The reading of an answer that is larger than any should be. It may have been paid for, and
    /// the next would be as large.
    pub fn too_large(endpoint: Endpoint) -> Self {
        let billed = Billed::unless_free(endpoint);
        Self { billed, ..Self::unreadable("larger than is read; its beginning is kept") }
    }

    /// Whether it is about a note or a work and has none of its counts: facts, but no observation.
    pub fn lacks_counts(&self) -> bool {
        let Facts { notes, works, .. } = &self.facts;
        let notes = notes.iter().map(|item| &item.counts);
        let mut counts = notes.chain(works.iter().map(|item| &item.counts)).peekable();
        counts.peek().is_some() && counts.all(Option::is_none)
    }

    /// An outcome and nothing else yet.
    pub(super) fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            code: None,
            message: None,
            billed: Billed::Unknown,
            facts: Facts::default(),
            drift: None,
            listing: None,
            resolved: None,
        }
    }

    /// Facts, and what was odd about them.
    pub(super) fn facts(facts: Facts, odd: Odd) -> Self {
        Self { facts, drift: odd.into_drift(), ..Self::of(Outcome::Ok) }
    }

    /// An answer that is not what it should be: no row is made of it.
    pub(super) fn unreadable(drift: &str) -> Self {
        Self { drift: Some(envelope::shown(drift)), ..Self::of(Outcome::Unreadable) }
    }

    /// An answer about something else than was asked for.
    pub(super) fn about_another(asked: &str, got: &str) -> Self {
        Self::unreadable(&format!("asked {asked}, got {got}"))
    }
}

/// What was odd about an answer that was understood all the same.
#[derive(Debug, Default)]
pub(super) struct Odd(Vec<String>);

impl Odd {
    /// Notes one thing; the same thing only once.
    pub(super) fn note(&mut self, what: String) {
        if !self.0.contains(&what) {
            self.0.push(what);
        }
    }

    /// Notes what the counts of an object were missing.
    pub(super) fn counts(&mut self, counts: CountReader<'_>) {
        counts.odd.into_iter().for_each(|what| self.note(what));
    }

    /// The rows of a list, each with its place in it. Where an entry gives none, the list as a whole
    /// is not understood. Null is what an erased entry leaves, and is passed over.
    pub(super) fn rows<'v, T>(
        &mut self,
        list: Field<&'v [Value<'v>]>,
        of: &str,
        row: impl Fn(i64, Json<'v>) -> Option<T>,
    ) -> Field<Vec<T>> {
        list.and_then(|entries| self.entries(entries.iter(), of, row))
    }

    /// As [`rows`](Self::rows), of these entries.
    pub(super) fn entries<'v, T>(
        &mut self,
        entries: impl Iterator<Item = Json<'v>>,
        of: &str,
        row: impl Fn(i64, Json<'v>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let (mut rows, mut nulls, mut unreadable) = (Vec::new(), 0, 0);
        for (position, entry) in (0..).zip(entries) {
            match row(position, entry) {
                _ if entry.is_null() => nulls += 1,
                Some(row) => rows.push(row),
                None => unreadable += 1,
            }
        }
        for (number, what) in [(nulls, "null"), (unreadable, "unreadable")] {
            if number > 0 {
                self.note(format!("{of}: {number} {what}"));
            }
        }
        (unreadable == 0 && !rows.is_empty()).then_some(rows)
    }

    /// Notes how many entries of a list were skipped.
    pub(super) fn skipped(&mut self, number: usize, what: &str) {
        if number > 0 {
            self.note(format!("{number} of {what} skipped"));
        }
    }

    fn into_drift(self) -> Option<String> {
        (!self.0.is_empty()).then(|| envelope::shown(&self.0.join("; ")))
    }
}
