//! From the facts of an answer to what it says of each entity, as cells.

use super::facts::{Said, Stamp};
use super::lists::{Cells, Entry};
use super::spec::Spec;
use crate::model::catalogue::{Cell, Row};
use crate::model::{Counts, Entity, Facts, Field, Item, KolFacts, KolFigures};

/// Entities that one answer may be the first to speak of: their keys are the document's number and
/// their place in it.
const KEYS_PER_DOCUMENT: i64 = 1024;

/// What an answer says of an entity, and its counts or figures.
pub(super) struct Spoken<'f> {
    pub(super) said: Said,
    pub(super) counts: Option<&'f Counts>,
    pub(super) figures: Option<&'f KolFigures>,
}

/// Everything that an answer says, entity by entity.
pub(super) fn spoken(facts: &Facts, stamp: Stamp) -> Vec<Spoken<'_>> {
    let mut all = Vec::new();
    let first = stamp.document_id.saturating_mul(KEYS_PER_DOCUMENT);
    let mut entities = facts.entities();
    // In the order of `Facts::entities`.
    let mut add = |place: i64, row: &dyn Cellular, lists, counts, figures| {
        let entity = entities.next().filter(|_| place < KEYS_PER_DOCUMENT);
        let (Some(entity), key) = (entity, first + place) else { return };
        let said = Said::new(Spec::of(entity.kind), entity, stamp, key, row.row_cells(), lists);
        all.push(Spoken { said, counts, figures });
    };
    for (place, note) in (0..).zip(&facts.notes) {
        add(place, &note.row, item_lists(note), note.counts.as_ref(), None);
    }
    for (place, work) in (0..).skip(facts.notes.len()).zip(&facts.works) {
        add(place, &work.row, item_lists(work), work.counts.as_ref(), None);
    }
    for KolFacts { row, content_tags, feature_tags, personal_tags, notes, figures } in &facts.kols {
        // Its place on the page, which it keeps where others are redacted.
        let listed = facts.kol_search_results.iter().find(|it| it.kol_id == row.kol_id);
        let place = listed.map_or(0, |it| it.position);
        let tags = [content_tags, feature_tags, personal_tags].map(entries);
        let lists = tags.into_iter().chain([entries(notes)]).collect();
        add(place, row, lists, None, Some(figures));
    }
    for author in &facts.authors {
        add(0, author, Vec::new(), None, None);
    }
    for music in &facts.music {
        add(0, music, Vec::new(), None, None);
    }
    all
}

/// What an answer says of one entity, if anything.
pub(super) fn spoken_of<'f>(facts: &'f Facts, entity: &Entity, stamp: Stamp) -> Vec<Spoken<'f>> {
    let all = spoken(facts, stamp).into_iter();
    all.filter(|spoken| spoken.said.entity == *entity).collect()
}

/// A row of any table.
trait Cellular {
    fn row_cells(&self) -> Vec<Field<Cell>>;
}

impl<R: Row> Cellular for R {
    fn row_cells(&self) -> Vec<Field<Cell>> {
        self.cells()
    }
}

/// The lists of a note or a work, in the order of its [`Spec`].
fn item_lists<R>(item: &Item<R>) -> Vec<Field<Vec<Entry>>> {
    let Item { row: _, images, hashtags, mentions, creators, counts: _ } = item;
    vec![entries(images), entries(hashtags), entries(mentions), entries(creators)]
}

fn entries<R: Row>(list: &Field<Vec<R>>) -> Field<Vec<Entry>> {
    match list {
        Field::Absent => Field::Absent,
        Field::Value(rows) if !rows.is_empty() => Field::Value(rows.iter().map(R::cells).collect()),
        Field::Empty | Field::Value(_) => Field::Empty,
    }
}

/// The cells of a row in which nothing and none are the same.
pub(super) fn plain(row: &impl Row) -> Cells {
    let cell = |field: Field<Cell>| field.value().cloned().unwrap_or(Cell::Null);
    row.cells().into_iter().map(cell).collect()
}
