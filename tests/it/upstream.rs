//! The simulated upstream of programs that run by the machine's clock.

use std::net::Ipv4Addr;
use std::time::Duration;

use tidewatch::simulator::{self, Fates, Options, Simulator};
use tidewatch::time::Clock;
use tokio::net::TcpListener;

use crate::env::beginning;

/// Options of a simulator whose world starts at the same instant on every day, so that no test
/// depends on the date: nothing in it is edited or deleted, and its ids are always the same.
pub(crate) fn options(token: &str) -> Options {
    let mut options = Options::new(5, token, Clock::jumping(beginning()));
    options.fates = Fates { edited: 0, deleted: 0, viral: 0 };
    options
}

/// A simulator that takes at least this long to answer.
pub(crate) async fn simulate(token: &str, latency: Duration) -> Simulator {
    start(Options { latency, ..options(token) }).await
}

/// A simulator on a free port.
pub(crate) async fn start(options: Options) -> Simulator {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    simulator::start(options, listener).await.unwrap()
}
