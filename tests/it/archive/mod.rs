//! An archive that lasts: backups, and files that are not what they seem.

mod backup;
mod foreign;

use std::time::Duration;

use tidewatch::simulator::Simulator;

use crate::databases::{Database, count};
use crate::program::{PATIENCE, Place, wait_for};
use crate::upstream;

const TOKEN: &str = "archive-test-token";

/// A place with a job that fetches some notes every few seconds.
async fn place(database: &Database) -> (Place, Simulator) {
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let jobs = format!(
        "[justoneapi]\nrate_per_second = 1000\n[[job]]\nname = \"n\"\nkind = \"notes\"\n\
         schedule = \"*/10 * * * * *\"\nnotes = {:?}\n",
        simulator.world().notes(6)
    );
    let place = Place::new(database, &jobs).with_upstream(&simulator, TOKEN);
    (place, simulator)
}

/// Waits until more answers than this are saved.
async fn wait_for_answers(database: &Database, more_than: i64) {
    let store = database.open().await;
    let all = "select count(*) from documents";
    wait_for("answers", PATIENCE, async || count(&store, all).await > more_than).await;
    store.close().await;
}
