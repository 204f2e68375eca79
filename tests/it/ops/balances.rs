//! What is left on an account: asked for once an hour, kept, shown and told, on both databases.

use std::sync::Arc;

use tidewatch::api::Provider;
use tidewatch::config::{Config, Environment};
use tidewatch::ops::balances::Balances;
use tidewatch::ops::metrics::Metrics;
use tidewatch::simulator;
use tidewatch::store::BalanceRow;
use tidewatch::time::Clock;
use tokio::sync::watch;

use crate::databases::{Database, on_both};
use crate::env::{beginning, hours};
use crate::ops::metrics::scrape;
use crate::program::Place;

const TOKEN: &str = "balance-test-token";

on_both!(balance_is_asked_for_hourly_and_shown);
async fn balance_is_asked_for_hourly_and_shown(database: Database) {
    let (store, clock) = (database.open().await, Clock::standing(beginning()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = simulator::Options::new(1, TOKEN, clock.clone());
    let api = simulator::start(options, listener).await.unwrap();
    let url = api.base_url(Provider::JustOneApi);
    let environment = Environment::of([("JUSTONEAPI_TOKEN", TOKEN), ("JUSTONEAPI_BASE_URL", &url)]);
    let config = Config::parse("", "jobs.toml".as_ref(), &environment).unwrap();
    let (_, settings) = watch::channel(Arc::new(config));
    let balances = Balances::new(settings, store.clone(), clock.clone());
    balances.check().await.unwrap();
    balances.check().await.unwrap();
    assert_eq!(api.truth().len(), 1, "the answer is fresh");
    let row = BalanceRow {
        provider: "justoneapi".to_owned(),
        base_url: format!("{url}/"),
        asked_at: beginning(),
        micros: Some(75_000_000),
        currency: Some("CNY".to_owned()),
        error: None,
    };
    assert_eq!(store.read().await.unwrap().balances().await.unwrap(), [row]);
    let metrics = Metrics::begin(&store, &clock).await.unwrap();
    let series = "tidewatch_balance{provider=\"justoneapi\",currency=\"CNY\"}";
    assert_eq!(scrape(&metrics, "").await[series], 75.0);
    let place = Place::new(&database, "");
    let (_, out, said) = place.hear(&["status"]).await;
    assert!(out.contains("balance: justoneapi 75"), "{out}{said}");
    api.set_faults("balance=100".parse().unwrap());
    clock.jump_to(beginning().plus(hours(1)));
    balances.check().await.unwrap();
    let [row] = store.read().await.unwrap().balances().await.unwrap().try_into().unwrap();
    assert_eq!((row.micros, row.asked_at), (None, clock.now()));
    assert!(row.error.as_deref().is_some_and(|why| why.starts_with("code 100")), "{row:?}");
}
