//! The views mean the same on both databases, and say what their comments promise.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sqlx::AssertSqlSafe;
use tidewatch::model::MissedReason;
use tidewatch::store::{Metric, Store};
use tidewatch::time::Time;
use tidewatch::zone;

use crate::databases::{Database, count, on_both, postgres, rows};
use crate::program::{PATIENCE, wait_for};

/// Runs statements as somebody would from outside.
async fn run(store: &Store, sql: impl Into<String>) {
    let sql = sqlx::raw_sql(AssertSqlSafe(sql.into()));
    match store {
        Store::Sqlite { writer, .. } => sql.execute(writer).await.unwrap().rows_affected(),
        Store::Postgres(pool) => sql.execute(pool).await.unwrap().rows_affected(),
    };
}

/// A note `a`, published at this time, with likes at these, saved in this order.
async fn note_with(store: &Store, published: &str, likes: &[(&str, Option<i64>)]) {
    run(store, item("note", store.is_sqlite(), published, likes)).await;
}

/// Statements that save a `note` or `work` so.
fn item(item: &str, sqlite: bool, published: &str, likes: &[(&str, Option<i64>)]) -> String {
    let (key, platform) = if item == "note" { (1, "xiaohongshu") } else { (2, "douyin") };
    let mut sql = format!(
        "insert into item_keys (item_key, platform, item_id) values ({key}, '{platform}', 'a')
         on conflict do nothing;
         insert into {item}s (item_key, {item}_id, published_at, first_seen_at, last_seen_at,
                              changed_at, document_id, last_document_id, refreshed_at, fingerprint)
         values ({key}, 'a', '{published}', '{published}', '{published}', '{published}', 1, 1,
                 '{published}', '')
         on conflict do nothing;"
    );
    for (time, likes) in likes {
        let at = at(time, sqlite);
        let likes = likes.map_or("null".to_owned(), |likes| likes.to_string());
        write!(
            sql,
            "insert into snapshots (item_key, observed_at, document_id, likes)
             values ({key}, {at}, 1, {likes}) on conflict do nothing;"
        )
        .unwrap();
    }
    sql
}

/// A time as `snapshots` has it.
fn at(time: &str, sqlite: bool) -> String {
    let at: Time = time.parse().unwrap();
    if sqlite { at.micros().to_string() } else { format!("'{at}'") }
}

type Day = (String, i64, Option<i64>, Option<String>, Option<i64>, Option<i64>);

async fn days(store: &Store) -> Vec<Day> {
    let sql = "select day, observations, likes, previous_day, days, likes_delta
               from engagement_daily where item_id = 'a' order by platform, day";
    rows(store, sql).await
}

fn day(day: &str, seen: i64, likes: i64, before: Option<(&str, i64, i64)>) -> Day {
    let day = format!("2026-03-{day}");
    match before {
        None => (day, seen, Some(likes), None, None, None),
        Some((before, days, delta)) => {
            let before = format!("2026-03-{before}");
            (day, seen, Some(likes), Some(before), Some(days), Some(delta))
        }
    }
}

on_both!(late_and_repeated_answers_leave_the_latest_and_the_days_right);
async fn late_and_repeated_answers_leave_the_latest_and_the_days_right(database: Database) {
    let store = database.open().await;
    let newest = ("2026-03-12 01:00:00", Some(90));
    let likes = [
        newest,
        ("2026-03-09 15:59:59.999999", Some(20)),
        newest,
        ("2026-03-09 16:00:00", Some(30)),
        ("2026-03-09 01:00:00", Some(10)),
    ];
    for kind in ["note", "work"] {
        run(&store, item(kind, store.is_sqlite(), "2026-03-01 00:00:00", &likes)).await;
    }
    let sql = "select observed_at, likes from engagement_latest";
    let latest: Vec<(Time, i64)> = rows(&store, sql).await;
    assert_eq!(latest, [("2026-03-12 01:00:00".parse().unwrap(), 90); 2]);
    let expected = [
        day("09", 2, 20, None),
        day("10", 1, 30, Some(("09", 1, 10))),
        // Over two days, and it says so.
        day("12", 1, 90, Some(("10", 2, 60))),
    ];
    assert_eq!(days(&store).await, [&expected[..], &expected[..]].concat());
}

