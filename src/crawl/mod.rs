//! The one step: claim, send, read, save. The daemon, `fetch` and the demo all go through it and
//! differ only in where the slots come from.

mod admission;
mod answer;
mod backfills;
mod feedback;
mod log_throttle;
mod rate_limiter;
mod recovery;
mod retry;
pub mod run;
mod save;
mod start;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::task::{JoinError, JoinSet};

use crate::api::client::{Client, Received};
use crate::api::{Ask, Endpoint, Provider, Reading};
use crate::config::Config;
use crate::erasure::Filter;
use crate::model::PauseReason;
use crate::pause;
use crate::process::Process;
use crate::store::{Answer, Body, Claim, PauseRow, Store};
use crate::time::{Clock, Time};
use log_throttle::LogThrottle;

pub use admission::Throttled;
use feedback::Feedback;
use save::SAVE_AT_ONCE;
pub use save::{ShutdownGrace, Tally};
pub use start::Started;

/// How long an answer waits for others to be saved with.
const SAVE_WAIT: Duration = Duration::from_millis(100);

/// Claims slots, calls, and saves what comes back. One a process.
pub struct Crawler {
    config: Arc<Config>,
    store: Store,
    client: Arc<Client>,
    clock: Clock,
    owner: i64,
    /// Loaded when answers are first saved.
    tombstones: Filter,
    run: Option<i64>,
    /// The pauses that lasted when slots were last claimed.
    pauses: Vec<PauseRow>,
    /// When the next failed look may be tried again, as far as this process knows.
    retry_at: Option<Time>,
    /// When backfills were last ended.
    finished_at: Option<Time>,
    /// The endpoints whose last calls failed.
    failing: BTreeSet<Endpoint>,
    in_flight: JoinSet<Fetched>,
    /// Calls whose answers are not saved yet: what a crash would repeat.
    open: BTreeMap<Provider, usize>,
    /// Calls that have ended, and nobody has decided about.
    ended: VecDeque<Fetched>,
    unsaved: Vec<Answer>,
    /// What each of them says of its endpoint.
    feedback: Vec<Feedback>,
    /// The calls in flight and those not saved yet.
    in_hand: BTreeSet<i64>,
    /// Whether nobody knows what became of the last commit of claims.
    commit_unknown: bool,
    died: Option<JoinError>,
    turn: usize,
    tally: Tally,
    log_throttle: LogThrottle,
}

/// A call that has ended, and was read.
struct Fetched {
    claim: Claim,
    endpoint: Endpoint,
    ask: Ask,
    call_id: i64,
    sent_at: Time,
    finished_at: Time,
    /// Without its body, which was moved.
    received: Received,
    body: Body,
    reading: Reading,
}

impl Crawler {
    /// A crawler that works for `process`, on the slots of one run or on all.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(
        config: Arc<Config>,
        store: Store,
        clock: Clock,
        process: &Process,
        run: Option<i64>,
    ) -> Result<Self> {
        let client = client(&config)?;
        let owner = process.owner();
        Ok(Self {
            config,
            store,
            client,
            clock,
            owner,
            tombstones: Filter::default(),
            run,
            pauses: Vec::new(),
            retry_at: None,
            finished_at: None,
            failing: BTreeSet::new(),
            in_flight: JoinSet::new(),
            open: BTreeMap::new(),
            ended: VecDeque::new(),
            unsaved: Vec::new(),
            feedback: Vec::new(),
            in_hand: BTreeSet::new(),
            commit_unknown: false,
            died: None,
            turn: 0,
            tally: Tally::default(),
            log_throttle: LogThrottle::default(),
        })
    }

    /// Works with other settings from now on. Calls in flight go on as they began.
    ///
    /// # Errors
    /// When the HTTP client cannot be made; then the old settings stay in force.
    pub fn take_over(&mut self, config: Arc<Config>) -> Result<()> {
        self.client = client(&config)?;
        self.config = config;
        Ok(())
    }

    /// Whether nothing is being called and nothing waits to be saved.
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.ended.is_empty() && self.unsaved.is_empty()
    }

    /// What came of the calls since this was last asked.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// When the next failed look may be tried again, as far as this process knows.
    pub fn retry_at(&self) -> Option<Time> {
        self.retry_at
    }

    /// Whether an endpoint fails on everything, as far as was known when slots were last claimed.
    fn is_failing(&self, endpoint: Endpoint) -> bool {
        pause::of_endpoint(&self.pauses, endpoint).any(|pause| pause.reason == PauseReason::Failing)
    }

    /// How many more calls to a provider may be open. An answer that is not saved yet counts, since
    /// a crash would repeat its call.
    fn room(&self, provider: Provider) -> usize {
        let open = self.open.get(&provider).copied().unwrap_or(0);
        self.config.provider(provider).concurrency.saturating_sub(open)
    }

    /// Calls in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Answers that have come and wait to be saved.
    pub fn unsaved(&self) -> usize {
        self.unsaved.len()
    }

    /// Waits until a call ends, and a little longer for others to be saved with it. Never ends when
    /// none is in flight. May be dropped at any time.
    pub async fn wait(&mut self) {
        match self.in_flight.join_next().await {
            Some(done) => self.landed(done),
            None => std::future::pending().await,
        }
        // While time stands still, waiting for all costs none, and makes every run the same.
        let stands = self.clock.stands();
        let patience = tokio::time::sleep(SAVE_WAIT);
        tokio::pin!(patience);
        // Where they come fast, few are saved at a high price each: the rest is fetched meanwhile.
        while self.ended.len() < (self.in_flight.len() * 3).min(SAVE_AT_ONCE)
            || (stands && !self.in_flight.is_empty())
        {
            tokio::select! {
                Some(done) = self.in_flight.join_next() => self.landed(done),
                () = &mut patience, if !stands => return,
            }
        }
    }

    fn landed(&mut self, done: Result<Fetched, JoinError>) {
        match done {
            Ok(fetched) => self.ended.push_back(fetched),
            // Its ledger row stays open, and says so.
            Err(error) => self.died = Some(error),
        }
    }
}

fn client(config: &Config) -> Result<Arc<Client>> {
    let (justoneapi, amagi) = (config.justoneapi.server(), config.amagi.server());
    Ok(Arc::new(Client::new(justoneapi, amagi, config.token.clone())?))
}
