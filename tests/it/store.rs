//! Every statement of the store, on both databases.

mod alerts;
mod availability;
mod backfills;
mod claim_order;
mod conflicts;
mod derivation;
mod facts;
mod ledger;
mod limits;
mod orders;
mod processes;
mod replay;
mod runs;
mod schedules;
mod sessions;
pub(crate) mod stale;
mod timeouts;
mod views;
mod watchlists;

use std::collections::BTreeSet;
use std::time::Duration;

use tidewatch::model::{
    Billed, Facts, Kind, KolSearch, MissedReason, Origin, Outcome, Platform, ProblemKind,
    SlotOutcome, Target,
};
use tidewatch::store::{
    Answer, Body, CallEnd, CallStart, Claim, ClaimRequest, Disposition, Document, Fires, JobEntry,
    Resolved, Settlement, Store, Tombstone, Tx,
};
use tidewatch::time::Time;

use crate::databases::{Database, count, on_both};
use crate::rows;

const OWNER: i64 = 7;

fn at(text: &str) -> Time {
    format!("2026-03-09 {text}").parse().unwrap()
}

fn note(key: &str) -> Target {
    Target { kind: Kind::Note, key: key.to_owned() }
}

/// An hourly job of this name.
pub(crate) fn hourly(name: &str) -> JobEntry<'_> {
    JobEntry {
        name,
        kind: Kind::Note,
        schedule: "@hourly",
        timezone: "Asia/Shanghai",
        active: None,
        overlap: "skip",
        spread_seconds: 0,
    }
}

/// A job named `campaign` that watches these notes; its number.
async fn campaign(tx: &mut Tx, notes: &[Target]) -> i64 {
    let job = tx.put_job(&hourly("campaign"), at("08:30:00")).await.unwrap().unwrap();
    tx.put_targets(notes, at("08:30:00")).await.unwrap();
    tx.set_watchlist(job, notes, at("08:30:00")).await.unwrap();
    job
}

fn open_at(due: &str) -> Fires {
    Fires { missed: vec![], open: vec![at(due)] }
}

/// Notes of a run, or of all runs, for nobody in particular.
fn wish(run: Option<i64>, limit: usize) -> ClaimRequest<'static> {
    ClaimRequest { owner: OWNER, kind: Kind::Note, run, held_jobs: &[], skips_failed: false, limit }
}

async fn claim(tx: &mut Tx, now: &str) -> Vec<Claim> {
    claim_as(tx, OWNER, now).await
}

async fn claim_as(tx: &mut Tx, owner: i64, now: &str) -> Vec<Claim> {
    let until = at(now).plus(Duration::from_secs(150));
    let wish = ClaimRequest { owner, ..wish(None, 10) };
    let mut claims = tx.claim(wish, at(now), until).await.unwrap();
    claims.sort_by_key(|claim| claim.target_id);
    claims
}

fn call(claim: &Claim, now: &str) -> CallStart {
    CallStart {
        endpoint: "xiaohongshu/get-note-detail/v7",
        target_id: claim.target_id,
        due_at: claim.due_at,
        page: claim.page,
        attempt: claim.attempt,
        owner: OWNER,
        opened_at: at(now),
        price_micros: Some(150_000),
        run_id: None,
    }
}