on_both!(removed_snapshots_leave_the_latest_and_the_days_right);
async fn removed_snapshots_leave_the_latest_and_the_days_right(database: Database) {
    let store = database.open().await;
    let times = [
        "2026-03-08 01:00:00",
        "2026-03-09 01:00:00",
        "2026-03-10 01:00:00",
        "2026-03-10 02:00:00",
        "2026-03-11 01:00:00",
    ];
    let likes: Vec<_> = times.into_iter().zip((1..).map(Some)).collect();
    note_with(&store, "2026-03-01 00:00:00", &likes).await;
    let remove = async |times: &[&str]| {
        let times: Vec<_> = times.iter().map(|time| at(time, store.is_sqlite())).collect();
        let sql = format!("delete from snapshots where observed_at in ({})", times.join(", "));
        run(&store, sql).await;
    };
    // A whole day, the last of a day, and the latest.
    remove(&[times[1], times[3], times[4]]).await;
    let expected = [day("08", 1, 1, None), day("10", 1, 3, Some(("08", 2, 2)))];
    assert_eq!(days(&store).await, expected);
    let latest = "select likes from engagement_latest";
    assert_eq!(count(&store, latest).await, 3);
    remove(&times).await;
    for table in ["select count(*) from latest", "select count(*) from days"] {
        assert_eq!(count(&store, table).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_that_are_saved_at_once_know_each_other() {
    let store = postgres().await.open().await;
    let Store::Postgres(pool) = &store else { unreachable!("it is PostgreSQL") };
    let saved = |time| item("note", false, "2026-03-01 00:00:00", &[(time, Some(1))]);
    run(&store, saved("2026-03-08 01:00:00")).await;
    let mut tx = pool.begin().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(saved("2026-03-12 01:00:00"))).execute(&mut *tx).await.unwrap();
    let late = tokio::spawn({
        let (store, sql) = (store.clone(), saved("2026-03-10 01:00:00"));
        async move { run(&store, sql).await }
    });
    let waiting = "select count(*) from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock'";
    wait_for("the other one to wait", PATIENCE, async || count(&store, waiting).await == 1).await;
    tx.commit().await.unwrap();
    late.await.unwrap();
    let expected = [
        day("08", 1, 1, None),
        day("10", 1, 1, Some(("08", 2, 0))),
        day("12", 1, 1, Some(("10", 2, 0))),
    ];
    assert_eq!(days(&store).await, expected);
}

on_both!(what_was_seen_once_has_not_moved);
async fn what_was_seen_once_has_not_moved(database: Database) {
    let store = database.open().await;
    note_with(&store, "2026-03-01 00:00:00", &[("2026-03-08 10:00:00", Some(5))]).await;
    let [since, until] =
        ["2026-03-08 00:00:00", "2026-03-09 00:00:00"].map(|at| at.parse().unwrap());
    let mut tx = store.read().await.unwrap();
    let movers = tx.movers(since, 10).await.unwrap();
    assert_eq!((movers.len(), movers[0].likes, movers[0].grew), (1, Some(5), None));
    assert!(tx.top_movers(Metric::Likes, since, until, 10).await.unwrap().rows.is_empty());
    drop(tx);
    note_with(&store, "2026-03-01 00:00:00", &[("2026-03-08 11:00:00", Some(7))]).await;
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.movers(since, 10).await.unwrap()[0].grew, Some(2));
    assert_eq!(tx.top_movers(Metric::Likes, since, until, 10).await.unwrap().rows.len(), 1);
}

on_both!(a_time_in_a_view_is_that_of_its_observation_to_the_microsecond);
async fn a_time_in_a_view_is_that_of_its_observation_to_the_microsecond(database: Database) {
    let store = database.open().await;
    // With as many zeros at the end as there can be, and with none.
    let times: BTreeSet<Time> = (0..140_u32)
        .map(|n| {
            let step = 10_i64.pow(n % 7);
            let at = (1_774_915_200_000_000 / step + i64::from(n) * 999_983) * step;
            Time::from_micros(at).unwrap()
        })
        .collect();
    let texts: Vec<String> = times.iter().map(ToString::to_string).collect();
    let likes: Vec<_> = texts.iter().map(|time| (time.as_str(), Some(1))).collect();
    note_with(&store, "2026-03-01 00:00:00", &likes).await;
    let sql = "select observed_at from engagement order by observed_at";
    let found: Vec<(Time,)> = rows(&store, sql).await;
    assert!(found.iter().map(|(at,)| at).eq(&times), "{found:?}");
    // Differs by necessity: what a time is.
    if store.is_sqlite() {
        let found: Vec<(String,)> = rows(&store, sql).await;
        assert!(found.iter().map(|(at,)| at).eq(&texts), "{found:?}");
    }
}

on_both!(a_day_is_that_of_the_archives_zone_also_when_its_clocks_change);
async fn a_day_is_that_of_the_archives_zone_also_when_its_clocks_change(database: Database) {
    let store = database.open().await;
    // In New York the 7th ends at 05:00 UTC, and the 8th, on which the clocks change, at 04:00.
    note_with(
        &store,
        "2026-03-01 00:00:00",
        &[
            ("2026-03-08 04:59:59", Some(1)),
            ("2026-03-08 05:00:00", Some(2)),
            ("2026-03-09 03:59:59", Some(3)),
        ],
    )
    .await;
    let zone = chrono_tz::Tz::America__New_York;
    for changed in [true, false] {
        let mut tx = store.begin().await.unwrap();
        let done = tx.set_zone(zone.name(), &zone::offsets(zone)).await.unwrap();
        assert_eq!(done, changed);
        tx.commit().await.unwrap();
    }
    note_with(&store, "2026-03-01 00:00:00", &[("2026-03-09 04:00:00", Some(4))]).await;
    let expected = [
        day("07", 1, 1, None),
        day("08", 2, 3, Some(("07", 1, 2))),
        day("09", 1, 4, Some(("08", 1, 1))),
    ];
    assert_eq!(days(&store).await, expected);
}

on_both!(days_of_another_zone_are_linked_over_weeks_without_observations);
async fn days_of_another_zone_are_linked_over_weeks_without_observations(database: Database) {
    let store = database.open().await;
    let seen = [
        "2026-03-01 05:00:00",
        "2026-03-05 05:00:00",
        "2026-03-20 03:59:59.5",
        "2026-05-01 03:59:59.999999",
    ];
    let seen = seen.map(|at| (at, Some(1)));
    note_with(&store, "2026-03-01 00:00:00", &seen).await;
    let zone = chrono_tz::Tz::America__New_York;
    let mut tx = store.begin().await.unwrap();
    assert!(tx.set_zone(zone.name(), &zone::offsets(zone)).await.unwrap());
    tx.commit().await.unwrap();
    let linked: Vec<(String, Option<String>)> =
        rows(&store, "select day, previous_day from days order by day").await;
    let days = ["2026-03-01", "2026-03-05", "2026-03-19", "2026-04-30"].map(str::to_owned);
    let before = [None].into_iter().chain(days[..3].iter().cloned().map(Some));
    assert_eq!(linked, days.iter().cloned().zip(before).collect::<Vec<_>>());
}

on_both!(growth_is_drawn_between_observations_that_are_near_and_else_not_said);
async fn growth_is_drawn_between_observations_that_are_near_and_else_not_said(database: Database) {
    let store = database.open().await;
    note_with(
        &store,
        "2026-03-02 00:00:00",
        &[
            // Six hours and a quarter after publication, with nothing within 3 hours before.
            ("2026-03-02 06:15:00", Some(10)),
            ("2026-03-02 23:00:00", Some(100)),
            ("2026-03-03 03:00:00", Some(300)),
            // At 72 hours to the second; what is hidden at it stays hidden.
            ("2026-03-05 00:00:00", None),
        ],
    )
    .await;
    type Row = (i64, Option<i64>, Option<i64>, Option<f64>, i64);
    let sql = "select age_hours, likes_before, likes_after, likes,
                      cast(case when before_at = after_at then 1 else 0 end as bigint)
               from engagement_growth order by age_hours";
    let found: Vec<Row> = rows(&store, sql).await;
    let expected = [
        (1, None, None, None, 0),
        (6, None, Some(10), None, 0),
        (24, Some(100), Some(300), Some(150.0), 0),
        (72, None, None, None, 1),
        (168, None, None, None, 0),
        (720, None, None, None, 0),
    ];
    assert_eq!(found, expected);
    let speeds: Vec<(f64, Option<f64>)> =
        rows(&store, "select hours, likes_per_hour from engagement_velocity order by observed_at")
            .await;
    assert_eq!(speeds, [(16.75, Some(90.0 / 16.75)), (4.0, Some(50.0)), (45.0, None)]);
}

on_both!(suggestions_enter_move_and_leave_against_the_look_before);
async fn suggestions_enter_move_and_leave_against_the_look_before(database: Database) {
    let store = database.open().await;
    let mut sql = String::new();
    for (hour, words) in [("09", "xyz"), ("10", "yx"), ("11", "yxz")] {
        for (word, rank) in words.chars().zip(1..) {
            write!(
                sql,
                "insert into keyword_suggestions (keyword, observed_at, rank, suggestion, document_id)
                 values ('k', '2026-03-02 {hour}:00:00', {rank}, '{word}', 1);"
            )
            .unwrap();
        }
    }
    run(&store, sql).await;
    type Row = (String, Option<i64>, Option<i64>, String, Option<i64>);
    let sql = "select suggestion, rank, previous_rank, change, moved_by from keyword_ranks
               where previous_at is not null order by observed_at, suggestion";
    let found: Vec<Row> = rows(&store, sql).await;
    let row = |word: &str, rank, before, change: &str, moved| {
        (word.to_owned(), rank, before, change.to_owned(), moved)
    };
    let expected = [
        row("x", Some(2), Some(1), "down", Some(-1)),
        row("y", Some(1), Some(2), "up", Some(1)),
        row("z", None, Some(3), "left", None),
        row("x", Some(2), Some(2), "same", Some(0)),
        row("y", Some(1), Some(1), "same", Some(0)),
        row("z", Some(3), None, "entered", None),
    ];
    assert_eq!(found, expected);
    let first = "select count(*) from keyword_ranks where change = 'first'";
    assert_eq!(count(&store, first).await, 3);
}

on_both!(a_call_that_two_jobs_want_is_spent_once_and_no_price_is_no_zero);
async fn a_call_that_two_jobs_want_is_spent_once_and_no_price_is_no_zero(database: Database) {
    let store = database.open().await;
    let call = |id: i64, endpoint: &str, at: &str, billed: &str, price: &str| {
        format!(
            "insert into calls (call_id, endpoint, target_id, due_at, page, attempt, owner,
                                opened_at, billed, price_micros)
             values ({id}, '{endpoint}', 1, '2026-03-02 15:00:00', 1, 1, 1, '{at}', '{billed}', {price});"
        )
    };
    let mut sql = String::new();
    for (id, name) in [(1, "first"), (2, "second")] {
        write!(
            sql,
            "insert into jobs (job_id, name, kind, schedule, timezone, fired_through, is_active)
             values ({id}, '{name}', 'note', '@hourly', 'UTC', '2026-03-02 15:00:00', true);
             insert into job_runs (run_id, job_id, due_at, origin, decided_at)
             values ({id}, {id}, '2026-03-02 15:00:00', 'schedule', '2026-03-02 15:00:00');"
        )
        .unwrap();
    }
    sql += "insert into targets (target_id, kind, key, first_seen_at)
            values (1, 'note', 'a', '2026-03-02 15:00:00');
            insert into job_targets (job_id, target_id, added_at)
            values (1, 1, '2026-03-02 15:00:00'), (2, 1, '2026-03-02 15:00:00');
            insert into slots (target_id, due_at, run_id, kind, next_page, attempts, retry_at, fence)
            values (1, '2026-03-02 15:00:00', 1, 'note', 1, 1, '2026-03-02 15:00:00', 1);";
    // In Shanghai the day ends at 16:00 UTC.
    sql += &call(1, "priced", "2026-03-02 15:59:59.9", "unknown", "150000");
    sql += &call(2, "priced", "2026-03-02 16:00:00", "yes", "150000");
    sql += &call(3, "priced", "2026-03-02 16:00:01", "no", "150000");
    sql += &call(4, "bare", "2026-03-02 16:00:02", "yes", "null");
    run(&store, sql).await;
    type Row = (String, String, String, i64, i64, i64, i64, Option<i64>, Option<i64>, Option<f64>);
    let sql = "select day, job, endpoint, calls, billed, unknown, unpriced, cost_micros,
                      unknown_micros, yuan
               from spend order by day, endpoint";
    let found: Vec<Row> = rows(&store, sql).await;
    let row = |day: &str, endpoint: &str, calls: [i64; 4], cost, unknown, yuan| {
        let [all, billed, perhaps, unpriced] = calls;
        let (day, endpoint) = (format!("2026-03-{day}"), endpoint.to_owned());
        (day, "first".to_owned(), endpoint, all, billed, perhaps, unpriced, cost, unknown, yuan)
    };
    let expected = [
        row("02", "priced", [1, 0, 1, 0], Some(0), Some(150_000), Some(0.0)),
        row("03", "bare", [1, 1, 0, 1], None, Some(0), None),
        row("03", "priced", [2, 1, 0, 0], Some(150_000), Some(0), Some(0.15)),
    ];
    assert_eq!(found, expected);
}

