//! The daemon packs while nothing is to fetch.

use crate::databases::{Database, count, on_both};
use crate::env::{Env, hours, world};

use tidewatch::cold::alone;

use super::{assert_sound, change};

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

on_both!(a_packer_that_fails_checks_files_and_lets_others_pack);
async fn a_packer_that_fails_checks_files_and_lets_others_pack(database: Database) {
    let note = world().notes(1).remove(0);
    let job = format!(
        "[archive]\ncold_after = \"7d\"\n[[job]]\nname = \"n\"\nkind = \"notes\"\n\
         schedule = \"@hourly\"\nnotes = [\"{note}\"]\n"
    );
    let mut env = Env::new(database, &job).await;
    env.advance(hours(24 * 10)).await;
    assert!(assert_sound(&env.store).await >= 64);
    change(
        &env.store,
        "create trigger refuse before insert on cold_files begin
             select raise(abort, 'not now'); end;
         update cold_files set verified_at = '2020-01-01 00:00:00'",
        "create function refuse() returns trigger language plpgsql as $$ begin
             raise exception 'not now'; end $$;
         create trigger refuse before insert on cold_files for each row
             execute function refuse();
         update cold_files set verified_at = '2020-01-01 00:00:00'",
    )
    .await;
    env.advance(hours(80)).await;
    let files = "select count(*) from cold_files";
    assert_eq!(count(&env.store, files).await, 1);
    let unchecked = "select count(*) from cold_files where verified_at < '2021-01-01 00:00:00'";
    assert_eq!(count(&env.store, unchecked).await, 0);
    if !env.store.is_sqlite() {
        drop(alone(&env.store).await.unwrap());
    }
}
