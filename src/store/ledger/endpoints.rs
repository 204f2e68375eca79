//! Rate and health of endpoints: one row each, shared by every process.

use anyhow::Result;

use crate::store::db::{Tx, execute, fetch_optional};
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
    /// Consecutive failed calls.
    pub failures: i64,
}

impl Tx {
    /// The state of an endpoint, locked for this transaction.
    pub async fn endpoint(&mut self, name: &str, now: Time) -> Result<EndpointRow> {
        let text = "select paid_through, speed_permille, slowed_at, failures
                    from rate_limits where endpoint = $1";
        // Differs by necessity: in SQLite a transaction that may write is alone already.
        let sql = match self {
            Self::Sqlite(_) => text,
            Self::Postgres(_) => concat!(
                "select paid_through, speed_permille, slowed_at, failures
                 from rate_limits where endpoint = $1",
                " for update"
            ),
        };
        if let Some(row) = fetch_optional!(self, EndpointRow, sql, name) {
            return Ok(row);
        }
        execute!(
            self,
            "insert into rate_limits (endpoint, paid_through, speed_permille, failures)
             values ($1, $2, 1000, 0) on conflict (endpoint) do nothing",
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

    /// Adds failed calls since the last success; `afresh` starts from zero. Returns the number of
    /// consecutive failures.
    pub async fn count_failures(&mut self, name: &str, failed: i64, afresh: bool) -> Result<i64> {
        #[derive(sqlx::FromRow)]
        struct Failures {
            failures: i64,
        }
        let row = fetch_optional!(
            self,
            Failures,
            "update rate_limits set failures = case when $3 then $2 else failures + $2 end
             where endpoint = $1 returning failures",
            name,
            failed,
            afresh
        );
        Ok(row.map_or(failed, |row| row.failures))
    }
}
