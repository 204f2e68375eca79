//! What is known of an entity, and how an answer changes it. Pure: the same answers in the order
//! of (`fetched_at`, `document_id`) give the same state, whoever applies them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::lists::{self, Cells, Entry, as_text};
use super::spec::Spec;
use crate::model::catalogue::{Cell, Column, Role};
use crate::model::{Entity, Field};
use crate::time::Time;

/// How long a signed URL is kept before a newer one takes its place, in microseconds: the first
/// answer of each half-day of UTC refreshes them.
const HALF_DAY_MICROS: i64 = 12 * 3_600 * 1_000_000;

/// An answer's place in the order of all answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) at: Time,
    pub(super) document_id: i64,
}

/// What one answer says of one entity.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) entity: Entity,
    pub(super) stamp: Stamp,
    /// The key the entity has if this is its first document.
    pub(super) key: i64,
    /// In the order of the table's columns.
    pub(super) values: Vec<Field<Cell>>,
    /// In the order of the lists.
    pub(super) lists: Vec<Field<Vec<Entry>>>,
    /// Digest of what it says, volatile values left out.
    pub(super) fingerprint: String,
}

/// What is known of an entity.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    pub(super) key: i64,
    pub(super) values: Cells,
    pub(super) lists: Vec<Vec<Cells>>,
    pub(super) first_seen_at: Time,
    /// The newest answer about it.
    pub(super) last: Stamp,
    /// The newest answer that changed a fact.
    pub(super) changed: Stamp,
    /// When the answer came that the volatile columns are from.
    pub(super) refreshed_at: Time,
    /// Of the newest answer.
    pub(super) fingerprint: String,
    /// Tracked facts that the newest answer does not speak of: when they were last seen; `None`:
    /// never.
    pub(super) unconfirmed: BTreeMap<String, Option<Stamp>>,
    /// Which lists have to be written, while this is in memory.
    pub(super) written_lists: Vec<bool>,
}

/// A fact that was replaced.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) field: &'static str,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    pub(super) previous: Stamp,
    pub(super) seen: Stamp,
}

impl Said {
    /// Computes the fingerprint of what an answer says.
    pub(super) fn new(
        spec: &Spec,
        entity: Entity,
        stamp: Stamp,
        key: i64,
        values: Vec<Field<Cell>>,
        lists: Vec<Field<Vec<Entry>>>,
    ) -> Self {
        let mut digest = Sha256::new();
        feed_row(&mut digest, spec.table.columns, &values);
        for (list, entries) in spec.lists.iter().zip(&lists) {
            feed(&mut digest, entries, |digest, entries| {
                digest.update(entries.len().to_le_bytes());
                entries.iter().for_each(|entry| feed_row(digest, list.table.columns, entry));
            });
        }
        let fingerprint = hex(digest.finalize().get(..16).unwrap_or_default());
        Self { entity, stamp, key, values, lists, fingerprint }
    }

    /// Whether it has values for volatile columns.
    fn speaks_of_volatile(&self, spec: &Spec) -> bool {
        let is_volatile = |column: &Column| column.role == Role::Volatile;
        let mut columns = spec.table.columns.iter().zip(&self.values);
        let mut lists = spec.lists.iter().zip(&self.lists);
        columns.any(|(column, value)| is_volatile(column) && value.value().is_some())
            || lists.any(|(list, entries)| {
                let cells = entries.value().into_iter().flatten().flat_map(|entry| {
                    list.table.columns.iter().zip(entry).filter(|(column, _)| is_volatile(column))
                });
                cells.into_iter().any(|(_, cell)| cell.value().is_some())
            })
    }

    /// Whether it renews the volatile values, by its time, of what was refreshed at that time.
    pub(super) fn refreshes(&self, spec: &Spec, refreshed_at: Time) -> bool {
        half_day(self.stamp.at) > half_day(refreshed_at) && self.speaks_of_volatile(spec)
    }
}

