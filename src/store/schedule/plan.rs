//! Planning: slots for the fires of a job, and for manual runs.

use anyhow::Result;
use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::watchlists::named;
use crate::model::{MissedReason, Origin, PauseScope, SlotOutcome, Target};
use crate::store::db::{Id, Tx, execute, fetch_optional};
use crate::store::sql::{array, one_of, reason_of_pause, reason_of_state};
use crate::time::Time;

/// Decided fires of one job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fires {
    /// Missed due times, each with the reason.
    pub missed: Vec<(Time, MissedReason)>,
    /// Due times to fetch, oldest first.
    pub open: Vec<Time>,
}

#[derive(Serialize)]
struct Fire {
    due_at: Time,
    reason: Option<MissedReason>,
}

/// Whether a job with `overlap = 'queue'` wants the slot `slots`, so that no newer slot supersedes
/// it. The cross joins start from the few jobs.
macro_rules! queued {
    () => {
        "exists (select 1 from jobs qj cross join job_targets qt cross join job_runs qr
                 where qj.overlap = 'queue' and qt.job_id = qj.job_id
                   and qt.target_id = slots.target_id
                   and qr.job_id = qj.job_id and qr.due_at = slots.due_at)"
    };
}
pub(in crate::store) use queued;

/// Inserts the slots of the fires `r` of the job `$2`, decided at `$3`: open, or missed for the
/// first reason that applies. `$open` names the index over open slots; `$later` is the due time
/// plus the target's share of the spread.
///
/// Cross joins keep SQLite from scanning all runs of the job.
macro_rules! fired {
    ($open:literal, $later:expr) => {
        concat!(
            "insert into slots (target_id, due_at, run_id, kind, outcome, reason, closed_at,
                                next_page, attempts, retry_at, fence)
             select f.target_id, f.due_at, f.run_id, f.kind,
                    case when f.reason is not null then $4 end, f.reason,
                    case when f.reason is not null then $3 end, 1, 0, f.retry_at, 0
             from (
                 select jt.target_id, r.due_at, jr.run_id, j.kind,
                        coalesce(
                            r.reason,
                            case when j.overlap = 'skip' and exists (
                                select 1 from slots o ",
            $open,
            "                   join job_runs made on made.run_id = o.run_id
                                where o.target_id = jt.target_id and o.outcome is null
                                  and o.due_at < r.due_at and o.lease_until > $3
                                  and made.job_id is not null) then $5 end,
                            (select min({unavailable})
                             from availability a
                             where a.target_id = jt.target_id and a.until is null
                               and (a.probe_at is null or a.probe_at > $3))
                        ) as reason,
                        case when j.spread_seconds = 0 then r.due_at else ",
            $later,
            "           end as retry_at
                 from {rows} cross join job_runs jr cross join jobs j cross join job_targets jt
                 where jr.job_id = $2 and jr.due_at = r.due_at and j.job_id = $2
                   and jt.job_id = $2 and jt.added_at <= r.due_at
                   and (jt.removed_at is null
                        or (r.reason is not null and jt.removed_at > r.due_at))) as f
             where true
             on conflict (target_id, due_at) do update set
                 outcome = null, reason = null, closed_at = null,
                 run_id = excluded.run_id, retry_at = excluded.retry_at
             where excluded.outcome is null and slots.outcome = $4
               and slots.call_id is null and slots.attempts = 0 and slots.reason in {reopened}"
        )
    };
}

/// A target's share of its job's spread, in seconds: multiples of the golden ratio distribute
/// neighbours evenly.
macro_rules! share {
    () => {
        "jt.target_id * 2654435761 % 4294967296 * j.spread_seconds / 4294967296"
    };
}

