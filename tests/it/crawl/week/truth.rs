//! The archive of a week, compared call by call with the simulator's answers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike as _;
use tidewatch::simulator::{Fault, TruthRow};
use tidewatch::time::Time;

use crate::databases::rows;
use crate::env::Env;

/// A call on the ledger.
#[derive(sqlx::FromRow)]
struct Call {
    call_id: i64,
    endpoint: String,
    key: String,
    page: i64,
    sent_at: Time,
    outcome: String,
    billed: String,
    price_micros: i64,
}

/// The identity of a call: endpoint, key, page and time.
type Question = (String, String, i64, Time);

/// A week: each call on the ledger, and its truth.
pub(super) struct Week {
    pairs: Vec<(Call, TruthRow)>,
    by_call: BTreeMap<i64, usize>,
}

/// The counts of one item in one observation.
#[derive(sqlx::FromRow)]
struct Point {
    item_id: String,
    observed_at: Time,
    likes: Option<i64>,
    comments: Option<i64>,
    collects: Option<i64>,
    shares: Option<i64>,
    document_id: i64,
}

/// A row of the coverage view.
#[derive(sqlx::FromRow)]
struct Day {
    key: String,
    day: String,
    due: i64,
    observed: i64,
    missed: i64,
    open: i64,
    reasons: i64,
}

impl Week {
    /// The week of this archive.
    ///
    /// # Panics
    /// When ledger and simulator do not have the same calls.
    pub(super) async fn of(env: &Env) -> Self {
        let calls: Vec<Call> = rows(
            &env.store,
            "select c.call_id, c.endpoint, c.page, c.sent_at, c.outcome, c.billed,
                    case when c.endpoint like '%share-url%' then t.key
                         when t.kind = 'kol_search' then 'search'
                         else coalesce(t.item_id, t.key) end as key,
                    coalesce(c.price_micros, -1) as price_micros
             from calls c join targets t on t.target_id = c.target_id order by c.call_id",
        )
        .await;
        let mut truth: BTreeMap<Question, TruthRow> = BTreeMap::new();
        for row in env.api.truth() {
            let again = truth.insert(asked(&row), row);
            assert!(again.is_none(), "asked twice at once: {again:?}");
        }
        let pairs: Vec<_> = calls
            .into_iter()
            .map(|call| {
                let question = (name(&call.endpoint), call.key.clone(), call.page, call.sent_at);
                let answered = truth.remove(&question);
                (call, answered.unwrap_or_else(|| panic!("nobody was asked {question:?}")))
            })
            .collect();
        assert!(truth.is_empty(), "not on the ledger: {truth:?}");
        let by_call = pairs.iter().enumerate().map(|(n, (call, _))| (call.call_id, n)).collect();
        Self { pairs, by_call }
    }

    fn truth(&self) -> impl Iterator<Item = &TruthRow> {
        self.pairs.iter().map(|(_, truth)| truth)
    }

    /// On days without an outage about three calls in ten met a fault, and every fault occurred.
    pub(super) fn met_every_fault(&self) {
        let quiet = |row: &&TruthRow| matches!(row.at.utc().day(), 2 | 8);
        let (struck, well): (Vec<_>, Vec<_>) =
            self.truth().filter(quiet).partition(|row| row.fault.is_some());
        let per_cent = struck.len() * 100 / (struck.len() + well.len());
        assert!((27..=36).contains(&per_cent), "{per_cent} % of the calls met a fault");
        let faults = self.truth().filter_map(|row| row.fault.as_deref());
        let kind = |fault: &str| fault.split(':').next().unwrap_or_default().to_owned();
        let met: BTreeSet<_> = faults.map(kind).collect();
        // "transport" is another name of "drop", and "none" is none.
        let not_met = Fault::names()
            .into_iter()
            .map(|name| kind(&name))
            .filter(|name| !met.contains(name) && !["none", "transport"].contains(&name.as_str()));
        assert_eq!(not_met.collect::<Vec<_>>(), Vec::<String>::new());
    }

    /// Billing is known where upstream reports it, and the costs add up.
    pub(super) fn accounts_for_every_cent(&self) {
        let (mut paid, mut perhaps, mut truly, mut truly_perhaps) = (0, 0, 0, 0);
        for (call, truth) in &self.pairs {
            let price = price(truth.endpoint);
            assert_eq!(call.price_micros, price, "{}", call.endpoint);
            let true_price = if truth.billed { price } else { 0 };
            match call.billed.as_str() {
                "yes" => {
                    assert!(truth.billed, "{truth:?} was not");
                    paid += call.price_micros;
                    truly += true_price;
                }
                "no" => assert!(!truth.billed, "{truth:?} was"),
                unknown => {
                    assert_eq!(unknown, "unknown");
                    perhaps += call.price_micros;
                    truly_perhaps += true_price;
                }
            }
        }
        assert_eq!(paid, truly);
        assert!(paid > 0 && truly_perhaps > 0 && truly_perhaps < perhaps, "{perhaps}");
    }

    /// No day in Shanghai has more calls than `limit`, and some day has as many.
    pub(super) fn holds_the_budget(&self, limit: usize) {
        let mut days: BTreeMap<_, usize> = BTreeMap::new();
        for row in self.truth() {
            let day = row.at.utc().with_timezone(&chrono_tz::Asia::Shanghai).date_naive();
            *days.entry(day).or_default() += 1;
        }
        assert_eq!(days.values().max(), Some(&limit), "{days:?}");
    }

