//! Starting: slots are claimed, their calls written to the ledger, and then sent.

use std::collections::BTreeSet;

use anyhow::Result;

use super::admission::{Admission, Asked, Throttled};
use super::backfills::Allowance;
use super::{Crawler, Fetched, answer};
use crate::api::{Ask, Endpoint};
use crate::model::{Kind, PauseReason, Target};
use crate::store::{Body, CallStart, Claim, ClaimRequest};
use crate::time::Time;

/// What starting calls came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Started {
    /// Calls that were sent.
    pub calls: usize,
    /// What holds back more of them: of each kind that has slots due.
    pub held: Vec<Throttled>,
    /// Whether more might have been sent at once.
    pub more: bool,
}

/// What starting the calls of one kind and run came to.
struct Sent {
    calls: usize,
    /// Whether looks were put back that stood before others.
    put_aside: bool,
    /// What holds back more, if anything that all runs share does.
    held: Option<Throttled>,
    /// Whether the run has used up a limit of its own.
    is_limited: bool,
}

impl Started {
    /// When more may be sent, as far as that is known.
    pub fn again_at(&self) -> Option<Time> {
        self.held.iter().filter_map(|held| held.until).min()
    }

    /// What keeps looks from being made for a while, other than a rate.
    pub fn paused(&self) -> Option<PauseReason> {
        self.held.iter().find_map(|held| held.reason)
    }
}

impl Crawler {
    /// Claims slots that may be tried now and sends their calls, as many as pauses, budget, rates
    /// and the calls in flight allow.
    ///
    /// # Errors
    /// When the database fails; nothing was sent for what it did not take.
    pub async fn start_due(&mut self) -> Result<Started> {
        self.release_unsent().await?;
        let mut started = Started::default();
        let (mut limited, mut others) = (BTreeSet::new(), BTreeSet::new());
        self.retry_at = self.retry_at.filter(|at| *at > self.clock.now());
        // Another kind goes first each time, so that none starves.
        self.turn = (self.turn + 1) % Kind::ALL.len();
        for (run, kinds) in self.due().await? {
            for kind in kinds {
                let free = self.room(self.config.endpoint(kind).provider());
                if free == 0 {
                    others.extend(run);
                    continue;
                }
                let sent = self.start(kind, run, free).await?;
                started.calls += sent.calls;
                // What was put back makes room for what stood behind it.
                started.more |= sent.put_aside;
                started.held.extend(sent.held);
                if sent.is_limited { limited.extend(run) } else { others.extend(run) }
            }
        }
        // One kind may cost too much while another does not.
        let limited: Vec<_> = limited.difference(&others).copied().collect();
        if !limited.is_empty() {
            self.halt_limited(&limited).await?;
        }
        Ok(started)
    }

    /// The runs to work on, each with the kinds that it has slots due of. Looked at first: a
    /// transaction that may write is not for idle hours.
    async fn due(&mut self) -> Result<Vec<(Option<i64>, Vec<Kind>)>> {
        let mut due = Vec::new();
        let mut tx = self.store.read_by_keys().await?;
        for run in self.runs(&mut tx).await? {
            let mut kinds = tx.kinds_due(run, self.clock.now()).await?;
            kinds.sort_by_key(|kind| {
                let place = Kind::ALL.iter().position(|it| it == kind).unwrap_or(0);
                (place + Kind::ALL.len() - self.turn) % Kind::ALL.len()
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
        if matches!(allowance, Allowance::Backfill { counts_money: true, .. }) {
            admission.count_money();
        }
        let (room, held) = admission.room(&mut tx, endpoint, most).await?;
        let is_limited = allowance.calls(most) == 0;
        let room = allowance.calls(room);
        // What a limit of its own stops, no rate holds back.
        let held = held.filter(|_| !is_limited);
        let mut admitted = Vec::new();
        if room > 0 {
            let held_jobs = &admission.held_job_names();
            let wish = ClaimRequest { owner: self.owner, kind, run, held_jobs, limit: room };
            let asked = tx.claim(wish, now, now.plus(config.lease)).await?;
            let asked = asked.into_iter().map(|claim| self.ask(kind, claim)).collect();
            admitted = admission.admit(&mut tx, asked).await?;
        }
        let call_ids = tx.open_calls(&self.intents(&admitted, now)).await?;
        if let (Some(run), Allowance::Backfill { .. }) = (run, allowance) {
            tx.charge_backfill(run, &call_ids).await?;
        }
        let (unpriced, put_aside) = (admission.unpriced(), admission.has_put_aside());
        let (pauses, failures) = admission.into_troubles();
        self.commit_unknown = true;
        tx.commit().await?;
        self.commit_unknown = false;
        self.pauses = pauses;
        for (endpoint, failures) in failures {
            if failures > 0 {
                self.failing.insert(endpoint)
            } else {
                self.failing.remove(&endpoint)
            };
        }
        if let Some(endpoint) = unpriced
            && self.log_throttle.admit("held", PauseReason::Unpriced.as_str(), now).is_some()
        {
            let endpoint = endpoint.name();
            tracing::warn!(
                endpoint,
                "not asked: money is limited, and jobs.toml has no price of it"
            );
        }
        let calls = admitted.len();
        for ((claim, endpoint, ask), call_id) in admitted.into_iter().zip(call_ids) {
            self.send(claim, endpoint, ask, call_id);
        }
        Ok(Sent { calls, put_aside, held, is_limited })
    }

    /// The rows that calls have on the ledger before they are sent.
    fn intents(&self, admitted: &[Asked], now: Time) -> Vec<CallStart> {
        let intent = |(claim, endpoint, _): &Asked| CallStart {
            endpoint: endpoint.name(),
            target_id: claim.target_id,
            due_at: claim.due_at,
            page: claim.page,
            attempt: claim.attempt,
            owner: self.owner,
            opened_at: now,
            price_micros: self.config.price_micros(*endpoint),
        };
        admitted.iter().map(intent).collect()
    }

    fn send(&mut self, claim: Claim, endpoint: Endpoint, ask: Ask, call_id: i64) {
        let (client, clock) = (self.client.clone(), self.clock.clone());
        *self.open.entry(endpoint.provider()).or_default() += 1;
        self.in_hand.insert(call_id);
        self.in_flight.spawn(async move {
            let sent_at = clock.now();
            let mut received = client.send(endpoint.provider(), &endpoint.request(&ask)).await;
            let finished_at = clock.now();
            // Here, where calls run side by side, and not where they are saved.
            let bytes = std::mem::take(&mut received.body);
            let (body, reading) =
                Body::read(bytes, |body| answer::read(endpoint, &ask, &received, body));
            Fetched {
                claim,
                endpoint,
                ask,
                call_id,
                sent_at,
                finished_at,
                received,
                body,
                reading,
            }
        });
    }

    /// What to ask for a claimed slot. A short link is resolved first, unless the provider takes it.
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
