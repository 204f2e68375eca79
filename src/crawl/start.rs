//! Claims slots, writes their calls to the ledger, and sends them.

use std::collections::BTreeSet;

use anyhow::Result;

use super::admission::{Admission, Asked, Throttled};
use super::backfills::Allowance;
use super::{Crawler, Fetched, answer};
use crate::api::{Ask, Outcome};
use crate::drift::Outline;
use crate::model::{Kind, PauseReason, Target};
use crate::store::{Body, CallStart, Claim, ClaimRequest};
use crate::time::Time;

/// The result of starting calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Started {
    /// Calls sent.
    pub calls: usize,
    /// What holds back more calls, for each kind with slots due.
    pub throttled: Vec<Throttled>,
    /// Whether more calls may be sent at once.
    pub more: bool,
}

/// The result of starting the calls of one kind and run.
struct Sent {
    calls: usize,
    /// Whether slots were postponed, which makes room for those behind them.
    has_postponed: bool,
    /// What holds back more calls, if all runs share it.
    throttled: Option<Throttled>,
    /// Whether the run has reached a limit of its own.
    is_limited: bool,
}

impl Started {
    /// When more calls may be sent, if known.
    pub fn again_at(&self) -> Option<Time> {
        self.throttled.iter().filter_map(|it| it.until).min()
    }

    /// Why calls are held back for longer than a rate limit does.
    pub fn paused(&self) -> Option<PauseReason> {
        self.throttled.iter().find_map(|it| it.reason)
    }
}

impl Crawler {
    /// Claims due slots and sends their calls, as many as pauses, budget, rate limits and concurrency
    /// allow.
    ///
    /// # Errors
    /// When the database fails; no call is sent that is not on the ledger.
    pub async fn start_due(&mut self) -> Result<Started> {
        self.release_unsent().await?;
        let mut started = Started::default();
        let (mut limited, mut others) = (BTreeSet::new(), BTreeSet::new());
        self.retry_at = self.retry_at.filter(|at| *at > self.clock.now());
        // Another kind claims first each time, so that none starves.
        self.first_kind = (self.first_kind + 1) % Kind::ALL.len();
        for (run, kinds) in self.due().await? {
            for kind in kinds {
                let free = self.room(self.config.endpoint(kind).provider());
                if free == 0 {
                    others.extend(run);
                    continue;
                }
                let sent = self.start(kind, run, free).await?;
                started.calls += sent.calls;
                started.more |= sent.has_postponed;
                started.throttled.extend(sent.throttled);
                if sent.is_limited { limited.extend(run) } else { others.extend(run) }
            }
        }
        // A run has reached its limit only if no kind may be called any more.
        let limited: Vec<_> = limited.difference(&others).copied().collect();
        if !limited.is_empty() {
            self.halt_limited(&limited).await?;
        }
        Ok(started)
    }

    /// The runs to claim for and their kinds with due slots. Read first, so that an idle crawler begins
    /// no write transaction.
    async fn due(&mut self) -> Result<Vec<(Option<i64>, Vec<Kind>)>> {
        let mut due = Vec::new();
        let mut tx = self.store.read_by_keys().await?;
        for run in self.runs(&mut tx).await? {
            let mut kinds = tx.kinds_due(run, self.clock.now()).await?;
            kinds.sort_by_key(|kind| {
                let place = Kind::ALL.iter().position(|it| it == kind).unwrap_or(0);
                (place + Kind::ALL.len() - self.first_kind) % Kind::ALL.len()
            });
            due.push((run, kinds));
        }
        Ok(due)
    }

