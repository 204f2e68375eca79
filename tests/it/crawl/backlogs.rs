//! Backlogs of missed fires when watchlists and schedules change meanwhile.

use std::time::Duration;

use tidewatch::plan;
use tokio_util::sync::CancellationToken;

use crate::databases::{Database, count, on_both};
use crate::env::{Env, hours, minutes};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A job with these keywords that fires every so many seconds.
fn job(every: &str, keywords: &[String]) -> String {
    format!(
        "[[job]]\nname = \"words\"\nkind = \"keywords\"\nschedule = \"*/{every} * * * * *\"\n\
         timezone = \"UTC\"\nkeywords = {keywords:?}\n"
    )
}

fn words(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("露营{n}")).collect()
}

const OF_FIRST: &str = "select count(*) from slots s join targets t on t.target_id = s.target_id
                        where t.key = '露营0'";

/// The fires of four hours, of which no transaction decides all, and of the first 20 seconds.
const FIRES: i64 = 4 * 360 + 2;

on_both!(backlog_of_replaced_watchlist_is_recorded);
async fn backlog_of_replaced_watchlist_is_recorded(database: Database) {
    let mut env = Env::new(database, &job("10", &words(1))).await;
    env.advance(seconds(20)).await;
    env.down_for(hours(4));
    let others = ["徒步".to_owned()];
    env.restart(&job("10", &others)).await;
    env.advance(seconds(10)).await;
    // One that is added again keeps its former time.
    env.reload(&job("10", &[&others[..], &words(1)].concat())).await;
    env.reload(&job("10", &others)).await;
    env.advance(minutes(2)).await;
    assert_eq!(count(&env.store, OF_FIRST).await, FIRES);
}

on_both!(backlog_of_shrunk_watchlist_is_decided_in_bounded_steps);
async fn backlog_of_shrunk_watchlist_is_decided_in_bounded_steps(database: Database) {
    let mut env = Env::new(database, &job("10", &words(100))).await;
    env.down_for(hours(4));
    let jobs = job("10", &words(1));
    env.restart(&jobs).await;
    let (config, slots) = (env.config(&jobs), "select count(*) from slots");
    let (started, before) = (env.clock.now(), count(&env.store, slots).await);
    let later = started.plus(minutes(2));
    plan::materialise(&env.store, &config, started, later).await.unwrap();
    let step = count(&env.store, slots).await - before;
    // And one for each of the fires since.
    assert!((1..=20_012).contains(&step), "{step} slots in one step");
}

on_both!(schedule_changed_by_two_daemons_at_once_loses_no_backlog);
async fn schedule_changed_by_two_daemons_at_once_loses_no_backlog(database: Database) {
    let jobs = job("10", &words(1));
    let mut env = Env::new(database, &jobs).await;
    env.advance(seconds(20)).await;
    env.down_for(hours(4));
    env.restart(&jobs).await;
    let config = env.config(&job("30", &words(1)));
    let (now, stop) = (env.clock.now(), CancellationToken::new());
    let sync = || plan::sync(&env.store, &config, now, now, &stop);
    let both = async { tokio::join!(sync(), sync()) };
    let (one, other) = tokio::time::timeout(seconds(60), both).await.expect("both come to an end");
    assert_eq!((one.unwrap(), other.unwrap()), (plan::Left::Nothing, plan::Left::Nothing));
    assert_eq!(count(&env.store, OF_FIRST).await, FIRES);
}
