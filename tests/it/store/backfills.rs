//! Statements about backfills, and about answers that were fetched elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tidewatch::backfill::{self, Found, Request};
use tidewatch::model::{
    BackfillState, Billed, Facts, Kind, MissedReason, Outcome, ProblemKind, Target,
};
use tidewatch::store::{
    Body, CallStart, Claim, Disposition, Document, Import, Imported, Limits, NewBackfill, Resolved,
    SlotCounts, Spent, Store, Tx,
};
use tidewatch::time::Time;

use super::ledger::lose_claims;
use super::{OWNER, answer, at, call, campaign, claim, note, open_at, wish};
use crate::databases::{Database, count, on_both};
use crate::rows::one_of_each;

/// Names the columns of a backfill called `many`.
fn many(limits: Limits) -> NewBackfill {
    NewBackfill { name: "many".into(), source: "list".into(), digest: "d".into(), limits }
}

/// A backfill whose planning has ended.
async fn planned(tx: &mut Tx, new: &NewBackfill, targets: &[Target], due_at: Time) -> i64 {
    let run = tx.put_backfill(new, due_at).await.unwrap();
    tx.plan_backfill(run, due_at, 0, targets).await.unwrap();
    assert!(tx.start_backfill(run).await.unwrap());
    run
}

async fn claim_run(tx: &mut Tx, run: i64, limit: usize, now: &str) -> Vec<Claim> {
    let until = at(now).plus(Duration::from_secs(150));
    tx.claim(wish(Some(run), limit), at(now), until).await.unwrap()
}

on_both!(looks_of_a_backfill_are_its_own_and_no_schedule_settles_them);
async fn looks_of_a_backfill_are_its_own_and_no_schedule_settles_them(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    let due = at("08:59:00.5");
    let run = planned(&mut tx, &many(Limits::default()), &[note("a"), note("b")], due).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    tx.close_unwatched(at("09:00:00")).await.unwrap();
    for run in [None, Some(run)] {
        assert_eq!(tx.kinds_due(run, at("09:00:00")).await.unwrap(), [Kind::Note]);
    }
    // Of one target only one look is made at a time, whoever planned it.
    let live = claim(&mut tx, "09:00:00").await;
    assert_eq!(
        live.iter().map(|it| (it.key.as_str(), it.due_at)).collect::<Vec<_>>(),
        [("a", at("09:00:00"))]
    );
    let mine = claim_run(&mut tx, run, 10, "09:00:00").await;
    assert_eq!(mine.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(), ["b"]);
    // One that is to be tried again is not given up for the next look of the schedule.
    let call_id = tx.open_calls(&[call(&mine[0], "09:00:00")]).await.unwrap()[0];
    let later = Disposition::Retry(at("09:00:10"), MissedReason::Transport);
    tx.save(&[answer(&mine[0], call_id, "09:00:01", later, Facts::default())]).await.unwrap();
    tx.fire(job, &open_at("10:00:00"), None, at("10:00:00")).await.unwrap();
    let looks = tx.slots_of_backfill(run).await.unwrap();
    assert_eq!(looks, SlotCounts { total: 2, observed: 0, missed: 0, open: 2, retrying: 1 });
    let overdue = tx.problems(at("12:00:00"), at("12:00:00")).await.unwrap();
    assert!(
        overdue.iter().all(|problem| problem.kind != ProblemKind::Overdue || problem.count == 1)
    );
    assert_eq!(tx.remaining_kinds(run).await.unwrap(), [note("a")]);
}

