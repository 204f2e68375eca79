//! What may be asked now: pauses, the budget and the rate of each endpoint, looked at and written
//! in the very transaction that hands out slots and opens their calls. So they hold over all
//! processes, restarts and crashes.

mod limits;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use super::rate_limiter;
use crate::api::{Ask, Endpoint};
use crate::config::Config;
use crate::model::{MissedReason, PauseReason, PauseScope};
use crate::pause::{self, Standing};
use crate::store::{Claim, EndpointRow, PauseRow, Tx};
use crate::time::Time;

/// When looks of a paused job, or of one that has made its calls of the day, are thought of again:
/// somebody may have changed that.
const THINK_AGAIN: Duration = Duration::from_secs(60);

/// How long a look that is put back for another reason than the rate is out of the others' way.
const ASIDE_AT_LEAST: Duration = Duration::from_secs(5);

/// How long a call that tries whether a pause is over has, before another one may.
const PROBE_TIME: Duration = Duration::from_secs(90);

/// A claimed slot, and what is to be asked for it.
pub(super) type Asked = (Claim, Endpoint, Ask);

/// What holds calls back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    /// Not before this time; `None`: until somebody resumes it.
    pub until: Option<Time>,
    /// Why; `None`: by the rate alone.
    pub reason: Option<PauseReason>,
}

/// The admission, open in one transaction.
pub(super) struct Admission<'a> {
    config: &'a Config,
    now: Time,
    pauses: Vec<PauseRow>,
    /// What is left of the budget: calls, and millionths of money.
    left: (i64, i64),
    /// Whether money is limited, so that every price must be known.
    counts_money: bool,
    /// An endpoint that was held back for want of a price.
    unpriced: Option<Endpoint>,
    /// The calls that each job with a limit has left.
    jobs: BTreeMap<String, i64>,
    endpoints: BTreeMap<Endpoint, (EndpointRow, usize)>,
    put_aside: bool,
}

