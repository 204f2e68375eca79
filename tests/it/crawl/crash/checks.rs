//! Invariants of an archive, however often its daemon was killed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tidewatch::schedule::Schedule;
use tidewatch::simulator::TruthRow;
use tidewatch::store::Store;
use tidewatch::time::Time;

use crate::databases::{count, rows};

/// A job begins with its first fire after the first daemon that lived long enough to know it.
const BEGINS_WITHIN: Duration = Duration::from_secs(120);

/// Whether every job has a run: a daemon under load may begin late.
pub(super) async fn every_job_has_fired(store: &Store) -> bool {
    let sql = "select count(*) from jobs j
               where not exists (select 1 from job_runs r where r.job_id = j.job_id)";
    count(store, sql).await == 0
}

/// Open work by `until`: jobs with undecided fires, slots and calls.
pub(crate) async fn open_by(store: &Store, until: Time) -> (usize, usize, usize) {
    let jobs: Vec<(String, Time)> = rows(store, "select schedule, fired_through from jobs").await;
    let late = jobs.iter().filter(|(pattern, through)| next_fire(pattern, *through) <= until);
    let by = |times: Vec<(Time,)>| times.into_iter().filter(|(at,)| *at <= until).count();
    let slots = rows(store, "select due_at from slots where outcome is null").await;
    let calls = rows(store, "select opened_at from calls where outcome is null").await;
    (late.count(), by(slots), by(calls))
}

fn next_fire(pattern: &str, after: Time) -> Time {
    Schedule::parse(pattern, chrono_tz::Asia::Shanghai).unwrap().next_after(after).unwrap()
}

/// Every fire of a job has a slot for each target, and each slot due by `settled` is observed or missed
/// for a reason.
pub(crate) async fn every_fire_has_a_settled_slot_of_each_target(
    store: &Store,
    began: Time,
    settled: Time,
) {
    let jobs: Vec<(i64, String, String, Time, Time, i64)> = rows(
        store,
        "select j.job_id, j.name, j.schedule, j.fired_through,
                (select min(due_at) from job_runs r where r.job_id = j.job_id) as first,
                (select count(*) from job_targets t
                 where t.job_id = j.job_id and t.removed_at is null) as targets
         from jobs j",
    )
    .await;
    assert!(!jobs.is_empty());
    for (job_id, name, pattern, fired_through, first, targets) in jobs {
        let schedule = Schedule::parse(&pattern, chrono_tz::Asia::Shanghai).unwrap();
        assert!(first.since(began) < BEGINS_WITHIN, "{name} begins late, at {first}");
        assert!(schedule.next_after(fired_through).unwrap() > settled, "{name} has a late fire");
        let just_before = first.minus(Duration::from_millis(1));
        let due: Vec<_> = schedule.fires(just_before, fired_through).collect();
        let slots = slots_of_items(store, job_id).await;
        assert_eq!(i64::try_from(slots.len()).unwrap(), targets, "targets of {name}");
        for (item, slots) in slots {
            assert_eq!(slots, due, "{name}: {item}");
        }
    }
    every_slot_is_settled(store, settled).await;
}

/// Due times of a job's slots by item; a short link counts as its item.
async fn slots_of_items(store: &Store, job_id: i64) -> BTreeMap<String, Vec<Time>> {
    let slots: Vec<(i64, String, Time)> = rows(
        store,
        "select r.job_id, coalesce(t.item_id, t.key), s.due_at
         from slots s join targets t on t.target_id = s.target_id
         join job_runs r on r.run_id = s.run_id order by s.due_at",
    )
    .await;
    let mut items: BTreeMap<String, Vec<Time>> = BTreeMap::new();
    for (_, item, due_at) in slots.into_iter().filter(|(job, _, _)| *job == job_id) {
        items.entry(item).or_default().push(due_at);
    }
    items
}

/// A slot: due at, outcome, reason, call.
type SlotRow = (Time, Option<String>, Option<String>, Option<i64>);