    /// Every count in the archive was answered, and every complete answer's counts are there.
    pub(super) async fn holds_true_counts_and_all_of_them(&self, env: &Env) {
        let points: Vec<Point> = rows(
            &env.store,
            "select item_id, observed_at, likes, comments, collects, shares, document_id
             from engagement",
        )
        .await;
        let mut seen = BTreeSet::new();
        for point in points {
            let (call, truth) = &self.pairs[self.by_call[&point.document_id]];
            let count = |name| truth.metrics.get(name).copied();
            let truly = ["likes", "comments", "collects", "shares"].map(count);
            assert_eq!([point.likes, point.comments, point.collects, point.shares], truly);
            assert!(truly[0].is_some(), "{truth:?} has no counts");
            assert_eq!((&point.item_id, point.observed_at), (&call.key, truth.at));
            assert!(seen.insert(point.document_id), "{} has two rows", point.document_id);
        }
        for (call, truth) in self.pairs.iter().filter(|(_, truth)| is_item(truth)) {
            let came = call.outcome == "ok";
            assert_eq!(came, seen.contains(&call.call_id), "{truth:?}");
            // Not acknowledged are only an answer that is too large, and one that takes too long.
            let fault = truth.fault.as_deref();
            let given_up = matches!(fault, Some("huge" | "slow:3500"));
            assert_eq!(came, !truth.metrics.is_empty() && !given_up, "{} {truth:?}", call.outcome);
        }
        self.holds_true_lists(env).await;
    }

    /// The same for lists: KOLs with their followers, and suggestions in order.
    async fn holds_true_lists(&self, env: &Env) {
        let kols: Vec<(String, Time, i64)> =
            rows(&env.store, "select kol_id, observed_at, followers from kol_metrics").await;
        let suggestions: Vec<(i64, String)> = rows(
            &env.store,
            "select document_id, suggestion from keyword_suggestions order by document_id, rank",
        )
        .await;
        let mut lists: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for (document, suggestion) in suggestions {
            lists.entry(document).or_default().push(suggestion);
        }
        let mut true_kols = BTreeSet::new();
        let mut true_lists = BTreeMap::new();
        for (call, truth) in self.pairs.iter().filter(|(call, _)| call.outcome == "ok") {
            match truth.endpoint {
                Some("kols") => true_kols
                    .extend(truth.metrics.iter().map(|(id, count)| (id.clone(), truth.at, *count))),
                Some("suggestions") => {
                    true_lists.insert(call.call_id, truth.items.clone());
                }
                _ => {}
            }
        }
        assert!(!true_kols.is_empty() && !true_lists.is_empty());
        assert_eq!(kols.into_iter().collect::<BTreeSet<_>>(), true_kols);
        assert_eq!(lists, true_lists);
    }

    /// For every target and day: due by cron = observed + missed by reason.
    pub(super) async fn accounts_for_every_slot(
        &self,
        env: &Env,
        cron: &BTreeMap<(String, String), i64>,
    ) {
        let days: Vec<Day> = rows(
            &env.store,
            "select case kind when 'kol_search' then 'search' else coalesce(item_id, key) end as key,
                    day, due, observed, missed, open,
                    daemon_down + superseded + upstream + quota + balance + access + budget
                    + paused + gone + refused as reasons
             from coverage",
        )
        .await;
        let mut due = BTreeMap::new();
        for day in days {
            let Day { key, day, due: slots, observed, missed, open, reasons } = day;
            assert_eq!((slots, missed, open), (observed + missed, reasons, 0), "{key} {day}");
            *due.entry((key, day)).or_default() += slots;
        }
        let differ = due.iter().filter(|(key, slots)| cron.get(key) != Some(slots));
        assert_eq!(
            (due.len(), differ.collect::<Vec<_>>()),
            (cron.len(), vec![]),
            "by cron: {cron:?}"
        );
        let missed: Vec<(i64, i64, i64, i64, i64, i64, i64)> = rows(
            &env.store,
            "select cast(sum(daemon_down) as bigint), cast(sum(upstream) as bigint),
                    cast(sum(quota) as bigint), cast(sum(balance) as bigint),
                    cast(sum(gone) as bigint), cast(sum(refused) as bigint),
                    cast(sum(budget) as bigint)
             from coverage",
        )
        .await;
        let (down, upstream, quota, balance, gone, refused, budget) = missed[0];
        let missed = [down, upstream, quota, balance, gone, refused, budget];
        assert!(missed.iter().all(|slots| *slots > 0), "{missed:?} should all have happened");
    }
}

fn is_item(truth: &TruthRow) -> bool {
    matches!(truth.endpoint, Some("note" | "amagi"))
}

/// The request of a row of truth.
fn asked(row: &TruthRow) -> Question {
    let endpoint = row.endpoint.unwrap_or_default();
    let key = if endpoint == "kols" { "search" } else { &row.key };
    let page = row.page.map_or(1, |page| i64::try_from(page).unwrap());
    (endpoint.to_owned(), key.to_owned(), page, row.at)
}

/// The simulator's name of an endpoint.
fn name(endpoint: &str) -> String {
    let names = [
        ("xiaohongshu/get-note-detail", "note"),
        ("xiaohongshu/search-recommend", "suggestions"),
        ("xiaohongshu-pgy/kol-search", "kols"),
        ("douyin/share-url-transfer", "work-link"),
        ("amagi/fetch_one_work", "amagi"),
    ];
    let found = names.iter().find(|(begin, _)| endpoint.starts_with(begin));
    found.unwrap_or_else(|| panic!("{endpoint} is not called")).1.to_owned()
}

/// What a call costs, in millionths of a yuan.
fn price(endpoint: Option<&str>) -> i64 {
    match endpoint {
        Some("note") => 150_000,
        Some("suggestions") => 100_000,
        Some("kols") => 300_000,
        Some("work-link") => 50_000,
        _ => 0,
    }
}