on_both!(changes_of_one_answer_are_one_edit);
async fn changes_of_one_answer_are_one_edit(database: Database) {
    let store = database.open().await;
    note_with(&store, "2026-03-02 00:00:00", &[("2026-03-02 01:00:00", Some(1))]).await;
    let mut sql = String::new();
    for (field, old, new, hour, document) in [
        ("title", "'old'", "'new'", 3, 3),
        ("title", "'new'", "'newer'", 4, 4),
        ("body", "'it was'", "null", 4, 4),
        ("edited_at", "null", "'2026-03-02 03:30:00.5'", 4, 4),
        // These are no edits.
        ("pinned", "'false'", "'true'", 5, 5),
        ("edited_at", "'2026-03-02 03:30:00.5'", "null", 6, 6),
    ] {
        write!(
            sql,
            "insert into changes values ('xiaohongshu', 'note', 'a', '{field}', {old}, {new},
                 '2026-03-02 02:00:00', 2, '2026-03-02 0{hour}:00:00', {document});"
        )
        .unwrap();
    }
    run(&store, sql).await;
    let sql = "select event, at, evidence, document_id from timeline
               where item_id = 'a' order by at, event";
    let found: Vec<(String, Time, String, i64)> = rows(&store, sql).await;
    let row = |event: &str, time: &str, evidence: &str, document| {
        let at = format!("2026-03-02 {time}").parse().unwrap();
        (event.to_owned(), at, evidence.to_owned(), document)
    };
    let expected = [
        row("published", "00:00:00", "the platform says so", 1),
        row("first_seen", "01:00:00", "the first observation", 1),
        row("edited", "03:00:00", "title changed", 3),
        row("edited", "03:30:00.5", "title, body changed", 4),
    ];
    assert_eq!(found, expected);
    // One from before its first observation is told by the note alone.
    run(
        &store,
        "delete from changes where field = 'edited_at' or document_id = 4;
         update notes set edited_at = '2026-03-02 00:30:00'",
    )
    .await;
    let edits = "select at, evidence from timeline where event = 'edited' order by at";
    let found: Vec<(Time, String)> = rows(&store, edits).await;
    let [early, late] = ["00:30:00", "03:00:00"].map(|time| {
        let at: Time = format!("2026-03-02 {time}").parse().unwrap();
        at
    });
    let expected = [(early, "the platform says so"), (late, "title changed")];
    assert_eq!(found, expected.map(|(at, evidence)| (at, evidence.to_owned())));
}