impl State {
    /// What is known after the first answer about an entity.
    pub(super) fn first(spec: &Spec, said: &Said) -> Self {
        let unknown = Self {
            key: said.key,
            values: vec![Cell::Null; spec.table.columns.len()],
            lists: vec![Vec::new(); spec.lists.len()],
            first_seen_at: said.stamp.at,
            last: said.stamp,
            changed: said.stamp,
            refreshed_at: said.stamp.at,
            fingerprint: String::new(),
            unconfirmed: tracked(spec).map(|field| (field.to_owned(), None)).collect(),
            written_lists: vec![false; spec.lists.len()],
        };
        let mut state = unknown;
        // Nothing was known, so nothing is replaced.
        let _ = state.apply(spec, said);
        state.changed = said.stamp;
        state
    }

    /// Applies the next answer; the facts that it replaces.
    pub(super) fn apply(&mut self, spec: &Spec, said: &Said) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut is_changed = false;
        for (nth, (column, value)) in spec.table.columns.iter().zip(&said.values).enumerate() {
            let field = (column.role == Role::Tracked).then_some(column.name);
            if column.role == Role::Volatile {
                continue;
            }
            let Some(new) = spoken(value, Cell::Null) else {
                self.leave_unconfirmed(field);
                continue;
            };
            let previous = self.confirm(field);
            if self.values[nth] != new {
                let text = |cell: &Cell| as_text(column.column_type, cell);
                let replaced = (text(&self.values[nth]), text(&new));
                changes.extend(change(field, replaced, previous, said.stamp));
                self.values[nth] = new;
                is_changed = true;
            }
        }
        for (nth, (list, entries)) in spec.lists.iter().zip(&said.lists).enumerate() {
            let Some(entries) = spoken(entries, Vec::new()) else {
                self.leave_unconfirmed(list.field);
                continue;
            };
            let previous = self.confirm(list.field);
            let known = &self.lists[nth];
            let new = lists::merge(list, known, &entries);
            if !lists::says_the_same(list, known, &new.rows) {
                let old = lists::labels(list, &new.completed(known));
                let replaced = (old, lists::labels(list, &new.rows));
                changes.extend(change(list.field, replaced, previous, said.stamp));
                self.lists[nth] = new.rows;
                self.written_lists[nth] = true;
                is_changed = true;
            }
        }
        if said.refreshes(spec, self.refreshed_at)
            || is_changed && said.speaks_of_volatile(spec)
            || self.lacks_volatile(spec, said)
        {
            self.refresh(spec, said);
        }
        if is_changed {
            self.changed = said.stamp;
        }
        self.key = self.key.min(said.key);
        self.last = said.stamp;
        self.fingerprint.clone_from(&said.fingerprint);
        changes
    }

    /// Takes in an answer that is older than the newest, if it changes nothing: it came after the
    /// last change and says what is known. Otherwise false, and the state is as it was.
    pub(super) fn absorb(&self, spec: &Spec, said: &Said) -> bool {
        let fits_row = spec.table.columns.iter().zip(self.values.iter().zip(&said.values)).all(
            |(column, (known, value))| match spoken(value, Cell::Null) {
                Some(value) if column.role != Role::Volatile => {
                    *known == value && !self.unconfirmed.contains_key(column.name)
                }
                _ => true,
            },
        );
        let fits_lists = spec.lists.iter().zip(self.lists.iter().zip(&said.lists)).all(
            |(list, (known, entries))| {
                let is_confirmed = list.field.is_none_or(|it| !self.unconfirmed.contains_key(it));
                spoken(entries, Vec::new()).is_none_or(|entries| {
                    let merged = lists::merge(list, known, &entries);
                    lists::says_the_same(list, known, &merged.rows) && is_confirmed
                })
            },
        );
        let is_in_run = said.stamp > self.changed && said.key >= self.key;
        // Two answers of one instant: which of them refreshed is not known.
        if !fits_row || !fits_lists || !is_in_run || said.stamp.at == self.refreshed_at {
            return false;
        }
        // Unless it comes after the answer that refreshed in the same half-day, and has nothing that
        // one lacked, it may be the one that should have refreshed.
        let is_after_refresh = half_day(said.stamp.at) == half_day(self.refreshed_at)
            && said.stamp.at > self.refreshed_at
            && !self.lacks_volatile(spec, said);
        is_after_refresh || !said.speaks_of_volatile(spec)
    }

    /// Whether the answer has a volatile value where none is known. Its lists are known.
    fn lacks_volatile(&self, spec: &Spec, said: &Said) -> bool {
        let mut columns = spec.table.columns.iter().zip(self.values.iter().zip(&said.values));
        let mut lists = spec.lists.iter().zip(self.lists.iter().zip(&said.lists));
        columns.any(|(column, (known, value))| {
            column.role == Role::Volatile && *known == Cell::Null && value.value().is_some()
        }) || lists.any(|(list, (known, entries))| {
            entries.value().is_some_and(|entries| lists::lacks_volatile(list, known, entries))
        })
    }

    fn refresh(&mut self, spec: &Spec, said: &Said) {
        let columns = spec.table.columns.iter().zip(&said.values);
        for (known, (column, value)) in self.values.iter_mut().zip(columns) {
            if let (Role::Volatile, Some(value)) = (column.role, value.value()) {
                known.clone_from(value);
            }
        }
        for (nth, (list, entries)) in spec.lists.iter().zip(&said.lists).enumerate() {
            if let Some(entries) = entries.value() {
                self.written_lists[nth] |= lists::renew(list, &mut self.lists[nth], entries);
            }
        }
        self.refreshed_at = said.stamp.at;
    }

    /// The newest answer does not speak of a tracked fact: remembers when it was last seen.
    fn leave_unconfirmed(&mut self, field: Option<&'static str>) {
        if let Some(field) = field {
            self.unconfirmed.entry(field.to_owned()).or_insert(Some(self.last));
        }
    }

    /// The newest answer speaks of a fact: when it was last seen before; `None`: never.
    fn confirm(&mut self, field: Option<&'static str>) -> Option<Stamp> {
        let known = field.and_then(|field| self.unconfirmed.remove(field));
        known.unwrap_or(Some(self.last))
    }
}