async fn every_slot_is_settled(store: &Store, settled: Time) {
    let slots: Vec<SlotRow> =
        rows(store, "select due_at, outcome, reason, call_id from slots").await;
    let mut observed = 0;
    let mut missed: BTreeMap<&str, usize> = BTreeMap::new();
    for (due_at, outcome, reason, call_id) in slots.iter().filter(|slot| slot.0 <= settled) {
        match outcome.as_deref() {
            Some("observed") => {
                assert!(call_id.is_some() && reason.is_none(), "{due_at}: {reason:?}");
                observed += 1;
            }
            Some("missed") => {
                let reason = reason.as_deref();
                *missed.entry(reason.expect("missed for a reason")).or_default() += 1;
            }
            other => panic!("the slot of {due_at} is {other:?} at {settled}"),
        }
    }
    assert!(observed > 0, "of {} slots none was observed: {missed:?}", slots.len());
}

/// Notes and works: an observed slot has one snapshot, any other none.
pub(crate) async fn every_observed_slot_has_one_snapshot_and_no_other_slot_has_any(store: &Store) {
    let wrong: Vec<(i64, Time, Option<String>, i64)> = rows(
        store,
        "select s.target_id, s.due_at, s.outcome, count(m.document_id)
         from slots s join targets t on t.target_id = s.target_id
         left join calls c on c.target_id = s.target_id and c.due_at = s.due_at
         left join (select document_id from note_metrics
                    union all select document_id from work_metrics) m
                on m.document_id = c.call_id
         where t.kind in ('note', 'work')
         group by s.target_id, s.due_at, s.outcome
         having count(m.document_id) <> case when s.outcome = 'observed' then 1 else 0 end",
    )
    .await;
    assert!(wrong.is_empty(), "target, due at, outcome, snapshots: {wrong:?}");
    let times: Vec<(i64,)> = rows(
        store,
        "select count(*) from calls c join documents d on d.document_id = c.call_id
         where c.outcome = 'ok' and coalesce(d.drift, '') not like 'late%'
         group by c.endpoint, c.target_id, c.due_at, c.page having count(*) > 1",
    )
    .await;
    assert!(times.is_empty(), "questions of one slot that were answered more than once: {times:?}");
}

/// No snapshot without a document, no observed slot without the document of its call.
pub(crate) async fn every_snapshot_has_its_document(store: &Store) {
    let orphans = count(
        store,
        "select count(*) from (select document_id from note_metrics
                               union all select document_id from work_metrics
                               union all select document_id from kol_metrics
                               union all select document_id from keyword_suggestions) m
         where not exists (select 1 from documents d
                           where d.document_id = m.document_id and d.outcome = 'ok')",
    )
    .await;
    assert_eq!(orphans, 0, "snapshots without a document");
    let bare = count(
        store,
        "select count(*) from slots s where s.outcome = 'observed' and not exists (
             select 1 from documents d join calls c on c.call_id = d.document_id
             where d.document_id = s.call_id and c.target_id = s.target_id
               and c.due_at = s.due_at and d.target_id = s.target_id)",
    )
    .await;
    assert_eq!(bare, 0, "observed slots without the document of their call");
}

/// A search continues where the killed daemon stopped.
pub(crate) async fn every_page_of_an_observed_search_is_kept_once(store: &Store, pages: i64) {
    let kept: Vec<(i64, i64)> = rows(
        store,
        "select count(*), count(distinct d.page)
         from slots s join targets t on t.target_id = s.target_id
         join calls c on c.target_id = s.target_id and c.due_at = s.due_at
         join documents d on d.document_id = c.call_id
         where t.kind = 'kol_search' and s.outcome = 'observed'
           and coalesce(d.drift, '') not like 'late%'
         group by s.target_id, s.due_at",
    )
    .await;
    assert!(!kept.is_empty(), "no search was observed");
    for slot in kept {
        assert_eq!(slot, (pages, pages), "documents and pages of a search");
    }
}