on_both!(what_a_backfill_may_take_is_counted_by_the_ledger);
async fn what_a_backfill_may_take_is_counted_by_the_ledger(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let limits = Limits { max_calls: Some(2), max_cost_micros: None };
    let targets = ["a", "b", "c"].map(note);
    let run = planned(&mut tx, &many(limits), &targets, at("09:00:00.5")).await;
    assert_eq!(tx.limits_of_run(run + 1).await.unwrap(), None);
    let claims = claim_run(&mut tx, run, 2, "09:00:01").await;
    let calls = claims.iter().map(|it| CallStart { run_id: Some(run), ..call(it, "09:00:01") });
    let calls = tx.open_calls(&calls.collect::<Vec<_>>()).await.unwrap();
    assert!(!tx.halt_at_limit(run).await.unwrap(), "calls are under way");
    // Open rows count, and those that were not billed do not.
    let spent = |calls, cost_micros| Some((limits, Spent { calls, cost_micros }));
    assert_eq!(tx.limits_of_run(run).await.unwrap(), spent(2, 300_000));
    let mut free = answer(
        &claims[0],
        calls[0],
        "09:00:02",
        Disposition::Missed(MissedReason::Quota),
        Facts::default(),
    );
    free.end.billed = Billed::No;
    tx.save(&[free]).await.unwrap();
    assert_eq!(tx.limits_of_run(run).await.unwrap(), spent(1, 150_000));
    assert_eq!(
        tx.missed_of_backfill(run).await.unwrap(),
        BTreeMap::from([(MissedReason::Quota, 1)])
    );
    assert_eq!(tx.call_totals_of_backfill(run).await.unwrap()[0].calls, 2);
    let done = answer(&claims[1], calls[1], "09:00:02", Disposition::Observed, one_of_each("b"));
    tx.save(&[done]).await.unwrap();
    assert!(tx.halt_at_limit(run).await.unwrap());
    assert_eq!(tx.unfinished_backfills().await.unwrap(), [(run, BackfillState::Limited)]);
    assert_eq!(tx.next_try(None, at("09:00:03")).await.unwrap(), None, "it stands still");
    let more = Limits { max_calls: Some(5), max_cost_micros: None };
    assert!(tx.resume_backfill(run, more).await.unwrap());
    assert_eq!(tx.backfill_named("many").await.unwrap().unwrap().limits, more);
    assert!(tx.next_try(None, at("09:00:03")).await.unwrap().is_some());
    assert!(tx.halt_backfill(run).await.unwrap());
    assert_eq!(tx.unfinished_backfills().await.unwrap(), [(run, BackfillState::Stopped)]);
}

on_both!(a_call_whose_ledger_row_is_lost_counts_for_its_backfill);
async fn a_call_whose_ledger_row_is_lost_counts_for_its_backfill(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let limits = Limits { max_calls: Some(2), max_cost_micros: None };
    let run = planned(&mut tx, &many(limits), &[note("a")], at("09:00:00.5")).await;
    let claim = claim_run(&mut tx, run, 1, "09:00:01").await.remove(0);
    let opened = CallStart { run_id: Some(run), ..call(&claim, "09:00:01") };
    let call_id = tx.open_calls(std::slice::from_ref(&opened)).await.unwrap()[0];
    tx.commit().await.unwrap();
    lose_claims(&store).await;
    let mut tx = store.begin().await.unwrap();
    let mut it = answer(&claim, call_id, "09:00:02", Disposition::Observed, one_of_each("a"));
    it.opened = Some(opened);
    tx.save(&[it]).await.unwrap();
    let spent = Some((limits, Spent { calls: 1, cost_micros: 150_000 }));
    assert_eq!(tx.limits_of_run(run).await.unwrap(), spent);
}

on_both!(a_backfill_that_is_given_up_ends_when_its_last_call_does);
async fn a_backfill_that_is_given_up_ends_when_its_last_call_does(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let targets = ["a", "b"].map(note);
    let run = planned(&mut tx, &many(Limits::default()), &targets, at("09:00:00.5")).await;
    let claims = claim_run(&mut tx, run, 1, "09:00:01").await;
    let call_id = tx.open_calls(&[call(&claims[0], "09:00:01")]).await.unwrap()[0];
    assert!(tx.cancel_backfill(run).await.unwrap());
    while !tx.finish_backfills(at("09:00:02")).await.unwrap() {}
    assert_eq!(tx.backfill_named("many").await.unwrap().unwrap().ended_at, None);
    let done = answer(&claims[0], call_id, "09:00:03", Disposition::Observed, one_of_each("a"));
    tx.save(&[done]).await.unwrap();
    tx.finish_backfills(at("09:00:04")).await.unwrap();
    let row = tx.backfills().await.unwrap().remove(0);
    assert_eq!((row.state.as_str(), row.ended_at), ("cancelled", Some(at("09:00:04"))));
    assert_eq!(
        tx.missed_of_backfill(run).await.unwrap(),
        BTreeMap::from([(MissedReason::Cancelled, 1)])
    );
    assert!(!tx.resume_backfill(run, Limits::default()).await.unwrap());
    assert!(!tx.cancel_backfill(run).await.unwrap());
}

