//! The rows of many answers, made ready to be saved by a few statements.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::shapes::{self, SHAPES, Shape};
use crate::model::Batch;
use crate::store::sql::{Cell, Rows};
use crate::time::Time;

/// Columns whose values are signed and change with every answer though nothing else did.
const SIGNED: [&str; 6] = ["url", "live_url", "video_url", "cover_url", "image_url", "avatar_url"];

/// The column of when something was first seen.
const FIRST_SEEN: &str = "first_seen_at";

/// The column of when something was seen.
pub(in crate::store) const OBSERVED: &str = "observed_at";

/// The rows of many answers, in a shape that a few statements can save.
pub(in crate::store) struct Known {
    pub(in crate::store) items: [Items; 3],
    pub(in crate::store) authors: Keyed,
    pub(in crate::store) hashtags: Keyed,
    pub(in crate::store) music: Keyed,
    pub(in crate::store) note_metrics: Rows,
    pub(in crate::store) work_metrics: Rows,
    pub(in crate::store) kol_metrics: Rows,
    pub(in crate::store) suggestions: Rows,
    pub(in crate::store) search_results: Rows,
}

/// Rows of one table, each under its key: of several for a key the newest stays, with the earliest
/// beginning.
pub(in crate::store) struct Keyed {
    rows: Rows,
    by_key: BTreeMap<Vec<String>, Vec<Cell>>,
    /// How many columns, the first ones, are the key.
    key: usize,
}

/// Items of one shape, by their ids.
pub(in crate::store) struct Items {
    pub(in crate::store) rows: Rows,
    pub(in crate::store) children: Vec<Rows>,
    pub(in crate::store) by_id: BTreeMap<String, Item>,
}

/// An item with its children, as one answer has it.
pub(in crate::store) struct Item {
    pub(in crate::store) observed_at: Time,
    /// When the answer came that the row is of: others have repeated it since.
    pub(in crate::store) began_at: Time,
    pub(in crate::store) first_seen_at: Time,
    pub(in crate::store) fingerprint: String,
    /// Whether another answer in between says something else.
    pub(in crate::store) is_changed: bool,
    pub(in crate::store) row: Vec<Cell>,
    /// The rows of each table of children.
    pub(in crate::store) children: Vec<Vec<Vec<Cell>>>,
}

/// The answer that rows come from.
#[derive(Serialize)]
struct Stamp {
    document_id: i64,
    observed_at: Time,
    first_seen_at: Time,
}

impl Known {
    pub(in crate::store) fn new() -> Self {
        Self {
            items: SHAPES.map(Items::new),
            authors: Keyed::new(shapes::AUTHORS, 2),
            hashtags: Keyed::new(shapes::HASHTAGS, 2),
            music: Keyed::new(shapes::MUSIC, 1),
            note_metrics: Rows::new(&[shapes::NOTE_COUNTS, shapes::SNAPSHOT, shapes::EXACT]),
            work_metrics: Rows::new(&[shapes::WORK_COUNTS, shapes::SNAPSHOT, shapes::EXACT]),
            kol_metrics: Rows::new(&[shapes::KOL_FIGURES, shapes::SNAPSHOT]),
            suggestions: Rows::new(&[shapes::SUGGESTIONS]),
            search_results: Rows::new(&[shapes::SEARCH_RESULTS]),
        }
    }

