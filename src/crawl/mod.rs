//! The step: claim slots, admit, send, parse, save. The daemon, `fetch`, `backfill` and the demo share
//! it; they differ only in where slots come from.

mod admission;
mod answer;
mod aside;
mod backfills;
mod derivation;
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
use crate::drift::{Drift, Outline};
use crate::erasure::Filter;
use crate::model::{Pause, PauseReason};
use crate::pause;
use crate::process::Process;
use crate::store::{Answer, Body, CallStart, Claim, Store};
use crate::time::{Clock, Time};
use log_throttle::LogThrottle;

pub use admission::Throttled;
use aside::Aside;
use derivation::Derivation;
use feedback::Feedback;
use save::MAX_BATCH;
pub use save::{ShutdownGrace, Tally};
pub use start::Started;

/// How long an answer waits for others to be saved in the same transaction.
const SAVE_WAIT: Duration = Duration::from_millis(100);

/// Claims slots, sends their calls and saves the answers. One per process.
pub struct Crawler {
    config: Arc<Config>,
    store: Store,
    client: Arc<Client>,
    clock: Clock,
    owner: i64,
    /// Loaded when answers are first saved.
    tombstones: Filter,
    run: Option<i64>,
    /// The pauses in force when slots were last claimed.
    pauses: Vec<Pause>,
    /// The earliest retry that this process knows of.
    retry_at: Option<Time>,
    /// When finished backfills were last closed.
    backfills_closed_at: Option<Time>,
    /// The endpoints whose latest calls failed.
    failing: BTreeSet<Endpoint>,
    in_flight: JoinSet<Fetched>,
    /// Calls whose answers are not saved yet, by provider: a crash repeats them.
    open: BTreeMap<Provider, usize>,
    /// Calls that have ended and are not decided yet.
    ended: VecDeque<Fetched>,
    unsaved: Vec<Answer>,
    /// The feedback of each unsaved answer about its endpoint.
    feedback: Vec<Feedback>,
    aside: Aside,
    /// The ids of the calls in flight and of those not saved yet, and how many have each: a database
    /// that has lost one gives it again.
    pending_calls: BTreeMap<i64, usize>,
    /// Whether the outcome of the last commit of claims is unknown.
    commit_unknown: bool,
    died: Option<JoinError>,
    /// The kind that claims first.
    first_kind: usize,
    tally: Tally,
    log_throttle: LogThrottle,
    drift: Drift,
    derivation: Derivation,
}

/// A call that has ended, with its parsed answer.
struct Fetched {
    claim: Claim,
    endpoint: Endpoint,
    ask: Ask,
    call_id: i64,
    opened: CallStart,
    sent_at: Time,
    finished_at: Time,
    /// Without its body, which is in `body`.
    received: Received,
    body: Body,
    reading: Reading,
    outline: Option<Outline>,
}

impl Crawler {
    /// A crawler of `process` for the slots of one run, or for all.
    ///
    /// # Errors
    /// When the HTTP client cannot be created.
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
            backfills_closed_at: None,
            failing: BTreeSet::new(),
            in_flight: JoinSet::new(),
            open: BTreeMap::new(),
            ended: VecDeque::new(),
            unsaved: Vec::new(),
            feedback: Vec::new(),
            aside: Aside::default(),
            pending_calls: BTreeMap::new(),
            commit_unknown: false,
            died: None,
            first_kind: 0,
            tally: Tally::default(),
            log_throttle: LogThrottle::default(),
            drift: Drift::default(),
            derivation: Derivation::default(),
        })
    }

    /// Puts new settings in force. Calls in flight continue unchanged.
    ///
    /// # Errors
    /// When the HTTP client cannot be created; then the old settings stay in force.
    pub fn set_config(&mut self, config: Arc<Config>) -> Result<()> {
        self.client = client(&config)?;
        self.config = config;
        Ok(())
    }

    /// Whether no call is in flight and no answer waits to be saved or is put aside.
    pub fn is_idle(&self) -> bool {
        let is_saved = self.ended.is_empty() && self.unsaved.is_empty() && self.aside.is_empty();
        self.in_flight.is_empty() && is_saved
    }

    /// Takes the outcomes of the calls since the last time.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// The earliest retry that this process knows of.
    pub fn retry_at(&self) -> Option<Time> {
        self.retry_at
    }

    /// Whether an endpoint was paused as failing when slots were last claimed.
    fn is_failing(&self, endpoint: Endpoint) -> bool {
        pause::of_endpoint(&self.pauses, endpoint).any(|pause| pause.reason == PauseReason::Failing)
    }

    /// How many more calls to a provider may be open. An unsaved answer counts as open: a crash
    /// repeats its call.
    fn room(&self, provider: Provider) -> usize {
        let open = self.open.get(&provider).copied().unwrap_or(0);
        self.config.provider(provider).concurrency.saturating_sub(open)
    }

    /// The number of calls in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// The number of answers that wait to be saved.
    pub fn unsaved(&self) -> usize {
        self.unsaved.len()
    }

    /// Waits until a call ends, and briefly for others to be saved with it. Never returns when none is
    /// in flight. Cancel safe.
    pub async fn wait(&mut self) {
        match self.in_flight.join_next().await {
            Some(done) => self.call_ended(done),
            None => std::future::pending().await,
        }
        // Under a manual clock, waiting for all calls costs no time and keeps runs reproducible.
        let stands = self.clock.stands();
        let deadline = tokio::time::sleep(SAVE_WAIT);
        tokio::pin!(deadline);
        // A small batch saves at a high price per answer: waits for more while calls return fast.
        while self.ended.len() < (self.in_flight.len() * 3).min(MAX_BATCH)
            || (stands && !self.in_flight.is_empty())
        {
            tokio::select! {
                Some(done) = self.in_flight.join_next() => self.call_ended(done),
                () = &mut deadline, if !stands => return,
            }
        }
    }

    fn call_ended(&mut self, done: Result<Fetched, JoinError>) {
        match done {
            Ok(fetched) => self.ended.push_back(fetched),
            // Its ledger row stays open: the outcome is unknown.
            Err(error) => self.died = Some(error),
        }
    }
}

fn client(config: &Config) -> Result<Arc<Client>> {
    let servers = Provider::ALL.map(|provider| (provider, config.provider(provider).server()));
    Ok(Arc::new(Client::new(servers)?))
}
