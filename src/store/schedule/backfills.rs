//! Backfills: named runs whose slots are claimed when no scheduled slot is due.

use anyhow::Result;

use super::claim::BACKFILL;
use super::watchlists::named;
use crate::model::{BackfillState, Kind, MissedReason, Origin, SlotOutcome, Target};
use crate::store::db::{Tx, execute, fetch_all, fetch_optional};
use crate::time::Time;

/// Slots of cancelled backfills closed by one statement at most: it must not hold up other writers.
const CLOSED_AT_ONCE: i64 = 5000;

/// A backfill to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBackfill {
    /// Its unique name.
    pub name: String,
    /// Source of its targets, for people.
    pub source: String,
    /// Digest of the target list, by which the same list is recognised.
    pub digest: String,
    /// Its limits.
    pub limits: Limits,
}

/// Limits of a backfill; `None`: unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct Limits {
    /// Calls, except those that were not billed.
    pub max_calls: Option<i64>,
    /// Their price, in millionths of the account's currency.
    pub max_cost_micros: Option<i64>,
}

impl Limits {
    /// These limits, completed from `others`.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            max_calls: self.max_calls.or(others.max_calls),
            max_cost_micros: self.max_cost_micros.or(others.max_cost_micros),
        }
    }
}

/// A backfill.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct BackfillRow {
    /// The run of its slots.
    pub run_id: i64,
    /// Its unique name.
    pub name: String,
    /// Source of its targets.
    pub source: String,
    /// Digest of the target list.
    pub digest: String,
    /// When it was created.
    pub created_at: Time,
    /// Its state.
    pub state: BackfillState,
    /// Its limits.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub limits: Limits,
    /// When its last slot was settled.
    pub ended_at: Option<Time>,
}

#[derive(sqlx::FromRow)]
struct Run {
    run_id: i64,
}

#[derive(sqlx::FromRow)]
pub(in crate::store) struct Named {
    kind: String,
    key: String,
}

pub(in crate::store) fn targets(rows: Vec<Named>) -> Vec<Target> {
    let target = |row: Named| Some(Target { kind: Kind::parse(&row.kind)?, key: row.key });
    rows.into_iter().filter_map(target).collect()
}

/// Selects a [`BackfillRow`].
macro_rules! backfills {
    ($rest:literal) => {
        concat!(
            "select run_id, name, source, digest, created_at, state, max_calls, max_cost_micros,
                    ended_at
             from backfills ",
            $rest
        )
    };
}