fn is_of_job(pause: &&PauseRow) -> bool {
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
        let counts_money = config.budget.max_cost_per_day_micros.is_some();
        let (jobs, endpoints) = (BTreeMap::new(), BTreeMap::new());
        let mut admission = Self {
            config,
            now,
            pauses,
            left,
            counts_money,
            unpriced: None,
            jobs,
            endpoints,
            put_aside: false,
        };
        for (name, limit) in limited {
            let left = limit - tx.calls_of_job_since(name, today).await?;
            admission.put_on_record(tx, PauseScope::Job, name, left <= 0).await?;
            admission.jobs.insert(name.clone(), left);
        }
        Ok(admission)
    }

    /// The jobs whose looks nobody may make now.
    pub(super) fn held_job_names(&self) -> Vec<String> {
        self.pauses.iter().filter(is_of_job).map(|pause| pause.name.clone()).collect()
    }

    /// Lets only such endpoints through whose price is known: somebody else limits money.
    pub(super) fn count_money(&mut self) {
        self.counts_money = true;
    }

    /// An endpoint that was held back because nobody said what it costs.
    pub(super) fn unpriced(&self) -> Option<Endpoint> {
        self.unpriced
    }

    /// The pauses that last, and how the endpoints asked do: how often each failed in a row.
    pub(super) fn into_troubles(self) -> (Vec<PauseRow>, Vec<(Endpoint, i64)>) {
        let failures =
            |(endpoint, (row, _)): (Endpoint, (EndpointRow, usize))| (endpoint, row.failures);
        (self.pauses, self.endpoints.into_iter().map(failures).collect())
    }

    /// How many calls, up to `most`, may be made to an endpoint, and what holds back more.
    pub(super) async fn room(
        &mut self,
        tx: &mut Tx,
        endpoint: Endpoint,
        most: usize,
    ) -> Result<(usize, Option<Throttled>)> {
        if self.counts_money && self.config.price_micros(endpoint).is_none() {
            self.unpriced = Some(endpoint);
            return Ok((0, Some(Throttled { until: None, reason: Some(PauseReason::Unpriced) })));
        }
        let most = match pause::standing(&self.pauses, endpoint, self.now) {
            Standing::Paused(until, reason) => {
                return Ok((0, Some(Throttled { until, reason: Some(reason) })));
            }
            // The one that tries is on its way.
            Standing::Probe(reason) if self.taken(endpoint) > 0 => {
                let until = Some(self.now.plus(PROBE_TIME));
                return Ok((0, Some(Throttled { until, reason: Some(reason) })));
            }
            Standing::Probe(_) => most.min(1),
            Standing::Open => most,
        };
        // Before anything of pauses is written: see `signs::heed`.
        let (row, taken) = self.endpoint(tx, endpoint).await?;
        if let Some(held) = self.over_budget(tx, endpoint).await? {
            return Ok((0, Some(held)));
        }
        let most = most.min(usize::try_from(self.left.0).unwrap_or(usize::MAX));
        let rate = self.config.provider(endpoint.provider()).rate_per_second;
        let (free, wait) = rate_limiter::room(&row, rate, self.now);
        let free = free.saturating_sub(taken);
        let held = Throttled { until: Some(self.now.plus(wait)), reason: None };
        Ok((most.min(free), (free < most).then_some(held)))
    }

    /// Lets through what may be asked of what was claimed, and puts back the rest.
    pub(super) async fn admit(&mut self, tx: &mut Tx, asked: Vec<Asked>) -> Result<Vec<Asked>> {
        let held_jobs = self.held_jobs(tx, &asked).await?;
        let (mut admitted, mut back) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
        for (claim, endpoint, ask) in asked {
            let slot = (claim.target_id, claim.due_at);
            let held = match held_jobs.get(&slot) {
                Some(reason) => Some((self.now.plus(THINK_AGAIN), Some(*reason))),
                None => self.held(tx, endpoint).await?,
            };
            match held {
                Some((until, None)) => back.entry((until, None)).or_default().push(claim),
                Some((until, Some(reason))) => {
                    self.put_aside = true;
                    let until = until.max(self.now.plus(ASIDE_AT_LEAST));
                    back.entry((until, Some(MissedReason::from(reason)))).or_default().push(claim);
                }
                None => {
                    self.take(endpoint);
                    admitted.push((claim, endpoint, ask));
                }
            }
        }
        for ((until, reason), claims) in back {
            tx.postpone(&claims, until, reason).await?;
        }
        self.write_down(tx).await?;
        Ok(admitted)
    }

    /// Whether looks were put back for a while, so that those behind them may be made at once.
    pub(super) fn has_put_aside(&self) -> bool {
        self.put_aside
    }

    /// Whether this very call may be made: the money it takes, and the state of its endpoint, which
    /// for a short link is another one than that of its kind.
    async fn held(
        &mut self,
        tx: &mut Tx,
        endpoint: Endpoint,
    ) -> Result<Option<(Time, Option<PauseReason>)>> {
        let (room, held) = self.room(tx, endpoint, 1).await?;
        if room > 0 {
            return Ok(None);
        }
        let later = self.now.plus(THINK_AGAIN);
        let until = held.and_then(|held| held.until).unwrap_or(later).min(later);
        Ok(Some((until, held.and_then(|held| held.reason))))
    }

    /// The calls taken of an endpoint so far.
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

    /// The state of an endpoint, and the calls taken of it so far.
    async fn endpoint(&mut self, tx: &mut Tx, endpoint: Endpoint) -> Result<(EndpointRow, usize)> {
        if let Some(known) = self.endpoints.get(&endpoint) {
            return Ok(*known);
        }
        let row = tx.endpoint(endpoint.name(), self.now).await?;
        self.endpoints.insert(endpoint, (row, 0));
        Ok((row, 0))
    }

    /// Writes down what was taken: rates, and that a pause is being tried.
    async fn write_down(&self, tx: &mut Tx) -> Result<()> {
        for (endpoint, (row, taken)) in &self.endpoints {
            if *taken == 0 {
                continue;
            }
            let rate = self.config.provider(endpoint.provider()).rate_per_second;
            let paid_through = rate_limiter::pay(row, rate, *taken, self.now);
            tx.take_rate(endpoint.name(), paid_through).await?;
            for pause in pause::of_endpoint(&self.pauses, *endpoint) {
                let next = self.now.plus(PROBE_TIME);
                tx.probe(pause.scope, &pause.name, self.now, next).await?;
            }
        }
        Ok(())
    }
}
