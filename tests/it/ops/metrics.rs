//! `/metrics` agrees with the archive, across restarts and failures.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidewatch::config::{Config, Environment};
use tidewatch::model::{Kind, Origin, Target};
use tidewatch::ops::health_state::HealthState;
use tidewatch::ops::metrics::Metrics;
use tidewatch::ops::run_log;
use tidewatch::store::{CallStart, Store};
use tidewatch::time::{Clock, Time};
use tokio::sync::watch;

use crate::databases::{Database, count, on_both, rows};
use crate::env::{Env, beginning, hours, minutes, world};

/// The values of a scrape by series.
pub(crate) fn series(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.map(|line| line.rsplit_once(' ').expect(line));
    pairs.map(|(name, value)| (name.to_owned(), value.parse().expect(value))).collect()
}

/// A scrape of a daemon with default health and these settings.
pub(crate) async fn scrape(metrics: &Metrics, jobs: &str) -> BTreeMap<String, f64> {
    series(&metrics.scrape(&HealthState::default(), &config(jobs)).await.unwrap())
}

pub(crate) fn config(jobs: &str) -> Config {
    Config::parse(jobs, "jobs.toml".as_ref(), &Environment::default()).unwrap()
}

/// Settings that never change.
pub(crate) fn settings() -> watch::Receiver<Arc<Config>> {
    watch::channel(Arc::new(config(""))).1
}

/// Two jobs that share a note, and works of which some cannot be parsed.
fn jobs() -> String {
    let notes = world().notes(3);
    format!(
        "[[job]]\nname = \"notes\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = {notes:?}\n\
         [[job]]\nname = \"one\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = {:?}\n\
         [[job]]\nname = \"works\"\nkind = \"works\"\nschedule = \"*/30 * * * *\"\nurls = {:?}\n",
        &notes[..1],
        world().works(2)
    )
}

/// The same series, computed from the archive.
async fn truth(store: &Store) -> BTreeMap<String, f64> {
    let pairs: Vec<(String, f64)> = rows(
        store,
        "select 'tidewatch_slots_total{job=\"' || coalesce(j.name, jr.origin) || '\",outcome=\"'
                || s.outcome || '\"}', cast(count(*) as double precision)
         from slots s join job_runs jr on jr.run_id = s.run_id left join jobs j on j.job_id = jr.job_id
         where s.outcome is not null group by coalesce(j.name, jr.origin), s.outcome
         union all
         select 'tidewatch_missed_total{reason=\"' || reason || '\"}',
                cast(count(*) as double precision)
         from slots where outcome = 'missed' group by reason
         union all
         select 'tidewatch_api_calls_total{endpoint=\"' || endpoint || '\",outcome=\"' || outcome
                || '\",billed=\"' || billed || '\"}', cast(count(*) as double precision)
         from calls where outcome is not null group by endpoint, outcome, billed
         union all
         select 'tidewatch_drift_total{endpoint=\"' || endpoint || '\"}',
                cast(count(drift) as double precision)
         from documents group by endpoint
         union all
         select 'tidewatch_api_cost_yuan_total{endpoint=\"' || endpoint || '\",billed=\"' || billed
                || '\"}', coalesce(cast(sum(price_micros) as double precision), 0) / 1000000
         from calls where billed <> 'no' and outcome is not null group by endpoint, billed",
    )
    .await;
    pairs.into_iter().collect()
}

/// Asserts that the counters are the archive's gain since `before`.
fn assert_counted(
    seen: &BTreeMap<String, f64>,
    now: &BTreeMap<String, f64>,
    before: &BTreeMap<String, f64>,
) {
    for (name, value) in now {
        let expected = value - before.get(name).unwrap_or(&0.0);
        let shown = seen.get(name).copied().unwrap_or(0.0);
        assert!((shown - expected).abs() < 1e-6, "{name}: {shown} for {expected}\n{seen:#?}");
    }
}