    /// Adds the rows of one answer.
    pub(in crate::store) fn add(
        &mut self,
        batch: &Batch,
        document_id: i64,
        at: Time,
    ) -> Result<()> {
        // Without `..`: a new kind of row must not be forgotten.
        let Batch {
            authors,
            notes,
            note_images,
            hashtags,
            note_hashtags,
            note_mentions,
            note_metrics,
            kols,
            kol_tags,
            kol_notes,
            kol_metrics,
            kol_search_results,
            works,
            work_images,
            work_hashtags,
            work_mentions,
            work_creators,
            work_metrics,
            music,
            keyword_suggestions,
        } = batch;
        let stamp = Stamp { document_id, observed_at: at, first_seen_at: at };
        let [note_items, kol_items, work_items] = &mut self.items;
        let mut children = note_items.children();
        children.add(note_images)?.add(note_hashtags)?.add(note_mentions)?;
        let children = children.rows;
        note_items.add(notes, &children, &stamp)?;
        let mut children = kol_items.children();
        children.add(kol_tags)?.add(kol_notes)?;
        let children = children.rows;
        kol_items.add(kols, &children, &stamp)?;
        let mut children = work_items.children();
        children.add(work_images)?.add(work_hashtags)?.add(work_mentions)?.add(work_creators)?;
        let children = children.rows;
        work_items.add(works, &children, &stamp)?;
        self.authors.add(authors, &stamp)?;
        self.hashtags.add(hashtags, &stamp)?;
        self.music.add(music, &stamp)?;
        add(&mut self.note_metrics, note_metrics, &stamp)?;
        add(&mut self.work_metrics, work_metrics, &stamp)?;
        add(&mut self.kol_metrics, kol_metrics, &stamp)?;
        add(&mut self.suggestions, keyword_suggestions, &stamp)?;
        add(&mut self.search_results, kol_search_results, &stamp)
    }
}

fn add<T: Serialize>(to: &mut Rows, rows: &[T], stamp: &Stamp) -> Result<()> {
    for row in rows {
        let cells = to.row(row, stamp)?;
        to.push(cells);
    }
    Ok(())
}

impl Keyed {
    fn new(spec: &'static str, key: usize) -> Self {
        Self { rows: Rows::new(&[spec]), by_key: BTreeMap::new(), key }
    }

    fn add<T: Serialize>(&mut self, rows: &[T], stamp: &Stamp) -> Result<()> {
        for row in rows {
            let cells = self.rows.row(row, stamp)?;
            let key = cells.iter().take(self.key).map(text).collect();
            let cells = match self.by_key.remove(&key) {
                Some(known) => self.rows.newer(known, cells),
                None => cells,
            };
            self.by_key.insert(key, cells);
        }
        Ok(())
    }

    /// The rows, in the order of their keys: two writers never wait for each other in turn.
    pub(in crate::store) fn into_rows(mut self) -> Rows {
        self.by_key.into_values().for_each(|cells| self.rows.push(cells));
        self.rows
    }
}

/// The rows of one answer for the tables of an item's children, which stand in that order.
struct Children<'a> {
    tables: &'a [Rows],
    rows: Vec<Vec<Vec<Cell>>>,
}

impl Children<'_> {
    fn add<T: Serialize>(&mut self, rows: &[T]) -> Result<&mut Self> {
        if let Some(table) = self.tables.get(self.rows.len()) {
            let cells = rows.iter().map(|row| table.row(row, &()));
            self.rows.push(cells.collect::<Result<_>>()?);
        }
        Ok(self)
    }
}

impl Items {
    fn new(shape: &Shape) -> Self {
        Self {
            rows: Rows::new(&[shape.columns, shapes::ITEM]),
            children: shape.children.iter().map(|(_, columns)| Rows::new(&[columns])).collect(),
            by_id: BTreeMap::new(),
        }
    }

