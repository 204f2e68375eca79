//! Derivation of an entity's rows from all its documents, in order: for answers out of order, and
//! after documents were changed or deleted.

use anyhow::{Result, ensure};

use super::body::REFUSED;
use super::draft::Draft;
use super::facts::Stamp;
use super::replay::Place;
use super::said::spoken_of;
use super::save::LATE;
use super::spec::Spec;
use crate::model::{Entity, EntityKind, Facts};
use crate::store::db::{Overtaken, Tx, execute, fetch_all, is_refused};
use crate::store::sql::Values;
use crate::time::Time;
use sqlx::AssertSqlSafe;

/// The rows of an entity during a pass over its documents.
#[derive(Clone, Debug)]
pub struct Derivation {
    entity: Entity,
    draft: Option<Draft>,
}

impl Derivation {
    /// Nothing is known of it.
    pub fn of(entity: Entity) -> Self {
        Self { entity, draft: None }
    }

    /// Adds the next document.
    pub fn add(&mut self, facts: &Facts, document_id: i64, fetched_at: Time) {
        let spec = Spec::of(self.entity.kind);
        let stamp = Stamp { at: fetched_at, document_id };
        for spoken in spoken_of(facts, &self.entity, stamp) {
            match &mut self.draft {
                // Documents come in order, so none is rejected.
                Some(draft) => {
                    let _ = draft.add(spec, &spoken, None);
                }
                None => self.draft = Some(Draft::new(spec, &spoken)),
            }
        }
    }
}

/// The documents whose targets are these notes or works.
const BY_ITEM: &str = "d.target_id in (
    select target_id from targets where kind = $1 and item_id = $2)";

/// The documents that list a KOL.
const BY_KOL: &str = "$1 = 'kol' and d.document_id in (
    select document_id from kol_search_results where kol_id = $2)";

/// The documents of the notes and works that an author has, or had, and of those whose rows wait
/// and do not tell yet. Both fields are named so that SQLite sees that the partial index serves.
const BY_AUTHOR: &str = "d.target_id in (
    select t.target_id from targets t
    where t.kind = case $1 when 'xiaohongshu' then 'note' else 'work' end and t.item_id in (
        select note_id from notes where author_id = $2 and $1 = 'xiaohongshu'
        union select work_id from works where author_id = $2 and $1 = 'douyin'
        union select id from stale
              where kind = case $1 when 'xiaohongshu' then 'note' else 'work' end
        union select item_id from changes
              where field in ('author_id', 'music_id') and field = 'author_id'
                and old_value = $2 and platform = $1))";

/// The documents of the works that have, or had, a piece of music.
const BY_MUSIC: &str = "$1 = 'music' and d.target_id in (
    select t.target_id from targets t where t.kind = 'work' and t.item_id in (
        select work_id from works where music_id = $2
        union select id from stale where kind = 'work'
        union select item_id from changes
              where field in ('author_id', 'music_id') and field = 'music_id' and old_value = $2))";

impl Tx {
    /// Documents that may contain facts of an entity, in the order of answers.
    pub async fn documents_of(&mut self, entity: &Entity) -> Result<Vec<Place>> {
        let (condition, first) = match entity.kind {
            EntityKind::Note | EntityKind::Work => (BY_ITEM, entity.kind.as_str()),
            EntityKind::Kol => (BY_KOL, entity.kind.as_str()),
            EntityKind::Author => (BY_AUTHOR, entity.platform.as_str()),
            EntityKind::Music => (BY_MUSIC, entity.kind.as_str()),
        };
        let sql = format!(
            "select d.document_id, d.fetched_at, coalesce(c.bytes, 0) as bytes,
                    coalesce(d.cleaned = $4, false) as is_refused
             from documents d join calls c on c.call_id = d.document_id
             where {condition} and (d.drift is null or d.drift <> $3)
             order by d.fetched_at, d.document_id"
        );
        Ok(fetch_all!(self, Place, AssertSqlSafe(sql), first, entity.id.as_str(), LATE, REFUSED))
    }

