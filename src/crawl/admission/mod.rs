//! Admission: pauses, budgets and rate limits decide which calls may be sent now. Checked and written in
//! the transaction that claims the slots and opens their calls, so that they hold across processes,
//! restarts and crashes.

mod limits;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use super::rate_limiter;
use crate::api::{Ask, Endpoint};
use crate::config::Config;
use crate::model::{MissedReason, Pause, PauseReason, PauseScope};
use crate::pause::{self, Standing};
use crate::store::{Claim, EndpointRow, Tx};
use crate::time::Time;

/// How long a slot of a paused or limited job is postponed: the settings may change meanwhile.
const RECHECK_INTERVAL: Duration = Duration::from_secs(60);

/// How long a slot is postponed at least when a pause or a budget holds it back.
const MIN_POSTPONE: Duration = Duration::from_secs(5);

/// How long a probe of a pause has before another call may probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(90);

/// A claimed slot and its request.
pub(super) type Asked = (Claim, Endpoint, Ask);

/// What holds calls back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    /// Not before this time; `None`: until resumed by hand.
    pub until: Option<Time>,
    /// Why; `None`: by the rate limit.
    pub reason: Option<PauseReason>,
}

/// The admission of calls in one transaction.
pub(super) struct Admission<'a> {
    config: &'a Config,
    now: Time,
    pauses: Vec<Pause>,
    /// The budget left: calls, and cost in millionths of a yuan.
    left: (i64, i64),
    /// Whether cost is limited, so that every price must be known.
    counts_cost: bool,
    /// An endpoint held back because its price is unknown.
    unpriced: Option<Endpoint>,
    /// The calls left to each job with a limit.
    jobs: BTreeMap<String, i64>,
    endpoints: BTreeMap<Endpoint, (EndpointRow, usize)>,
    has_postponed: bool,
}

fn is_of_job(pause: &&Pause) -> bool {
    pause.scope == PauseScope::Job
}

impl<'a> Admission<'a> {
    pub(super) async fn open(tx: &mut Tx, config: &'a Config, now: Time) -> Result<Self> {
        let today = now.last_midnight(config.timezone);
        let limited: Vec<_> = config
            .jobs
            .iter()
            .filter_map(|job| Some((&job.name, job.max_calls_per_day?)))
            .collect();
        if config.budget.is_set() || !limited.is_empty() {
            tx.lock_spending().await?;
        }
        let mut left = (i64::MAX, i64::MAX);
        if config.budget.is_set() {
            let spent = tx.spent_since(today).await?;
            let rest = |limit: Option<i64>, spent| limit.map_or(i64::MAX, |limit| limit - spent);
            left.0 = rest(config.budget.max_calls_per_day, spent.calls);
            left.1 = rest(config.budget.max_cost_per_day_micros, spent.cost_micros);
        }
        let pauses = tx.pauses(now).await?;
        let counts_cost = config.budget.max_cost_per_day_micros.is_some();
        let (jobs, endpoints) = (BTreeMap::new(), BTreeMap::new());
        let mut admission = Self {
            config,
            now,
            pauses,
            left,
            counts_cost,
            unpriced: None,
            jobs,
            endpoints,
            has_postponed: false,
        };
        for (name, limit) in limited {
            let left = limit - tx.calls_of_job_since(name, today).await?;
            admission.record_budget(tx, PauseScope::Job, name, left <= 0).await?;
            admission.jobs.insert(name.clone(), left);
        }
        Ok(admission)
    }

    /// The jobs whose slots must not be fetched now.
    pub(super) fn paused_job_names(&self) -> Vec<String> {
        self.pauses.iter().filter(is_of_job).map(|pause| pause.name.clone()).collect()
    }

    /// Whether an endpoint, or the one that resolves short links for it, is paused as failing.
    pub(super) fn is_failing(&self, endpoint: Endpoint) -> bool {
        [Some(endpoint), endpoint.resolver()].into_iter().flatten().any(|endpoint| {
            pause::of_endpoint(&self.pauses, endpoint).any(|it| it.reason == PauseReason::Failing)
        })
    }

    /// Requires a known price of every endpoint: the run limits cost.
    pub(super) fn count_cost(&mut self) {
        self.counts_cost = true;
    }

    /// An endpoint held back because its price is unknown.
    pub(super) fn unpriced(&self) -> Option<Endpoint> {
        self.unpriced
    }

    /// The pauses in force, and the failures in a row of each endpoint.
    pub(super) fn into_pauses_and_failures(self) -> (Vec<Pause>, Vec<(Endpoint, i64)>) {
        let failures =
            |(endpoint, (row, _)): (Endpoint, (EndpointRow, usize))| (endpoint, row.failures);
        (self.pauses, self.endpoints.into_iter().map(failures).collect())
    }