/// The names of the facts whose replacements are recorded.
fn tracked(spec: &Spec) -> impl Iterator<Item = &'static str> {
    let columns = spec.table.columns.iter().filter(|column| column.role == Role::Tracked);
    columns.map(|column| column.name).chain(spec.lists.iter().filter_map(|list| list.field))
}

/// What a field says, with what stands for "none"; `None` where it says nothing.
fn spoken<T: Clone>(field: &Field<T>, none: T) -> Option<T> {
    match field {
        Field::Absent => None,
        Field::Empty => Some(none),
        Field::Value(value) => Some(value.clone()),
    }
}

/// A change on record; none where nothing was known before, or people would see none.
fn change(
    field: Option<&'static str>,
    (old, new): (Option<String>, Option<String>),
    previous: Option<Stamp>,
    seen: Stamp,
) -> Option<Change> {
    Some(Change { field: field?, old, new, previous: previous?, seen })
        .filter(|change| change.old != change.new)
}

fn half_day(at: Time) -> i64 {
    at.micros().div_euclid(HALF_DAY_MICROS)
}

fn feed<T>(digest: &mut Sha256, field: &Field<T>, value: impl FnOnce(&mut Sha256, &T)) {
    match field {
        Field::Absent => digest.update([0]),
        Field::Empty => digest.update([1]),
        Field::Value(it) => {
            digest.update([2]);
            value(digest, it);
        }
    }
}

/// Of a volatile value only whether there is one.
fn feed_row(digest: &mut Sha256, columns: &[Column], row: &[Field<Cell>]) {
    for (column, cell) in columns.iter().zip(row) {
        feed(digest, cell, |digest, cell| {
            if column.role != Role::Volatile {
                feed_cell(digest, cell);
            }
        });
    }
}

/// Each value with what it is and how long, so that no two rows look the same.
fn feed_cell(digest: &mut Sha256, cell: &Cell) {
    let (kind, bytes): (u8, &[u8]) = match cell {
        Cell::Null => (0, &[]),
        Cell::Int(value) => (1, &value.to_le_bytes()),
        Cell::Real(value) => (2, &value.to_le_bytes()),
        Cell::Bool(value) => (3, &[u8::from(*value)]),
        Cell::Text(value) => (4, value.as_bytes()),
        Cell::Bytes(value) => (5, value),
    };
    digest.update([kind]);
    digest.update(bytes.len().to_le_bytes());
    digest.update(bytes);
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