impl Tx {
    /// Creates a backfill without slots, in planning; returns its run. Its slots are due at `due_at`.
    ///
    /// # Errors
    /// When the database fails, or the name is taken.
    pub async fn put_backfill(&mut self, new: &NewBackfill, due_at: Time) -> Result<i64> {
        let run = fetch_optional!(
            self,
            Run,
            "insert into job_runs (job_id, due_at, origin, decided_at)
             values (null, $1, $2, $1) returning run_id",
            due_at,
            Origin::Backfill
        );
        let run_id = run.map_or(0, |run| run.run_id);
        execute!(
            self,
            "insert into backfills (run_id, name, source, digest, created_at, state,
                                    max_calls, max_cost_micros)
             values ($1, $2, $3, $4, $5, $8, $6, $7)",
            run_id,
            new.name.as_str(),
            new.source.as_str(),
            new.digest.as_str(),
            due_at,
            new.limits.max_calls,
            new.limits.max_cost_micros,
            BackfillState::Planning
        );
        Ok(run_id)
    }

    /// Adds a slot for each target of a batch to a backfill in planning. A slot that exists stays, so
    /// that a batch may be added again. `batch` counts the batches, `due_at` is that of the backfill.
    pub async fn plan_backfill(
        &mut self,
        run_id: i64,
        due_at: Time,
        batch: u64,
        targets: &[Target],
    ) -> Result<()> {
        self.put_targets(targets, due_at).await?;
        let sql = self.over_rows(
            "kind text, key text",
            "insert into slots (target_id, due_at, run_id, kind, priority, next_page, attempts,
                                retry_at, fence)
             select distinct item.target_id, $2, $3, item.kind, $5, 1, 0, $4, 0
             from {rows}
             join targets named on named.kind = r.kind and named.key = r.key
             join targets item on item.kind = named.kind
                               and item.key = coalesce(named.item_id, named.key)
             where true
             on conflict (target_id, due_at) do nothing",
        );
        // One microsecond apart per batch, so that the next slots are found without a sort.
        let retry_at = due_at.plus(std::time::Duration::from_micros(batch));
        execute!(self, sql, named(targets)?, due_at, run_id, retry_at, BACKFILL);
        Ok(())
    }

    /// Ends the planning of a backfill: its slots may be claimed. False when it was cancelled.
    pub async fn start_backfill(&mut self, run_id: i64) -> Result<bool> {
        let sql = "update backfills set state = $2 where run_id = $1 and state = $3";
        let (from, to) = (BackfillState::Planning, BackfillState::Running);
        Ok(execute!(self, sql, run_id, to, from) == 1)
    }

    /// The backfill of that name.
    pub async fn backfill_named(&mut self, name: &str) -> Result<Option<BackfillRow>> {
        Ok(fetch_optional!(self, BackfillRow, backfills!("where name = $1"), name))
    }

    /// The latest backfill of a list that can be resumed: neither ended nor cancelled.
    pub async fn backfill_to_resume(&mut self, digest: &str) -> Result<Option<BackfillRow>> {
        Ok(fetch_optional!(
            self,
            BackfillRow,
            backfills!(
                "where digest = $1 and ended_at is null and state <> $2
                 order by created_at desc, run_id desc limit 1"
            ),
            digest,
            BackfillState::Cancelled
        ))
    }

    /// Every backfill, latest first.
    pub async fn backfills(&mut self) -> Result<Vec<BackfillRow>> {
        Ok(fetch_all!(self, BackfillRow, backfills!("order by created_at desc, run_id desc")))
    }

    /// Unfinished backfills: run and state, oldest first.
    pub async fn unfinished_backfills(&mut self) -> Result<Vec<(i64, BackfillState)>> {
        Ok(fetch_all!(
            self,
            (i64, BackfillState),
            "select run_id, state from backfills where ended_at is null order by run_id"
        ))
    }

    /// Resumes an unfinished backfill; given limits replace its own. False when it has ended or is in
    /// planning.
    pub async fn resume_backfill(&mut self, run_id: i64, limits: Limits) -> Result<bool> {
        let resumed = execute!(
            self,
            "update backfills set state = $4, max_calls = coalesce($2, max_calls),
                                  max_cost_micros = coalesce($3, max_cost_micros)
             where run_id = $1 and ended_at is null and state not in ($5, $6)",
            run_id,
            limits.max_calls,
            limits.max_cost_micros,
            BackfillState::Running,
            BackfillState::Cancelled,
            BackfillState::Planning
        );
        Ok(resumed == 1)
    }

    /// Halts a running backfill until it is resumed.
    pub async fn halt_backfill(&mut self, run_id: i64) -> Result<bool> {
        let sql = "update backfills set state = $2 where run_id = $1 and state = $3";
        let (stopped, running) = (BackfillState::Stopped, BackfillState::Running);
        Ok(execute!(self, sql, run_id, stopped, running) == 1)
    }

    /// Halts a running backfill at its limit, unless it has calls in flight.
    pub async fn halt_at_limit(&mut self, run_id: i64) -> Result<bool> {
        let halted = execute!(
            self,
            "update backfills set state = $2
             where run_id = $1 and state = $3 and not exists (
                 select 1 from calls c where c.run_id = backfills.run_id and c.outcome is null)",
            run_id,
            BackfillState::Limited,
            BackfillState::Running
        );
        Ok(halted == 1)
    }

    /// Cancels a backfill; [`Tx::finish_backfills`] closes its slots. False when it has ended already.
    pub async fn cancel_backfill(&mut self, run_id: i64) -> Result<bool> {
        let cancelled = execute!(
            self,
            "update backfills set state = $2 where run_id = $1 and ended_at is null",
            run_id,
            BackfillState::Cancelled
        );
        Ok(cancelled == 1)
    }

    /// Closes some open slots of cancelled backfills and ends backfills without open slots. True when
    /// there is nothing left to close.
    pub async fn finish_backfills(&mut self, now: Time) -> Result<bool> {
        let closed = execute!(
            self,
            "update slots set outcome = $2, reason = $3, closed_at = $1
             where (target_id, due_at) in (
                 select s.target_id, s.due_at
                 from backfills b join slots s on s.run_id = b.run_id
                 where b.state = $4 and b.ended_at is null
                   and s.outcome is null and s.priority > 0 and s.lease_owner is null
                 limit $5)",
            now,
            SlotOutcome::Missed,
            MissedReason::Cancelled,
            BackfillState::Cancelled,
            CLOSED_AT_ONCE
        );
        execute!(
            self,
            "update backfills set ended_at = $1,
                                  state = case when state = $2 then state else $3 end
             where ended_at is null and state <> $4 and not exists (
                 select 1 from slots s
                 where s.run_id = backfills.run_id and s.outcome is null and s.priority > 0)",
            now,
            BackfillState::Cancelled,
            BackfillState::Done,
            BackfillState::Planning
        );
        Ok(closed == 0)
    }
}
