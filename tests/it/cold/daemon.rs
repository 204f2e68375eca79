//! The daemon packs while nothing is to fetch.

use crate::databases::{Database, count, on_both};
use crate::env::{Env, hours, world};

use super::assert_sound;

on_both!(a_daemon_packs_old_answers_between_its_fetches);
async fn a_daemon_packs_old_answers_between_its_fetches(database: Database) {
    let note = world().notes(1).remove(0);
    let job = format!(
        "[[job]]\nname = \"n\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = [\"{note}\"]\n"
    );
    let mut env = Env::new(database, &job).await;
    env.advance(hours(24 * 10)).await;
    assert_eq!(assert_sound(&env.store).await, 0, "nothing goes cold by itself");
    env.restart(&format!("[archive]\ncold_after = \"7d\"\n{job}")).await;
    env.advance(hours(2)).await;
    let cold = assert_sound(&env.store).await;
    assert!(cold >= 64, "{cold}");
    let files = "select count(*) from cold_files";
    assert_eq!(count(&env.store, files).await, 1);
    // The next file is made when it is full.
    env.advance(hours(40)).await;
    assert_eq!(count(&env.store, files).await, 1);
    env.advance(hours(30)).await;
    assert_eq!(count(&env.store, files).await, 2);
    assert!(assert_sound(&env.store).await >= cold + 64);
    let missed = "select count(*) from slots where outcome = 'missed'";
    assert_eq!(count(&env.store, missed).await, 0);
}