    fn children(&self) -> Children<'_> {
        Children { tables: &self.children, rows: Vec::new() }
    }

    fn add<T: Serialize>(
        &mut self,
        items: &[T],
        children: &[Vec<Vec<Cell>>],
        stamp: &Stamp,
    ) -> Result<()> {
        for item in items {
            let mut row = self.rows.row(item, stamp)?;
            let id = row.first().map(text).unwrap_or_default();
            let is_mine = |row: &&Vec<Cell>| row.first().and_then(Cell::text) == Some(&id);
            let mine = |rows: &Vec<Vec<Cell>>| rows.iter().filter(is_mine).cloned().collect();
            let children: Vec<_> = children.iter().map(mine).collect();
            let fingerprint = self.fingerprint(&row, &children);
            if let Some(last) = row.last_mut() {
                *last = Cell::Text(fingerprint.clone());
            }
            let Stamp { observed_at, first_seen_at, .. } = *stamp;
            let item = Item {
                observed_at,
                began_at: observed_at,
                first_seen_at,
                fingerprint,
                is_changed: false,
                row,
                children,
            };
            let item = match self.by_id.remove(&id) {
                Some(known) => self.newer(known, item),
                None => item,
            };
            self.by_id.insert(id, item);
        }
        Ok(())
    }

    /// The newer of two answers about an item, with the earlier beginning. Where it repeats the
    /// older one that one stays, as if each had been saved by itself.
    fn newer(&self, one: Item, other: Item) -> Item {
        let first_seen_at = one.first_seen_at.min(other.first_seen_at);
        let (older, newer) =
            if other.observed_at >= one.observed_at { (one, other) } else { (other, one) };
        let observed_at = newer.observed_at;
        let mut item = if older.fingerprint == newer.fingerprint {
            older
        } else {
            Item { is_changed: true, ..newer }
        };
        (item.observed_at, item.first_seen_at) = (observed_at, first_seen_at);
        for (name, time) in [(FIRST_SEEN, first_seen_at), (OBSERVED, observed_at)] {
            if let Some(cell) = self.rows.cell(&mut item.row, name) {
                *cell = Cell::Int(time.micros());
            }
        }
        item
    }

    /// A digest of an item and its children without what is signed or stamped: the same as long
    /// as nothing changed.
    fn fingerprint(&self, row: &[Cell], children: &[Vec<Vec<Cell>>]) -> String {
        let mut digest = Sha256::new();
        self.rows.feed(row, &mut digest);
        for (table, rows) in self.children.iter().zip(children) {
            digest.update(rows.len().to_le_bytes());
            rows.iter().for_each(|row| table.feed(row, &mut digest));
        }
        hex(digest.finalize().get(..16).unwrap_or_default())
    }
}

impl Rows {
    /// A row's cell in the column of that name.
    pub(in crate::store) fn cell<'r>(
        &self,
        row: &'r mut [Cell],
        name: &str,
    ) -> Option<&'r mut Cell> {
        let place = self.names().iter().position(|column| *column == name)?;
        row.get_mut(place)
    }

    /// The newer of two rows under one key, with the earlier beginning; of two that say the same, and
    /// have no column for that, the older.
    fn newer(&self, mut one: Vec<Cell>, mut other: Vec<Cell>) -> Vec<Cell> {
        let mut micros = |name| {
            let of = |row| self.cell(row, name).and_then(|cell| cell.int());
            (of(&mut one), of(&mut other))
        };
        let (observed, first) = (micros("observed_at"), micros(FIRST_SEEN));
        let says = |row: &[Cell]| {
            let is_said = |(name, _): &(&&str, &Cell)| !shapes::is_stamp(name);
            let said = self.names().iter().zip(row).filter(is_said);
            said.map(|(_, cell)| cell.clone()).collect::<Vec<_>>()
        };
        let is_repeated = first.0.is_none() && says(&one) == says(&other);
        let takes_other = (observed.1 >= observed.0) != is_repeated;
        let mut row = if takes_other { other } else { one };
        if let (Some(cell), (Some(one), Some(other))) = (self.cell(&mut row, FIRST_SEEN), first) {
            *cell = Cell::Int(one.min(other));
        }
        row
    }

    /// Feeds what lasts of a row to a digest.
    fn feed(&self, row: &[Cell], digest: &mut Sha256) {
        for (name, cell) in self.names().iter().zip(row) {
            if !SIGNED.contains(name) && !shapes::is_stamp(name) {
                feed_cell(digest, cell);
            }
        }
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

fn text(cell: &Cell) -> String {
    cell.text().unwrap_or_default().to_owned()
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
