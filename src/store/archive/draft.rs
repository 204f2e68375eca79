//! Drafts: pending rows of an entity, and the statements that write them.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::facts::{Change, Stamp, State};
use super::history::{History, Seen, Snapshots};
use super::said::Spoken;
use super::spec::{Spec, TRAILER};
use crate::model::Entity;
use crate::model::catalogue::{Cell, ColumnType};
use crate::store::db::Overtaken;
use crate::store::db::Tx;
use crate::store::sql::{Rows, columns_of};
use crate::time::Time;

/// The existing row that a draft changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) key: i64,
    /// The newest answer when it was read: another one means that a concurrent process was faster.
    pub(super) last_document_id: i64,
}

/// Pending rows of an entity.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) entity: Entity,
    pub(super) state: State,
    pub(super) changes: Vec<Change>,
    pub(super) history: History,
    /// `None`: the entity is new.
    pub(super) stored: Option<Stored>,
}

impl Draft {
    /// The draft of a new entity after its first answer.
    pub(super) fn new(spec: &Spec, spoken: &Spoken<'_>) -> Self {
        let mut history = History::default();
        history.add(spoken, None);
        let said = &spoken.said;
        let state = State::first(spec, said);
        Self { entity: said.entity.clone(), state, changes: Vec::new(), history, stored: None }
    }

    /// Adds an answer. False if it is out of order, so that the entity must be derived from all
    /// documents. `before`: the counts before the first added answer.
    pub(super) fn add(&mut self, spec: &Spec, spoken: &Spoken<'_>, before: Option<&Seen>) -> bool {
        let said = &spoken.said;
        if said.stamp >= self.state.last {
            self.changes.extend(self.state.apply(spec, said));
        } else if spec.is_item() || !self.state.absorb(spec, said) {
            return false;
        }
        self.history.add(spoken, before);
        true
    }

    fn row(&self, spec: &Spec) -> Vec<Cell> {
        let State { key, values, first_seen_at, last, changed, refreshed_at, .. } = &self.state;
        let mut row: Vec<_> = spec.key.iter().map(|_| Cell::Int(*key)).collect();
        row.extend_from_slice(values);
        let at = |at: Time| Cell::Int(at.micros());
        row.extend([
            at(*first_seen_at),
            at(last.at),
            at(changed.at),
            Cell::Int(changed.document_id),
            Cell::Int(last.document_id),
            at(*refreshed_at),
            Cell::Text(self.state.fingerprint.clone()),
            unconfirmed(&self.state.unconfirmed),
        ]);
        row
    }
}

/// As stored in the column: `{"title":[document_id,"time"]}`.
fn unconfirmed(known: &BTreeMap<String, Option<Stamp>>) -> Cell {
    if known.is_empty() {
        return Cell::Null;
    }
    let seen = |stamp: &Stamp| (stamp.document_id, stamp.at.to_string());
    let known: BTreeMap<_, _> =
        known.iter().map(|(it, stamp)| (it, stamp.as_ref().map(seen))).collect();
    Cell::Text(serde_json::json!(known).to_string())
}

impl Spec {
    /// Columns of its table, with types.
    pub(super) fn row_columns(&self) -> Vec<(&'static str, ColumnType)> {
        let key = self.key.map(|key| (key, ColumnType::Int));
        let own = self.table.columns.iter().map(|column| (column.name, column.column_type));
        key.into_iter().chain(own).chain(columns_of(TRAILER)).collect()
    }

    /// Rows with the key columns of entities, and further columns.
    pub(super) fn ids(&self, more: &'static str) -> Rows {
        let ids = self.id_columns().into_iter().map(|name| (name, ColumnType::Text));
        let more = columns_of(more).filter(|_| !more.is_empty());
        Rows::with(ids.chain(more).collect())
    }

    /// Cells of such a row.
    pub(super) fn id_cells(&self, entity: &Entity) -> Vec<Cell> {
        let names = Self::named(&self.id_columns(), entity);
        names.into_iter().map(|it| Cell::Text(it.to_owned())).collect()
    }

    /// The condition that a row of `table` is the one `r` names.
    pub(super) fn is_named(&self, table: &str) -> String {
        let same: Vec<_> =
            self.id_columns().iter().map(|name| format!("{table}.{name} = r.{name}")).collect();
        same.join(" and ")
    }
}

impl Tx {
    /// Writes drafts of one kind, in the order of their entities.
    pub(super) async fn write(&mut self, spec: &'static Spec, drafts: Vec<Draft>) -> Result<()> {
        let (new, changed): (Vec<_>, Vec<_>) = drafts.iter().partition(|it| it.stored.is_none());
        self.insert_entities(spec, &new).await?;
        self.rekey(spec, &changed).await?;
        self.update_entities(spec, &changed).await?;
        self.write_lists(spec, &drafts).await?;
        self.put_changes(&drafts).await?;
        if let Some(mut snapshots) = Snapshots::new(spec) {
            drafts.into_iter().for_each(|draft| snapshots.push(draft.state.key, draft.history));
            self.put_snapshots(snapshots).await?;
        }
        Ok(())
    }

    async fn insert_entities(&mut self, spec: &Spec, drafts: &[&Draft]) -> Result<()> {
        if drafts.is_empty() {
            return Ok(());
        }
        if spec.is_item() {
            let mut keys = Rows::new(&["item_key int, platform text, item_id text"]);
            for Draft { entity, state, .. } in drafts {
                let platform = Cell::Text(entity.platform.as_str().to_owned());
                keys.push(vec![Cell::Int(state.key), platform, Cell::Text(entity.id.clone())]);
            }
            self.insert_all("item_keys", spec, &keys).await?;
        }
        let mut rows = Rows::with(spec.row_columns());
        drafts.iter().for_each(|draft| rows.push(draft.row(spec)));
        self.insert_all(spec.table.name, spec, &rows).await
    }