    /// Claims up to `most` slots of a kind, writes their calls to the ledger, and sends them.
    async fn start(&mut self, kind: Kind, run: Option<i64>, most: usize) -> Result<Sent> {
        let config = self.config.clone();
        let endpoint = config.endpoint(kind);
        let mut tx = self.store.begin_by_keys().await?;
        let now = self.clock.now();
        let mut admission = Admission::open(&mut tx, &config, now).await?;
        let allowance = Allowance::of(&mut tx, &config, kind, run).await?;
        if matches!(allowance, Allowance::Backfill { counts_cost: true, .. }) {
            admission.count_cost();
        }
        let (room, throttled) = admission.room(&mut tx, endpoint, most).await?;
        let is_limited = allowance.calls(most) == 0;
        let room = allowance.calls(room);
        // A run that has reached its own limit is not throttled.
        let throttled = throttled.filter(|_| !is_limited);
        let mut admitted = Vec::new();
        if room > 0 {
            let held_jobs = &admission.paused_job_names();
            let (owner, until) = (self.owner, now.plus(config.lease));
            let mut claims = Vec::new();
            // Targets that have failed probe an endpoint only when there are no others.
            let probing = admission.is_failing(endpoint);
            for skips_failed in [true, false].into_iter().skip(usize::from(!probing)) {
                let limit = room - claims.len();
                let request = ClaimRequest { owner, kind, run, held_jobs, skips_failed, limit };
                claims.extend(tx.claim(request, now, until).await?);
            }
            let asked = claims.into_iter().map(|claim| self.ask(kind, claim)).collect();
            admitted = admission.admit(&mut tx, asked).await?;
        }
        let backfill = run.filter(|_| matches!(allowance, Allowance::Backfill { .. }));
        let intents = self.intents(&admitted, backfill, now);
        let call_ids = tx.open_calls(&intents).await?;
        let has_postponed = admission.has_postponed();
        self.commit_unknown = true;
        tx.commit().await?;
        self.commit_unknown = false;
        self.learn_from(admission, now);
        let calls = admitted.len();
        let opened = call_ids.into_iter().zip(intents);
        for (asked, (call_id, opened)) in admitted.into_iter().zip(opened) {
            self.send(asked, call_id, opened);
        }
        Ok(Sent { calls, has_postponed, throttled, is_limited })
    }

    /// Keeps the pauses and failing endpoints that an admission has read, and logs an endpoint held back
    /// without a price.
    fn learn_from(&mut self, admission: Admission<'_>, now: Time) {
        if let Some(endpoint) = admission.unpriced()
            && self.log_throttle.admit("held", PauseReason::Unpriced.as_str(), now).is_some()
        {
            let endpoint = endpoint.as_str();
            tracing::warn!(endpoint, "held back: cost is limited, and jobs.toml sets no price");
        }
        let (pauses, failures) = admission.into_pauses_and_failures();
        self.pauses = pauses;
        for (endpoint, failures) in failures {
            if failures > 0 {
                self.failing.insert(endpoint)
            } else {
                self.failing.remove(&endpoint)
            };
        }
    }

    /// The ledger rows of calls before they are sent.
    fn intents(&self, admitted: &[Asked], run_id: Option<i64>, now: Time) -> Vec<CallStart> {
        let intent = |(claim, endpoint, _): &Asked| CallStart {
            endpoint: endpoint.as_str(),
            target_id: claim.target_id,
            due_at: claim.due_at,
            page: claim.page,
            attempt: claim.attempt,
            owner: self.owner,
            opened_at: now,
            price_micros: self.config.price_micros(*endpoint),
            run_id,
        };
        admitted.iter().map(intent).collect()
    }

    fn send(&mut self, (claim, endpoint, ask): Asked, call_id: i64, opened: CallStart) {
        let (client, clock) = (self.client.clone(), self.clock.clone());
        *self.open.entry(endpoint.provider()).or_default() += 1;
        *self.pending_calls.entry(call_id).or_default() += 1;
        self.in_flight.spawn(async move {
            let sent_at = clock.now();
            let mut received = client.send(endpoint.provider(), &endpoint.request(&ask)).await;
            let finished_at = clock.now();
            // Parsed here, where calls run concurrently.
            let bytes = std::mem::take(&mut received.body);
            let (body, (reading, outline)) = Body::read(bytes, |body| {
                let reading = answer::read(endpoint, &ask, &received, body);
                let is_whole = reading.outcome == Outcome::Ok;
                (reading, is_whole.then(|| Outline::of(body)).flatten())
            });
            Fetched {
                claim,
                endpoint,
                ask,
                call_id,
                opened,
                sent_at,
                finished_at,
                received,
                body,
                reading,
                outline,
            }
        });
    }

    /// The request of a claimed slot. A short link is resolved first, unless the provider accepts it.
    fn ask(&self, kind: Kind, claim: Claim) -> Asked {
        let page = u32::try_from(claim.page).unwrap_or(1);
        let target = Target { kind, key: claim.key.clone() };
        let endpoint = self.config.endpoint(kind);
        let (endpoint, key) = match (&claim.item_id, self.config.resolver(&target)) {
            (Some(item), _) => (endpoint, item.clone()),
            (None, Some(resolver)) => (resolver, target.key),
            (None, None) => (endpoint, target.key),
        };
        (claim, endpoint, Ask { key, page })
    }
}