/// Endpoint, key and page.
type Question = (&'static str, String, i64);

/// A ledger row: endpoint, key, item, page, outcome, whether it is finished, billed.
type LedgerRow = (String, String, Option<String>, i64, Option<String>, bool, String);

/// Agreement of ledger and server.
pub(crate) struct Agreement {
    /// Calls received by the server.
    pub(crate) seen: i64,
    /// Rows on the ledger.
    pub(crate) noted: i64,
    /// Rows with an unknown outcome.
    pub(crate) interrupted: i64,
    /// Calls received by the server without a stored answer.
    pub(crate) unkept: i64,
    /// Answers stored after their slots were reclaimed.
    pub(crate) late: i64,
}

impl std::fmt::Display for Agreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seen, noted, interrupted, unkept, late } = self;
        write!(
            f,
            "the server saw {seen} calls, the ledger has {noted}: {interrupted} interrupted, "
        )?;
        write!(f, "{unkept} answers not kept, {late} late")
    }
}

/// Every call received by the server is on the ledger; unknown outcomes are marked.
pub(crate) async fn every_call_is_on_the_ledger(store: &Store, truth: &[TruthRow]) -> Agreement {
    let ledger: Vec<LedgerRow> = rows(
        store,
        "select c.endpoint, t.key, t.item_id, c.page, c.outcome,
                c.finished_at is not null, c.billed
         from calls c join targets t on t.target_id = c.target_id",
    )
    .await;
    let mut asked: BTreeMap<Question, [i64; 3]> = BTreeMap::new();
    // Asking for the balance is free, and no call of a slot.
    let truth: Vec<_> = truth.iter().filter(|row| row.endpoint != Some("balance")).collect();
    for row in &truth {
        let key = if row.endpoint == Some("kols") { String::new() } else { row.key.clone() };
        let page = i64::try_from(row.page.unwrap_or(1)).unwrap();
        asked.entry((row.endpoint.unwrap(), key, page)).or_default()[0] += 1;
    }
    let mut interrupted = 0;
    for row in &ledger {
        let (_, _, _, _, outcome, finished, billed) = row;
        let counts = asked.entry(question(row)).or_default();
        counts[1] += 1;
        match (outcome.as_deref(), finished) {
            (Some("interrupted"), false) => {
                assert_eq!(billed, "unknown");
                interrupted += 1;
            }
            (Some("unsent"), false) => assert_eq!(billed, "no"),
            (Some("interrupted") | None, _) | (_, false) => panic!("a call is left open: {row:?}"),
            (Some(_), true) => counts[2] += 1,
        }
    }
    for (question, [seen, noted, finished]) in asked {
        assert!(seen <= noted, "{question:?}: the server saw {seen}, the ledger has {noted}");
        assert!(finished <= seen, "{question:?}: {finished} ended, the server saw {seen}");
    }
    let seen = i64::try_from(truth.len()).unwrap();
    let finished = ledger.iter().map(|row| i64::from(row.5)).sum::<i64>();
    let late = "select count(*) from documents where drift like 'late%'";
    Agreement {
        seen,
        noted: i64::try_from(ledger.len()).unwrap(),
        interrupted,
        unkept: seen - finished,
        late: count(store, late).await,
    }
}

/// A ledger row as the simulator names its request.
fn question((endpoint, key, item, page, ..): &LedgerRow) -> Question {
    let item = || item.clone().unwrap_or_else(|| key.clone());
    match endpoint.as_str() {
        "xiaohongshu/share-url-transfer/v1" => ("note-link", key.clone(), 1),
        "xiaohongshu/search-recommend/v1" => ("suggestions", key.clone(), 1),
        "xiaohongshu-pgy/kol-search/v1" => ("kols", String::new(), *page),
        "amagi/fetch_one_work" => ("amagi", item(), 1),
        _ => ("note", item(), 1),
    }
}

/// Every number of likes was answered for that note.
pub(crate) async fn every_like_was_answered(store: &Store, truth: &[TruthRow]) {
    let answered: BTreeSet<_> = truth
        .iter()
        .filter_map(|row| Some((row.key.as_str(), *row.metrics.get("likes")?)))
        .collect();
    let kept: Vec<(String, Option<i64>)> = rows(
        store,
        "select note_id, likes from note_metrics union all select work_id, likes from work_metrics",
    )
    .await;
    assert!(!kept.is_empty());
    for (item, likes) in &kept {
        let likes = likes.expect("every answer had likes");
        assert!(answered.contains(&(item.as_str(), likes)), "{item} never had {likes} likes");
    }
}
