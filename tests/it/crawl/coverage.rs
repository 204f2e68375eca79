//! Property: in any history, every slot is observed, missed with a reason, or open.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tidewatch::store::Store;
use tidewatch::time::Time;

use crate::databases::{self, Database, rows};
use crate::env::{Env, beginning, hours, minutes, world};

/// Histories played on each database, each of some days.
const CASES: u32 = 12;

/// Runs allowed for shrinking a failing history.
const SHRINKS: u32 = 60;

/// What upstream may do for a while.
const UPSTREAM: [&str; 10] = [
    "",
    "*=503",
    "*=drop:0.5",
    "note=302:0.7",
    "note=303",
    "*=601:0.1",
    "*=empty",
    "note=400:0.1",
    "amagi=gone:0.2",
    "*=cut:0.3,wrong-id:0.3",
];

/// An event.
#[derive(Clone, Debug)]
enum Event {
    /// Time passes, in minutes, and the daemon works.
    Run(u64),
    /// Time passes, in minutes, without a daemon; then one starts.
    Down(u64),
    /// Upstream does this from now on.
    Upstream(&'static str),
    /// From now on this many notes are watched.
    Watch(usize),
    /// The clock jumps ahead by minutes: the machine was suspended.
    Slept(u64),
    /// The clock jumps ahead by minutes and is set right.
    Wrong(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (20..700_u64).prop_map(Event::Run),
        2 => (1..900_u64).prop_map(Event::Down),
        3 => prop::sample::select(&UPSTREAM[..]).prop_map(Event::Upstream),
        2 => (0..4_usize).prop_map(Event::Watch),
        1 => (1..500_u64).prop_map(Event::Slept),
        2 => (2..300_u64).prop_map(Event::Wrong),
    ];
    vec(event, 3..10)
}

/// The jobs: so many notes every hour, and a work twice an hour, at unequal distances.
fn jobs(notes: usize) -> String {
    let notes = match notes {
        0 => String::new(),
        count => format!(
            "[[job]]\nname = \"notes\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = {:?}\n",
            world().notes(count)
        ),
    };
    format!(
        "{notes}[[job]]\nname = \"works\"\nkind = \"works\"\nschedule = \"*/40 * * * *\"\n\
         urls = {:?}\n",
        world().works(1)
    )
}

/// The fires of a job, computed without the program.
struct Cron {
    minutes: &'static [i64],
    targets: Vec<String>,
    /// The last fire that was decided.
    mark: Time,
    due: BTreeSet<Slot>,
}

/// A target and a due time.
type Slot = (String, Time);

impl Cron {
    fn new(minutes: &'static [i64], targets: Vec<String>) -> Self {
        Self { minutes, targets, mark: beginning(), due: BTreeSet::new() }
    }

    /// Plans the slots due by `now` for the current targets.
    fn plan(&mut self, now: Time) {
        let minute = |at: Time| at.micros().div_euclid(60_000_000);
        for minute in minute(self.mark) + 1..=minute(now) {
            if self.minutes.contains(&minute.rem_euclid(60)) {
                let at = Time::from_micros(minute * 60_000_000).unwrap();
                self.due.extend(self.targets.iter().map(|target| (target.clone(), at)));
                self.mark = at;
            }
        }
    }

    /// Watches these targets from now on. A job that returns starts afresh.
    fn watch(&mut self, targets: Vec<String>, now: Time) {
        if self.targets.is_empty() {
            self.mark = now;
        }
        self.targets = targets;
    }

    /// The clock went back to `now`: slots planned for later are not due, unless attempted.
    fn back(&mut self, now: Time, tried: &BTreeSet<Slot>) {
        if !self.targets.is_empty() && self.mark > now.plus(minutes(1)) {
            self.due.retain(|slot| slot.1 <= now || tried.contains(slot));
            self.mark = now;
        }
    }
}

/// The program's history beside the expected one.
struct History {
    env: Env,
    notes: Cron,
    works: Cron,
}

impl History {
    async fn begin(database: Database) -> Self {
        let env = Env::new(database, &jobs(2)).await;
        let notes = Cron::new(&[0], world().notes(2));
        let works = Cron::new(&[0, 40], world().works(1));
        Self { env, notes, works }
    }

    async fn play(&mut self, event: &Event) {
        match event {
            Event::Run(span) => self.env.advance(minutes(*span)).await,
            Event::Down(span) => {
                self.env.down_for(minutes(*span));
                self.env.restart(&jobs(self.notes.targets.len())).await;
                if self.env.waits() {
                    self.env.advance(Duration::from_secs(30)).await;
                }
            }
            Event::Upstream(faults) => self.env.fails(faults),
            Event::Watch(count) => self.env.restart(&jobs(*count)).await,
            Event::Slept(span) => self.env.clock.jump_to(self.env.clock.now().plus(minutes(*span))),
            Event::Wrong(span) => self.wrong_clock(minutes(*span)).await,
        }
        let now = self.env.clock.now();
        self.notes.plan(now);
        self.works.plan(now);
        if let Event::Watch(count) = event {
            self.notes.watch(world().notes(*count), now);
        }
    }

