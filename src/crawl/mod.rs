//! The one step: claim, send, read, save. The daemon, `fetch` and the demo all go through it and
//! differ only in where the slots come from.

mod answer;
mod quiet;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::task::JoinSet;

use self::quiet::Quiet;
use crate::api::client::{Client, Received};
use crate::api::{Ask, Endpoint, Provider};
use crate::config::Config;
use crate::model::{Kind, Target};
use crate::store::{Answer, CallStart, Claim, Next, Store, is_refused};
use crate::time::{Clock, Time};

/// How much longer than a call may take a claim holds: time to read and save the answer.
const LEASE_MARGIN: Duration = Duration::from_secs(90);

/// Answers saved in one transaction at the most.
const SAVE_AT_ONCE: usize = 200;

/// Claims slots, calls, and saves what comes back. One a process.
pub struct Crawler {
    config: Arc<Config>,
    store: Store,
    client: Arc<Client>,
    clock: Clock,
    owner: i64,
    run: Option<i64>,
    limits: BTreeMap<Endpoint, Arc<DefaultDirectRateLimiter>>,
    in_flight: JoinSet<Fetched>,
    flying: BTreeMap<Provider, usize>,
    unsaved: Vec<Fetched>,
    turn: usize,
    tally: Tally,
    quiet: Quiet,
}

/// What came of the calls since somebody last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that ended.
    pub calls: usize,
    /// Looks that saw their target.
    pub observed: usize,
    /// Looks that did not, and are not tried again.
    pub missed: usize,
    /// Looks to be tried again later.
    pub retrying: usize,
}

impl Tally {
    fn add(&mut self, next: Next) {
        self.calls += 1;
        match next {
            Next::Observed => self.observed += 1,
            Next::Missed(_) => self.missed += 1,
            Next::Retry(..) => self.retrying += 1,
            Next::Continue { .. } => {}
        }
    }
}

/// A call that has ended, not yet read or saved.
struct Fetched {
    claim: Claim,
    endpoint: Endpoint,
    ask: Ask,
    call_id: i64,
    sent_at: Time,
    finished_at: Time,
    received: Received,
}

/// What starting calls came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// Calls that were sent.
    pub calls: usize,
    /// How long a rate limit holds back more of them, if one does.
    pub held_back: Option<Duration>,
}

