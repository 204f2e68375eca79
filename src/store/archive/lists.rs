//! Lists of an entity: how what an answer says of the entries is merged with what is known of the
//! same entries. Pure.

use super::spec::List;
use crate::model::Field;
use crate::model::catalogue::{Cell, Column, ColumnType, Role};
use crate::time::Time;

/// A row of a list.
pub(super) type Cells = Vec<Cell>;

/// What an answer says of an entry of a list, in the order of the table's columns.
pub(super) type Entry = Vec<Field<Cell>>;

/// A list after an answer that speaks of it.
pub(super) struct Merged {
    pub(super) rows: Vec<Cells>,
    /// Where each of them was known before.
    places: Vec<Option<usize>>,
}

/// The entries of the answer, each with what is known of it where the answer does not speak of a
/// cell. Known volatile cells stay: [`renew`] replaces them.
pub(super) fn merge(list: &List, known: &[Cells], entries: &[Entry]) -> Merged {
    let places = places(list, known, entries);
    let row = |(entry, place): (&Entry, &Option<usize>)| {
        let known = place.and_then(|nth| known.get(nth));
        let cells = list.table.columns.iter().zip(entry).enumerate();
        let cell = |(nth, (column, said)): (usize, (&Column, &Field<Cell>))| {
            let known = known.and_then(|row| row.get(nth)).cloned();
            match (said, known) {
                (Field::Absent, known) => known.unwrap_or(Cell::Null),
                (_, Some(known)) if column.role == Role::Volatile => known,
                (said, _) => said.value().cloned().unwrap_or(Cell::Null),
            }
        };
        cells.map(cell).collect()
    };
    Merged { rows: entries.iter().zip(&places).map(row).collect(), places }
}

impl Merged {
    /// The known list with what is first known of its entries now, which is no change of it.
    pub(super) fn completed(&self, known: &[Cells]) -> Vec<Cells> {
        let mut completed = known.to_vec();
        for (row, place) in self.rows.iter().zip(&self.places) {
            let Some(known) = place.and_then(|nth| completed.get_mut(nth)) else { continue };
            for (cell, new) in known.iter_mut().zip(row).filter(|(cell, _)| **cell == Cell::Null) {
                cell.clone_from(new);
            }
        }
        completed
    }
}

/// Finds the place of the entry with this number among those that are free.
type Find<'a> = dyn Fn(usize, &Entry, &[bool]) -> Option<usize> + 'a;

/// Where each entry is known: at its own place, or else at the first other one with the same
/// identity. An entry that does not say all of its identity is the one at its place, if the list is
/// as long as before and they do not contradict each other.
fn places(list: &List, known: &[Cells], entries: &[Entry]) -> Vec<Option<usize>> {
    let identity: Vec<usize> = list.nths(list.identity).collect();
    let agrees = |entry: &Entry, row: &Cells, as_unsaid: fn(&Field<Cell>, &Cell) -> bool| {
        identity.iter().all(|nth| {
            let (said, known) = (&entry[*nth], &row[*nth]);
            as_unsaid(said, known) || *said.value().unwrap_or(&Cell::Null) == *known
        })
    };
    let is_same = |entry: &Entry, row: &Cells| {
        identity.iter().all(|nth| !entry[*nth].is_absent()) && agrees(entry, row, |_, _| false)
    };
    let is_alike = |entry: &Entry, row: &Cells| {
        agrees(entry, row, |said, known| said.is_absent() || *known == Cell::Null)
    };
    let mut is_free = vec![true; known.len()];
    let mut places = vec![None; entries.len()];
    let mut claim = |of: &Find<'_>| {
        for (nth, entry) in entries.iter().enumerate() {
            if places[nth].is_none()
                && let Some(place) = of(nth, entry, &is_free)
            {
                is_free[place] = false;
                places[nth] = Some(place);
            }
        }
    };
    claim(&|nth, entry, _| known.get(nth).filter(|row| is_same(entry, row)).map(|_| nth));
    claim(&|_, entry, is_free| {
        (0..known.len()).find(|place| is_free[*place] && is_same(entry, &known[*place]))
    });
    if known.len() == entries.len() {
        claim(&|nth, entry, is_free| (is_free[nth] && is_alike(entry, &known[nth])).then_some(nth));
    }
    places
}

/// Whether an entry has a value for a volatile cell of which none is known.
pub(super) fn lacks_volatile(list: &List, rows: &[Cells], entries: &[Entry]) -> bool {
    let mut pairs = rows.iter().zip(entries);
    pairs.any(|(row, entry)| {
        let mut cells = list.table.columns.iter().zip(row.iter().zip(entry));
        cells.any(|(column, (known, said))| {
            column.role == Role::Volatile && *known == Cell::Null && said.value().is_some()
        })
    })
}

/// Puts the entries' volatile values in the place of the known ones; whether any differs.
pub(super) fn renew(list: &List, rows: &mut [Cells], entries: &[Entry]) -> bool {
    let mut is_changed = false;
    for (row, entry) in rows.iter_mut().zip(entries) {
        for (column, (known, said)) in list.table.columns.iter().zip(row.iter_mut().zip(entry)) {
            if let (Role::Volatile, Some(value)) = (column.role, said.value())
                && known != value
            {
                known.clone_from(value);
                is_changed = true;
            }
        }
    }
    is_changed
}

/// The cells of a row that are facts.
fn facts<'r>(list: &List, row: &'r [Cell]) -> impl Iterator<Item = &'r Cell> {
    let columns = list.table.columns.iter().zip(row);
    columns.filter(|(column, _)| column.role != Role::Volatile).map(|(_, cell)| cell)
}

/// Whether two lists differ in nothing but volatile cells.
pub(super) fn says_the_same(list: &List, one: &[Cells], other: &[Cells]) -> bool {
    let mut rows = one.iter().zip(other);
    one.len() == other.len() && rows.all(|(one, other)| facts(list, one).eq(facts(list, other)))
}

/// A list as people know it, as a JSON array; `None` where it is empty.
pub(super) fn labels(list: &List, rows: &[Cells]) -> Option<String> {
    let label = |row: &Cells| {
        let mut cells = list.nths(list.label).filter_map(|nth| row.get(nth));
        cells.find_map(|cell| as_text(ColumnType::Text, cell))
    };
    let labels: Vec<_> = rows.iter().map(label).collect();
    (!labels.is_empty()).then(|| serde_json::json!(labels).to_string())
}

/// A value as `changes` has it; `None` where there is none.
pub(super) fn as_text(column_type: ColumnType, cell: &Cell) -> Option<String> {
    match (column_type, cell) {
        (_, Cell::Null | Cell::Bytes(_)) => None,
        (ColumnType::Time | ColumnType::Micros, Cell::Int(micros)) => {
            Time::from_micros(*micros).map(|at| at.to_string())
        }
        (_, Cell::Int(number)) => Some(number.to_string()),
        (_, Cell::Real(number)) => Some(number.to_string()),
        (_, Cell::Bool(flag)) => Some(flag.to_string()),
        (_, Cell::Text(text)) => Some(text.clone()),
    }
}
