//! Statements about what holds calls back: pauses, rates and the budget.

use std::slice;

use tidewatch::model::{MissedReason, Origin, Pause, PauseReason, PauseScope, ResumedBy};
use tidewatch::store::{EndpointRow, Spent, Store, Tx};
use tidewatch::time::Time;

use super::{at, call, campaign, claim, note, open_at, wish};
use crate::databases::{Database, on_both, rows};

fn pause(scope: &str, name: &str, reason: &str) -> Pause {
    Pause {
        scope: PauseScope::parse(scope).unwrap(),
        name: name.into(),
        reason: PauseReason::parse(reason).unwrap(),
        note: Some("said so".into()),
        since: at("09:00:00"),
        until: Some(at("12:00:00")),
        probe_at: Some(at("10:00:00")),
        failures: 1,
        call_id: None,
    }
}

async fn begin(database: &Database) -> (Store, Tx) {
    let store = database.open().await;
    let tx = store.begin().await.unwrap();
    (store, tx)
}

on_both!(a_pause_lasts_until_its_time_an_answer_or_a_person_ends_it);
async fn a_pause_lasts_until_its_time_an_answer_or_a_person_ends_it(database: Database) {
    let (_store, mut tx) = begin(&database).await;
    let first = pause("endpoint", "notes", "quota");
    tx.pause(&first).await.unwrap();
    assert_eq!(tx.pauses(at("09:00:01")).await.unwrap(), slice::from_ref(&first));
    let longer = Pause {
        until: Some(at("13:00:00")),
        probe_at: Some(at("11:00:00")),
        failures: 2,
        ..first.clone()
    };
    tx.pause(&longer).await.unwrap();
    tx.pause(&Pause { until: Some(at("11:00:00")), failures: 0, ..first.clone() }).await.unwrap();
    assert_eq!(
        tx.pauses(at("09:00:01")).await.unwrap(),
        slice::from_ref(&longer),
        "never cut short"
    );
    assert!(tx.pauses(at("13:00:00")).await.unwrap().is_empty(), "its time is over");
    tx.end_expired(at("13:00:00")).await.unwrap();
    let denied = Pause { until: None, ..pause("endpoint", "notes", "denied") };
    tx.pause(&denied).await.unwrap();
    let resume = tx.resume(
        PauseScope::Endpoint,
        "notes",
        Some(PauseReason::Denied),
        at("08:00:00"),
        at("14:00:00"),
        ResumedBy::Answer,
    );
    assert_eq!(resume.await.unwrap(), 0, "an answer to an older call says nothing");
    let balance = Pause { until: None, ..pause("provider", "justoneapi", "balance") };
    tx.pause(&balance).await.unwrap();
    let resume = tx.resume(
        PauseScope::Endpoint,
        "notes",
        None,
        at("14:00:00"),
        at("14:00:00"),
        ResumedBy::Hand,
    );
    assert_eq!(resume.await.unwrap(), 1, "the quota has ended by time");
    assert!(
        tx.pauses(at("09:30:00"))
            .await
            .unwrap()
            .iter()
            .all(|row| row.scope == PauseScope::Provider)
    );
    // The same again is a new pause.
    tx.pause(&first).await.unwrap();
    assert_eq!(tx.pauses(at("09:30:00")).await.unwrap().len(), 2);
}

on_both!(a_pause_by_hand_ends_when_the_last_word_says);
async fn a_pause_by_hand_ends_when_the_last_word_says(database: Database) {
    let (_store, mut tx) = begin(&database).await;
    let by_hand = |until: Option<&str>| Pause {
        until: until.map(at),
        probe_at: None,
        ..pause("job", "spring", "by_hand")
    };
    for until in [None, Some("11:00:00"), Some("10:00:00"), Some("12:00:00"), None] {
        let said = by_hand(until);
        tx.pause(&said).await.unwrap();
        assert_eq!(tx.pauses(at("09:00:01")).await.unwrap(), [said]);
    }
}

on_both!(whoever_resumes_may_say_why);
async fn whoever_resumes_may_say_why(database: Database) {
    let (store, mut tx) = begin(&database).await;
    tx.pause(&pause("job", "spring", "by_hand")).await.unwrap();
    tx.pause(&pause("job", "autumn", "by_hand")).await.unwrap();
    let (job, now) = ("spring", at("09:30:00"));
    assert_eq!(
        tx.resume(PauseScope::Job, job, None, Time::MAX, now, ResumedBy::Hand).await.unwrap(),
        1
    );
    assert_eq!(tx.note_resume(PauseScope::Job, job, now, "paid").await.unwrap(), 1);
    assert_eq!(tx.note_resume(PauseScope::Job, "autumn", now, "paid").await.unwrap(), 0);
    tx.commit().await.unwrap();
    let notes: Vec<(String, Option<String>)> =
        rows(&store, "select name, ended_note from pauses order by name").await;
    assert_eq!(notes, [("autumn".into(), None), ("spring".into(), Some("paid".into()))]);
}