impl Crawler {
    /// A crawler that works under the number `owner`, on the slots of one run or on all.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(
        config: Arc<Config>,
        store: Store,
        clock: Clock,
        owner: i64,
        run: Option<i64>,
    ) -> Result<Self> {
        let (justoneapi, amagi) = (config.justoneapi.server(), config.amagi.server());
        let client = Arc::new(Client::new(justoneapi, amagi, config.token.clone())?);
        let limits = Endpoint::ALL.map(|endpoint| {
            let rate = config.provider(endpoint.provider()).rate_per_second;
            let rate = NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN);
            (endpoint, Arc::new(RateLimiter::direct(Quota::per_second(rate))))
        });
        Ok(Self {
            config,
            store,
            client,
            clock,
            owner,
            run,
            limits: limits.into(),
            in_flight: JoinSet::new(),
            flying: BTreeMap::new(),
            unsaved: Vec::new(),
            turn: 0,
            tally: Tally::default(),
            quiet: Quiet::default(),
        })
    }

    /// Whether nothing is being called and nothing waits to be saved.
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.unsaved.is_empty()
    }

    /// What came of the calls since this was last asked.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Calls in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Claims slots that may be tried now and sends their calls, as many as the limits allow.
    ///
    /// # Errors
    /// When the database fails; nothing was sent for what it did not take.
    pub async fn start_due(&mut self) -> Result<Started> {
        let mut started = Started { calls: 0, held_back: None };
        // Another kind goes first each time, so that none starves.
        self.turn = (self.turn + 1) % Kind::ALL.len();
        for n in 0..Kind::ALL.len() {
            let kind = Kind::ALL[(self.turn + n) % Kind::ALL.len()];
            let endpoint = self.config.endpoint(kind);
            let provider = endpoint.provider();
            let flying = self.flying.get(&provider).copied().unwrap_or(0);
            let free = self.config.provider(provider).concurrency.saturating_sub(flying);
            if free == 0 {
                continue;
            }
            // Counted first: a rate is not to be used up by calls that are not made.
            let mut tx = self.store.read().await?;
            let due = tx.count_due(kind, self.run, free, self.clock.now()).await?;
            drop(tx);
            let (tokens, wait) = self.take_tokens(endpoint, due);
            started.held_back = [started.held_back, wait].into_iter().flatten().min();
            if tokens > 0 {
                started.calls += self.start(kind, tokens).await?;
            }
        }
        Ok(started)
    }

    /// Takes up to `most` calls out of an endpoint's rate; how many, and how long until the next.
    fn take_tokens(&self, endpoint: Endpoint, most: usize) -> (usize, Option<Duration>) {
        let Some(limit) = self.limits.get(&endpoint) else {
            return (most, None);
        };
        for taken in 0..most {
            if let Err(not_until) = limit.check() {
                return (taken, Some(not_until.wait_time_from(DefaultClock::default().now())));
            }
        }
        (most, None)
    }

    /// Claims up to `most` slots of a kind, writes their calls to the ledger, and sends them.
    async fn start(&mut self, kind: Kind, most: usize) -> Result<usize> {
        let now = self.clock.now();
        let timeout = self.config.provider(self.config.endpoint(kind).provider()).timeout;
        let mut tx = self.store.begin().await?;
        let until = now.plus(timeout + LEASE_MARGIN);
        let claims = tx.claim(self.owner, kind, self.run, most, now, until).await?;
        if claims.is_empty() {
            return Ok(0);
        }
        let asks: Vec<_> = claims.iter().map(|claim| self.ask(kind, claim)).collect();
        let calls: Vec<_> = claims
            .iter()
            .zip(&asks)
            .map(|(claim, (endpoint, _))| CallStart {
                endpoint: endpoint.name(),
                target_id: claim.target_id,
                due_at: claim.due_at,
                page: claim.page,
                attempt: claim.attempt,
                owner: self.owner,
                opened_at: now,
                price_micros: self.config.price_micros(*endpoint),
            })
            .collect();
        let call_ids = tx.open_calls(&calls).await?;
        tx.commit().await?;
        let count = claims.len();
        for ((claim, (endpoint, ask)), call_id) in claims.into_iter().zip(asks).zip(call_ids) {
            self.send(claim, endpoint, ask, call_id);
        }
        Ok(count)
    }

    fn send(&mut self, claim: Claim, endpoint: Endpoint, ask: Ask, call_id: i64) {
        let (client, clock) = (self.client.clone(), self.clock.clone());
        *self.flying.entry(endpoint.provider()).or_default() += 1;
        // The claim took its call out of the rate of its kind's endpoint; a link is resolved by
        // another, which has a rate of its own.
        let is_resolver = matches!(endpoint, Endpoint::NoteShareLink | Endpoint::WorkShareLink);
        let limit = self.limits.get(&endpoint).filter(|_| is_resolver).cloned();
        self.in_flight.spawn(async move {
            if let Some(limit) = limit {
                limit.until_ready().await;
            }
            let sent_at = clock.now();
            let received = client.send(endpoint.provider(), &endpoint.request(&ask)).await;
            let finished_at = clock.now();
            Fetched { claim, endpoint, ask, call_id, sent_at, finished_at, received }
        });
    }

    /// What to ask for a claimed slot. A short link is resolved first, unless the provider takes it.
    fn ask(&self, kind: Kind, claim: &Claim) -> (Endpoint, Ask) {
        let page = u32::try_from(claim.page).unwrap_or(1);
        let target = Target { kind, key: claim.key.clone() };
        let endpoint = self.config.endpoint(kind);
        let link = target.is_short_link().then(|| endpoint.resolver()).flatten();
        match (&claim.item_id, link) {
            (Some(item), _) => (endpoint, Ask { key: item.clone(), page }),
            (None, Some(resolver)) => (resolver, Ask { key: target.key, page }),
            (None, None) => (endpoint, Ask { key: target.key, page }),
        }
    }

    /// Waits until a call ends. Never ends when none is in flight. May be dropped at any time.
    pub async fn wait(&mut self) {
        match self.in_flight.join_next().await {
            Some(done) => self.landed(done),
            None => std::future::pending().await,
        }
    }

    fn landed(&mut self, done: Result<Fetched, tokio::task::JoinError>) {
        match done {
            Ok(fetched) => {
                if let Some(count) = self.flying.get_mut(&fetched.endpoint.provider()) {
                    *count = count.saturating_sub(1);
                }
                self.unsaved.push(fetched);
            }
            // Its slot's lease will end and its ledger row stays open: both say so.
            Err(error) => {
                tracing::error!(error = error.to_string(), "a call was lost inside the program")
            }
        }
    }

    /// Saves the answers that have come. Those that the database does not take now stay, and are
    /// saved by a later call.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save(&mut self) -> Result<()> {
        while let Some(done) = self.in_flight.try_join_next() {
            self.landed(done);
        }
        while !self.unsaved.is_empty() {
            let count = self.unsaved.len().min(SAVE_AT_ONCE);
            let batch = self.unsaved.get(..count).unwrap_or_default();
            let answers = self.answers(batch).await?;
            match self.save_together(&answers).await {
                Ok(()) => {
                    self.unsaved.drain(..count);
                    answers.iter().for_each(|answer| self.tell(answer));
                }
                Err(error) if is_refused(&error) => self.save_singly(answers).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Counts what came of a call, and says so where it is not what was hoped for.
    fn tell(&mut self, answer: &Answer) {
        self.tally.add(answer.settlement.next);
        let asked = answer.asked.as_str();
        let said = answer.document.as_ref().and_then(|document| document.drift.as_deref());
        let said = said.or(answer.end.message.as_deref()).unwrap_or_default();
        let (call_id, at) = (answer.end.call_id, answer.settlement.at);
        match answer.settlement.next {
            Next::Missed(reason) => match self.quiet.lets("missed", reason, at) {
                Some(unsaid) => tracing::warn!(asked, call_id, reason, said, unsaid, "missed"),
                None => tracing::debug!(asked, call_id, reason, said, "missed"),
            },
            Next::Retry(again, reason) => {
                let again_at = again.to_string();
                match self.quiet.lets("failed", reason, at) {
                    Some(unsaid) => {
                        tracing::info!(asked, call_id, reason, said, again_at, unsaid, "failed");
                    }
                    None => tracing::debug!(asked, call_id, reason, said, again_at, "failed"),
                }
            }
            Next::Observed | Next::Continue { .. } => {
                tracing::debug!(asked, call_id, "saved an answer");
            }
        }
    }

    async fn save_together(&self, answers: &[Answer]) -> Result<()> {
        let mut tx = self.store.begin().await?;
        let late = tx.save(answers).await?;
        tx.commit().await?;
        if late > 0 {
            tracing::warn!(
                answers = late,
                "answers came after their slots were settled; kept and marked"
            );
        }
        Ok(())
    }

    /// One of the answers is not to the database's liking: finds it, keeps it as text, and marks it.
    /// What is saved is not waiting any more, whatever happens to the next.
    async fn save_singly(&mut self, answers: Vec<Answer>) -> Result<()> {
        for mut answer in answers {
            match self.save_together(std::slice::from_ref(&answer)).await {
                Err(error) if is_refused(&error) => {
                    let call_id = answer.end.call_id;
                    tracing::error!(
                        call_id,
                        error = format!("{error:#}"),
                        "the database refused an answer; kept as text"
                    );
                    answer = answer::as_text(answer);
                    self.save_together(std::slice::from_ref(&answer)).await?;
                }
                other => other?,
            }
            self.unsaved.remove(0);
            self.tell(&answer);
        }
        Ok(())
    }
}