on_both!(counters_match_the_archive_since_the_process_began);
async fn counters_match_the_archive_since_the_process_began(database: Database) {
    let jobs = jobs();
    let mut env = Env::new(database, &jobs).await;
    env.fails("note=301:0.2,wrong-id:0.1; amagi=gone:0.1");
    env.advance(hours(3)).await;
    run_log::report(&env.store, &env.clock).await.unwrap();
    // At a fire: its run is open.
    env.advance(hours(1)).await;
    let notes = world().notes(6);
    let before = truth(&env.store).await;
    assert!(before.len() > 6, "{before:?}");
    let metrics = Metrics::begin(&env.store, &env.clock).await.unwrap();
    assert_counted(&scrape(&metrics, &jobs).await, &before, &before);
    let run = env.backfill(&notes[3..]).await;
    assert_eq!(
        count(&env.store, "select count(*) from job_runs where origin = 'backfill'").await,
        1
    );
    let mut last: BTreeMap<String, f64> = BTreeMap::new();
    for step in 0..12 {
        env.advance(minutes(if step % 3 == 0 { 7 } else { 61 })).await;
        if step % 2 == 0 {
            run_log::report(&env.store, &env.clock).await.unwrap();
        }
        let seen = scrape(&metrics, &jobs).await;
        assert_counted(&seen, &truth(&env.store).await, &before);
        for (name, value) in last.iter().filter(|(name, _)| name.contains("_total{")) {
            assert!(seen[name] >= *value, "{name} fell from {value}");
        }
        last = seen;
    }
    assert!(last["tidewatch_drift_total{endpoint=\"xiaohongshu/get-note-detail/v1\"}"] > 0.0);
    // A new process begins at zero; the missed slots of the downtime count where they are decided.
    env.down_for(hours(5));
    let before = truth(&env.store).await;
    let again = Metrics::begin(&env.store, &env.clock).await.unwrap();
    env.restart(&jobs).await;
    env.advance(minutes(5)).await;
    let seen = scrape(&again, &jobs).await;
    assert_counted(&seen, &truth(&env.store).await, &before);
    assert!(seen["tidewatch_missed_total{reason=\"daemon_down\"}"] > 0.0, "{seen:#?}");
    assert!(run > 0);
}

on_both!(open_call_of_an_expired_worker_counts_once_reaped);
async fn open_call_of_an_expired_worker_counts_once_reaped(database: Database) {
    let store = database.open().await;
    let clock = Clock::standing(beginning());
    let target = Target { kind: Kind::Note, key: "68a1b2c3d4e5f60718293a4b".into() };
    let mut tx = store.begin().await.unwrap();
    tx.run_by_hand(&[target], Origin::Fetch, beginning()).await.unwrap();
    tx.commit().await.unwrap();
    let targets: Vec<(i64, Time)> = rows(&store, "select target_id, due_at from slots").await;
    let start = CallStart {
        endpoint: "xiaohongshu/get-note-detail/v1",
        target_id: targets[0].0,
        due_at: targets[0].1,
        page: 1,
        attempt: 1,
        owner: 7,
        opened_at: beginning(),
        price_micros: Some(150_000),
        run_id: None,
    };
    let mut tx = store.begin().await.unwrap();
    tx.open_calls(&[start]).await.unwrap();
    tx.commit().await.unwrap();
    let metrics = Metrics::begin(&store, &clock).await.unwrap();
    clock.jump_to(beginning().plus(hours(1)));
    let seen = scrape(&metrics, "").await;
    assert_eq!(seen["tidewatch_recovered_calls_total"], 0.0, "it is not reaped yet");
    let call = "tidewatch_api_calls_total{endpoint=\"xiaohongshu/get-note-detail/v1\",\
                outcome=\"interrupted\",billed=\"unknown\"}";
    assert!(!seen.contains_key(call), "{seen:#?}");
    interrupt(&store).await;
    for _ in 0..2 {
        let seen = scrape(&metrics, "").await;
        assert_eq!(seen["tidewatch_recovered_calls_total"], 1.0);
        assert_eq!(seen[call], 1.0);
        let cost = "tidewatch_api_cost_yuan_total{endpoint=\"xiaohongshu/get-note-detail/v1\",\
                    billed=\"unknown\"}";
        assert_eq!(seen[cost], 0.15);
    }
}

#[expect(clippy::disallowed_methods, reason = "plays another daemon that buries a dead one")]
async fn interrupt(store: &Store) {
    let sql = "update calls set outcome = 'interrupted' where outcome is null";
    match store {
        Store::Sqlite { writer, .. } => drop(sqlx::query(sql).execute(writer).await.unwrap()),
        Store::Postgres(pool) => drop(sqlx::query(sql).execute(pool).await.unwrap()),
    }
}

