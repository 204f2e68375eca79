//! Statements about what people are told.

use std::time::Duration;

use tidewatch::model::{Facts, MissedReason, Origin, Outcome, ProblemKind, Unavailability};
use tidewatch::store::{Disposition, Finding, Store};

use super::{answer, at, call, campaign, claim, note, open_at};
use crate::databases::{Database, on_both};

fn finding(subject: &str) -> Finding {
    Finding { subject: subject.into(), detail: "balance".into(), since: at("09:00:00") }
}

async fn subjects(store: &Store, now: &str) -> Vec<String> {
    let mut tx = store.begin().await.unwrap();
    let unsent = tx.has_unsent_alerts("ops", at(now)).await.unwrap();
    let until = at(now).plus(Duration::from_secs(60));
    let claimed = tx.claim_alerts("ops", at(now), until).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(unsent, !claimed.is_empty());
    claimed.into_iter().map(|row| row.subject).collect()
}

on_both!(what_is_found_is_handed_out_until_it_was_sent_and_again_when_it_is_over);
async fn what_is_found_is_handed_out_until_it_was_sent_and_again_when_it_is_over(
    database: Database,
) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let found = [finding("justoneapi"), finding("amagi")];
    assert_eq!(tx.raise_alerts("ops", "stopped", &found, at("09:00:10")).await.unwrap(), 2);
    let again = tx.raise_alerts("ops", "stopped", &found, at("09:01:10")).await.unwrap();
    assert_eq!(again, 0, "it is there already");
    let lasting = tx.lasting_alerts("ops").await.unwrap();
    assert_eq!(lasting[0].subject, "amagi");
    assert!(tx.lasting_alerts("another").await.unwrap().is_empty());
    let ids: Vec<i64> = lasting.iter().map(|row| row.alert_id).collect();
    tx.commit().await.unwrap();

    assert_eq!(subjects(&store, "09:00:10").await.len(), 2);
    assert!(subjects(&store, "09:00:20").await.is_empty(), "somebody is at it");
    assert_eq!(subjects(&store, "09:01:10").await.len(), 2, "who died of it");
    let mut tx = store.begin().await.unwrap();
    tx.alerts_failed(&ids, "HTTP 500", at("09:05:00")).await.unwrap();
    let problems = tx.problems(at("00:00:00"), at("00:00:00")).await.unwrap();
    assert_eq!((problems[0].kind, problems[0].count), (ProblemKind::AlertNotSent, 2));
    assert_eq!(problems[0].detail, "ops: HTTP 500");
    tx.commit().await.unwrap();
    assert!(subjects(&store, "09:04:59").await.is_empty());
    assert_eq!(subjects(&store, "09:05:00").await.len(), 2);

    let mut tx = store.begin().await.unwrap();
    tx.alerts_sent(&ids[..1], false, at("09:05:01")).await.unwrap();
    assert_eq!(tx.resolve_alerts(&ids, at("09:06:00")).await.unwrap(), 2);
    assert_eq!(tx.resolve_alerts(&ids, at("09:07:00")).await.unwrap(), 0);
    assert!(tx.problems(at("00:00:00"), at("00:00:00")).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    let over = subjects(&store, "09:06:00").await;
    assert_eq!(over, ["amagi"], "what was never told is not told when it is over");
    let mut tx = store.begin().await.unwrap();
    tx.alerts_sent(&ids[..1], true, at("09:06:01")).await.unwrap();
    tx.commit().await.unwrap();
    assert!(subjects(&store, "10:00:00").await.is_empty());
}

on_both!(one_message_at_a_time_is_handed_out_of_what_is_alike);
async fn one_message_at_a_time_is_handed_out_of_what_is_alike(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    for (condition, subject) in [("stopped", "amagi"), ("gone", "note a"), ("stopped", "b")] {
        tx.raise_alerts("ops", condition, &[finding(subject)], at("09:00:10")).await.unwrap();
    }
    let ids: Vec<i64> =
        tx.lasting_alerts("ops").await.unwrap().iter().map(|row| row.alert_id).collect();
    tx.commit().await.unwrap();
    assert_eq!(subjects(&store, "09:00:10").await, ["amagi", "b"]);
    assert_eq!(subjects(&store, "09:00:50").await, ["note a"], "nobody is at that one yet");
    assert!(subjects(&store, "09:01:09").await.is_empty());
    assert_eq!(subjects(&store, "09:01:10").await, ["amagi", "b"]);
    let mut tx = store.begin().await.unwrap();
    tx.alerts_sent(&ids, false, at("09:02:00")).await.unwrap();
    tx.resolve_alerts(&ids[1..2], at("09:03:00")).await.unwrap();
    tx.raise_alerts("ops", "stopped", &[finding("c")], at("09:03:00")).await.unwrap();
    tx.commit().await.unwrap();
    let both = [subjects(&store, "09:03:00").await, subjects(&store, "09:03:00").await];
    assert_eq!(both.map(|rows| rows.len()), [1, 1], "begun and over are not alike");
}

