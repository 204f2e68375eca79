//! Statements that say which slots may be worked on, and hand them out.

use anyhow::Result;

use super::{Count, Tx, fetch_all, fetch_optional};
use crate::model::Kind;
use crate::time::Time;

/// The priority of a backfill's slots; any other's is 0.
pub(super) const BACKFILL: i64 = 1;

/// A slot that this process may now work on, until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Claim {
    /// The target.
    pub target_id: i64,
    /// When the look was due.
    pub due_at: Time,
    /// The run that it was planned by.
    pub run_id: i64,
    /// What kind of target: see [`Kind::parse`].
    pub kind: String,
    /// The target's key.
    pub key: String,
    /// The note or work that the key means; `None` for other kinds, and for a short link that is
    /// not resolved yet.
    pub item_id: Option<String>,
    /// The page to read.
    pub page: i64,
    /// Which try at this page this is, from 1.
    pub attempt: i64,
    /// The number of this claim: an answer to an older one is late.
    pub fence: i64,
}

#[derive(sqlx::FromRow)]
struct RetryRow {
    retry_at: Option<Time>,
}

/// The slots of the kind `$4` and the run `$5` that may be claimed at `$1` by `$2`, `$6` at the
/// most. Nobody claims anew what is still in its own hands, however late it is. A backfill's slots
/// are claimed by its run alone: their priority is larger than the largest asked for, `$7`.
///
/// The earliest come first, and of one fire another target each time, so that an upstream that
/// is too slow for all of them starves none. One target is never looked at twice at once: of
/// several claimable slots of a target the oldest comes first. Another run's slots are none of
/// those, because whoever works off one run alone would wait for them for ever.
///
/// The candidates are chosen before that is asked of each, in the order of the index `slots_open`:
/// the columns there have to be those that are ordered by here. `$open` names the index that holds
/// the open slots: a target's history is long, and statistics know nothing of how few are open.
macro_rules! claimable {
    ($open:literal, $lock:literal) => {
        concat!(
            "with due as materialized (
                 select target_id, due_at, retry_at, (target_id * 7919 + run_id * 104729) % 10007 as turn
                 from slots
                 where outcome is null and kind = $4 and priority <= $7 and retry_at <= $1
                   and ($5 = 0 or run_id = $5)
                   and (lease_until is null or (lease_until <= $1 and lease_owner <> $2))
                 order by priority, retry_at, turn limit $6 + 100)
             update slots set lease_owner = $2, lease_until = $3, attempts = attempts + 1,
                              fence = fence + 1
             from (
                 select s.target_id, s.due_at
                 from due d cross join slots s
                 where s.target_id = d.target_id and s.due_at = d.due_at and s.outcome is null
                   and (s.lease_until is null or (s.lease_until <= $1 and s.lease_owner <> $2))
                   and not exists (
                       select 1 from slots o ",
            $open,
            "          where o.target_id = s.target_id and o.outcome is null
                         and (o.lease_until > $1
                              or (o.retry_at <= $1 and o.due_at < s.due_at
                                  and o.priority <= s.priority
                                  and ($5 = 0 or o.run_id = $5))))
                 order by d.retry_at, d.turn limit $6",
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

/// Up to which priority slots are handed out: without a run no backfill's are.
fn largest_priority(run: Option<i64>) -> i64 {
    if run.is_some() { BACKFILL } else { 0 }
}

impl Tx {
    /// Claims up to `limit` slots of a kind, until `lease_until`; of one run only, if one is given,
    /// else of all runs but backfills.
    /// Targets of one kind are asked of one endpoint, so a kind is what a caller limits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(
        &mut self,
        owner: i64,
        kind: Kind,
        run: Option<i64>,
        limit: usize,
        now: Time,
        lease_until: Time,
    ) -> Result<Vec<Claim>> {
        // Differs by necessity: only PostgreSQL has several writers that must step around each
        // other's rows, and only SQLite has to be told its index.
        let sql = match self {
            Self::Sqlite(_) => claimable!("indexed by slots_open_by_target", ""),
            Self::Postgres(_) => claimable!("", " for update of s skip locked"),
        };
        Ok(fetch_all!(
            self,
            Claim,
            sql,
            now,
            owner,
            lease_until,
            kind.as_str(),
            run.unwrap_or(0),
            i64::try_from(limit)?,
            largest_priority(run)
        ))
    }

    /// How many slots of this kind may be claimed now, counted up to `limit`: of one run only, if
    /// one is given, else of all runs but backfills.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_due(
        &mut self,
        kind: Kind,
        run: Option<i64>,
        limit: usize,
        now: Time,
    ) -> Result<usize> {
        let row = fetch_optional!(
            self,
            Count,
            "select count(*) as count from (
                 select 1 from slots
                 where outcome is null and kind = $2 and priority <= $5 and retry_at <= $1
                   and (lease_until is null or lease_until <= $1)
                   and ($3 = 0 or run_id = $3) limit $4) as due",
            now,
            kind.as_str(),
            run.unwrap_or(0),
            i64::try_from(limit)?,
            largest_priority(run)
        );
        Ok(usize::try_from(row.map_or(0, |row| row.count))?)
    }

    /// When the next open slot may be tried: of one run only, if one is given, else of all but
    /// those of backfills that stand still. `None` when no slot is open; a time in the past when
    /// one may be tried now.
    ///
    /// # Errors
    /// When the database fails.
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

    /// When, after `now`, the next open slot may be tried that may not be tried yet.
    ///
    /// # Errors
    /// When the database fails.
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
