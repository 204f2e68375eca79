//! Claims: which slots are due, and handing them out under a lease.

use anyhow::Result;
use sqlx::AssertSqlSafe;

use crate::model::Kind;
use crate::store::db::{Tx, fetch_all, fetch_optional};
use crate::store::sql::array;
use crate::time::Time;

/// Priority of a backfill's slots; all others have 0.
pub(in crate::store) const BACKFILL: i64 = 1;

/// A slot that this process may fetch until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Claim {
    /// The target.
    pub target_id: i64,
    /// When the slot is due.
    pub due_at: Time,
    /// The run that planned it.
    pub run_id: i64,
    /// What kind of target: see [`Kind::parse`].
    pub kind: String,
    /// The target's key.
    pub key: String,
    /// The note or work behind the key; `None` for other kinds, and for an unresolved short link.
    pub item_id: Option<String>,
    /// The page to fetch.
    pub page: i64,
    /// The attempt at this page, from 1.
    pub attempt: i64,
    /// The fencing token of this claim: an answer under an older one is late.
    pub fence: i64,
}

#[derive(sqlx::FromRow)]
struct KindRow {
    kind: String,
}

#[derive(sqlx::FromRow)]
struct RetryRow {
    retry_at: Option<Time>,
}

/// Claims up to `$6` slots of the kind `$4` and the run `$5` that are due at `$1`, for the process
/// `$2`. A process never reclaims a slot it still holds, even after the lease has ended. Only the
/// run that owns a backfill claims its slots: their priority is above `$7` otherwise. Slots that
/// only jobs of the list `$8` want are skipped; `$held` is that list as rows. With `$9` targets are
/// skipped whose last calls have failed.
///
/// Claim order: by priority and time, and within one fire by a permutation of the targets that
/// differs from fire to fire, so that an upstream too slow for all of them starves none. The
/// permutation keeps blocks of neighbours together, since they are written together. Of several due
/// slots of one target the oldest is claimed, and never two at once; slots of other runs do not
/// count for a run that is claimed alone, which would wait for them for ever.
///
/// The order is that of the index `slots_open`. `$due` and `$open` name the indexes over open
/// slots: a target's history is long, and statistics do not show how few slots are open.
macro_rules! claimable {
    ($due:literal, $open:literal, $lock:literal, $held:literal) => {
        concat!(
            "update slots set lease_owner = $2, lease_until = $3, attempts = attempts + 1,
                              fence = fence + 1
             from (
                 select s.target_id, s.due_at from slots s ",
            $due,
            "    where s.outcome is null and s.kind = $4 and s.priority <= $7 and s.retry_at <= $1
                   and ($5 = 0 or s.run_id = $5)
                   and (s.lease_until is null or (s.lease_until <= $1 and s.lease_owner <> $2))
                   and not exists (
                       select 1 from slots o ",
            $open,
            "          where o.target_id = s.target_id and o.outcome is null
                         and (o.lease_until > $1
                              or (o.retry_at <= $1 and o.due_at < s.due_at
                                  and o.priority <= s.priority
                                  and ($5 = 0 or o.run_id = $5))))
                   and ($8 = '[]'
                        or not exists (
                            select 1 from job_runs jr cross join jobs j
                            where jr.run_id = s.run_id and j.job_id = jr.job_id
                              and j.name in ",
            $held,
            "           )
                        or exists (
                            select 1 from jobs j cross join job_targets jt cross join job_runs jr
                            where j.kind = s.kind and j.is_active and j.name not in ",
            $held,
            "                 and jt.job_id = j.job_id and jt.target_id = s.target_id
                              and jr.job_id = j.job_id and jr.due_at = s.due_at))
                   and (not $9 or not exists (
                       select 1 from endpoint_failures f where f.target_id = s.target_id))
                 order by s.priority, s.retry_at,
                     (s.target_id / 32 * 2654435761 + s.run_id * 1779033703) % 4294967296 * 1009
                         + (s.target_id * 623 + s.run_id * 283) % 1009
                 limit $6",
            $lock,
            ") as c
             where slots.target_id = c.target_id and slots.due_at = c.due_at
             returning slots.target_id as target_id, slots.due_at as due_at, slots.run_id as run_id,
                 slots.kind as kind,
                 (select key from targets t where t.target_id = slots.target_id) as key,
                 (select item_id from targets t where t.target_id = slots.target_id) as item_id,
                 next_page as page, attempts as attempt, fence"
        )
    };
}

/// Which slots to claim.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest<'a> {
    /// The claiming process.
    pub owner: i64,
    /// The kind: targets of one kind are fetched from one endpoint, so limits apply by kind.
    pub kind: Kind,
    /// Only slots of this run; `None`: of every run but backfills.
    pub run: Option<i64>,
    /// Jobs that may not fetch now: a slot that no other job wants is skipped.
    pub held_jobs: &'a [String],
    /// Whether to skip targets whose last calls have failed.
    pub skips_failed: bool,
    /// Maximum number of slots.
    pub limit: usize,
}

/// Highest priority to claim: without a run, no backfill's slots.
fn largest_priority(run: Option<i64>) -> i64 {
    if run.is_some() { BACKFILL } else { 0 }
}

impl Tx {
    /// Claims slots until `lease_until`.
    pub async fn claim(
        &mut self,
        request: ClaimRequest<'_>,
        now: Time,
        lease_until: Time,
    ) -> Result<Vec<Claim>> {
        // Differs by necessity: only PostgreSQL has concurrent writers whose locked rows must be
        // skipped, only SQLite needs index hints, and each expands lists differently.
        let sql = match self {
            Self::Sqlite(_) => claimable!(
                "indexed by slots_open",
                "indexed by slots_open_by_target",
                "",
                "(select value from json_each($8))"
            ),
            Self::Postgres(_) => claimable!(
                "",
                "",
                " for update of s skip locked",
                "(select value from jsonb_array_elements_text($8::jsonb) as v(value))"
            ),
        };
        Ok(fetch_all!(
            self,
            Claim,
            sql,
            now,
            request.owner,
            lease_until,
            request.kind.as_str(),
            request.run.unwrap_or(0),
            i64::try_from(request.limit)?,
            largest_priority(request.run),
            array(request.held_jobs)?,
            request.skips_failed
        ))
    }

    /// Kinds with slots due now: of one run, or of every run but backfills.
    pub async fn kinds_due(&mut self, run: Option<i64>, now: Time) -> Result<Vec<Kind>> {
        // One index lookup per kind.
        let due = Kind::ALL.map(|kind| {
            format!(
                "select '{}' as kind where exists (
                     select 1 from slots s
                     where s.outcome is null and s.kind = '{}'
                       and s.priority <= $3 and s.retry_at <= $1
                       and (s.lease_until is null or s.lease_until <= $1)
                       and ($2 = 0 or s.run_id = $2))",
                kind.as_str(),
                kind.as_str()
            )
        });
        let sql = AssertSqlSafe(due.join(" union all "));
        let priority = largest_priority(run);
        let rows = fetch_all!(self, KindRow, sql, now, run.unwrap_or(0), priority);
        Ok(rows.iter().filter_map(|row| Kind::parse(&row.kind)).collect())
    }

    /// When the next open slot is due: of one run, or of every run but halted backfills. `None`
    /// when no slot is open; in the past when one is due now.
    pub async fn next_try(&mut self, run: Option<i64>, now: Time) -> Result<Option<Time>> {
        let row = fetch_optional!(
            self,
            RetryRow,
            "select min(case when lease_until > $2 and lease_until > retry_at
                             then lease_until else retry_at end) as retry_at
             from slots where outcome is null
               and (run_id = $1 or ($1 = 0 and (priority = 0 or run_id in (
                   select run_id from backfills where state = 'running'))))",
            run.unwrap_or(0),
            now
        );
        Ok(row.and_then(|row| row.retry_at))
    }

    /// When, after `now`, the next open slot becomes due.
    pub async fn next_try_after(&mut self, now: Time) -> Result<Option<Time>> {
        let row = fetch_optional!(
            self,
            RetryRow,
            "select min(case when lease_until > retry_at then lease_until else retry_at end)
                 as retry_at
             from slots where outcome is null and (retry_at > $1 or lease_until > $1)",
            now
        );
        Ok(row.and_then(|row| row.retry_at))
    }
}
