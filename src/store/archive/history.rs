//! Snapshots of an entity: its counts or figures, one row per answer.

use std::collections::BTreeMap;

use super::facts::Stamp;
use super::lists::Cells;
use super::said::{Spoken, plain};
use super::spec::Spec;
use crate::model::Counts;
use crate::model::catalogue::{Cell, Column, ColumnType, Row as _};
use crate::model::{EntityKind, KolFigures, Suspect};
use crate::store::db::Tx;
use crate::store::sql::Rows;
use crate::time::Time;

/// A count leaps when it becomes so many times what it was, or one part of as many.
const LEAP: i64 = 1_000;

/// Below this a count grows a thousandfold on its own: that of an item just published.
const LEAP_FLOOR: i64 = 10;

/// The counts that reveal suspect snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Seen {
    pub(super) likes: Option<i64>,
    pub(super) comments: Option<i64>,
    pub(super) collects: Option<i64>,
    pub(super) shares: Option<i64>,
    pub(super) views: Option<i64>,
    pub(super) granularity: Option<i64>,
}

/// Pending snapshots by time; of several at one instant the last.
#[derive(Clone, Debug, Default)]
pub(super) struct History(BTreeMap<Time, (i64, Cells)>);

impl History {
    /// Adds the counts of an answer; `before`: the counts before it, if it is the first one here.
    pub(super) fn add(&mut self, spoken: &Spoken<'_>, before: Option<&Seen>) {
        let Stamp { at, document_id } = spoken.said.stamp;
        let cells = match (spoken.counts, spoken.figures) {
            (Some(counts), _) => self.counted(counts, at, before),
            (None, Some(figures)) => plain(figures),
            (None, None) => return,
        };
        self.0.insert(at, (document_id, cells));
    }

    fn counted(&self, counts: &Counts, at: Time, before: Option<&Seen>) -> Cells {
        let last = self.0.range(..at).next_back().map(|(_, (_, cells))| Seen::of_cells(cells));
        let suspect = last.as_ref().or(before).and_then(|before| Seen::of(counts).suspect(before));
        let mut cells = plain(counts);
        cells.push(suspect.map_or(Cell::Null, |it| Cell::Text(it.as_str().to_owned())));
        cells
    }
}

impl Seen {
    fn of(counts: &Counts) -> Self {
        let Counts { likes, comments, collects, shares, views, granularity, .. } = *counts;
        Self { likes, comments, collects, shares, views, granularity }
    }

    fn of_cells(cells: &[Cell]) -> Self {
        let count = |name| {
            let nth = Counts::TABLE.columns.iter().position(|column| column.name == name)?;
            cells.get(nth).and_then(Cell::int)
        };
        Self {
            likes: count("likes"),
            comments: count("comments"),
            collects: count("collects"),
            shares: count("shares"),
            views: count("views"),
            granularity: count("granularity"),
        }
    }

    fn all(&self) -> [Option<i64>; 5] {
        [self.likes, self.comments, self.collects, self.shares, self.views]
    }

    /// Why these counts are suspect after those before them: counts rarely fall, and a platform
    /// that hides them answers 0.
    fn suspect(&self, before: &Self) -> Option<Suspect> {
        let pairs = || self.all().into_iter().zip(before.all()).filter_map(|(it, was)| it.zip(was));
        let is_zero = self.all().into_iter().flatten().all(|count| count == 0);
        if is_zero && pairs().any(|(_, was)| was > 0) {
            return Some(Suspect::Zeros);
        }
        let leapt = |(count, was): (i64, i64)| {
            was >= LEAP_FLOOR && count / LEAP >= was || count > 0 && was / LEAP >= count
        };
        if pairs().any(leapt) {
            return Some(Suspect::Leapt);
        }
        // Two rounded counts may differ by half the steps of both.
        let step = |seen: &Self| seen.granularity.unwrap_or(0) / 2;
        let slack = step(self).saturating_add(step(before));
        let fell = |(count, was): (i64, i64)| count.saturating_add(slack) < was;
        pairs().any(fell).then_some(Suspect::Fell)
    }
}

/// Pending snapshots of several entities of one kind.
pub(super) struct Snapshots {
    table: &'static str,
    rows: Rows,
}

impl Snapshots {
    /// Empty; `None` if this kind has no snapshots.
    pub(super) fn new(spec: &Spec) -> Option<Self> {
        let key = spec.key?;
        let (table, own): (_, &[Column]) = match spec.kind {
            EntityKind::Kol => (KolFigures::TABLE.name, KolFigures::TABLE.columns),
            _ => (Counts::TABLE.name, Counts::TABLE.columns),
        };
        let mut columns = vec![
            (key, ColumnType::Int),
            ("observed_at", ColumnType::Micros),
            ("document_id", ColumnType::Int),
        ];
        columns.extend(own.iter().map(|column| (column.name, column.column_type)));
        columns.extend(spec.is_item().then_some(("suspect", ColumnType::Text)));
        Some(Self { table, rows: Rows::with(columns) })
    }

    /// Adds those of an entity.
    pub(super) fn push(&mut self, key: i64, history: History) {
        for (at, (document_id, cells)) in history.0 {
            let mut row = vec![Cell::Int(key), Cell::Int(at.micros()), Cell::Int(document_id)];
            row.extend(cells);
            self.rows.push(row);
        }
    }
}

impl Tx {
    /// Writes snapshots. Those of items are new; of two of a KOL at one instant the later
    /// document's stays.
    pub(super) async fn put_snapshots(&mut self, snapshots: Snapshots) -> anyhow::Result<()> {
        let Snapshots { table, rows } = snapshots;
        let conflict = match table == KolFigures::TABLE.name {
            false => String::new(),
            true => {
                let set: Vec<_> = rows.names().iter().skip(2).collect();
                let set: Vec<_> = set.iter().map(|it| format!("{it} = excluded.{it}")).collect();
                format!(
                    " on conflict (kol_key, observed_at) do update set {}
                      where excluded.document_id > {table}.document_id",
                    set.join(", ")
                )
            }
        };
        self.insert_rows(table, &rows, &conflict).await?;
        Ok(())
    }
}