impl Tx {
    /// Plans the fires of a job, for the targets that it watched when they were due. A slot that another job's fire at the same time has planned serves
    /// both; if that one was missed without an attempt, it is reopened. A slot is missed as
    /// `overlap` while an older one of its target is being fetched, and as `gone`, `bad_request` or
    /// `unreadable` while its target is unavailable and no probe is due. Older open slots that no process holds
    /// are superseded: their reason is their last failure, else the pause of their own job, else
    /// `blocked`, which applies to all jobs, else `superseded`. A job with `overlap = 'queue'` has
    /// neither overlap nor supersession.
    pub async fn fire(
        &mut self,
        job_id: i64,
        fires: &Fires,
        blocked: Option<MissedReason>,
        now: Time,
    ) -> Result<()> {
        let missed = fires.missed.iter().map(|(at, why)| Fire { due_at: *at, reason: Some(*why) });
        let open = fires.open.iter().map(|at| Fire { due_at: *at, reason: None });
        let rows: Vec<_> = missed.chain(open).collect();
        let rows = array(&rows)?;
        let spec = "due_at time, reason text";
        let sql = self.over_rows(
            spec,
            "insert into job_runs (job_id, due_at, origin, decided_at)
             select $2, r.due_at, $4, $3 from {rows} where true
             on conflict (job_id, due_at) do nothing",
        );
        execute!(self, sql, rows.as_str(), job_id, now, Origin::Schedule);
        // Differs by necessity: SQLite needs index hints, and its times are text.
        let sql = match self {
            Self::Sqlite(_) => fired!(
                "indexed by slots_open_by_target",
                concat!("datetime(r.due_at, '+' || (", share!(), ") || ' seconds')")
            ),
            Self::Postgres(_) => {
                fired!("", concat!("r.due_at + (", share!(), ") * interval '1 second'"))
            }
        };
        let reopened = MissedReason::ALL.into_iter().filter(|it| it.is_of_schedule());
        let sql = sql
            .replace("{reopened}", &one_of(reopened.map(MissedReason::as_str)))
            .replace("{unavailable}", &reason_of_state("a.state"));
        let sql = self.over_rows(spec, &sql);
        let (missed, overlap) = (SlotOutcome::Missed, MissedReason::Overlap);
        execute!(self, sql, rows.as_str(), job_id, now, missed, overlap);
        if let Some(first) = fires.open.first() {
            self.supersede(job_id, *first, blocked, now).await?;
        }
        Ok(())
    }

    /// Older open slots of a job's targets that no process holds give way to those due at `first`,
    /// unless a job queues them.
    async fn supersede(
        &mut self,
        job_id: i64,
        first: Time,
        blocked: Option<MissedReason>,
        now: Time,
    ) -> Result<()> {
        // The bound on the due time is in the subquery, so that only the few open slots are visited
        // and not the history.
        let sql = format!(
            concat!(
                "update slots set outcome = $5, closed_at = $3,
                                  reason = coalesce(reason, (
                     select min({by_pause})
                     from job_runs jr cross join jobs j cross join pauses p
                     where jr.run_id = slots.run_id and j.job_id = jr.job_id
                       and p.scope = $6 and p.name = j.name and p.ended_at is null
                       and p.since < $2 and (p.until is null or p.until >= $2)),
                                  $4, $7)
                 where outcome is null and (lease_until is null or lease_until <= $3)
                   and exists (select 1 from job_runs jr
                               where jr.run_id = slots.run_id and jr.job_id is not null)
                   and exists (
                     select 1 from job_targets jt join jobs j on j.job_id = jt.job_id
                     where jt.job_id = $1 and jt.target_id = slots.target_id
                       and jt.removed_at is null and slots.due_at < $2 and j.overlap = 'skip')
                   and not ",
                queued!()
            ),
            by_pause = reason_of_pause("p.reason")
        );
        execute!(
            self,
            AssertSqlSafe(sql),
            job_id,
            first,
            now,
            blocked,
            SlotOutcome::Missed,
            PauseScope::Job,
            MissedReason::Superseded
        );
        Ok(())
    }

    /// Plans a manual run: one slot for each target, due now. Returns the run.
    pub async fn run_by_hand(
        &mut self,
        targets: &[Target],
        origin: Origin,
        now: Time,
    ) -> Result<i64> {
        self.put_targets(targets, now).await?;
        let run = fetch_optional!(
            self,
            Id,
            "insert into job_runs (job_id, due_at, origin, decided_at) values (null, $1, $2, $1)
             returning run_id as id",
            now,
            origin
        );
        let run_id = run.map_or(0, |run| run.id);
        let sql = self.over_rows(
            "kind text, key text",
            "insert into slots (target_id, due_at, run_id, kind, next_page, attempts, retry_at, fence)
             select distinct item.target_id, $2, $3, item.kind, 1, 0, $2, 0
             from {rows}
             join targets named on named.kind = r.kind and named.key = r.key
             join targets item on item.kind = named.kind
                               and item.key = coalesce(named.item_id, named.key)
             where true
             on conflict (target_id, due_at) do nothing",
        );
        execute!(self, sql, named(targets)?, now, run_id);
        Ok(run_id)
    }
}