on_both!(interrupted_planning_is_completed_by_the_same_list);
async fn interrupted_planning_is_completed_by_the_same_list(database: Database) {
    let store = database.open().await;
    let targets: BTreeSet<_> = (0..2500).map(|n| note(&format!("n{n:04}"))).collect();
    let (new, due) = (many(Limits::default()), at("09:00:00.5"));
    let mut tx = store.begin().await.unwrap();
    let run = tx.put_backfill(&new, due).await.unwrap();
    let first: Vec<_> = targets.iter().take(1000).cloned().collect();
    tx.plan_backfill(run, due, 0, &first).await.unwrap();
    // What there is by now is neither claimed nor taken for all there is.
    assert_eq!(tx.next_try(None, at("09:00:01")).await.unwrap(), None);
    assert!(!tx.resume_backfill(run, Limits::default()).await.unwrap());
    tx.finish_backfills(at("09:00:01")).await.unwrap();
    tx.commit().await.unwrap();
    let row = store.read().await.unwrap().backfill_named("many").await.unwrap().unwrap();
    assert_eq!((row.state, row.ended_at), (BackfillState::Planning, None));
    let again = backfill::begin(&store, &new, Some(&row), &targets, at("09:05:00")).await.unwrap();
    assert_eq!(again, run);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.slots_of_backfill(run).await.unwrap().total, 2500);
    assert_eq!(tx.unfinished_backfills().await.unwrap(), [(run, BackfillState::Running)]);
    tx.commit().await.unwrap();
}

on_both!(large_backfill_is_cancelled_in_batches);
async fn large_backfill_is_cancelled_in_batches(database: Database) {
    let store = database.open().await;
    let targets: BTreeSet<_> = (0..5001).map(|n| note(&format!("n{n:04}"))).collect();
    let new = many(Limits::default());
    let run = backfill::begin(&store, &new, None, &targets, at("09:00:00")).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert!(tx.cancel_backfill(run).await.unwrap());
    assert!(!tx.start_backfill(run).await.unwrap(), "it is given up");
    assert!(!tx.finish_backfills(at("09:00:01")).await.unwrap());
    assert_eq!(tx.slots_of_backfill(run).await.unwrap().open, 1);
    assert_eq!(tx.backfill_named("many").await.unwrap().unwrap().ended_at, None);
    while !tx.finish_backfills(at("09:00:02")).await.unwrap() {}
    let row = tx.backfill_named("many").await.unwrap().unwrap();
    assert_eq!((row.state, row.ended_at), (BackfillState::Cancelled, Some(at("09:00:02"))));
    assert_eq!(tx.slots_of_backfill(run).await.unwrap().missed, 5001);
    tx.commit().await.unwrap();
}

on_both!(the_same_list_goes_on_the_next_day_under_its_old_name);
async fn the_same_list_goes_on_the_next_day_under_its_old_name(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let new = NewBackfill { name: "2026-03-09-list".into(), ..many(Limits::default()) };
    let run = planned(&mut tx, &new, &[note("a")], at("09:00:00.5")).await;
    assert_eq!(tx.backfill_to_resume("other").await.unwrap(), None);
    let row = tx.backfill_to_resume("d").await.unwrap().unwrap();
    assert_eq!((row.run_id, row.name.as_str()), (run, "2026-03-09-list"));
    tx.commit().await.unwrap();
    let request = Request {
        name: None,
        source: "list".into(),
        digest: "d".into(),
        repeatable: false,
        limits: Limits::default(),
    };
    let next_day = backfill::find(&store, &request, "2026-03-10").await.unwrap();
    assert_eq!(next_day, Found::Existing(row));
    let named = Request { name: Some("mine".into()), ..request.clone() };
    let named = backfill::find(&store, &named, "2026-03-10").await.unwrap();
    assert_eq!(named, Found::New("mine".into()));
    let mut tx = store.begin().await.unwrap();
    assert!(tx.cancel_backfill(run).await.unwrap());
    tx.commit().await.unwrap();
    let given_up = backfill::find(&store, &request, "2026-03-10").await.unwrap();
    assert_eq!(given_up, Found::New("2026-03-10-list".into()));
}

fn import(target: Target, fetched_at: &str, facts: Facts) -> Import {
    Import {
        asked: target.key.clone(),
        target,
        code: Some("0".into()),
        outcome: Outcome::Ok,
        message: None,
        bytes: 2,
        document: Document {
            endpoint: "xiaohongshu/get-note-detail/v7",
            page: 1,
            fetched_at: at(fetched_at),
            http_status: 200,
            drift: None,
            body: Body::new(b"{}".to_vec()),
            imported_at: Some(at("20:00:00")),
            redacted_at: None,
        },
        facts,
        resolved: None,
        erased: false,
    }
}

/// Takes in these answers in one transaction; what became of each.
async fn take_in(store: &Store, imports: &[Import]) -> Vec<Imported> {
    let mut tx = store.begin().await.unwrap();
    let imports: Vec<_> = imports.iter().collect();
    let new = tx.import(&imports, OWNER, at("20:00:00")).await.unwrap();
    tx.commit().await.unwrap();
    new
}

