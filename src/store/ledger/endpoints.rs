//! Rate and health of endpoints: one row each, shared by every process.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

use crate::model::Kind;
use crate::store::db::{Count, Tx, execute, fetch_optional};
use crate::store::sql::array;
use crate::time::Time;

/// The state of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct EndpointRow {
    /// The calls so far use up the rate limit until then.
    pub paid_through: Time,
    /// Speed in thousandths of the configured rate, when it was last reduced.
    pub speed_permille: i64,
    /// When it was last reduced.
    pub slowed_at: Option<Time>,
    /// Targets whose calls have failed since one succeeded.
    pub failures: i64,
}

macro_rules! endpoint {
    ($lock:literal) => {
        concat!(
            "select paid_through, speed_permille, slowed_at,
                    (select count(*) from endpoint_failures f
                     where f.endpoint = rate_limits.endpoint) as failures
             from rate_limits where endpoint = $1",
            $lock
        )
    };
}

impl Tx {
    /// The state of an endpoint, locked for this transaction.
    pub async fn endpoint(&mut self, name: &str, now: Time) -> Result<EndpointRow> {
        // Differs by necessity: in SQLite a transaction that may write is alone already.
        let sql = match self {
            Self::Sqlite(_) => endpoint!(""),
            Self::Postgres(_) => endpoint!(" for update"),
        };
        if let Some(row) = fetch_optional!(self, EndpointRow, sql, name) {
            return Ok(row);
        }
        execute!(
            self,
            "insert into rate_limits (endpoint, paid_through, speed_permille)
             values ($1, $2, 1000) on conflict (endpoint) do nothing",
            name,
            now
        );
        let new =
            EndpointRow { paid_through: now, speed_permille: 1000, slowed_at: None, failures: 0 };
        Ok(fetch_optional!(self, EndpointRow, sql, name).unwrap_or(new))
    }

    /// Records until when the calls so far use up the rate limit.
    pub async fn take_rate(&mut self, name: &str, paid_through: Time) -> Result<()> {
        execute!(
            self,
            "update rate_limits set paid_through = $2 where endpoint = $1",
            name,
            paid_through
        );
        Ok(())
    }

    /// Reduces the speed of an endpoint.
    pub async fn slow_down(&mut self, name: &str, permille: i64, now: Time) -> Result<()> {
        execute!(
            self,
            "update rate_limits set speed_permille = $2, slowed_at = $3 where endpoint = $1",
            name,
            permille,
            now
        );
        Ok(())
    }

    /// Adds targets whose calls have failed; `afresh`, since a later success than those known.
    /// Returns how many targets have failed since the last success.
    pub async fn count_failures(
        &mut self,
        name: &str,
        failed: &BTreeSet<i64>,
        afresh: bool,
    ) -> Result<i64> {
        #[derive(Serialize)]
        struct Row {
            target_id: i64,
        }
        if afresh {
            execute!(self, "delete from endpoint_failures where endpoint = $1", name);
        }
        let rows: Vec<_> = failed.iter().map(|target_id| Row { target_id: *target_id }).collect();
        let sql = self.over_rows(
            "target_id int",
            "insert into endpoint_failures (endpoint, target_id)
             select $2, r.target_id from {rows} where true on conflict do nothing",
        );
        execute!(self, sql, array(&rows)?, name);
        let count = fetch_optional!(
            self,
            Count,
            "select count(*) as count from endpoint_failures where endpoint = $1",
            name
        );
        Ok(count.map_or(0, |row| row.count))
    }

    /// How many targets of a kind are watched and available, or have open slots, up to `most`: only
    /// short links that are not resolved, or all others that are watched.
    pub async fn targets_to_fetch(
        &mut self,
        kind: Kind,
        unresolved: bool,
        most: i64,
    ) -> Result<i64> {
        let count = fetch_optional!(
            self,
            Count,
            "select count(*) as count from (
                 select target_id from (
                     select distinct jt.target_id
                     from jobs j join job_targets jt on jt.job_id = j.job_id
                     join targets t on t.target_id = jt.target_id
                     where j.kind = $1 and j.is_active and jt.removed_at is null
                       and (t.item_id is null and t.key like 'https://%') = $2
                       and not exists (select 1 from availability a
                                       where a.target_id = jt.target_id and a.until is null)
                     limit $3) as watched
                 union
                 select target_id from (
                     select distinct s.target_id
                     from slots s join targets t on t.target_id = s.target_id
                     where s.kind = $1 and s.outcome is null
                       and (t.item_id is null and t.key like 'https://%') = $2
                     limit $3) as open
                 limit $3) as wanted",
            kind.as_str(),
            unresolved,
            most
        );
        Ok(count.map_or(0, |row| row.count))
    }
}