    /// How many calls to an endpoint are allowed, up to `most`, and what holds back more.
    pub(super) async fn room(
        &mut self,
        tx: &mut Tx,
        endpoint: Endpoint,
        most: usize,
    ) -> Result<(usize, Option<Throttled>)> {
        if self.counts_cost && self.config.price_micros(endpoint).is_none() {
            self.unpriced = Some(endpoint);
            return Ok((0, Some(Throttled { until: None, reason: Some(PauseReason::Unpriced) })));
        }
        let most = match pause::standing(&self.pauses, endpoint, self.now) {
            Standing::Paused(until, reason) => {
                return Ok((0, Some(Throttled { until, reason: Some(reason) })));
            }
            // A probe is in flight.
            Standing::Probe(reason) if self.taken(endpoint) > 0 => {
                let until = Some(self.now.plus(PROBE_TIMEOUT));
                return Ok((0, Some(Throttled { until, reason: Some(reason) })));
            }
            Standing::Probe(_) => most.min(1),
            Standing::Open => most,
        };
        // Locks the endpoint before any pause is written, as `feedback::apply` does.
        let (row, taken) = self.endpoint(tx, endpoint).await?;
        if let Some(throttled) = self.over_budget(tx, endpoint).await? {
            return Ok((0, Some(throttled)));
        }
        let most = most.min(usize::try_from(self.left.0).unwrap_or(usize::MAX));
        let rate = self.config.provider(endpoint.provider()).rate_per_second;
        let (free, wait) = rate_limiter::room(&row, rate, self.now);
        let free = free.saturating_sub(taken);
        let throttled = Throttled { until: Some(self.now.plus(wait)), reason: None };
        Ok((most.min(free), (free < most).then_some(throttled)))
    }

    /// Admits claimed slots as far as allowed, and postpones the rest.
    pub(super) async fn admit(&mut self, tx: &mut Tx, asked: Vec<Asked>) -> Result<Vec<Asked>> {
        let blocked = self.blocked_slots(tx, &asked).await?;
        let (mut admitted, mut postponed) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
        for (claim, endpoint, ask) in asked {
            let slot = (claim.target_id, claim.due_at);
            let throttled = match blocked.get(&slot) {
                Some(reason) => Some((self.now.plus(RECHECK_INTERVAL), Some(*reason))),
                None => self.throttled(tx, endpoint).await?,
            };
            match throttled {
                Some((until, None)) => postponed.entry((until, None)).or_default().push(claim),
                Some((until, Some(reason))) => {
                    self.has_postponed = true;
                    let until = until.max(self.now.plus(MIN_POSTPONE));
                    postponed
                        .entry((until, Some(MissedReason::from(reason))))
                        .or_default()
                        .push(claim);
                }
                None => {
                    self.take(endpoint);
                    admitted.push((claim, endpoint, ask));
                }
            }
        }
        for ((until, reason), claims) in postponed {
            tx.postpone(&claims, until, reason).await?;
        }
        self.write_usage(tx).await?;
        Ok(admitted)
    }

    /// Whether slots were postponed, so that those behind them may be claimed at once.
    pub(super) fn has_postponed(&self) -> bool {
        self.has_postponed
    }

    /// What holds back this call: its cost, or its endpoint, which for a short link is not that of the
    /// kind.
    async fn throttled(
        &mut self,
        tx: &mut Tx,
        endpoint: Endpoint,
    ) -> Result<Option<(Time, Option<PauseReason>)>> {
        let (room, throttled) = self.room(tx, endpoint, 1).await?;
        if room > 0 {
            return Ok(None);
        }
        let later = self.now.plus(RECHECK_INTERVAL);
        let until = throttled.and_then(|it| it.until).unwrap_or(later).min(later);
        Ok(Some((until, throttled.and_then(|it| it.reason))))
    }

    /// The calls admitted to an endpoint so far.
    fn taken(&self, endpoint: Endpoint) -> usize {
        self.endpoints.get(&endpoint).map_or(0, |(_, taken)| *taken)
    }

    fn take(&mut self, endpoint: Endpoint) {
        self.left.0 -= 1;
        self.left.1 = self.left.1.saturating_sub(self.config.price_micros(endpoint).unwrap_or(0));
        if let Some((_, taken)) = self.endpoints.get_mut(&endpoint) {
            *taken += 1;
        }
    }

    /// The state of an endpoint, and the calls admitted to it so far.
    async fn endpoint(&mut self, tx: &mut Tx, endpoint: Endpoint) -> Result<(EndpointRow, usize)> {
        if let Some(known) = self.endpoints.get(&endpoint) {
            return Ok(*known);
        }
        let row = tx.endpoint(endpoint.as_str(), self.now).await?;
        self.endpoints.insert(endpoint, (row, 0));
        Ok((row, 0))
    }

    /// Writes the used rates and the probes in flight.
    async fn write_usage(&self, tx: &mut Tx) -> Result<()> {
        for (endpoint, (row, taken)) in &self.endpoints {
            if *taken == 0 {
                continue;
            }
            let rate = self.config.provider(endpoint.provider()).rate_per_second;
            let paid_through = rate_limiter::pay(row, rate, *taken, self.now);
            tx.take_rate(endpoint.as_str(), paid_through).await?;
            for pause in pause::of_endpoint(&self.pauses, *endpoint) {
                let next = self.now.plus(PROBE_TIMEOUT);
                tx.probe(pause.scope, &pause.name, self.now, next).await?;
            }
        }
        Ok(())
    }
}