    /// The clock is wrong until the daemon believes it, and is set right. No fire is due meanwhile.
    async fn wrong_clock(&mut self, span: Duration) {
        self.env.advance(Duration::ZERO).await;
        while self.env.clock.now().micros().div_euclid(60_000_000) % 20 >= 17 {
            self.env.advance(minutes(1)).await;
        }
        let right = self.env.clock.now();
        self.env.clock_says(right.plus(span)).await;
        self.notes.plan(self.env.clock.now());
        self.works.plan(self.env.clock.now());
        self.env.clock_says(right.plus(minutes(1))).await;
        self.put_back(self.env.clock.now()).await;
    }

    async fn put_back(&mut self, now: Time) {
        let tried: Vec<Slot> = rows(
            &self.env.store,
            "select t.key, s.due_at from slots s join targets t on t.target_id = s.target_id
             where s.attempts > 0 or s.call_id is not null",
        )
        .await;
        let tried = tried.into_iter().collect();
        self.notes.back(now, &tried);
        self.works.back(now, &tried);
    }
}

/// The slots of one target on one day, as the view counts them.
type Day = (String, String, i64, i64, i64, i64, i64);

/// Compares the archive with the expected slots.
async fn check(store: &Store, due: &BTreeSet<Slot>) {
    let slots: Vec<(String, Time, Option<String>, Option<String>)> = rows(
        store,
        "select t.key, s.due_at, s.outcome, s.reason
         from slots s join targets t on t.target_id = s.target_id",
    )
    .await;
    let planned: BTreeSet<_> = slots.iter().map(|(key, at, ..)| (key.clone(), *at)).collect();
    assert_eq!(&planned, due, "every fire has its slot, and no slot is without a fire");
    assert_eq!(planned.len(), slots.len());
    let mut days: BTreeMap<(String, String), [i64; 4]> = BTreeMap::new();
    let mut open = BTreeSet::new();
    for (key, at, outcome, reason) in &slots {
        // The archive's days are those of Asia/Shanghai.
        let day = at.plus(hours(8)).utc().format("%Y-%m-%d").to_string();
        let [due, observed, missed, left] = days.entry((key.clone(), day)).or_default();
        *due += 1;
        match outcome.as_deref() {
            Some("observed") => *observed += 1,
            Some("missed") => {
                assert!(reason.is_some(), "{key} at {at} is missed without a reason");
                *missed += 1;
            }
            None => {
                assert!(open.insert(key.clone()), "{key} has more than one open slot");
                *left += 1;
            }
            other => panic!("{key} at {at} is {other:?}"),
        }
    }
    let coverage: Vec<Day> = rows(
        store,
        "select key, day, due, observed, missed, open,
                daemon_down + superseded + upstream + quota + balance + access + budget + paused
                + gone + refused + other
         from coverage",
    )
    .await;
    let told: BTreeMap<_, _> = coverage
        .into_iter()
        .map(|(key, day, due, observed, missed, open, reasons)| {
            assert_eq!(due, observed + missed + open, "{key} on {day}");
            assert_eq!(missed, reasons, "{key} on {day}");
            ((key, day), [due, observed, missed, open])
        })
        .collect();
    assert_eq!(told, days);
    let by_reason: Vec<(i64, i64)> = rows(
        store,
        "select (select cast(coalesce(sum(slots), 0) as bigint) from coverage_reasons),
                (select cast(coalesce(sum(missed), 0) as bigint) from coverage)",
    )
    .await;
    assert_eq!(by_reason[0].0, by_reason[0].1);
}

/// Plays the same histories each time, and shrinks a failing one.
fn play_all(database: impl AsyncFn() -> Database) {
    let config = Config {
        cases: CASES,
        max_shrink_iters: SHRINKS,
        failure_persistence: None,
        ..Config::default()
    };
    let dice = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let outcome = TestRunner::new_with_rng(config, dice).run(&events(), |events| {
        runtime.block_on(async {
            let mut history = History::begin(database().await).await;
            for event in &events {
                history.play(event).await;
            }
            for event in [Event::Upstream(""), Event::Run(130)] {
                history.play(&event).await;
            }
            let due = &history.notes.due | &history.works.due;
            check(&history.env.store, &due).await;
        });
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn every_history_accounts_for_every_slot_on_sqlite() {
    play_all(async || databases::sqlite());
}

#[test]
fn every_history_accounts_for_every_slot_on_postgres() {
    play_all(databases::postgres);
}
