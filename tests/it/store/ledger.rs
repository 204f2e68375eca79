//! Ledger rows that vanish under open calls, and answers that the database does not take.

use tidewatch::store::{Disposition, Store};

use super::{answer, at, call, campaign, claim, note, open_at};
use crate::databases::{Database, count, on_both, rows as found};
use crate::env::{Env, hours, minutes, world};
use crate::rows::one_of_each;

/// Runs statements of either database.
pub(super) async fn run(store: &Store, sqlite: &'static str, postgres: &'static str) {
    match store {
        Store::Sqlite { writer, .. } => sqlx::raw_sql(sqlite).execute(writer).await.map(|_| ()),
        Store::Postgres(pool) => sqlx::raw_sql(postgres).execute(pool).await.map(|_| ()),
    }
    .unwrap();
}

/// Undoes the claims and their calls, which are one transaction, as a crash does.
pub(super) async fn lose_claims(store: &Store) {
    let claims = "delete from calls; update slots set fence = fence - 1, attempts = attempts - 1,
                      lease_owner = null, lease_until = null";
    run(store, claims, claims).await;
    run(store, "", "alter sequence calls_call_id_seq restart with 1").await;
}

on_both!(an_answer_whose_ledger_row_is_lost_is_kept_with_a_new_one);
async fn an_answer_whose_ledger_row_is_lost_is_kept_with_a_new_one(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let notes = ["a", "b", "c"].map(note);
    let job = campaign(&mut tx, &notes).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let claims = claim(&mut tx, "09:00:00").await;
    let calls: Vec<_> = claims.iter().map(|it| call(it, "09:00:01")).collect();
    let ids = tx.open_calls(&calls).await.unwrap();
    tx.commit().await.unwrap();
    lose_claims(&store).await;
    let mut tx = store.begin().await.unwrap();
    // Takes the number of the first.
    let taken = tx.open_calls(&calls[2..]).await.unwrap()[0];
    assert_eq!(taken, ids[0]);
    tx.commit().await.unwrap();
    let save = async || {
        let mut tx = store.begin().await.unwrap();
        let answers: Vec<_> = (0..2)
            .map(|nth| {
                let (claim, facts) = (&claims[nth], one_of_each(&claims[nth].key));
                let mut it = answer(claim, ids[nth], "09:00:02", Disposition::Observed, facts);
                it.opened = Some(calls[nth].clone());
                it
            })
            .collect();
        let saved = tx.save(&answers).await.unwrap();
        tx.commit().await.unwrap();
        saved.late
    };
    assert_eq!(save().await, 0);
    let anew = "select count(*) from calls c join documents d on d.document_id = c.call_id
                where c.reinserted_at is not null and c.outcome = 'ok' and c.attempt = 1
                  and c.opened_at is not null and d.target_id = c.target_id";
    assert_eq!(count(&store, anew).await, 2);
    assert_eq!(count(&store, "select count(*) from notes").await, 2);
    let settled = "select count(*) from slots where outcome = 'observed' and attempts = 1";
    assert_eq!(count(&store, settled).await, 2);
    let open: Vec<(i64, Option<String>)> =
        found(&store, "select target_id, outcome from calls where reinserted_at is null").await;
    assert_eq!(open, [(claims[2].target_id, None)], "the call with its number is as it was");
    let mut tx = store.begin().await.unwrap();
    tx.fire(job, &open_at("10:00:00"), None, at("10:00:00")).await.unwrap();
    let next = claim(&mut tx, "10:00:00").await.remove(0);
    let next = tx.open_calls(&[call(&next, "10:00:01")]).await.unwrap()[0];
    assert!(next > ids[1], "no number is given twice");
}

on_both!(two_calls_that_were_given_one_number_keep_both_their_answers);
async fn two_calls_that_were_given_one_number_keep_both_their_answers(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    tx.commit().await.unwrap();
    let mut answers = Vec::new();
    for now in ["09:00:00", "09:00:01"] {
        if !answers.is_empty() {
            lose_claims(&store).await;
        }
        let mut tx = store.begin().await.unwrap();
        let claim = claim(&mut tx, now).await.remove(0);
        let opened = call(&claim, now);
        let number = tx.open_calls(std::slice::from_ref(&opened)).await.unwrap()[0];
        tx.commit().await.unwrap();
        let mut it = answer(&claim, number, now, Disposition::Observed, one_of_each("a"));
        it.opened = Some(opened);
        answers.push(it);
    }
    assert_eq!(answers[0].end.call_id, answers[1].end.call_id);
    // Again, as after a commit whose outcome is unknown.
    for _ in 0..2 {
        let mut tx = store.begin().await.unwrap();
        tx.save(&answers).await.unwrap();
        tx.commit().await.unwrap();
        let kept: Vec<(Option<String>, i64)> = found(
            &store,
            "select c.outcome, count(c.reinserted_at) from calls c
             join documents d on d.document_id = c.call_id and d.fetched_at = c.sent_at
             where c.sent_at = c.opened_at group by c.outcome",
        )
        .await;
        assert_eq!(kept, [(Some("ok".to_owned()), 1)]);
        assert_eq!(count(&store, "select count(*) from calls").await, 2);
        assert_eq!(count(&store, "select count(*) from documents").await, 2);
    }
}

