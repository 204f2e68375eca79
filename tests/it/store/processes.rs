//! Statements about processes: announced, alive, dead and buried.

use std::collections::BTreeSet;
use std::time::Duration;

use tidewatch::model::{Facts, ProblemKind};
use tidewatch::store::{Claim, Disposition, LivenessTimeout, ProcessRow, Settlement, Store, Tx};

use super::{OWNER, answer, at, call, campaign, claim, claim_as, note, open_at};
use crate::databases::{Database, count, on_both, sqlite};
use crate::program::{PATIENCE, wait_for};

/// The process `owner`, just begun.
fn process(owner: i64) -> ProcessRow {
    ProcessRow {
        owner,
        verb: "run".into(),
        version: "1.0.0".into(),
        started_at: at("09:00:00"),
        beat_at: None,
        died_at: None,
        clock: None,
    }
}

/// A note that is looked at, the look claimed and its call under way.
async fn under_way(tx: &mut Tx) -> (Claim, i64) {
    let job = campaign(tx, &[note("a")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    again(tx, "09:00:00").await
}

async fn again(tx: &mut Tx, now: &str) -> (Claim, i64) {
    let claim = claim(tx, now).await.remove(0);
    let call_id = tx.open_calls(&[call(&claim, now)]).await.unwrap()[0];
    (claim, call_id)
}

on_both!(what_a_dead_process_left_is_freed_and_its_calls_are_unknown);
async fn what_a_dead_process_left_is_freed_and_its_calls_are_unknown(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let (lost, call_id) = under_way(&mut tx).await;
    assert_eq!(tx.reap(OWNER, at("09:00:01")).await.unwrap(), 1);
    let again = claim(&mut tx, "09:00:01").await.remove(0);
    assert_eq!((again.attempt, again.fence), (2, 2));
    let totals = tx.call_totals(at("00:00:00")).await.unwrap();
    assert_eq!((totals[0].unknown, totals[0].unknown_micros), (1, 150_000));
    // It was only asleep: what it has to say closes its ledger row all the same.
    let end = answer(&lost, call_id, "09:02:00", Disposition::Observed, Facts::default()).end;
    assert_eq!(tx.close_calls(&[end]).await.unwrap(), 1);
    let late = Settlement {
        target_id: lost.target_id,
        due_at: lost.due_at,
        fence: lost.fence,
        call_id,
        next: Disposition::Observed,
        at: at("09:02:00"),
    };
    assert!(tx.settle(&[late]).await.unwrap().is_empty());
    tx.commit().await.unwrap();
}

on_both!(an_import_is_never_taken_for_dead);
async fn an_import_is_never_taken_for_dead(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    tx.put_process(&process(1), &[]).await.unwrap();
    tx.put_process(&ProcessRow { verb: "import".into(), ..process(2) }, &[]).await.unwrap();
    let late = at("12:00:00");
    let silence = LivenessTimeout { since: late, restarted_since: late, uptime: Duration::ZERO };
    assert_eq!(tx.expired_processes(3, silence).await.unwrap(), [1]);
    assert_eq!(tx.active_verb().await.unwrap().as_deref(), Some("run"));
}

on_both!(the_one_at_work_is_known_by_its_verb);
async fn the_one_at_work_is_known_by_its_verb(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.active_verb().await.unwrap(), None);
    let fetch = ProcessRow { verb: "fetch".into(), started_at: at("10:00:00"), ..process(2) };
    tx.put_process(&process(1), &[]).await.unwrap();
    tx.put_process(&fetch, &[]).await.unwrap();
    assert_eq!(tx.active_verb().await.unwrap().as_deref(), Some("fetch"));
    tx.end_process(2, at("10:00:01")).await.unwrap();
    assert_eq!(tx.active_verb().await.unwrap().as_deref(), Some("run"));
}

on_both!(a_look_that_is_interrupted_three_times_is_missed);
async fn a_look_that_is_interrupted_three_times_is_missed(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    under_way(&mut tx).await;
    for now in ["09:00:01", "09:00:02"] {
        assert_eq!(tx.reap(OWNER, at(now)).await.unwrap(), 1);
        assert_eq!(tx.slot_totals(at("00:00:00")).await.unwrap().open, 1);
        again(&mut tx, now).await;
    }
    assert_eq!(tx.reap(OWNER, at("09:00:03")).await.unwrap(), 1);
    assert_eq!(tx.slot_totals(at("00:00:00")).await.unwrap().missed, 1);
    let problems = tx.problems(at("00:00:00"), at("00:00:00")).await.unwrap();
    let missed = problems.iter().find(|problem| problem.kind == ProblemKind::Missed).unwrap();
    assert_eq!((missed.detail.as_str(), missed.last_at), ("interrupted", Some(at("09:00:03"))));
    tx.commit().await.unwrap();
}

on_both!(a_process_that_beats_keeps_what_it_is_at_and_not_what_others_took_over);
async fn a_process_that_beats_keeps_what_it_is_at_and_not_what_others_took_over(
    database: Database,
) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    tx.put_process(&process(OWNER), &[]).await.unwrap();
    under_way(&mut tx).await;
    // The lease of the claim ends at 09:02:30.
    assert_eq!(tx.heartbeat(OWNER, at("09:02:00"), at("09:03:00"), true).await.unwrap(), 1);
    assert!(claim_as(&mut tx, 8, "09:02:59").await.is_empty());
    assert_eq!(claim_as(&mut tx, 8, "09:03:00").await.len(), 1);
    assert_eq!(tx.heartbeat(OWNER, at("09:03:01"), at("09:04:00"), true).await.unwrap(), 0);
    let alive = tx.unfinished_processes("run", at("00:00:00")).await.unwrap();
    assert_eq!(alive[0].beat_at, Some(at("09:03:01")));
    tx.commit().await.unwrap();
}

