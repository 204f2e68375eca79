//! The one step: claim, send, read, save. The daemon, `fetch` and the demo all go through it and
//! differ only in where the slots come from.

mod answer;
mod backfills;
mod doubt;
mod gate;
mod pace;
mod quiet;
mod save;
mod signs;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::task::{JoinError, JoinSet};

use self::backfills::Allowance;
use self::quiet::Quiet;
use crate::api::client::{Client, Received};
use crate::api::{Ask, Endpoint, Provider, Reading};
use crate::config::Config;
use crate::model::{Kind, Target};
use crate::pause::{self, Reason};
use crate::store::{Answer, Body, CallStart, Claim, PauseRow, Store, Wish};
use crate::time::{Clock, Time};

pub use gate::Held;
use gate::{Asked, Gate};
use save::SAVE_AT_ONCE;
pub use save::Tally;
use signs::Sign;

/// How long an answer waits for others to be saved with.
const SAVE_WAIT: Duration = Duration::from_millis(100);

/// Claims slots, calls, and saves what comes back. One a process.
pub struct Crawler {
    config: Arc<Config>,
    store: Store,
    client: Arc<Client>,
    clock: Clock,
    owner: i64,
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
    signs: Vec<Sign>,
    /// The calls in flight and those not saved yet.
    in_hand: BTreeSet<i64>,
    /// Whether nobody knows what became of the last commit of claims.
    in_doubt: bool,
    died: Option<JoinError>,
    turn: usize,
    tally: Tally,
    quiet: Quiet,
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

/// What starting calls came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Started {
    /// Calls that were sent.
    pub calls: usize,
    /// What holds back more of them: of each kind that has slots due.
    pub held: Vec<Held>,
    /// Whether more might have been sent at once.
    pub more: bool,
}

/// What starting the calls of one kind and run came to.
struct Sent {
    claims: usize,
    calls: usize,
    /// What holds back more, if anything that all runs share does.
    held: Option<Held>,
    /// Whether the run has used up a limit of its own.
    is_limited: bool,
}

impl Started {
    /// When more may be sent, as far as that is known.
    pub fn again_at(&self) -> Option<Time> {
        self.held.iter().filter_map(|held| held.until).min()
    }

    /// What keeps looks from being made for a while, other than a rate.
    pub fn paused(&self) -> Option<Reason> {
        self.held.iter().find_map(|held| held.reason)
    }
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
        let client = client(&config)?;
        Ok(Self {
            config,
            store,
            client,
            clock,
            owner,
            run,
            pauses: Vec::new(),
            retry_at: None,
            finished_at: None,
            failing: BTreeSet::new(),
            in_flight: JoinSet::new(),
            open: BTreeMap::new(),
            ended: VecDeque::new(),
            unsaved: Vec::new(),
            signs: Vec::new(),
            in_hand: BTreeSet::new(),
            in_doubt: false,
            died: None,
            turn: 0,
            tally: Tally::default(),
            quiet: Quiet::default(),
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
        pause::of_endpoint(&self.pauses, endpoint)
            .any(|pause| Reason::parse(&pause.reason) == Reason::Failing)
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

    /// Claims slots that may be tried now and sends their calls, as many as pauses, budget, rates
    /// and the calls in flight allow.
    ///
    /// # Errors
    /// When the database fails; nothing was sent for what it did not take.
    pub async fn start_due(&mut self) -> Result<Started> {
        self.give_back_unsent().await?;
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
                started.more |= sent.claims > sent.calls;
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
        let mut tx = self.store.read().await?;
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
        let mut gate = Gate::open(&mut tx, &config, now).await?;
        let allowance = Allowance::of(&mut tx, &config, kind, run).await?;
        if matches!(allowance, Allowance::Backfill { counts_money: true, .. }) {
            gate.count_money();
        }
        let (room, held) = gate.room(&mut tx, endpoint, most).await?;
        let is_limited = allowance.calls(most) == 0;
        let room = allowance.calls(room);
        // What a limit of its own stops, no rate holds back.
        let held = held.filter(|_| !is_limited);
        let (mut claims, mut admitted) = (0, Vec::new());
        if room > 0 {
            let held_jobs = &gate.held_job_names();
            let wish = Wish { owner: self.owner, kind, run, held_jobs, limit: room };
            let asked = tx.claim(wish, now, now.plus(config.lease)).await?;
            claims = asked.len();
            let asked = asked.into_iter().map(|claim| self.ask(kind, claim)).collect();
            admitted = gate.admit(&mut tx, asked).await?;
        }
        let call_ids = tx.open_calls(&self.intents(&admitted, now)).await?;
        if let (Some(run), Allowance::Backfill { .. }) = (run, allowance) {
            tx.charge_backfill(run, &call_ids).await?;
        }
        let unpriced = gate.unpriced();
        let (pauses, failures) = gate.into_troubles();
        self.in_doubt = true;
        tx.commit().await?;
        self.in_doubt = false;
        self.pauses = pauses;
        for (endpoint, failures) in failures {
            if failures > 0 {
                self.failing.insert(endpoint)
            } else {
                self.failing.remove(&endpoint)
            };
        }
        if let Some(endpoint) = unpriced
            && self.quiet.lets("held", Reason::Unpriced.as_str(), now).is_some()
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
        Ok(Sent { claims, calls, held, is_limited })
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
            let body = Body::new(&std::mem::take(&mut received.body));
            let reading = answer::read(endpoint, &ask, &received, &body);
            Fetched { claim, endpoint, ask, call_id, sent_at, finished_at, received, body, reading }
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
        // As many as are still in flight are enough: those are being fetched meanwhile.
        while self.ended.len() < self.in_flight.len().min(SAVE_AT_ONCE)
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