    /// Inserts new rows, unless a concurrent process was faster.
    async fn insert_all(&mut self, table: &str, spec: &Spec, rows: &Rows) -> Result<()> {
        let inserted = self.insert_rows(table, rows, "on conflict do nothing").await?;
        ensure!(inserted == rows.len() as u64, Overtaken(spec.table.name));
        Ok(())
    }

    /// Sets the keys of entities from the earliest document, which may have been fetched later than
    /// others.
    async fn rekey(&mut self, spec: &Spec, drafts: &[&Draft]) -> Result<()> {
        let Some(key) = spec.key else { return Ok(()) };
        let mut rows = Rows::new(&["old_key int, new_key int"]);
        for Draft { state, stored, .. } in drafts {
            if let Some(stored) = stored.filter(|stored| stored.key != state.key) {
                rows.push(vec![Cell::Int(stored.key), Cell::Int(state.key)]);
            }
        }
        for table in spec.keyed_tables() {
            let sql = format!(
                "update {table} set {key} = r.new_key from {{rows}} where {table}.{key} = r.old_key"
            );
            self.execute_over(&rows, &sql).await?;
        }
        Ok(())
    }

    async fn update_entities(&mut self, spec: &Spec, drafts: &[&Draft]) -> Result<()> {
        let columns = spec.row_columns();
        let set: Vec<_> = columns.iter().map(|(name, _)| format!("{name} = r.{name}")).collect();
        let mut rows = Rows::with(columns.into_iter().chain(columns_of("was int")).collect());
        for draft in drafts {
            let mut row = draft.row(spec);
            row.push(draft.stored.map_or(Cell::Null, |it| Cell::Int(it.last_document_id)));
            rows.push(row);
        }
        let (table, is_named) = (spec.table.name, spec.is_named(spec.table.name));
        let sql = format!(
            "update {table} set {} from {{rows}} where {is_named} and {table}.last_document_id = r.was",
            set.join(", ")
        );
        let updated = self.execute_over(&rows, &sql).await?;
        ensure!(updated == rows.len() as u64, Overtaken(table));
        Ok(())
    }

    /// Marks entities as seen again by answers without changes.
    pub(super) async fn confirm_entities(
        &mut self,
        spec: &Spec,
        seen: &[(Entity, Stamp, Stored)],
    ) -> Result<()> {
        let mut rows = spec.ids("last_seen_at time, last_document_id int, was int");
        for (entity, stamp, stored) in seen {
            let mut row = spec.id_cells(entity);
            row.extend(
                [stamp.at.micros(), stamp.document_id, stored.last_document_id].map(Cell::Int),
            );
            rows.push(row);
        }
        let (table, is_named) = (spec.table.name, spec.is_named(spec.table.name));
        let sql = format!(
            "update {table} set last_seen_at = r.last_seen_at, last_document_id = r.last_document_id
             from {{rows}} where {is_named} and {table}.last_document_id = r.was"
        );
        let updated = self.execute_over(&rows, &sql).await?;
        ensure!(updated == rows.len() as u64, Overtaken(table));
        Ok(())
    }

    /// Replaces the lists that an answer changed.
    async fn write_lists(&mut self, spec: &Spec, drafts: &[Draft]) -> Result<()> {
        for (nth, list) in spec.lists.iter().enumerate() {
            let owner = spec.owner_columns();
            let owner_columns: Vec<_> = owner.iter().map(|it| (*it, ColumnType::Text)).collect();
            let mut replaced = Rows::with(owner_columns.clone());
            let own = list.table.columns.iter().map(|it| (it.name, it.column_type));
            let mut rows = Rows::with(owner_columns.into_iter().chain(own).collect());
            for Draft { entity, state, stored, .. } in drafts {
                if !state.written_lists[nth] {
                    continue;
                }
                let ids = Spec::named(owner, entity).into_iter();
                let ids: Vec<_> = ids.map(|it| Cell::Text(it.to_owned())).collect();
                if stored.is_some() {
                    replaced.push(ids.clone());
                }
                for row in &state.lists[nth] {
                    rows.push(ids.iter().chain(row).cloned().collect());
                }
            }
            let table = list.table.name;
            // Not `exists`: SQLite would go through the whole table.
            let keys = owner.join(", ");
            let sql = format!(
                "delete from {table} where ({keys}) in (select {keys} from {{rows}}){}",
                list.and_is_in(table)
            );
            self.execute_over(&replaced, &sql).await?;
            self.insert_rows(table, &rows, "").await?;
        }
        Ok(())
    }

    async fn put_changes(&mut self, drafts: &[Draft]) -> Result<()> {
        let mut rows = Rows::new(&[CHANGES]);
        let text = |it: &str| Cell::Text(it.to_owned());
        for Draft { entity, changes, .. } in drafts {
            for Change { field, old, new, previous, seen } in changes {
                rows.push(vec![
                    text(entity.platform.as_str()),
                    text(entity.kind.as_str()),
                    text(&entity.id),
                    text(field),
                    old.clone().map_or(Cell::Null, Cell::Text),
                    new.clone().map_or(Cell::Null, Cell::Text),
                    Cell::Int(previous.at.micros()),
                    Cell::Int(previous.document_id),
                    Cell::Int(seen.at.micros()),
                    Cell::Int(seen.document_id),
                ]);
            }
        }
        self.insert_rows("changes", &rows, "").await?;
        Ok(())
    }
}

const CHANGES: &str = "platform text, kind text, item_id text, field text, old_value text, \
    new_value text, previous_seen_at time, previous_document_id int, seen_at time, document_id int";