on_both!(a_claim_whose_commit_was_in_doubt_is_given_back_unsent);
async fn a_claim_whose_commit_was_in_doubt_is_given_back_unsent(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a"), note("b")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let claims = claim(&mut tx, "09:00:00").await;
    let calls: Vec<_> = claims.iter().map(|claim| call(claim, "09:00:00")).collect();
    let call_ids = tx.open_calls(&calls).await.unwrap();
    let in_hand = BTreeSet::from([call_ids[0]]);
    assert_eq!(tx.release_unsent(8, &in_hand).await.unwrap(), 0, "those of another process");
    assert_eq!(tx.release_unsent(OWNER, &in_hand).await.unwrap(), 1);
    assert_eq!(tx.release_unsent(OWNER, &in_hand).await.unwrap(), 0);
    let again = claim(&mut tx, "09:00:01").await;
    assert_eq!(again.len(), 1, "the other one is under way");
    assert_eq!((again[0].target_id, again[0].attempt), (claims[1].target_id, 1));
    let totals = tx.call_totals(at("00:00:00")).await.unwrap();
    assert_eq!((totals[0].calls, totals[0].unknown), (2, 1));
    tx.commit().await.unwrap();
}

on_both!(a_process_is_alive_for_as_long_as_it_announces_itself);
async fn a_process_is_alive_for_as_long_as_it_announces_itself(database: Database) {
    let store = database.open().await;
    let mut presence = store.lock_process(OWNER).await.unwrap().expect("nobody else is here");
    assert!(store.lock_process(OWNER).await.unwrap().is_none(), "a number is announced once");
    assert!(presence.hold().await.unwrap(), "by whom it is, as often as it likes");
    if store.is_sqlite() {
        assert!(store.lock_process(8).await.unwrap().is_none(), "one process a file");
    } else {
        assert!(store.lock_process(8).await.unwrap().is_some());
        let mut tx = store.begin().await.unwrap();
        assert!(tx.is_alive(OWNER).await.unwrap());
    }
    drop(presence);
}

#[tokio::test]
async fn a_file_is_the_same_through_a_link() {
    let database = sqlite();
    let store = database.open().await;
    let _presence = store.lock_process(OWNER).await.unwrap().expect("nobody else is here");
    let link = database.directory().join("link.db");
    std::os::unix::fs::symlink(database.directory().join("test.db"), &link).unwrap();
    let linked = Store::connect(&format!("sqlite:{}", link.display())).await.unwrap();
    assert!(linked.lock_process(8).await.unwrap().is_none(), "one process a file");
}

on_both!(an_announced_process_does_not_hold_up_the_closing_of_the_archive);
async fn an_announced_process_does_not_hold_up_the_closing_of_the_archive(database: Database) {
    let store = database.open().await;
    let presence = store.lock_process(OWNER).await.unwrap().expect("nobody else is here");
    let closing = tokio::time::timeout(PATIENCE, store.close());
    assert!(closing.await.is_ok(), "the archive does not close");
    let store = database.open().await;
    drop(presence);
    // The server learns of the end a moment later.
    wait_for("the lock's end", PATIENCE, async || {
        store.lock_process(OWNER).await.unwrap().is_some()
    })
    .await;
}

/// The processes that are dead to the process 8, of those silent since then.
async fn dead(tx: &mut Tx, since: &str, restarted_since: &str, uptime_s: u64) -> Vec<i64> {
    let (since, restarted_since) = (at(since), at(restarted_since));
    let silence = LivenessTimeout { since, restarted_since, uptime: Duration::from_secs(uptime_s) };
    tx.expired_processes(8, silence).await.unwrap()
}

