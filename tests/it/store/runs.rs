//! Statements about runs whose last look has been settled.

use tidewatch::model::{Billed, Facts, MissedReason};
use tidewatch::store::{Disposition, Fires};

use super::{answer, at, call, campaign, claim, note, open_at};
use crate::databases::{Database, on_both};

on_both!(a_run_is_closed_once_its_last_look_is_settled_and_handed_out_once);
async fn a_run_is_closed_once_its_last_look_is_settled_and_handed_out_once(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a"), note("b"), note("c")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:01")).await.unwrap();
    let claims = claim(&mut tx, "09:00:02").await;
    let calls: Vec<_> = claims.iter().map(|claim| call(claim, "09:00:02")).collect();
    let ids = tx.open_calls(&calls).await.unwrap();
    let outcomes = [
        Disposition::Observed,
        Disposition::Missed(MissedReason::Quota),
        Disposition::Missed(MissedReason::Quota),
    ];
    let mut answers: Vec<_> = claims
        .iter()
        .zip(ids)
        .zip(outcomes)
        .map(|((claim, id), next)| answer(claim, id, "09:00:05", next, Facts::default()))
        .collect();
    answers[1].end.billed = Billed::No;
    answers[2].end.billed = Billed::Unknown;
    tx.save(&answers[..2]).await.unwrap();
    assert!(!tx.has_settled_runs().await.unwrap());
    assert!(tx.close_runs(at("09:00:06")).await.unwrap().is_empty(), "a look is open");
    tx.save(&answers[2..]).await.unwrap();
    assert!(tx.has_settled_runs().await.unwrap());
    let closed = tx.close_runs(at("09:00:07")).await.unwrap();
    let [run] = &closed[..] else { panic!("{closed:?}") };
    assert_eq!(run.job.as_deref(), Some("campaign"));
    assert_eq!((run.due_at, run.decided_at, run.settled_at), {
        (at("09:00:00"), at("09:00:01"), at("09:00:05"))
    });
    assert_eq!((run.due, run.observed, run.missed), (3, 1, 2));
    assert_eq!((run.calls, run.billed, run.unknown, run.cost_micros), (3, 1, 1, 150_000));
    let reasons = tx.missed_by_reason(&closed).await.unwrap();
    assert_eq!(reasons[&run.run_id], [(MissedReason::Quota, 2)].into());
    assert!(tx.close_runs(at("09:00:08")).await.unwrap().is_empty(), "handed out once");

    // Fires that nobody decided in time are missed as they are planned: that was told there.
    let mut fires = open_at("12:00:00");
    fires.open.clear();
    fires.missed = vec![
        (at("10:00:00"), MissedReason::DaemonDown),
        (at("11:00:00"), MissedReason::DaemonDown),
    ];
    tx.fire(job, &fires, None, at("11:30:00")).await.unwrap();
    assert!(tx.close_runs(at("11:30:01")).await.unwrap().is_empty());
    assert!(!tx.has_settled_runs().await.unwrap());
}

on_both!(a_look_that_gives_way_instead_of_being_tried_again_ends_with_its_answer);
async fn a_look_that_gives_way_instead_of_being_tried_again_ends_with_its_answer(
    database: Database,
) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    let fires = Fires { missed: vec![], open: vec![at("09:00:00"), at("10:00:00")] };
    tx.fire(job, &fires, None, at("10:00:00")).await.unwrap();
    let older = claim(&mut tx, "10:00:01").await.remove(0);
    assert_eq!(older.due_at, at("09:00:00"));
    let ids = tx.open_calls(&[call(&older, "10:00:01")]).await.unwrap();
    let again = Disposition::Retry(at("10:07:30"), MissedReason::UpstreamFailure);
    tx.save(&[answer(&older, ids[0], "10:00:02", again, Facts::default())]).await.unwrap();
    let closed = tx.close_runs(at("10:00:03")).await.unwrap();
    assert_eq!((closed.len(), closed[0].missed), (1, 1));
    assert_eq!(closed[0].settled_at, at("10:00:02"), "not when it might have been tried again");
}
