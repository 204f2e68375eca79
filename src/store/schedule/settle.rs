//! Settling slots after their calls.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

use super::plan::queued;
use crate::model::{MissedReason, SlotOutcome};
use crate::store::db::{Tx, execute, fetch_all};
use crate::store::sql::Rows;
use crate::time::Time;

/// What happens to a slot after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Closed: the target was observed.
    Observed,
    /// Closed: missed.
    Missed(MissedReason),
    /// Retried, not before this time; the reason stands until then.
    Retry(Time, MissedReason),
    /// The same, where nothing was asked: the attempt does not count.
    Unasked(Time, MissedReason),
    /// Continued at once: with the next page, or with the item behind a short link.
    Continue {
        /// The next page.
        page: i64,
    },
}

/// The effect of a call on its slot.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The target.
    pub target_id: i64,
    /// When the slot is due.
    pub due_at: Time,
    /// The fencing token of the claim.
    pub fence: i64,
    /// The call.
    pub call_id: i64,
    /// What happens to the slot.
    pub next: Disposition,
    /// When the call ended.
    pub at: Time,
}

#[derive(Serialize)]
struct SettlementRow {
    target_id: i64,
    due_at: Time,
    fence: i64,
    call_id: i64,
    outcome: Option<SlotOutcome>,
    reason: Option<MissedReason>,
    closed_at: Option<Time>,
    retry_at: Time,
    page: Option<i64>,
    /// Attempts given back.
    unasked: i64,
    at: Time,
}

impl From<&Settlement> for SettlementRow {
    fn from(settled: &Settlement) -> Self {
        let open = Self {
            target_id: settled.target_id,
            due_at: settled.due_at,
            fence: settled.fence,
            call_id: settled.call_id,
            outcome: None,
            reason: None,
            closed_at: None,
            retry_at: settled.at,
            page: None,
            unasked: 0,
            at: settled.at,
        };
        let closed = Self { closed_at: Some(settled.at), ..open };
        match settled.next {
            Disposition::Observed => Self { outcome: Some(SlotOutcome::Observed), ..closed },
            Disposition::Missed(why) => {
                Self { outcome: Some(SlotOutcome::Missed), reason: Some(why), ..closed }
            }
            Disposition::Retry(at, why) => Self { retry_at: at, reason: Some(why), ..open },
            Disposition::Unasked(at, why) => {
                Self { retry_at: at, reason: Some(why), unasked: 1, ..open }
            }
            Disposition::Continue { page } => Self { page: Some(page), ..open },
        }
    }
}

#[derive(sqlx::FromRow)]
struct CallRow {
    call_id: i64,
}

#[derive(sqlx::FromRow)]
struct KolRow {
    kol_id: String,
}

impl Tx {
    /// KOLs on the earlier pages of a search in this slot.
    pub async fn kols_listed(&mut self, target_id: i64, due_at: Time) -> Result<BTreeSet<String>> {
        let rows = fetch_all!(
            self,
            KolRow,
            "select distinct r.kol_id from kol_search_results r
             join calls c on c.call_id = r.document_id
             where c.target_id = $1 and c.due_at = $2",
            target_id,
            due_at
        );
        Ok(rows.into_iter().map(|row| row.kol_id).collect())
    }

    /// Claims slots anew whose claims the database has lost with the ledger rows of their calls. One
    /// that was claimed since, or is under an older claim, stays as it is.
    pub(in crate::store) async fn claim_lost(&mut self, lost: &[Settlement]) -> Result<()> {
        #[derive(Serialize)]
        struct ClaimRow {
            target_id: i64,
            due_at: Time,
            fence: i64,
        }
        let claim = |it: &Settlement| ClaimRow {
            target_id: it.target_id,
            due_at: it.due_at,
            fence: it.fence,
        };
        let rows = Rows::of("target_id int, due_at time, fence int", lost.iter().map(claim))?;
        self.execute_over(
            &rows,
            "update slots set fence = r.fence, attempts = slots.attempts + 1
             from {rows}
             where slots.target_id = r.target_id and slots.due_at = r.due_at
               and slots.fence = r.fence - 1 and slots.lease_owner is null
               and coalesce(slots.outcome, 'open') = 'open'",
        )
        .await?;
        Ok(())
    }

    /// Settles slots after their calls; returns the calls whose slots were settled. A slot that was
    /// reclaimed or closed since is skipped: the answer is late. A retry is missed instead if the
    /// next slot of its target is due already and no job queues them, except in a backfill.
    pub async fn settle(&mut self, settled: &[Settlement]) -> Result<BTreeSet<i64>> {
        // `coalesce` keeps PostgreSQL from scanning all open slots.
        let rows = Rows::of(
            "target_id int, due_at time, fence int, call_id int, outcome text, reason text,
             closed_at time, retry_at time, page int, unasked int, at time",
            settled.iter().map(SettlementRow::from),
        )?;
        let calls: Vec<CallRow> = self
            .fetch_over(
                &rows,
                "update slots set
                 outcome = r.outcome, reason = r.reason, closed_at = r.closed_at,
                 call_id = r.call_id, retry_at = r.retry_at,
                 next_page = coalesce(r.page, slots.next_page),
                 attempts = case when r.page is null then slots.attempts - r.unasked else 0 end,
                 lease_owner = null, lease_until = null
             from {rows}
             where slots.target_id = r.target_id and slots.due_at = r.due_at
               and slots.fence = r.fence and coalesce(slots.outcome, 'open') = 'open'
             returning slots.call_id as call_id",
            )
            .await?;
        let is_retried =
            |it: &Settlement| matches!(it.next, Disposition::Retry(..) | Disposition::Unasked(..));
        if settled.iter().any(is_retried) {
            self.execute_over(
                &rows,
                concat!(
                    "update slots set outcome = 'missed', closed_at = r.at
                     from {rows}
                     where slots.target_id = r.target_id and slots.due_at = r.due_at
                       and slots.outcome is null and slots.reason is not null
                       and slots.lease_owner is null and exists (
                           select 1 from slots n join job_runs jr on jr.run_id = n.run_id
                           where n.target_id = r.target_id and n.due_at > r.due_at
                             and n.outcome is null and jr.job_id is not null)
                       and not ",
                    queued!()
                ),
            )
            .await?;
        }
        Ok(calls.into_iter().map(|row| row.call_id).collect())
    }

    /// Closes the open slots of a run that no process holds, for their last failure or else for
    /// `reason`.
    pub async fn cancel_run(
        &mut self,
        run_id: i64,
        reason: MissedReason,
        now: Time,
    ) -> Result<u64> {
        Ok(execute!(
            self,
            "update slots set outcome = $4, reason = coalesce(reason, $3), closed_at = $2
             where run_id = $1 and outcome is null and lease_owner is null",
            run_id,
            now,
            reason,
            SlotOutcome::Missed
        ))
    }
}