on_both!(gauges_match_the_state_of_the_archive);
async fn gauges_match_the_state_of_the_archive(database: Database) {
    let jobs = jobs();
    let mut env = Env::new(database, &jobs).await;
    let metrics = Metrics::begin(&env.store, &env.clock).await.unwrap();
    let budget = "[budget]\nmax_calls_per_day = 100\n";
    env.advance(minutes(125)).await;
    run_log::report(&env.store, &env.clock).await.unwrap();
    let seen = scrape(&metrics, &format!("{budget}{jobs}")).await;
    let spent = count(&env.store, "select count(*) from calls").await;
    assert_eq!(seen["tidewatch_budget_limit_calls"], 100.0);
    assert_eq!(seen["tidewatch_budget_remaining_calls"], 100.0 - spent as f64);
    assert!(!seen.contains_key("tidewatch_budget_limit_yuan"), "there is no such limit");
    for job in ["notes", "one", "works"] {
        let at = seen[&format!("tidewatch_last_success_timestamp_seconds{{job=\"{job}\"}}")];
        let due = beginning().plus(hours(2)).micros() as f64 / 1e6;
        assert!((due..due + 60.0).contains(&at), "{job}: {at}");
        assert_eq!(
            seen[&format!("tidewatch_fires_without_observation{{job=\"{job}\"}}")],
            0.0,
            "{job}"
        );
    }
    assert_eq!(seen["tidewatch_snapshot_staleness_seconds_count"], 5.0);
    assert_eq!(seen["tidewatch_snapshot_staleness_seconds_bucket{le=\"300\"}"], 5.0);
    assert_eq!(seen["tidewatch_schedule_lag_seconds"], 0.0);
    assert!(!seen.contains_key("tidewatch_oldest_due_timestamp_seconds"), "nothing is open");
    assert_eq!(seen["tidewatch_unavailable{state=\"gone\"}"], 0.0);
    assert_eq!(seen["tidewatch_database_up"], 1.0);

    // The balance is empty and a work is gone; the other slots wait.
    env.fails("note=601; amagi=gone");
    env.advance(minutes(180)).await;
    run_log::report(&env.store, &env.clock).await.unwrap();
    let seen = scrape(&metrics, &jobs).await;
    let pause = "tidewatch_paused{scope=\"provider\",name=\"justoneapi\",reason=\"balance\"}";
    assert_eq!(seen[pause], 1.0, "{seen:#?}");
    assert_eq!(seen["tidewatch_unavailable{state=\"gone\"}"], 2.0);
    assert_eq!(seen["tidewatch_snapshot_staleness_seconds_count"], 3.0);
    assert_eq!(seen["tidewatch_snapshot_staleness_seconds_bucket{le=\"10800\"}"], 0.0);
    assert_eq!(seen["tidewatch_snapshot_staleness_seconds_bucket{le=\"21600\"}"], 3.0);
    assert_eq!(
        seen["tidewatch_fires_without_observation{job=\"notes\"}"], 2.0,
        "the last fire waits"
    );
    let due = seen["tidewatch_oldest_due_timestamp_seconds"];
    assert_eq!(due, beginning().plus(hours(5)).micros() as f64 / 1e6);

    // No daemon fetches the claimable slots.
    env.resume().await;
    let now = env.clock.now();
    env.clock.jump_to(now.plus(minutes(10)));
    let lag = scrape(&metrics, &jobs).await["tidewatch_schedule_lag_seconds"];
    assert!((600.0..3600.0).contains(&lag), "{lag}");
}

on_both!(scrape_without_a_database_keeps_process_metrics);
async fn scrape_without_a_database_keeps_process_metrics(database: Database) {
    let jobs = jobs();
    let mut env = Env::new(database, &jobs).await;
    let metrics = Metrics::begin(&env.store, &env.clock).await.unwrap();
    env.advance(hours(1)).await;
    let observed = "tidewatch_slots_total{job=\"notes\",outcome=\"observed\"}";
    let up = scrape(&metrics, &jobs).await;
    assert_eq!((up["tidewatch_database_up"], up[observed]), (1.0, 3.0));
    env.store.close().await;
    let health = HealthState::default();
    health.configured(beginning());
    health.refused();
    let down = series(&metrics.scrape(&health, &config(&jobs)).await.unwrap());
    assert_eq!((down["tidewatch_database_up"], down[observed]), (0.0, 3.0));
    assert!(!down.contains_key("tidewatch_schedule_lag_seconds"), "nobody knows");
    assert_eq!(down["tidewatch_config_last_reload_successful"], 0.0);
    let taken = beginning().micros() as f64 / 1e6;
    assert_eq!(down["tidewatch_config_last_reload_success_timestamp_seconds"], taken);
}
