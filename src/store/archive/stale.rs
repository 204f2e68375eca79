//! Entities whose rows wait to be derived from all their documents: an answer came that is older
//! than others about them.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::model::catalogue::Cell;
use crate::model::{Entity, EntityKind, Platform};
use crate::store::db::{Count, Tx, execute, fetch_optional};
use crate::store::sql::Rows;

/// The columns that name an entity.
const NAMED: &str = "kind text, platform text, id text";

#[derive(sqlx::FromRow)]
struct Named {
    kind: EntityKind,
    platform: Platform,
    id: String,
}

impl Named {
    fn entity(self) -> Entity {
        let Self { kind, platform, id } = self;
        Entity { kind, platform, id }
    }
}

fn named<'e>(entities: impl Iterator<Item = &'e Entity>) -> Rows {
    let mut rows = Rows::new(&[NAMED]);
    for Entity { kind, platform, id } in entities {
        let names = [kind.as_str(), platform.as_str(), id.as_str()];
        rows.push(names.map(|it| Cell::Text(it.to_owned())).to_vec());
    }
    rows
}

impl Tx {
    /// Those of these entities whose rows wait. Lock the entities first.
    pub(super) async fn stale_among(
        &mut self,
        entities: impl Iterator<Item = &Entity>,
    ) -> Result<BTreeSet<Entity>> {
        // Hardly ever does anything wait, and every save asks.
        if fetch_optional!(self, Count, "select cast(1 as bigint) as count from stale limit 1")
            .is_none()
        {
            return Ok(BTreeSet::new());
        }
        let found: Vec<Named> = self
            .fetch_over(
                &named(entities),
                "select s.kind as kind, s.platform as platform, s.id as id
                 from {rows} cross join stale s
                 where s.kind = r.kind and s.platform = r.platform and s.id = r.id",
            )
            .await?;
        Ok(found.into_iter().map(Named::entity).collect())
    }

    /// Makes the rows of entities, given in order, wait. One that waits already is locked, so that
    /// nobody derives it meanwhile without what this transaction saves.
    pub async fn mark_stale(&mut self, entities: &BTreeSet<Entity>) -> Result<()> {
        let lock = "on conflict (kind, platform, id) do update set id = excluded.id";
        self.insert_rows("stale", &named(entities.iter()), lock).await?;
        Ok(())
    }

    /// Ends the wait of an entity, whose rows this transaction derives. False if it did not wait.
    pub async fn unmark_stale(&mut self, entity: &Entity) -> Result<bool> {
        let sql = "delete from stale where kind = $1 and platform = $2 and id = $3";
        let Entity { kind, platform, id } = entity;
        Ok(execute!(self, sql, kind.as_str(), platform.as_str(), id.as_str()) > 0)
    }

    /// The next entity that waits, after this one: in the order of kinds, since which documents
    /// speak of an author follows from the rows of items.
    pub async fn stale_after(&mut self, after: Option<&Entity>) -> Result<Option<Entity>> {
        for kind in EntityKind::ALL {
            let (platform, id) = match after {
                Some(it) if it.kind > kind => continue,
                Some(it) if it.kind == kind => (it.platform.as_str(), it.id.as_str()),
                _ => ("", ""),
            };
            let sql = "select kind, platform, id from stale
                       where kind = $1 and (platform, id) > ($2, $3) order by platform, id limit 1";
            if let Some(row) = fetch_optional!(self, Named, sql, kind.as_str(), platform, id) {
                return Ok(Some(row.entity()));
            }
        }
        Ok(None)
    }

    /// How many entities wait.
    pub async fn count_stale(&mut self) -> Result<i64> {
        let sql = "select count(*) as count from stale";
        Ok(fetch_optional!(self, Count, sql).map_or(0, |row| row.count))
    }
}
