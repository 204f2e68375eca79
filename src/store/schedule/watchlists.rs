//! Targets, and the jobs that watch them.

use anyhow::Result;
use serde::Serialize;

use crate::model::{Kind, MissedReason, SlotOutcome, Target};
use crate::store::db::{Count, Tx, execute, fetch_optional};
use crate::store::sql::array;
use crate::time::Time;

/// Targets inserted by one statement: their rows take several times the memory of their keys.
const AT_ONCE: usize = 10_000;

#[derive(Serialize)]
struct Named<'a> {
    kind: Kind,
    key: &'a str,
}

/// Targets as rows of their kinds and keys.
pub(super) fn named(targets: &[Target]) -> Result<String> {
    let rows: Vec<_> = targets.iter().map(|t| Named { kind: t.kind, key: &t.key }).collect();
    array(&rows)
}

/// The targets that a job has watched since a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Watched {
    /// How many.
    pub targets: i64,
    /// When the first of them was added; `None`: there are none.
    pub since: Option<Time>,
}

impl Tx {
    /// Inserts targets that are missing, except forgotten ones, so that no job watches those and no
    /// slot is planned.
    pub async fn put_targets(&mut self, targets: &[Target], now: Time) -> Result<()> {
        #[derive(Serialize)]
        struct Row<'a> {
            kind: Kind,
            key: &'a str,
            item_id: Option<&'a str>,
        }
        for some in targets.chunks(AT_ONCE) {
            let rows: Vec<_> = some
                .iter()
                .map(|target| Row {
                    kind: target.kind,
                    key: &target.key,
                    item_id: target.is_item().then_some(target.key.as_str()),
                })
                .collect();
            let sql = self.over_rows(
                "kind text, key text, item_id text",
                "insert into targets (kind, key, item_id, first_seen_at)
                 select r.kind, r.key,
                        coalesce(r.item_id, (select item_id from links where link = r.key)), $2
                 from {rows}
                 where not exists (select 1 from forgotten f where f.id = r.key and f.kind = r.kind)
                 on conflict (kind, key) do nothing",
            );
            execute!(self, sql, array(&rows)?, now);
        }
        Ok(())
    }

    /// Replaces a job's watchlist. The targets must exist; a resolved short link stands for its
    /// item. Removed targets keep their history, and one that returns keeps its former time while
    /// the job has a backlog of it.
    pub async fn set_watchlist(
        &mut self,
        job_id: i64,
        targets: &[Target],
        now: Time,
    ) -> Result<()> {
        let rows = named(targets)?;
        let sql = self.over_rows(
            "kind text, key text",
            "insert into job_targets (job_id, target_id, added_at)
             select distinct $2, item.target_id, $3
             from {rows}
             join targets named on named.kind = r.kind and named.key = r.key
             join targets item on item.kind = named.kind
                               and item.key = coalesce(named.item_id, named.key)
             where true
             on conflict (job_id, target_id) do update set
                 added_at = case when job_targets.removed_at is null
                                      or job_targets.removed_at > (select backlog_since from jobs
                                                                   where job_id = $2)
                                 then job_targets.added_at else excluded.added_at end,
                 removed_at = null",
        );
        execute!(self, sql, rows.as_str(), job_id, now);
        let sql = self.over_rows(
            "kind text, key text",
            "update job_targets set removed_at = $3
             where job_id = $2 and removed_at is null and target_id not in (
                 select item.target_id from {rows}
                 join targets named on named.kind = r.kind and named.key = r.key
                 join targets item on item.kind = named.kind
                                   and item.key = coalesce(named.item_id, named.key))",
        );
        execute!(self, sql, rows.as_str(), job_id, now);
        Ok(())
    }

    /// The targets that a job has watched since `since`, removed ones too.
    pub async fn watched(&mut self, job_id: i64, since: Time) -> Result<Watched> {
        let row = fetch_optional!(
            self,
            Watched,
            "select count(*) as targets, min(added_at) as since from job_targets
             where job_id = $1 and (removed_at is null or removed_at > $2)",
            job_id,
            since
        );
        Ok(row.unwrap_or(Watched { targets: 0, since: None }))
    }

    /// How many targets the job has that has most, removed ones too.
    pub async fn most_watched(&mut self) -> Result<i64> {
        let row = fetch_optional!(
            self,
            Count,
            "select count(*) as count from job_targets group by job_id order by 1 desc limit 1"
        );
        Ok(row.map_or(0, |row| row.count))
    }

    /// Closes the open scheduled slots of targets that no job watches any more. Returns how many.
    pub async fn close_unwatched(&mut self, now: Time) -> Result<u64> {
        Ok(execute!(
            self,
            "update slots set outcome = $2, reason = $3, closed_at = $1
             where outcome is null and (lease_until is null or lease_until <= $1)
               and exists (select 1 from job_runs jr
                           where jr.run_id = slots.run_id and jr.job_id is not null)
               and not exists (select 1 from job_targets jt join jobs j on j.job_id = jt.job_id
                               where jt.target_id = slots.target_id and jt.removed_at is null
                                 and j.is_active)",
            now,
            SlotOutcome::Missed,
            MissedReason::Unwatched
        ))
    }
}