on_both!(what_was_found_for_an_alert_that_left_the_settings_is_over);
async fn what_was_found_for_an_alert_that_left_the_settings_is_over(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    for name in ["ops", "left"] {
        tx.raise_alerts(name, "stopped", &[finding("amagi")], at("09:00:10")).await.unwrap();
    }
    let id = tx.lasting_alerts("left").await.unwrap()[0].alert_id;
    tx.alerts_failed(&[id], "HTTP 500", at("09:05:00")).await.unwrap();
    assert!(!tx.has_orphaned_alerts(&["ops", "left"]).await.unwrap());
    assert!(tx.has_orphaned_alerts(&["ops"]).await.unwrap());
    assert_eq!(tx.drop_orphaned_alerts(&["ops"], at("09:06:00")).await.unwrap(), 1);
    assert!(!tx.has_orphaned_alerts(&["ops"]).await.unwrap());
    assert!(tx.problems(at("00:00:00"), at("00:00:00")).await.unwrap().is_empty());
    assert!(tx.lasting_alerts("left").await.unwrap().is_empty());
    assert_eq!(tx.lasting_alerts("ops").await.unwrap().len(), 1);
    assert_eq!(tx.drop_orphaned_alerts(&[], at("09:07:00")).await.unwrap(), 1);
}

/// A fire of the job, all of whose looks come to this.
async fn fired(store: &Store, job: i64, due: &str, next: Disposition) {
    let mut tx = store.begin().await.unwrap();
    tx.fire(job, &open_at(due), None, at(due)).await.unwrap();
    for claim in claim(&mut tx, due).await {
        let ids = tx.open_calls(&[call(&claim, due)]).await.unwrap();
        tx.save(&[answer(&claim, ids[0], due, next, Facts::default())]).await.unwrap();
    }
    tx.close_runs(at(due)).await.unwrap();
    tx.commit().await.unwrap();
}

on_both!(a_job_is_silent_after_so_many_settled_fires_without_an_observation);
async fn a_job_is_silent_after_so_many_settled_fires_without_an_observation(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.commit().await.unwrap();
    let silent = async |fires| {
        let mut tx = store.read().await.unwrap();
        tx.silent_jobs(fires).await.unwrap()
    };
    fired(&store, job, "09:00:00", Disposition::Missed(MissedReason::Quota)).await;
    fired(&store, job, "10:00:00", Disposition::Missed(MissedReason::Quota)).await;
    assert!(silent(3).await.is_empty(), "there were not so many fires");
    let mut tx = store.begin().await.unwrap();
    tx.fire(job, &open_at("11:00:00"), None, at("11:00:00")).await.unwrap();
    tx.close_runs(at("11:00:00")).await.unwrap();
    tx.commit().await.unwrap();
    assert!(silent(3).await.is_empty(), "the third is not settled");
    fired(&store, job, "11:00:00", Disposition::Missed(MissedReason::Quota)).await;
    let found = silent(3).await;
    let expected =
        Finding { subject: "campaign".into(), detail: String::new(), since: at("09:00:00") };
    assert_eq!(found, [expected]);
    assert_eq!(silent(2).await[0].since, at("10:00:00"));
    fired(&store, job, "12:00:00", Disposition::Observed).await;
    assert!(silent(1).await.is_empty() && silent(3).await.is_empty());
}

on_both!(an_item_is_gone_as_long_as_its_mark_lasts);
async fn an_item_is_gone_as_long_as_its_mark_lasts(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a"), note("b")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let claims = claim(&mut tx, "09:00:00").await;
    let ids = tx.open_calls(&[call(&claims[0], "09:00:00")]).await.unwrap();
    let mut gone = answer(
        &claims[0],
        ids[0],
        "09:00:01",
        Disposition::Missed(MissedReason::Gone),
        Facts::default(),
    );
    gone.end.outcome = Outcome::Gone;
    tx.save(&[gone]).await.unwrap();
    let found = tx.unavailable_items(Unavailability::Gone).await.unwrap();
    let expected =
        Finding { subject: "note a".into(), detail: String::new(), since: at("09:00:01") };
    assert_eq!(found, [expected]);
    tx.fire(job, &open_at("12:00:00"), None, at("12:00:00")).await.unwrap();
    tx.run_by_hand(&[note("a")], Origin::Fetch, at("12:00:30")).await.unwrap();
    let claims = claim(&mut tx, "12:00:30").await;
    let again = claims.iter().find(|claim| claim.key == "a").unwrap();
    let ids = tx.open_calls(&[call(again, "12:00:30")]).await.unwrap();
    let seen = answer(again, ids[0], "12:00:31", Disposition::Observed, Facts::default());
    tx.save(&[seen]).await.unwrap();
    assert!(tx.unavailable_items(Unavailability::Gone).await.unwrap().is_empty());
    assert!(tx.unavailable_items(Unavailability::Refused).await.unwrap().is_empty());
}

on_both!(an_item_whose_question_is_refused_is_told_and_is_not_called_gone);
async fn an_item_whose_question_is_refused_is_told_and_is_not_called_gone(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let claims = claim(&mut tx, "09:00:00").await;
    let ids = tx.open_calls(&[call(&claims[0], "09:00:00")]).await.unwrap();
    let next = Disposition::Missed(MissedReason::BadRequest);
    let mut refused = answer(&claims[0], ids[0], "09:00:01", next, Facts::default());
    refused.end.outcome = Outcome::BadRequest;
    tx.save(&[refused]).await.unwrap();
    let expected =
        Finding { subject: "note a".into(), detail: String::new(), since: at("09:00:01") };
    assert_eq!(tx.unavailable_items(Unavailability::Refused).await.unwrap(), [expected]);
    assert!(tx.unavailable_items(Unavailability::Gone).await.unwrap().is_empty());
}
