//! One-shot runs: the slots of one run, fetched by this process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tidewatch::api::Provider;
use tidewatch::config::{Config, Environment};
use tidewatch::crawl::run::{Ended, OneShotRun, Tick};
use tidewatch::model::{Kind, Origin, Target};
use tidewatch::process::Process;
use tidewatch::time::Clock;
use tokio_util::sync::CancellationToken;

use crate::databases::{Database, count, on_both};
use crate::upstream;

const TOKEN: &str = "run-test-token";

on_both!(failed_read_during_a_call_loses_no_answer);
async fn failed_read_during_a_call_loses_no_answer(database: Database) {
    let (store, clock) = (database.open().await, Clock::system());
    let simulator = upstream::simulate(TOKEN, Duration::from_secs(2)).await;
    let text = format!("[justoneapi]\nbase_url = {:?}\n", simulator.base_url(Provider::JustOneApi));
    let environment = Environment::of([("JUSTONEAPI_TOKEN", TOKEN)]);
    let config = Config::parse(&text, Path::new("jobs.toml"), &environment).unwrap();
    let note = Target { kind: Kind::Note, key: simulator.world().notes(1).remove(0) };
    let mut tx = store.begin().await.unwrap();
    let run = tx.run_by_hand(&[note], Origin::Fetch, clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let process = Process::begin(&store, &config, "fetch", &clock).await.unwrap().unwrap();
    let stop = CancellationToken::new();
    let one_shot = OneShotRun::new(Arc::new(config), &store, &clock, &process, run, &stop).unwrap();
    let mut failed = false;
    let ended = one_shot.run(async |tick: Tick<'_>| {
        if !tick.is_idle && !std::mem::replace(&mut failed, true) {
            bail!("the database is away");
        }
        let mut tx = store.read().await?;
        Ok(tx.next_try(Some(run), clock.now()).await?.is_none())
    });
    assert_eq!(ended.await.unwrap(), Ended::Over);
    assert!(failed, "the call had ended before anything was read");
    assert_eq!(simulator.truth().len(), 1);
    assert_eq!(count(&store, "select count(*) from documents").await, 1);
    assert_eq!(count(&store, "select count(*) from slots where outcome = 'observed'").await, 1);
}