on_both!(coverage_counts_every_reason_in_its_column);
async fn coverage_counts_every_reason_in_its_column(database: Database) {
    let store = database.open().await;
    let mut sql = "insert into job_runs (run_id, due_at, origin, decided_at)
                       values (1, '2026-03-02 01:00:00', 'schedule', '2026-03-02 01:00:00');"
        .to_owned();
    for (id, reason) in (1..).zip(MissedReason::ALL) {
        write!(
            sql,
            "insert into targets (target_id, kind, key, first_seen_at)
             values ({id}, 'keyword', '{reason}', '2026-03-02 01:00:00');
             insert into slots (target_id, due_at, run_id, kind, outcome, reason, closed_at,
                                next_page, attempts, retry_at, fence)
             values ({id}, '2026-03-02 01:00:00', 1, 'keyword', 'missed', '{reason}',
                     '2026-03-02 02:00:00', 1, 0, '2026-03-02 01:00:00', 0);"
        )
        .unwrap();
    }
    run(&store, sql).await;
    for reason in MissedReason::ALL {
        let column = reason.coverage();
        let counted = format!(
            "select key from coverage where missed = 1 and \"{column}\" = 1 and key = '{reason}'"
        );
        let found: Vec<(String,)> = rows(&store, AssertSqlSafe(counted)).await;
        assert_eq!(found.len(), 1, "{reason} is not in {column}");
    }
}

