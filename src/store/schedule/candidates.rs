//! Candidates for a backfill: targets that the archive already knows.

use std::collections::BTreeMap;

use anyhow::Result;

use super::backfills::{Named, targets};
use super::watchlists::named;
use crate::model::Target;
use crate::store::db::{Tx, fetch_all};

#[derive(sqlx::FromRow)]
struct Resolved {
    key: String,
    item_id: String,
}

impl Tx {
    /// Items of the short links among these that are resolved.
    pub async fn items_behind(&mut self, links: &[Target]) -> Result<BTreeMap<String, String>> {
        let sql = self.over_rows(
            "kind text, key text",
            "select l.link as key, l.item_id as item_id
             from {rows} join links l on l.link = r.key and l.kind = r.kind",
        );
        let rows = fetch_all!(self, Resolved, sql, named(links)?);
        Ok(rows.into_iter().map(|row| (row.key, row.item_id)).collect())
    }

    /// The targets among these that have an answer in the archive.
    pub async fn archived(&mut self, targets: &[Target]) -> Result<Vec<Target>> {
        let sql = self.over_rows(
            "kind text, key text",
            "select r.kind as kind, r.key as key from {rows}
             where (r.kind = 'note' and exists (select 1 from notes n where n.note_id = r.key))
                or (r.kind = 'work' and exists (select 1 from works w where w.work_id = r.key))
                or exists (select 1 from targets t join documents d on d.target_id = t.target_id
                           where t.kind = r.kind and t.key = r.key
                             and d.outcome in ('ok', 'empty', 'gone'))",
        );
        Ok(super::backfills::targets(fetch_all!(self, Named, sql, named(targets)?)))
    }

    /// Notes listed with KOLs: at most `limit`, by id, after `after`.
    pub async fn discovered_notes(&mut self, after: &str, limit: usize) -> Result<Vec<Target>> {
        let rows = fetch_all!(
            self,
            Named,
            "select distinct 'note' as kind, note_id as key from kol_notes where note_id > $1
             order by note_id limit $2",
            after,
            i64::try_from(limit)?
        );
        Ok(targets(rows))
    }
}