on_both!(a_process_is_dead_when_nothing_announces_it_and_it_is_silent);
async fn a_process_is_dead_when_nothing_announces_it_and_it_is_silent(database: Database) {
    let store = database.open().await;
    let presence = store.lock_process(OWNER).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    for owner in [OWNER, 8, 9] {
        tx.put_process(&process(owner), &[]).await.unwrap();
        tx.heartbeat(owner, at("09:00:05"), at("09:01:00"), true).await.unwrap();
    }
    tx.end_process(9, at("09:00:06")).await.unwrap();
    if !store.is_sqlite() {
        assert!(dead(&mut tx, "09:00:05", "09:00:05", 0).await.is_empty(), "its lock is held");
    }
    tx.commit().await.unwrap();
    drop(presence);
    wait_for("the lock's end", PATIENCE, async || {
        let mut tx = store.begin().await.unwrap();
        let found = dead(&mut tx, "09:00:05", "09:00:04", 0).await;
        tx.commit().await.unwrap();
        found == [OWNER]
    })
    .await;
    let mut tx = store.begin().await.unwrap();
    tx.reap(OWNER, at("09:00:07")).await.unwrap();
    assert!(dead(&mut tx, "09:00:05", "09:00:05", 0).await.is_empty(), "it is buried");
    let found = tx.unfinished_processes("run", at("09:00:07")).await.unwrap();
    assert_eq!(found.iter().find(|it| it.owner == OWNER).unwrap().died_at, Some(at("09:00:07")));
    // It was only cut off.
    tx.heartbeat(OWNER, at("09:00:08"), at("09:01:08"), true).await.unwrap();
    assert_eq!(dead(&mut tx, "09:00:08", "09:00:04", 0).await, [OWNER]);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn after_a_restart_of_the_server_a_process_may_take_its_time_to_come_back() {
    let store = crate::databases::postgres().await.open().await;
    let mut tx = store.begin().await.unwrap();
    tx.put_process(&process(OWNER), &[]).await.unwrap();
    tx.heartbeat(OWNER, at("09:00:05"), at("09:01:05"), true).await.unwrap();
    assert!(dead(&mut tx, "09:00:04", "09:59:59", 0).await.is_empty(), "the same server");
    // Announced at a server that was there before this one; then it beats without a lock.
    before_the_restart(&mut tx).await;
    tx.heartbeat(OWNER, at("09:00:06"), at("09:01:06"), false).await.unwrap();
    assert!(dead(&mut tx, "09:59:59", "09:00:05", 0).await.is_empty(), "it has just beaten");
    let ages = 10 * 365 * 86_400;
    assert!(dead(&mut tx, "09:59:59", "09:00:06", ages).await.is_empty(), "the server is young");
    assert_eq!(dead(&mut tx, "00:00:00", "09:00:06", 0).await, [OWNER]);
    tx.commit().await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "plays a restarted server")]
async fn before_the_restart(tx: &mut Tx) {
    let Tx::Postgres(tx) = tx else { panic!("only PostgreSQL has a server") };
    let sql = "update processes set server_at = server_at - interval '1 day'";
    sqlx::query(sql).execute(&mut **tx).await.unwrap();
}

#[tokio::test]
async fn a_process_whose_connection_is_cut_notices_at_once_and_is_announced_anew() {
    let store = crate::databases::postgres().await.open().await;
    let mut presence = store.lock_process(OWNER).await.unwrap().expect("nobody else is here");
    let lost = tokio::time::timeout(Duration::from_millis(100), presence.lost()).await;
    assert!(lost.is_err(), "nothing is lost yet");
    assert!(presence.hold().await.unwrap());
    assert_eq!(cut_off_the_announced(&store).await, 1);
    assert!(tokio::time::timeout(PATIENCE, presence.lost()).await.is_ok(), "it was cut");
    assert!(presence.hold().await.unwrap());
    let mut tx = store.begin().await.unwrap();
    assert!(tx.is_alive(OWNER).await.unwrap());
    // Cut without notice: the next question finds out, and the one after that has a connection.
    cut_off_the_announced(&store).await;
    assert!(presence.hold().await.is_err());
    assert!(presence.hold().await.unwrap());
}

async fn cut_off_the_announced(store: &Store) -> i64 {
    let sql = "select count(pg_terminate_backend(pid)) from pg_locks
               where locktype = 'advisory' and database = (select oid from pg_database
                                                           where datname = current_database())";
    count(store, sql).await
}

on_both!(processes_are_on_record_with_whom_they_ask);
async fn processes_are_on_record_with_whom_they_ask(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let providers = [("justoneapi", "http://127.0.0.1:4567/"), ("amagi", "http://127.0.0.1/")];
    tx.put_process(&process(OWNER), &providers).await.unwrap();
    let asked = "select count(*) from processes join process_providers using (owner)";
    let since = at("00:00:00");
    assert_eq!(tx.unfinished_processes("run", since).await.unwrap(), [process(OWNER)]);
    assert!(tx.unfinished_processes("fetch", since).await.unwrap().is_empty());
    tx.end_process(OWNER, at("10:00:00")).await.unwrap();
    assert!(tx.unfinished_processes("run", since).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!(count(&store, asked).await, 2);
}
