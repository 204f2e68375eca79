//! The whole program but for the command line: a simulated upstream, a database, a daemon, and a
//! clock that moves when a test says so.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidewatch::api::Provider;
use tidewatch::backfill;
use tidewatch::config::{Config, Environment};
use tidewatch::daemon::Daemon;
use tidewatch::model::{Kind, Origin, ResumedBy, Target};
use tidewatch::simulator::{self, Amagi, Fates, Options, Replay, Simulator, World};
use tidewatch::store::{Limits, NewBackfill, Store};
use tidewatch::time::{Clock, Time};
use tokio_util::sync::CancellationToken;

use crate::databases::Database;

const TOKEN: &str = "token-of-the-tests";

/// What the tests pay, in yuan a call.
const PRICES: &str = r#""xiaohongshu/get-note-detail" = 0.15, "xiaohongshu/search-recommend/v1" = 0.1,
    "xiaohongshu-pgy/kol-search/v1" = 0.3, "douyin/share-url-transfer/v1" = 0.05"#;

/// When every test begins: a Monday.
pub(crate) fn beginning() -> Time {
    "2026-03-02 00:00:00".parse().unwrap()
}

pub(crate) fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

pub(crate) fn hours(hours: u64) -> Duration {
    Duration::from_secs(3600 * hours)
}

pub(crate) struct Env {
    pub(crate) api: Simulator,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    parameter: &'static str,
    daemon: Option<Daemon>,
    // Last, so that the files go after everything that has them open.
    _database: Database,
}

/// The simulated world of the tests, to name its items in a `jobs.toml`.
pub(crate) fn world() -> World {
    World::new(1, beginning(), Fates::default())
}

impl Env {
    /// A simulator without faults, and a daemon with these jobs.
    pub(crate) async fn new(database: Database, jobs: &str) -> Self {
        Self::with(database, jobs, |_| {}).await
    }

    /// The same, with other options for the simulator.
    pub(crate) async fn with(
        database: Database,
        jobs: &str,
        set: impl FnOnce(&mut Options),
    ) -> Self {
        let mut env = Self::idle(database, beginning(), set).await;
        env.restart(jobs).await;
        env
    }

    /// The same without a daemon yet, at another time.
    pub(crate) async fn idle(
        database: Database,
        start: Time,
        set: impl FnOnce(&mut Options),
    ) -> Self {
        let clock = Clock::standing(start);
        let mut options = Options::new(1, TOKEN, clock.clone());
        options.around = Some(beginning());
        set(&mut options);
        let parameter = if options.amagi == Amagi::Old { "url" } else { "aweme_id" };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = simulator::start(options, listener).await.unwrap();
        let store = database.open().await;
        Self { api, store, clock, parameter, daemon: None, _database: database }
    }

    /// Stops the daemon, if there is one, and starts one with these jobs. What stands before
    /// their first section belongs to `[justoneapi]`.
    pub(crate) async fn restart(&mut self, jobs: &str) {
        self.daemon = None;
        let config = self.config(jobs);
        let daemon =
            Daemon::open(config, self.store.clone(), self.clock.clone(), "run").await.unwrap();
        self.daemon = Some(daemon);
    }

    /// Lets the daemon take over these jobs while it runs.
    pub(crate) async fn reload(&mut self, jobs: &str) {
        let config = self.config(jobs);
        let daemon = self.daemon.as_mut().expect("a daemon is running");
        daemon.apply(config, &CancellationToken::new()).await.unwrap();
    }

    /// Settings with these jobs and the simulator's addresses.
    pub(crate) fn config(&self, jobs: &str) -> Arc<Config> {
        let text = format!(
            "[amagi]\nbase_url = \"{}\"\nparameter = \"{}\"\nrate_per_second = 1000\n\
             [justoneapi]\nbase_url = \"{}\"\nrate_per_second = 1000\n\
             price = {{ {PRICES} }}\n{jobs}",
            self.api.base_url(Provider::Amagi),
            self.parameter,
            self.api.base_url(Provider::JustOneApi),
        );
        let environment = Environment::of([("JUSTONEAPI_TOKEN", TOKEN)]);
        let config = Config::parse(&text, Path::new("jobs.toml"), &environment);
        Arc::new(config.unwrap_or_else(|error| panic!("{error}")))
    }