/// Loses the ledger row of each call for the first target as soon as it is written, and refuses
/// every document of the second.
const MISBEHAVE: [&str; 2] = [
    "create trigger lose after insert on calls when new.target_id = 1 and new.reinserted_at is null
     begin delete from calls where call_id = new.call_id; end;
     create trigger refuse before insert on documents when new.target_id = 2
     begin select raise(abort, 'not this one'); end",
    "create function lose() returns trigger language plpgsql as $$ begin
         delete from calls where call_id = new.call_id; return null; end $$;
     create trigger lose after insert on calls for each row
         when (new.target_id = 1 and new.reinserted_at is null) execute function lose();
     create function refuse() returns trigger language plpgsql as $$ begin
         raise exception 'not this one' using errcode = 'check_violation'; end $$;
     create trigger refuse before insert on documents for each row
         when (new.target_id = 2) execute function refuse()",
];

/// A daemon that watches three notes in a database that misbehaves.
async fn misbehaving(database: Database) -> (Env, String) {
    let notes: Vec<_> = world().notes(3).iter().map(|it| format!("\"{it}\"")).collect();
    let job = format!(
        "[[job]]\nname = \"campaign\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = [{}]\n",
        notes.join(", ")
    );
    let env = Env::new(database, &job).await;
    run(&env.store, MISBEHAVE[0], MISBEHAVE[1]).await;
    (env, job)
}

async fn behave(store: &Store) {
    run(store, "drop trigger refuse", "drop trigger refuse on documents").await;
}

/// The second target's answer as it was received, with its slot.
const RECEIVED: &str = "select count(*) from documents d join calls c on c.call_id = d.document_id
    join slots s on s.call_id = c.call_id
    where c.target_id = 2 and c.outcome = 'ok' and d.outcome = 'ok' and d.drift is null
      and s.outcome = 'observed'";

/// The second target's calls whose answers are given up: their slots are settled.
const GIVEN_UP: &str = "select count(*) from calls c join slots s on s.call_id = c.call_id
    where c.target_id = 2 and c.outcome = 'unreadable' and c.billed = 'yes'
      and s.outcome = 'missed' and s.lease_owner is null";

on_both!(one_answer_holds_up_no_others_whatever_becomes_of_it);
async fn one_answer_holds_up_no_others_whatever_becomes_of_it(database: Database) {
    let (mut env, _) = misbehaving(database).await;
    env.advance(hours(1)).await;
    let observed = "select target_id || '' from slots where outcome = 'observed' order by 1";
    assert_eq!(env.ask(observed).await, ["1", "3"]);
    let anew = "select count(*) from calls where reinserted_at is not null and outcome = 'ok'";
    assert_eq!(count(&env.store, anew).await, 1);
    behave(&env.store).await;
    env.advance(minutes(2)).await;
    env.advance(minutes(1)).await;
    assert_eq!(count(&env.store, RECEIVED).await, 1, "as received: it was not at fault");
}

on_both!(what_was_put_aside_is_tried_once_more_at_a_stop_and_then_given_up);
async fn what_was_put_aside_is_tried_once_more_at_a_stop_and_then_given_up(database: Database) {
    let (mut env, job) = misbehaving(database).await;
    env.advance(hours(1)).await;
    env.stop().await;
    assert_eq!(count(&env.store, GIVEN_UP).await, 1);
    env.restart(&job).await;
    env.advance(hours(1)).await;
    behave(&env.store).await;
    env.stop().await;
    assert_eq!(count(&env.store, RECEIVED).await, 1);
    let open = "select count(*) from calls where outcome is null";
    assert_eq!(count(&env.store, open).await, 0);
}

on_both!(what_is_put_aside_keeps_its_target_from_calls_for_an_hour_at_most);
async fn what_is_put_aside_keeps_its_target_from_calls_for_an_hour_at_most(database: Database) {
    let (mut env, _) = misbehaving(database).await;
    for _ in 0..3 {
        env.advance(hours(1)).await;
        env.advance(minutes(1)).await;
    }
    assert!(count(&env.store, GIVEN_UP).await > 0);
    let calls = "select count(*) from calls where target_id = 2";
    assert!(count(&env.store, calls).await > 1, "its next slot");
}

/// Refuses to close calls of the second target as well, and the commit of each call of the third.
const DOUBT: [&str; 2] = [
    "create trigger keep before update on calls when new.target_id = 2 and new.billed = 'yes'
     begin select raise(abort, 'not this one'); end;
     create table doubts (it integer references targets deferrable initially deferred);
     create trigger doubt after insert on calls when new.target_id = 3
     begin insert into doubts values (-1); end",
    "create trigger keep before update on calls for each row
         when (new.target_id = 2 and new.billed = 'yes') execute function refuse();
     create constraint trigger doubt after insert on calls deferrable initially deferred
         for each row when (new.target_id = 3) execute function refuse()",
];

on_both!(a_call_whose_answer_is_given_up_is_never_said_to_be_unsent);
async fn a_call_whose_answer_is_given_up_is_never_said_to_be_unsent(database: Database) {
    let (mut env, _) = misbehaving(database).await;
    env.advance(hours(1)).await;
    run(&env.store, DOUBT[0], DOUBT[1]).await;
    env.advance_to_error(hours(1)).await;
    run(&env.store, "drop trigger doubt", "drop trigger doubt on calls").await;
    env.advance(minutes(1)).await;
    let said: Vec<(Option<String>, String)> =
        found(&env.store, "select outcome, billed from calls where target_id = 2").await;
    assert!(said.contains(&(None, "unknown".to_owned())), "{said:?}");
    assert!(!said.iter().any(|(outcome, _)| outcome.as_deref() == Some("unsent")), "{said:?}");
}