    /// Keeps others from changing an entity until the end of the transaction.
    pub async fn lock_entity(&mut self, entity: &Entity) -> Result<()> {
        self.lock_entities(Spec::of(entity.kind), std::iter::once(entity)).await
    }

    /// Keeps others from changing these entities of one kind, given in order, until the end of the
    /// transaction: what is read from here on is what is written over.
    pub(super) async fn lock_entities(
        &mut self,
        spec: &Spec,
        entities: impl Iterator<Item = &Entity>,
    ) -> Result<()> {
        // Differs by necessity: SQLite has one writer.
        if let Self::Postgres(_) = self {
            let mut rows = spec.ids("");
            entities.for_each(|entity| rows.push(spec.id_cells(entity)));
            let ids: Vec<_> = spec.id_columns().iter().map(|id| format!("t.{id}")).collect();
            let sql = format!(
                "select 1 as id from {{rows}} cross join {} t where {} order by {} for update of t",
                spec.table.name,
                spec.is_named("t"),
                ids.join(", ")
            );
            let locked: Vec<Values> = self.fetch_over(&rows, &sql).await?;
            if locked.len() < rows.len() {
                // A row that was replaced while this waited for it is another one, without a lock.
                let sql = sql.trim_end_matches("for update of t");
                let there: Vec<Values> = self.fetch_over(&rows, sql).await?;
                ensure!(there.len() == locked.len(), Overtaken(spec.table.name));
            }
        }
        Ok(())
    }

    /// Replaces the rows of an entity by derived ones.
    pub async fn put_derivation(&mut self, derivation: Derivation) -> Result<()> {
        let Derivation { entity, draft } = derivation;
        self.delete_entity(&entity).await?;
        match draft {
            Some(draft) => self.write(Spec::of(entity.kind), vec![draft]).await,
            None => Ok(()),
        }
    }

    /// The same, unless the database refuses the rows: then nothing is changed, and false is
    /// returned.
    pub async fn try_derivation(&mut self, derivation: Derivation) -> Result<bool> {
        execute!(self, "savepoint derivation");
        match self.put_derivation(derivation).await {
            Ok(()) => {
                execute!(self, "release savepoint derivation");
                Ok(true)
            }
            Err(error) if is_refused(&error) => {
                tracing::debug!("derived rows are refused: {error:#}");
                execute!(self, "rollback to savepoint derivation");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Deletes all rows of an entity, except what other entities say about it.
    pub async fn delete_entity(&mut self, entity: &Entity) -> Result<()> {
        let spec = Spec::of(entity.kind);
        let (table, id) = (spec.table.name, entity.id.as_str());
        let platform = entity.platform.as_str();
        if let Some(key) = spec.key {
            let own = spec.id_columns().join(", ");
            for keyed in spec.keyed_tables().filter(|it| *it != table) {
                let sql = format!(
                    "delete from {keyed} where {key} in (select {key} from {table} where {own} = $1)"
                );
                execute!(self, AssertSqlSafe(sql), id);
            }
        }
        for list in spec.lists {
            self.delete_named(list.table.name, spec.owner_columns(), entity).await?;
        }
        self.delete_named(table, &spec.id_columns(), entity).await?;
        execute!(
            self,
            "delete from changes where platform = $1 and kind = $2 and item_id = $3",
            platform,
            entity.kind.as_str(),
            id
        );
        Ok(())
    }

    async fn delete_named(&mut self, table: &str, columns: &[&str], entity: &Entity) -> Result<()> {
        let is_its = |column: &&str| match *column {
            "platform" => "platform = $1".to_owned(),
            column => format!("{column} = $2"),
        };
        let condition: Vec<_> = columns.iter().map(is_its).collect();
        // Both parameters occur, whatever the columns.
        let sql = format!("delete from {table} where $1 <> '' and {}", condition.join(" and "));
        execute!(self, AssertSqlSafe(sql), entity.platform.as_str(), entity.id.as_str());
        Ok(())
    }
}