/// An answer with a document and rows.
fn answer(claim: &Claim, call_id: i64, now: &str, next: Disposition, facts: Facts) -> Answer {
    Answer {
        end: CallEnd {
            call_id,
            sent_at: at(now),
            finished_at: at(now),
            http_status: Some(200),
            code: Some("0".into()),
            outcome: Outcome::Ok,
            billed: Billed::Yes,
            bytes: 15,
            duration_ms: 1,
            message: None,
        },
        opened: None,
        settlement: Settlement {
            target_id: claim.target_id,
            due_at: claim.due_at,
            fence: claim.fence,
            call_id,
            next,
            at: at(now),
        },
        server: "https://api.justoneapi.com/".into(),
        asked: claim.key.clone(),
        target: claim.key.clone(),
        document: Some(Document {
            endpoint: "xiaohongshu/get-note-detail/v7",
            page: claim.page,
            fetched_at: at(now),
            http_status: 200,
            drift: None,
            body: Body::new(br#"{"code": 0, "likes": 1.10, "text": "nul \u0000"}"#.to_vec()),
            imported_at: None,
            redacted_at: None,
        }),
        facts,
        resolved: None,
    }
}

/// One look at one note, from claim to rows; the claim and the call's number.
async fn look(store: &Store, now: &str, next: Disposition, facts: Facts) -> (Claim, i64) {
    let mut tx = store.begin().await.unwrap();
    let claim = claim(&mut tx, now).await.remove(0);
    let call_id = tx.open_calls(&[call(&claim, now)]).await.unwrap()[0];
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let saved = tx.save(&[answer(&claim, call_id, now, next, facts)]).await.unwrap();
    assert_eq!(saved.late, 0);
    tx.commit().await.unwrap();
    (claim, call_id)
}

on_both!(a_fire_makes_each_slot_once_and_supersedes_what_is_still_open);
async fn a_fire_makes_each_slot_once_and_supersedes_what_is_still_open(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a"), note("b")]).await;
    let fires = Fires {
        missed: vec![(at("09:00:00"), MissedReason::DaemonDown)],
        open: vec![at("10:00:00")],
    };
    assert!(tx.advance_job(job, at("08:30:00"), at("10:00:00"), None).await.unwrap());
    assert!(!tx.advance_job(job, at("08:30:00"), at("10:00:00"), None).await.unwrap());
    tx.fire(job, &fires, None, at("10:00:01")).await.unwrap();
    tx.fire(job, &fires, None, at("10:00:02")).await.unwrap();
    tx.fire(job, &open_at("11:00:00"), None, at("11:00:00")).await.unwrap();
    let totals = tx.slot_totals(at("00:00:00")).await.unwrap();
    assert_eq!((totals.due, totals.missed, totals.open, totals.observed), (6, 4, 2, 0));
    let problems = tx.problems(at("00:00:00"), at("00:00:00")).await.unwrap();
    let reasons: Vec<_> = problems.iter().map(|p| (p.detail.as_str(), p.count)).collect();
    assert_eq!(reasons, [("daemon_down", 2), ("superseded", 2)]);
    let jobs = tx.jobs().await.unwrap();
    assert_eq!((jobs.len(), jobs[0].fired_through, jobs[0].is_active), (1, at("10:00:00"), true));
}

on_both!(what_leaves_the_file_stops_and_keeps_its_history);
async fn what_leaves_the_file_stops_and_keeps_its_history(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a"), note("b")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    tx.set_watchlist(job, &[note("b")], at("09:30:00")).await.unwrap();
    tx.fire(job, &open_at("10:00:00"), None, at("10:00:00")).await.unwrap();
    let report = tx.job_reports(at("00:00:00")).await.unwrap().remove(0);
    assert_eq!((report.targets, report.due, report.missed, report.open), (1, 3, 1, 2));
    assert!(tx.retire_jobs_except(&BTreeSet::from(["other"]), at("11:00:00")).await.unwrap());
    assert!(!tx.jobs().await.unwrap()[0].is_active);
    let report = tx.job_reports(at("00:00:00")).await.unwrap().remove(0);
    assert_eq!((report.targets, report.due), (0, 3), "its slots stay");
    // When it comes back, the time between was not planned.
    let daily = JobEntry { schedule: "@daily", timezone: "UTC", ..hourly("campaign") };
    tx.put_job(&daily, at("12:00:00")).await.unwrap();
    let back = tx.jobs().await.unwrap().remove(0);
    assert_eq!((back.fired_through, back.schedule.as_str()), (at("12:00:00"), "@daily"));
}

on_both!(a_slot_is_claimed_once_and_its_target_looked_at_by_one_at_a_time);
async fn a_slot_is_claimed_once_and_its_target_looked_at_by_one_at_a_time(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a"), note("b")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    assert_eq!(tx.kinds_due(None, at("08:59:59")).await.unwrap(), []);
    assert_eq!(tx.kinds_due(None, at("09:00:00")).await.unwrap(), [Kind::Note]);
    let claims = claim(&mut tx, "09:00:00").await;
    assert_eq!(claims.len(), 2);
    assert_eq!(
        (claims[0].attempt, claims[0].page, claims[0].item_id.as_deref()),
        (1, 1, Some("a"))
    );
    assert_eq!(tx.kinds_due(None, at("09:00:01")).await.unwrap(), []);
    assert!(claim(&mut tx, "09:00:01").await.is_empty());
    // By hand, beside a look that is under way: it waits for that one.
    let run = tx.run_by_hand(&[note("a")], Origin::Fetch, at("09:01:00")).await.unwrap();
    assert!(claim(&mut tx, "09:01:00").await.is_empty());
    assert_eq!(tx.next_try(Some(run), at("09:01:00")).await.unwrap(), Some(at("09:01:00")));
    // The lease ends: another process may claim both anew, one target still only once.
    let again = claim_as(&mut tx, 8, "09:30:00").await;
    assert_eq!(again.len(), 2);
    assert_eq!((again[0].attempt, again[0].fence), (2, 2));
}

on_both!(a_run_alone_does_not_wait_for_older_looks_of_others);
async fn a_run_alone_does_not_wait_for_older_looks_of_others(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let run = tx.run_by_hand(&[note("a")], Origin::Fetch, at("09:01:00")).await.unwrap();
    let until = at("09:05:00");
    let claims = tx.claim(wish(Some(run), 10), at("09:01:00"), until).await;
    assert_eq!(claims.unwrap()[0].due_at, at("09:01:00"));
    assert!(claim(&mut tx, "09:01:01").await.is_empty(), "one look at a target at a time");
}

on_both!(what_a_held_job_wants_stays_and_keeps_nothing_from_the_others);
async fn what_a_held_job_wants_stays_and_keeps_nothing_from_the_others(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let many: Vec<_> = (0..500).map(|n| note(&format!("many{n}"))).collect();
    let shared = note("many7");
    for (name, notes) in [("held", &many[..]), ("free", &[note("mine"), shared])] {
        let job = tx.put_job(&hourly(name), at("08:30:00")).await.unwrap().unwrap();
        tx.put_targets(notes, at("08:30:00")).await.unwrap();
        tx.set_watchlist(job, notes, at("08:30:00")).await.unwrap();
        tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    }
    let held_jobs = ["held".to_owned()];
    let of_others = ClaimRequest { held_jobs: &held_jobs, ..wish(None, 8) };
    let claims = tx.claim(of_others, at("09:00:00"), at("09:01:00")).await.unwrap();
    let mut keys: Vec<_> = claims.iter().map(|claim| claim.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["many7", "mine"]);
    assert!(tx.claim(of_others, at("09:00:01"), at("09:01:00")).await.unwrap().is_empty());
    assert_eq!(tx.claim(wish(None, 8), at("09:00:01"), at("09:01:00")).await.unwrap().len(), 8);
}

on_both!(a_long_queue_of_one_target_keeps_nothing_from_the_others);
async fn a_long_queue_of_one_target_keeps_nothing_from_the_others(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let entry = JobEntry { overlap: "queue", ..hourly("queue") };
    let job = tx.put_job(&entry, at("00:00:00")).await.unwrap().unwrap();
    tx.put_targets(&[note("slow")], at("00:00:00")).await.unwrap();
    tx.set_watchlist(job, &[note("slow")], at("00:00:00")).await.unwrap();
    let open = (0..400).map(|n| at("00:00:00").plus(Duration::from_secs(60 * n))).collect();
    tx.fire(job, &Fires { missed: vec![], open }, None, at("09:00:00")).await.unwrap();
    let job = campaign(&mut tx, &[note("a"), note("b")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let keys = claim(&mut tx, "09:00:00").await.into_iter().map(|claim| claim.key);
    assert_eq!(keys.collect::<Vec<_>>(), ["slow", "a", "b"]);
}

on_both!(a_look_settles_its_slot_with_ledger_document_and_rows);
async fn a_look_settles_its_slot_with_ledger_document_and_rows(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    tx.commit().await.unwrap();
    let (_, call_id) =
        look(&store, "09:00:02", Disposition::Observed, rows::one_of_each("a")).await;
    let mut tx = store.read().await.unwrap();
    let totals = tx.call_totals(at("00:00:00")).await.unwrap();
    assert_eq!((totals[0].calls, totals[0].billed, totals[0].cost_micros), (1, 1, 150_000));
    assert_eq!(tx.slot_totals(at("00:00:00")).await.unwrap().observed, 1);
    let likes = tx.likes_since(at("00:00:00")).await.unwrap();
    assert_eq!(likes.len(), 2, "a note and a work");
    assert_eq!((likes[1].item_id.as_str(), likes[1].likes), ("a", 11));
    assert_eq!(likes[1].observed_at, at("09:00:02"));
    let mut counts = tx.counts_of_run(1).await.unwrap();
    assert_eq!(counts.remove(0).document_id, call_id);
    assert_eq!(tx.kols_of_run(1).await.unwrap()[0].video_price, None);
    assert_eq!(tx.suggestions_of_run(1).await.unwrap()[0].suggestion, "露营装备");
    assert_eq!(tx.call_totals_of_run(1).await.unwrap().len(), 1);
    let seen = tx.slot_results(1).await.unwrap();
    assert_eq!((seen[0].outcome, seen[0].call_id), (Some(SlotOutcome::Observed), Some(call_id)));
}

on_both!(a_call_that_failed_leaves_its_slot_open_and_the_next_page_follows_the_last);
async fn a_call_that_failed_leaves_its_slot_open_and_the_next_page_follows_the_last(
    database: Database,
) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    tx.commit().await.unwrap();
    let retry = Disposition::Retry(at("09:05:00"), MissedReason::UpstreamFailure);
    look(&store, "09:00:02", retry, Facts::default()).await;
    let mut tx = store.begin().await.unwrap();
    assert!(claim(&mut tx, "09:04:59").await.is_empty());
    assert_eq!(tx.next_try(None, at("09:04:59")).await.unwrap(), Some(at("09:05:00")));
    tx.commit().await.unwrap();
    let unasked = Disposition::Unasked(at("09:05:00"), MissedReason::Transport);
    let (second, _) = look(&store, "09:05:00", unasked, Facts::default()).await;
    assert_eq!(second.attempt, 2);
    let (second, _) =
        look(&store, "09:05:00", Disposition::Continue { page: 2 }, rows::one_of_each("a")).await;
    assert_eq!((second.attempt, second.page), (2, 1));
    let mut tx = store.begin().await.unwrap();
    let listed = tx.kols_listed(second.target_id, second.due_at).await.unwrap();
    assert_eq!(listed, BTreeSet::from(["kol-a".to_owned()]));
    tx.commit().await.unwrap();
    let (third, _) =
        look(&store, "09:05:01", Disposition::Missed(MissedReason::Empty), Facts::default()).await;
    assert_eq!((third.attempt, third.page), (1, 2));
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.next_try(None, at("09:06:00")).await.unwrap(), None);
}

on_both!(an_answer_to_an_older_claim_is_kept_and_marked_and_makes_no_row);
async fn an_answer_to_an_older_claim_is_kept_and_marked_and_makes_no_row(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let slow = claim_as(&mut tx, 8, "09:00:00").await.remove(0);
    let slow_call = tx.open_calls(&[call(&slow, "09:00:00")]).await.unwrap()[0];
    tx.commit().await.unwrap();
    look(&store, "09:30:00", Disposition::Observed, rows::one_of_each("a")).await;
    let mut tx = store.begin().await.unwrap();
    let answer =
        answer(&slow, slow_call, "09:31:00", Disposition::Observed, rows::one_of_each("a"));
    assert_eq!(tx.save(&[answer]).await.unwrap().late, 1);
    assert_eq!(tx.likes_since(at("00:00:00")).await.unwrap().len(), 2);
    let problems = tx.problems(at("00:00:00"), at("00:00:00")).await.unwrap();
    assert!(problems.iter().any(|p| p.kind == ProblemKind::Drift && p.detail.starts_with("late")));
    let totals = tx.call_totals(at("00:00:00")).await.unwrap();
    assert_eq!(totals[0].billed, 2, "both were paid for");
}

on_both!(a_short_link_is_resolved_once_and_then_means_its_item_everywhere);
async fn a_short_link_is_resolved_once_and_then_means_its_item_everywhere(database: Database) {
    let store = database.open().await;
    let link = note("https://xhslink.com/a/short");
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[link.clone(), note("known")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let claims = claim(&mut tx, "09:00:00").await;
    let claimed = claims.iter().find(|claim| claim.item_id.is_none()).unwrap();
    let call_id = tx.open_calls(&[call(claimed, "09:00:00")]).await.unwrap()[0];
    let mut resolved =
        answer(claimed, call_id, "09:00:01", Disposition::Continue { page: 1 }, Facts::default());
    let item_id = "behind".to_owned();
    resolved.resolved = Some(Resolved { kind: Kind::Note, link: link.key.clone(), item_id });
    tx.save(&[resolved]).await.unwrap();
    // The look that is under way goes on, with the item.
    let going_on = claim(&mut tx, "09:00:02").await.remove(0);
    assert_eq!(
        (going_on.key.as_str(), going_on.item_id.as_deref()),
        (link.key.as_str(), Some("behind"))
    );
    // The next fire looks at the item, not at the link.
    tx.fire(job, &open_at("10:00:00"), None, at("10:00:00")).await.unwrap();
    assert_eq!(tx.job_reports(at("09:30:00")).await.unwrap()[0].due, 2);
    // Another job that names the link means the item from the start.
    let other = tx.put_job(&hourly("other"), at("10:30:00")).await.unwrap().unwrap();
    tx.put_targets(&[note("behind")], at("10:30:00")).await.unwrap();
    tx.set_watchlist(other, &[link, note("behind")], at("10:30:00")).await.unwrap();
    tx.fire(other, &open_at("11:00:00"), None, at("11:00:00")).await.unwrap();
    assert_eq!(tx.slot_totals(at("11:00:00")).await.unwrap().due, 1);
}

on_both!(a_link_to_an_item_that_is_looked_at_anyway_takes_no_look_of_its_own);
async fn a_link_to_an_item_that_is_looked_at_anyway_takes_no_look_of_its_own(database: Database) {
    let store = database.open().await;
    let link = note("https://xhslink.com/a/short");
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[link.clone(), note("known")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let claimed = claim(&mut tx, "09:00:00").await;
    let claimed = claimed.iter().find(|claim| claim.item_id.is_none()).unwrap();
    let call_id = tx.open_calls(&[call(claimed, "09:00:00")]).await.unwrap()[0];
    let next = Disposition::Continue { page: 1 };
    let mut resolved = answer(claimed, call_id, "09:00:01", next, Facts::default());
    let item_id = "known".to_owned();
    resolved.resolved = Some(Resolved { kind: Kind::Note, link: link.key, item_id });
    tx.save(&[resolved]).await.unwrap();
    assert!(claim(&mut tx, "09:00:02").await.is_empty());
    let slots = tx.slot_totals(at("00:00:00")).await.unwrap();
    assert_eq!((slots.observed, slots.missed), (1, 0), "the link has said where it leads");
}

on_both!(of_two_links_to_one_item_only_the_first_goes_on);
async fn of_two_links_to_one_item_only_the_first_goes_on(database: Database) {
    let store = database.open().await;
    let links = [note("https://xhslink.com/a/one"), note("https://xhslink.com/a/two")];
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &links).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let claims = claim(&mut tx, "09:00:00").await;
    let calls: Vec<_> = claims.iter().map(|claim| call(claim, "09:00:00")).collect();
    let ids = tx.open_calls(&calls).await.unwrap();
    let resolved = |(claim, id): (&Claim, i64)| {
        let next = Disposition::Continue { page: 1 };
        let mut answer = answer(claim, id, "09:00:01", next, Facts::default());
        let (link, item_id) = (claim.key.clone(), "behind".to_owned());
        answer.resolved = Some(Resolved { kind: Kind::Note, link, item_id });
        answer
    };
    let answers: Vec<_> = claims.iter().zip(ids).map(resolved).collect();
    assert_eq!(tx.save(&answers).await.unwrap().late, 0);
    let going_on = claim(&mut tx, "09:00:02").await;
    let items: Vec<_> = going_on.iter().map(|claim| claim.item_id.as_deref()).collect();
    assert_eq!(items, [Some("behind")], "one call for the item");
    let slots = tx.slot_totals(at("00:00:00")).await.unwrap();
    assert_eq!((slots.observed, slots.missed, slots.open), (1, 0, 1));
}

on_both!(a_link_to_what_is_forgotten_means_nothing);
async fn a_link_to_what_is_forgotten_means_nothing(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("https://xhslink.com/a/short")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let claimed = claim(&mut tx, "09:00:00").await.remove(0);
    let call_id = tx.open_calls(&[call(&claimed, "09:00:00")]).await.unwrap()[0];
    let next = Disposition::Missed(MissedReason::Forgotten);
    let mut resolved = answer(&claimed, call_id, "09:00:01", next, Facts::default());
    let (link, item_id) = (claimed.key.clone(), "behind".to_owned());
    resolved.resolved = Some(Resolved { kind: Kind::Note, link, item_id });
    let behind = Tombstone::new("note", Platform::Xiaohongshu, "behind", at("08:00:00"));
    tx.put_tombstones(&[behind]).await.unwrap();
    tx.save(&[resolved]).await.unwrap();
    let link = note(&claimed.key);
    assert!(tx.items_behind(std::slice::from_ref(&link)).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!(count(&store, "select count(*) from targets").await, 1, "the link itself");
}

on_both!(a_search_is_a_target_by_its_filter);
async fn a_search_is_a_target_by_its_filter(database: Database) {
    let store = database.open().await;
    let filter = [("keyword".to_owned(), "阅读".to_owned())].into();
    let search = KolSearch { filter, max_pages: 3 };
    let target = Target { kind: Kind::KolSearch, key: search.to_key() };
    let mut tx = store.begin().await.unwrap();
    tx.run_by_hand(std::slice::from_ref(&target), Origin::Fetch, at("09:00:00")).await.unwrap();
    let now = at("09:00:00");
    let wish = ClaimRequest { kind: Kind::KolSearch, ..wish(None, 10) };
    let claims = tx.claim(wish, now, now).await.unwrap();
    assert_eq!(KolSearch::from_key(&claims[0].key), Some(search));
}

on_both!(saving_again_after_a_commit_that_nobody_heard_of_changes_nothing);
async fn saving_again_after_a_commit_that_nobody_heard_of_changes_nothing(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    tx.commit().await.unwrap();
    let facts = rows::one_of_each("a");
    let (claim, call_id) = look(&store, "09:00:02", Disposition::Observed, facts.clone()).await;
    let mut tx = store.begin().await.unwrap();
    tx.save(&[answer(&claim, call_id, "09:00:02", Disposition::Observed, facts)]).await.unwrap();
    assert_eq!(tx.likes_since(at("00:00:00")).await.unwrap().len(), 2);
    assert_eq!(tx.slot_totals(at("00:00:00")).await.unwrap().observed, 1);
}

on_both!(of_two_answers_for_one_slot_only_that_of_the_newer_claim_makes_rows);
async fn of_two_answers_for_one_slot_only_that_of_the_newer_claim_makes_rows(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let old = claim(&mut tx, "09:00:00").await.remove(0);
    let old_call = tx.open_calls(&[call(&old, "09:00:00")]).await.unwrap()[0];
    // Its own process does not take it again, however late it is; another one does.
    assert!(claim(&mut tx, "09:30:00").await.is_empty());
    let new = claim_as(&mut tx, 8, "09:30:00").await.remove(0);
    let new_call = tx.open_calls(&[call(&new, "09:30:00")]).await.unwrap()[0];
    let answers = [
        answer(&old, old_call, "09:30:01", Disposition::Observed, rows::one_of_each("a")),
        answer(&new, new_call, "09:30:02", Disposition::Observed, rows::one_of_each("a")),
    ];
    assert_eq!(tx.save(&answers).await.unwrap().late, 1);
    let likes = tx.likes_since(at("00:00:00")).await.unwrap();
    let seen: Vec<_> = likes.iter().filter(|p| p.item_id == "a").map(|p| p.observed_at).collect();
    assert_eq!(seen, [at("09:30:02")]);
}

on_both!(looks_that_nobody_wants_any_more_are_given_up);
async fn looks_that_nobody_wants_any_more_are_given_up(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a"), note("b")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let run = tx.run_by_hand(&[note("c")], Origin::Fetch, at("09:00:00")).await.unwrap();
    tx.set_watchlist(job, &[note("b")], at("09:00:01")).await.unwrap();
    assert_eq!(tx.close_unwatched(at("09:00:02")).await.unwrap(), 1);
    assert_eq!(tx.cancel_run(run, MissedReason::Cancelled, at("09:00:03")).await.unwrap(), 1);
    // A fire supersedes what a job planned, not what somebody asks for by hand.
    let run = tx.run_by_hand(&[note("b")], Origin::Fetch, at("09:30:00")).await.unwrap();
    tx.fire(job, &open_at("10:00:00"), None, at("10:00:00")).await.unwrap();
    assert_eq!(tx.slot_results(run).await.unwrap()[0].outcome, None);
    let problems = tx.problems(at("00:00:00"), at("00:00:00")).await.unwrap();
    let reasons: Vec<_> = problems.iter().map(|p| p.detail.as_str()).collect();
    assert_eq!(reasons, ["cancelled", "superseded", "unwatched"]);
}
