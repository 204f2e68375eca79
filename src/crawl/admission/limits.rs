//! What the limits of the day let through at the admission: the budget of all, and the calls of each job.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Admission, Asked, Throttled, is_of_job};
use crate::api::Endpoint;
use crate::model::{Pause, PauseReason, PauseScope, ResumedBy};
use crate::store::Tx;
use crate::time::Time;

impl Admission<'_> {
    /// What holds an endpoint back when the budget is used up, which is recorded for people to see.
    pub(super) async fn over_budget(
        &mut self,
        tx: &mut Tx,
        endpoint: Endpoint,
    ) -> Result<Option<Throttled>> {
        let price = self.config.price_micros(endpoint).unwrap_or(0);
        if self.left.0 > 0 && self.left.1 >= price {
            // The cost left may suffice for one endpoint and not for another.
            if self.left.1 > 0 {
                self.record_budget(tx, PauseScope::Budget, "all", false).await?;
            }
            return Ok(None);
        }
        self.record_budget(tx, PauseScope::Budget, "all", true).await?;
        let until = self.now.next_midnight(self.config.timezone);
        Ok(Some(Throttled { until: Some(until), reason: Some(PauseReason::Budget) }))
    }

    /// Records, for people to see, whether a daily budget is used up.
    pub(super) async fn record_budget(
        &mut self,
        tx: &mut Tx,
        scope: PauseScope,
        name: &str,
        is_used_up: bool,
    ) -> Result<()> {
        let reason = PauseReason::Budget;
        let is_it = |pause: &Pause| {
            (pause.scope, pause.name.as_str(), pause.reason) == (scope, name, reason)
        };
        let is_recorded = self.pauses.iter().any(is_it);
        if is_recorded && !is_used_up {
            tx.resume(scope, name, Some(reason), self.now, self.now, ResumedBy::Settings).await?;
            self.pauses.retain(|pause| !is_it(pause));
        }
        if is_used_up && !is_recorded {
            let until = self.now.next_midnight(self.config.timezone);
            tracing::warn!(scope = scope.as_str(), name, %until, "the daily budget is used up");
            let pause = Pause {
                scope,
                name: name.to_owned(),
                reason,
                note: None,
                since: self.now,
                until: Some(until),
                probe_at: None,
                failures: 0,
                call_id: None,
            };
            tx.pause(&pause).await?;
            self.pauses.push(pause);
        }
        Ok(())
    }

    /// The slots that none of their jobs may fetch now, and why. The first slots may use up the calls
    /// of the day.
    pub(super) async fn blocked_slots(
        &mut self,
        tx: &mut Tx,
        asked: &[Asked],
    ) -> Result<BTreeMap<(i64, Time), PauseReason>> {
        if self.jobs.is_empty() {
            return Ok(BTreeMap::new());
        }
        let claims: Vec<_> = asked.iter().map(|(claim, _, _)| claim.clone()).collect();
        let mut wanted: BTreeMap<(i64, Time), Vec<Option<String>>> = BTreeMap::new();
        for row in tx.jobs_of_claims(&claims).await? {
            wanted.entry((row.target_id, row.due_at)).or_default().push(row.job);
        }
        let mut blocked = BTreeMap::new();
        for (slot, jobs) in wanted {
            let paused = |job: &str| self.pauses.iter().filter(is_of_job).find(|p| p.name == job);
            let why = |job: &Option<String>| match job.as_deref() {
                Some(job) if self.jobs.get(job).is_some_and(|left| *left <= 0) => {
                    Some(PauseReason::Budget)
                }
                Some(job) => paused(job).map(|pause| pause.reason),
                None => None,
            };
            let reasons: Option<Vec<_>> = jobs.iter().map(why).collect();
            match reasons.and_then(|reasons| reasons.first().copied()) {
                Some(reason) => {
                    blocked.insert(slot, reason);
                }
                None => self.spend_of_jobs(&jobs),
            }
        }
        Ok(blocked)
    }

    fn spend_of_jobs(&mut self, jobs: &[Option<String>]) {
        for job in jobs.iter().flatten() {
            if let Some(left) = self.jobs.get_mut(job) {
                *left -= 1;
            }
        }
    }
}
