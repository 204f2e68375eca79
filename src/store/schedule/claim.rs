//! Statements that say which slots may be worked on, and hand them out.

use anyhow::Result;

use crate::model::Kind;
use crate::store::db::{Tx, fetch_all, fetch_optional};
use crate::store::sql::array;
use crate::time::Time;

/// The priority of a backfill's slots; any other's is 0.
pub(in crate::store) const BACKFILL: i64 = 1;

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
struct KindRow {
    kind: String,
}

#[derive(sqlx::FromRow)]
struct RetryRow {
    retry_at: Option<Time>,
}

/// The slots of the kind `$4` and the run `$5` that may be claimed at `$1` by `$2`, `$6` at the
/// most. Nobody claims anew what is still in its own hands, however late it is. A backfill's slots
/// are claimed by its run alone: their priority is larger than the largest asked for, `$7`. What a
/// job of the list `$8` has planned stays where it is, unless another job wants it, too; `$held` is
/// that list as rows.
///
/// The earliest come first, and of one fire another target each time, so that an upstream that
/// is too slow for all of them starves none; neighbours stay together, since what lies together is
/// written together. One target is never looked at twice at once: of
/// several claimable slots of a target the oldest comes first. Another run's slots are none of
/// those, because whoever works off one run alone would wait for them for ever.
///
/// They are gone through in the order of the index `slots_open`, whose columns are those that are
/// ordered by here, until there are enough. `$due` and `$open` name the indexes that hold the open
/// slots: a target's history is long, and statistics know nothing of how few are open.
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

/// The kind, if a slot of it may be claimed at `$1`, of the run `$2`, up to the priority `$3`. Each
/// kind by itself, so that one look at the index of open slots is enough.
macro_rules! due {
    ($kind:literal) => {
        concat!(
            "select '",
            $kind,
            "' as kind where exists (
                 select 1 from slots s
                 where s.outcome is null and s.kind = '",
            $kind,
            "'     and s.priority <= $3 and s.retry_at <= $1
                   and (s.lease_until is null or s.lease_until <= $1)
                   and ($2 = 0 or s.run_id = $2))"
        )
    };
}

/// Whose slots are to be claimed.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest<'a> {
    /// The process.
    pub owner: i64,
    /// Targets of one kind are asked of one endpoint, so a kind is what a caller limits.
    pub kind: Kind,
    /// Those of this run only; `None`: of all runs but backfills.
    pub run: Option<i64>,
    /// The names of jobs whose looks are not to be made: a slot that no other job wants stays.
    pub held_jobs: &'a [String],
    /// So many at the most.
    pub limit: usize,
}

/// Up to which priority slots are handed out: without a run no backfill's are.
fn largest_priority(run: Option<i64>) -> i64 {
    if run.is_some() { BACKFILL } else { 0 }
}

impl Tx {
    /// Claims slots until `lease_until`.
    pub async fn claim(
        &mut self,
        wish: ClaimRequest<'_>,
        now: Time,
        lease_until: Time,
    ) -> Result<Vec<Claim>> {
        // Differs by necessity: only PostgreSQL has several writers that must step around each
        // other's rows, only SQLite has to be told its indexes, and each reads lists its own way.
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
            wish.owner,
            lease_until,
            wish.kind.as_str(),
            wish.run.unwrap_or(0),
            i64::try_from(wish.limit)?,
            largest_priority(wish.run),
            array(wish.held_jobs)?
        ))
    }

    /// The kinds of which slots may be claimed now: of one run only, if one is given, else of all
    /// runs but backfills.
    pub async fn kinds_due(&mut self, run: Option<i64>, now: Time) -> Result<Vec<Kind>> {
        let rows = fetch_all!(
            self,
            KindRow,
            concat!(
                due!("note"),
                " union all ",
                due!("keyword"),
                " union all ",
                due!("kol_search"),
                " union all ",
                due!("work")
            ),
            now,
            run.unwrap_or(0),
            largest_priority(run)
        );
        Ok(rows.iter().filter_map(|row| Kind::parse(&row.kind)).collect())
    }

    /// When the next open slot may be tried: of one run only, if one is given, else of all but
    /// those of backfills that stand still. `None` when no slot is open; a time in the past when
    /// one may be tried now.
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