/// Flags the snapshots of a time.
async fn flag(store: &Store, time: &str, suspect: &str) {
    let at = at(time, store.is_sqlite());
    for table in ["snapshots", "latest", "days"] {
        run(store, format!("update {table} set suspect = '{suspect}' where observed_at = {at}"))
            .await;
    }
}

on_both!(doubtful_counts_are_shown_and_left_out_of_growth);
async fn doubtful_counts_are_shown_and_left_out_of_growth(database: Database) {
    let store = database.open().await;
    note_with(
        &store,
        "2026-03-01 01:00:00",
        &[
            ("2026-03-02 00:30:00", Some(1_000)),
            ("2026-03-02 01:00:00", Some(0)),
            ("2026-03-02 01:30:00", Some(1_020)),
            ("2026-03-03 01:00:00", Some(0)),
            ("2026-03-04 01:00:00", Some(1_015)),
            ("2026-03-05 01:00:00", Some(1_010)),
            ("2026-03-06 01:00:00", Some(2_000_000)),
        ],
    )
    .await;
    flag(&store, "2026-03-02 01:00:00", "zeros").await;
    flag(&store, "2026-03-03 01:00:00", "zeros").await;
    flag(&store, "2026-03-05 01:00:00", "fell").await;
    let shown: Vec<(i64, Option<String>)> =
        rows(&store, "select likes, suspect from engagement_daily order by day").await;
    let text = |it: &str| Some(it.to_owned());
    let (zeros, fell) = (text("zeros"), text("fell"));
    assert_eq!(shown, [(1_020, None), (0, zeros), (1_015, None), (1_010, fell), (2_000_000, None)]);
    let deltas = "select likes_delta from engagement_daily order by day";
    let daily: Vec<(Option<i64>,)> = rows(&store, deltas).await;
    assert_eq!(daily, [(None,), (None,), (None,), (Some(-5),), (Some(1_998_990),)]);
    // At 24 hours stands the zero; its neighbours are taken.
    let day = "select likes from engagement_growth where age_hours = 24";
    assert_eq!(rows::<(Option<f64>,)>(&store, day).await, [(Some(1_010.0),)]);
    let moved = "select likes_delta, suspect from engagement_24h";
    type Moved = (Option<i64>, Option<String>);
    assert_eq!(rows::<Moved>(&store, moved).await, [(Some(1_998_990), None)]);
    flag(&store, "2026-03-06 01:00:00", "leapt").await;
    assert_eq!(rows::<Moved>(&store, moved).await, [(None, text("leapt"))]);
    let rates = "select likes_per_hour is null from engagement_velocity order by observed_at";
    let unknown: Vec<(bool,)> = rows(&store, rates).await;
    assert_eq!(unknown, [true, true, true, true, false, true].map(|it| (it,)));
    let daily: Vec<(Option<i64>,)> = rows(&store, deltas).await;
    assert_eq!(daily.last(), Some(&(None,)));
    let mut tx = store.read().await.unwrap();
    let (since, until) = ("2026-03-04 12:00:00", "2026-03-07 00:00:00");
    let (since, until): (Time, Time) = (since.parse().unwrap(), until.parse().unwrap());
    let movers = tx.movers(since, 10).await.unwrap();
    assert_eq!((movers[0].likes, movers[0].grew), (Some(2_000_000), None));
    let top = tx.top_movers(Metric::Likes, since, until, 10).await.unwrap();
    assert_eq!(top.first("growth").to_string(), "-5");
}

on_both!(rate_over_less_than_three_minutes_is_null);
async fn rate_over_less_than_three_minutes_is_null(database: Database) {
    let store = database.open().await;
    note_with(
        &store,
        "2026-03-01 00:00:00",
        &[
            ("2026-03-02 00:00:00", Some(10)),
            ("2026-03-02 00:00:00.07", Some(11)),
            ("2026-03-02 00:03:00.07", Some(12)),
            ("2026-03-02 00:06:00", Some(13)),
        ],
    )
    .await;
    let rates = "select likes_per_hour from engagement_velocity order by observed_at";
    let found: Vec<(Option<f64>,)> = rows(&store, rates).await;
    assert_eq!(found, [(None,), (Some(20.0),), (None,)]);
}