on_both!(one_call_at_a_time_tries_whether_a_pause_is_over);
async fn one_call_at_a_time_tries_whether_a_pause_is_over(database: Database) {
    let (_store, mut tx) = begin(&database).await;
    tx.pause(&pause("provider", "justoneapi", "balance")).await.unwrap();
    let probe = tx.probe(PauseScope::Provider, "justoneapi", at("09:59:59"), at("10:30:00"));
    assert_eq!(probe.await.unwrap(), 0, "not yet");
    let probe = tx.probe(PauseScope::Provider, "justoneapi", at("10:00:00"), at("10:30:00"));
    assert_eq!(probe.await.unwrap(), 1);
    let probe = tx.probe(PauseScope::Provider, "justoneapi", at("10:00:01"), at("10:30:00"));
    assert_eq!(probe.await.unwrap(), 0, "another one is trying");
}

on_both!(an_endpoint_keeps_its_rate_and_counts_its_failures);
async fn an_endpoint_keeps_its_rate_and_counts_its_failures(database: Database) {
    let (_store, mut tx) = begin(&database).await;
    let fresh = tx.endpoint("notes", at("09:00:00")).await.unwrap();
    let row = EndpointRow {
        paid_through: at("09:00:00"),
        speed_permille: 1000,
        slowed_at: None,
        failures: 0,
    };
    assert_eq!(fresh, row);
    tx.take_rate("notes", at("09:00:02")).await.unwrap();
    tx.slow_down("notes", 500, at("09:00:01")).await.unwrap();
    let notes = ["a", "b", "c", "d"].map(note);
    tx.put_targets(&notes, at("09:00:00")).await.unwrap();
    for (failed, afresh, count) in
        [(vec![1, 2, 3], false, 3), (vec![3, 4], false, 4), (vec![2], true, 1), (vec![], false, 1)]
    {
        let failed = failed.into_iter().collect();
        assert_eq!(tx.count_failures("notes", &failed, afresh).await.unwrap(), count);
    }
    let row = EndpointRow {
        paid_through: at("09:00:02"),
        speed_permille: 500,
        slowed_at: Some(at("09:00:01")),
        failures: 1,
    };
    assert_eq!(tx.endpoint("notes", at("10:00:00")).await.unwrap(), row);
}

on_both!(what_is_spent_is_read_from_the_ledger_and_claims_go_back_untried);
async fn what_is_spent_is_read_from_the_ledger_and_claims_go_back_untried(database: Database) {
    let (_store, mut tx) = begin(&database).await;
    let job = campaign(&mut tx, &[note("a"), note("b")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    tx.lock_spending().await.unwrap();
    let claims = claim(&mut tx, "09:00:01").await;
    let calls: Vec<_> = claims.iter().map(|claim| call(claim, "09:00:01")).collect();
    tx.open_calls(&calls[..1]).await.unwrap();
    let spent = Spent { calls: 1, cost_micros: 150_000 };
    assert_eq!(tx.spent_since(at("09:00:00")).await.unwrap(), spent, "open calls count");
    assert_eq!(tx.spent_since(at("09:00:02")).await.unwrap(), Spent::default());
    assert_eq!(tx.calls_of_job_since("campaign", at("09:00:00")).await.unwrap(), 1);
    assert_eq!(tx.calls_of_job_since("another", at("09:00:00")).await.unwrap(), 0);
    let wanted = tx.jobs_of_claims(&claims).await.unwrap();
    assert!(wanted.len() == 2 && wanted.iter().all(|row| row.job.as_deref() == Some("campaign")));
    assert_eq!(
        tx.postpone(&claims[1..], at("10:00:00"), Some(MissedReason::Budget)).await.unwrap(),
        1
    );
    assert!(claim(&mut tx, "09:59:59").await.is_empty());
    let next = tx.next_try_after(at("09:30:00")).await.unwrap();
    assert_eq!(next, Some(at("10:00:00")));
    let again = claim(&mut tx, "10:00:00").await;
    assert_eq!((again.len(), again[0].attempt), (1, 1), "it was no try");
    tx.postpone(&again, at("10:00:00"), None).await.unwrap();
    let run = tx.run_by_hand(&[note("c")], Origin::Fetch, at("11:00:00")).await.unwrap();
    let until = at("12:00:00");
    let claims = tx.claim(wish(Some(run), 1), at("11:00:00"), until).await.unwrap();
    let wanted = tx.jobs_of_claims(&claims).await.unwrap();
    assert!(wanted.len() == 1 && wanted[0].job.is_none());
}
