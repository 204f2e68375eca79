//! Candidates for a backfill: targets that the archive already knows.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::AssertSqlSafe;

use super::backfills::{Named, targets};
use super::watchlists::named;
use crate::model::{MissedReason, Target};
use crate::store::db::{Tx, fetch_all};
use crate::time::Time;

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

    /// Targets with slots due from `since` to before `until` that were missed for one of `reasons`, and
    /// the number of these slots; without forgotten targets and, unless `all`, without those that are
    /// unavailable.
    pub async fn missed_targets(
        &mut self,
        since: Time,
        until: Time,
        reasons: &[MissedReason],
        all: bool,
    ) -> Result<(Vec<Target>, i64)> {
        #[derive(sqlx::FromRow)]
        struct Missed {
            #[sqlx(flatten)]
            target: Named,
            slots: i64,
        }
        let sql = format!(
            "select t.kind, t.key, count(*) as slots
             from job_runs jr cross join slots s join targets t on t.target_id = s.target_id
             where jr.due_at >= $1 and jr.due_at < $2 and s.run_id = jr.run_id
               and s.outcome = 'missed' and s.reason in {}
               and t.key <> 'forgotten-' || t.target_id
               and ($4 or not exists (select 1 from availability a
                                      where a.target_id = t.target_id and a.until is null))
             group by t.kind, t.key order by t.kind, t.key",
            self.listed(3)
        );
        let reasons: Vec<_> = reasons.iter().map(|reason| reason.as_str()).collect();
        let reasons = serde_json::to_string(&reasons)?;
        let rows = fetch_all!(self, Missed, AssertSqlSafe(sql), since, until, reasons, all);
        let slots = rows.iter().map(|row| row.slots).sum();
        Ok((targets(rows.into_iter().map(|row| row.target).collect()), slots))
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