on_both!(an_import_is_on_the_ledger_and_costs_nothing);
async fn an_import_is_on_the_ledger_and_costs_nothing(database: Database) {
    let store = database.open().await;
    let one = import(note("a"), "19:00:00", one_of_each("a"));
    let twice = [one.clone(), one.clone()];
    assert_eq!(take_in(&store, &twice).await, [Imported::New, Imported::Known]);
    assert_eq!(take_in(&store, &twice).await, [Imported::Known; 2]);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.spent_since(at("00:00:00")).await.unwrap(), Spent::default());
    let totals = tx.call_totals(at("00:00:00")).await.unwrap().remove(0);
    assert_eq!((totals.calls, totals.billed, totals.unknown, totals.unpriced), (1, 0, 0, 0));
    assert_eq!(tx.archived(&[note("a"), note("b")]).await.unwrap(), [note("a")]);
    drop(tx);
    let marked = "select count(*) from documents d join calls c on c.call_id = d.document_id
                  where d.imported_at is not null and c.imported_at = d.imported_at
                    and c.opened_at = d.fetched_at and c.finished_at = d.fetched_at
                    and c.billed = 'no' and c.outcome = 'ok'";
    assert_eq!(count(&store, marked).await, 1);
    assert_eq!(count(&store, "select count(*) from slots").await, 0);
}

on_both!(answers_of_one_time_that_differ_are_both_kept_and_the_later_counts);
async fn answers_of_one_time_that_differ_are_both_kept_and_the_later_counts(database: Database) {
    let store = database.open().await;
    let said = |likes: i64, spaces: &str| {
        let mut facts = one_of_each("a");
        facts.notes[0].counts.as_mut().unwrap().likes = Some(likes);
        let mut import = import(note("a"), "19:00:00", facts);
        import.document.body = Body::new(format!("{{\"likes\":{spaces}{likes}}}").into_bytes());
        import
    };
    let all = [said(7, ""), said(9, ""), said(7, "  ")];
    assert_eq!(take_in(&store, &all).await, [Imported::New, Imported::Beside, Imported::Known]);
    let later = [said(7, " "), said(11, "")];
    assert_eq!(take_in(&store, &later).await, [Imported::Known, Imported::Beside]);
    assert_eq!(count(&store, "select count(*) from documents").await, 3);
    let last = "select count(*) from stale where kind = 'note'";
    assert_eq!(count(&store, last).await, 1, "its counts are those of the last document");
}

on_both!(link_that_is_answered_twice_leads_to_its_first_item);
async fn link_that_is_answered_twice_leads_to_its_first_item(database: Database) {
    let store = database.open().await;
    let link = Target { kind: Kind::Note, key: "https://xhslink.com/a/x".into() };
    for (item_id, time) in [("a", "09:00:00"), ("b", "10:00:00")] {
        let mut resolving = import(link.clone(), time, Facts::default());
        let item_id = item_id.to_owned();
        resolving.resolved = Some(Resolved { kind: Kind::Note, link: link.key.clone(), item_id });
        assert_eq!(take_in(&store, &[resolving]).await, [Imported::New]);
    }
    let agree = "select count(*) from links l join targets t on t.key = l.link
                 where l.item_id = 'a' and t.item_id = 'a'";
    assert_eq!(count(&store, agree).await, 1);
    assert_eq!(count(&store, "select count(*) from targets where key = 'b'").await, 0);
}

on_both!(notes_that_were_listed_and_links_that_were_resolved_are_found);
async fn notes_that_were_listed_and_links_that_were_resolved_are_found(database: Database) {
    let store = database.open().await;
    let link = Target { kind: Kind::Note, key: "https://xhslink.com/a/x".into() };
    let mut resolving = import(link.clone(), "09:00:00", one_of_each("z"));
    let item_id = "a".to_owned();
    resolving.resolved = Some(Resolved { kind: Kind::Note, link: link.key.clone(), item_id });
    take_in(&store, &[resolving]).await;
    let mut tx = store.read().await.unwrap();
    let behind = tx.items_behind(&[link.clone(), note("b")]).await.unwrap();
    assert_eq!(behind, BTreeMap::from([(link.key, "a".to_owned())]));
    let listed = tx.discovered_notes("", 10).await.unwrap();
    assert!(!listed.is_empty() && listed.is_sorted());
    assert_eq!(tx.discovered_notes(&listed[0].key, 10).await.unwrap(), listed[1..]);
}