    /// Stops the daemon and lets time pass without one.
    pub(crate) fn down_for(&mut self, span: Duration) {
        self.daemon = None;
        self.clock.jump_to(self.clock.now().plus(span));
    }

    /// Whether the daemon waits for its clock.
    pub(crate) fn waits(&self) -> bool {
        self.daemon.as_ref().is_some_and(|it| it.health().snapshot().waits_for.is_some())
    }

    /// Lets time pass: everything that becomes due is worked off.
    pub(crate) async fn advance(&mut self, span: Duration) {
        let end = self.clock.now().plus(span);
        let daemon = self.daemon.as_mut().expect("a daemon is running");
        daemon.run_until(end, |_, _| {}).await.unwrap();
        self.clock.jump_to(end);
    }

    /// Lets time pass until the database fails.
    pub(crate) async fn advance_to_error(&mut self, span: Duration) {
        let end = self.clock.now().plus(span);
        let daemon = self.daemon.as_mut().expect("a daemon is running");
        daemon.run_until(end, |_, _| {}).await.unwrap_err();
    }

    /// Stops the daemon as Ctrl-C does.
    pub(crate) async fn stop(&mut self) {
        let mut daemon = self.daemon.take().expect("a daemon is running");
        let stop = CancellationToken::new();
        stop.cancel();
        daemon.run(&stop).await.unwrap();
    }

    /// Sets the machine's clock, with PostgreSQL the server's, and lets half a minute pass, after
    /// which the daemon believes it or does not.
    pub(crate) async fn clock_says(&mut self, at: Time) {
        self.clock_says_for(at, Duration::from_secs(30)).await;
    }

    /// The same for another time.
    pub(crate) async fn clock_says_for(&mut self, at: Time, span: Duration) {
        self.clock.set_machine(at);
        let daemon = self.daemon.as_mut().expect("a daemon is running");
        for wait in [Duration::ZERO, span] {
            let end = self.clock.now().plus(wait);
            daemon.run_until(end, |_, _| {}).await.unwrap();
        }
    }

    /// Asks for looks at these targets now, by hand; the daemon makes them.
    pub(crate) async fn look_by_hand(&mut self, targets: &[Target]) {
        // Not at the instant of a fire: a slot of that due time would serve.
        self.advance(Duration::from_secs(1)).await;
        let mut tx = self.store.begin().await.unwrap();
        tx.run_by_hand(targets, Origin::Fetch, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        self.advance(Duration::ZERO).await;
    }

    /// Ends every pause, as somebody would by hand.
    pub(crate) async fn resume(&self) {
        let now = self.clock.now();
        let mut tx = self.store.begin().await.unwrap();
        for pause in tx.pauses(now).await.unwrap() {
            tx.resume(pause.scope, &pause.name, None, now, now, ResumedBy::Hand).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// Begins a backfill of these notes.
    pub(crate) async fn backfill(&self, notes: &[String]) -> i64 {
        let note = |key: &String| Target { kind: Kind::Note, key: key.clone() };
        let new = NewBackfill {
            name: "many".into(),
            source: "test".into(),
            digest: String::new(),
            limits: Limits::default(),
        };
        let targets = notes.iter().map(note).collect();
        backfill::begin(&self.store, &new, None, &targets, self.clock.now()).await.unwrap()
    }

    /// Fails calls from now on; see the simulator's language of faults.
    pub(crate) fn fails(&self, faults: &str) {
        self.api.set_faults(faults.parse().unwrap());
    }

    /// All rows of a query's one text column.
    #[expect(clippy::disallowed_methods, reason = "asks as a user would, from outside the store")]
    pub(crate) async fn ask(&self, sql: &'static str) -> Vec<String> {
        match &self.store {
            Store::Sqlite { writer, .. } => {
                sqlx::query_scalar(sql).fetch_all(writer).await.unwrap()
            }
            Store::Postgres(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
        }
    }
}

/// An answer to give on a path: one of our own fixtures.
pub(crate) fn fixture(path: &str, name: &str) -> Replay {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let body = std::fs::read(folder.join(name)).unwrap();
    Replay { path: path.to_owned(), status: 200, body }
}
