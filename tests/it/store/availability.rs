//! Statements about targets that cannot be seen.

use std::time::Duration;

use tidewatch::model::{Facts, MissedReason, Origin, Outcome, Unavailability};
use tidewatch::store::{Answer, Asked, Claim, Disposition, Fires, Store, Unavailable};

use super::{answer, at, call, campaign, claim, claim_as, look, note, open_at};
use crate::databases::{Database, on_both};
use crate::rows;

const SERVER: &str = "https://api.justoneapi.com/";

fn asked(endpoint: &'static str, server: &str) -> Asked {
    Asked { endpoint, server: server.to_owned() }
}

/// An answer about a claim with this outcome instead of rows.
fn said(claim: &Claim, call_id: i64, now: &str, outcome: &'static str) -> Answer {
    let mut answer = answer(
        claim,
        call_id,
        now,
        Disposition::Missed(MissedReason::parse(outcome).unwrap()),
        Facts::default(),
    );
    answer.end.outcome = Outcome::parse(outcome).unwrap();
    answer.end.message = Some("so it says".into());
    answer
}

/// Makes the looks that are due, all with this outcome.
async fn look_with(store: &Store, now: &str, outcome: &'static str) {
    let mut tx = store.begin().await.unwrap();
    let claims = claim(&mut tx, now).await;
    let calls: Vec<_> = claims.iter().map(|claim| call(claim, now)).collect();
    let ids = tx.open_calls(&calls).await.unwrap();
    let said = |(claim, id): (&Claim, i64)| said(claim, id, now, outcome);
    let answers: Vec<_> = claims.iter().zip(ids).map(said).collect();
    assert_eq!(tx.save(&answers).await.unwrap().late, 0);
    tx.commit().await.unwrap();
}

async fn unseen(store: &Store) -> Vec<Unavailable> {
    store.read().await.unwrap().unavailable(10).await.unwrap()
}

on_both!(what_cannot_be_seen_is_listed_with_its_evidence_while_it_is_watched);
async fn what_cannot_be_seen_is_listed_with_its_evidence_while_it_is_watched(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let notes = [note("a"), note("b")];
    let job = campaign(&mut tx, &notes).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    tx.commit().await.unwrap();
    look_with(&store, "09:00:01", "bad_request").await;
    let listed = unseen(&store).await;
    assert_eq!(listed.len(), 2);
    let second = Unavailable {
        state: Unavailability::Refused,
        kind: "note".into(),
        key: "b".into(),
        since: at("09:00:01"),
        evidence: "bad_request, code 0: so it says".into(),
        confirmations: 1,
        probe_at: None,
    };
    assert_eq!(listed[0], second);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.unavailable(1).await.unwrap(), [second]);
    tx.fire(job, &open_at("10:00:00"), None, at("10:00:00")).await.unwrap();
    assert!(claim(&mut tx, "10:00:01").await.is_empty(), "nothing is asked");
    tx.set_watchlist(job, &notes[..1], at("10:30:00")).await.unwrap();
    assert_eq!(tx.unavailable(10).await.unwrap().len(), 1);
}

on_both!(a_mark_ends_with_the_settings_it_was_made_under);
async fn a_mark_ends_with_the_settings_it_was_made_under(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    tx.commit().await.unwrap();
    look_with(&store, "09:00:01", "bad_request").await;
    let mut tx = store.begin().await.unwrap();
    let (v1, v7) = ("xiaohongshu/get-note-detail/v1", "xiaohongshu/get-note-detail/v7");
    let same = [asked(v1, SERVER), asked(v7, SERVER)];
    assert_eq!(tx.reconsider(&same, at("09:10:00")).await.unwrap(), 0);
    let elsewhere = [asked(v1, SERVER), asked(v7, "http://127.0.0.1:4567/")];
    assert_eq!(tx.reconsider(&elsewhere, at("09:10:00")).await.unwrap(), 1);
    assert_eq!(tx.reconsider(&elsewhere, at("09:11:00")).await.unwrap(), 0);
    assert!(tx.unavailable(10).await.unwrap().is_empty());
    tx.fire(job, &open_at("10:00:00"), None, at("10:00:00")).await.unwrap();
    tx.commit().await.unwrap();
    // Gone is not over because another one is asked, but that one is asked at once.
    look_with(&store, "10:00:01", "gone").await;
    assert_eq!(
        unseen(&store).await[0].probe_at,
        Some(at("10:00:00").plus(Duration::from_secs(24 * 3600)))
    );
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.reconsider(&elsewhere, at("10:10:00")).await.unwrap(), 1);
    assert_eq!(tx.unavailable(10).await.unwrap()[0].probe_at, Some(at("10:10:00")));
}

on_both!(a_late_answer_says_nothing_and_a_verdict_settles_what_else_is_open);
async fn a_late_answer_says_nothing_and_a_verdict_settles_what_else_is_open(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    let fires = Fires { missed: vec![], open: vec![at("08:59:00"), at("09:00:00")] };
    tx.fire(job, &fires, None, at("09:00:00")).await.unwrap();
    let old = claim(&mut tx, "09:00:00").await.remove(0);
    let old_call = tx.open_calls(&[call(&old, "09:00:00")]).await.unwrap()[0];
    let new = claim_as(&mut tx, 8, "09:30:00").await.remove(0);
    let new_call = tx.open_calls(&[call(&new, "09:30:00")]).await.unwrap()[0];
    assert_eq!(tx.save(&[said(&old, old_call, "09:30:01", "gone")]).await.unwrap().late, 1);
    assert!(tx.unavailable(10).await.unwrap().is_empty());
    let by_hand = tx.run_by_hand(&[note("a")], Origin::Fetch, at("09:30:01")).await.unwrap();
    assert_eq!(tx.save(&[said(&new, new_call, "09:30:02", "gone")]).await.unwrap().late, 0);
    let missed = tx.problems(at("00:00:00"), at("00:00:00")).await.unwrap();
    assert_eq!((missed[0].detail.as_str(), missed[0].count), ("gone", 2));
    // What is asked for by hand is asked.
    assert_eq!(tx.slot_results(by_hand).await.unwrap()[0].outcome, None);
    tx.commit().await.unwrap();
    look(&store, "09:30:03", Disposition::Observed, rows::one_of_each("a")).await;
    assert!(unseen(&store).await.is_empty(), "it is back");
}

on_both!(a_later_page_that_is_refused_does_not_stop_the_search);
async fn a_later_page_that_is_refused_does_not_stop_the_search(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    tx.commit().await.unwrap();
    look(&store, "09:00:01", Disposition::Continue { page: 2 }, Facts::default()).await;
    look_with(&store, "09:00:02", "bad_request").await;
    assert!(unseen(&store).await.is_empty());
}
