//! `tidewatch sql`: answers any query and changes nothing.

use std::fs::File;
use std::process::Stdio;

use crate::databases::{Database, count, on_both, postgres, rows, sqlite};
use crate::parity::half_a_day;
use crate::program::{PATIENCE, Place, wait_for};

on_both!(query_cannot_change_anything);
async fn query_cannot_change_anything(database: Database) {
    let store = database.open().await;
    let place = Place::new(&database, "");
    let both = [
        "delete from archive_zone",
        "delete from archive_zone returning since",
        "insert into archive_zone (since, zone, offset_seconds) values (1, 'UTC', 0) returning zone",
        "create table theirs (n bigint)",
        "drop table notes",
        "select 1; delete from archive_zone",
        "",
    ];
    let own: &[&str] = match store.is_sqlite() {
        true => &["vacuum into 'copy.db'", "pragma user_version = 5", "attach 'other.db' as other"],
        false => &[
            "with gone as (delete from archive_zone returning since) select * from gone",
            "select set_config('transaction_read_only', 'off', false), lo_create(0)",
            "copy (select 1) to program 'touch copy.db'",
            "select nextval('calls_call_id_seq')",
        ],
    };
    for sql in both.iter().chain(own) {
        let (code, out, _) = place.hear(&["sql", "--csv", sql]).await;
        // A pragma may be accepted and ignored.
        assert!(code == 1 || sql.starts_with("pragma"), "{sql}: {code}, {}", place.said());
        assert!(out.lines().count() <= 1, "{sql}: {out}");
    }
    for sql in ["select 1;\0", "select '\0'", "\0"] {
        let why = store.query(sql).await.unwrap_err().to_string();
        assert!(why.contains("NUL byte at offset"), "{why}");
    }
    let (_, csv, _) = place.hear(&["sql", "--csv", "--bom", "select 1 as n"]).await;
    assert_eq!(csv, "\u{feff}n\n1\n");
    assert_eq!(count(&store, "select count(*) from archive_zone").await, 1);
    assert!(!place.output("copy.db").exists() && !place.output("other.db").exists());
    if store.is_sqlite() {
        assert_eq!(count(&store, "select user_version from pragma_user_version").await, 0);
    }
}

on_both!(query_error_shows_its_position);
async fn query_error_shows_its_position(database: Database) {
    database.open().await.close().await;
    let place = Place::new(&database, "");
    for (sql, at, word) in [
        ("select likes,\n  lieks from engagement", "query:2:3", "lieks"),
        ("select likes from engagment", "query:1:19", "engagment"),
        ("select likes, , views from engagement", "query:1:15", ","),
        ("select 'a,b', likes form engagement", "", "engagement"),
    ] {
        let (code, out, said) = place.hear(&["sql", sql]).await;
        assert_eq!((code, out.as_str()), (1, ""), "{sql}: {said}");
        assert!(said.contains(at) && said.contains(word) && said.contains('^'), "{sql}: {said}");
    }
    for (sql, meant) in [
        ("select lieks from engagement", "did you mean `likes`?"),
        ("select e.colects from engagement e join items i on i.item_id = e.item_id", "`collects`?"),
        ("select likes from engagment", "did you mean `engagement`?"),
        ("select nikname from items", "did you mean `nickname`?"),
    ] {
        let (_, _, said) = place.hear(&["sql", sql]).await;
        assert!(said.contains("help: did you mean") && said.contains(meant), "{sql}: {said}");
    }
    let (_, _, said) = place.hear(&["sql", "select colour from engagement"]).await;
    assert!(!said.contains("did you mean"), "{said}");
    let (code, _, said) = place.hear(&["sql", "select 1; select 2"]).await;
    assert_eq!(code, 1);
    assert!(said.contains("several") || said.contains("multiple commands"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn query_has_the_same_result_on_both_databases() {
    let databases = [sqlite(), postgres().await];
    let places = databases.each_ref().map(|database| Place::new(database, ""));
    let [here, there] = databases;
    let _kept = [half_a_day(here).await, half_a_day(there).await];
    for sql in [
        "select platform, item_id, observed_at, likes, views, exact from engagement order by 1, 2, 3",
        "select endpoint, fetched_at, outcome, exact, cleaned from documents order by 1, 2",
        "select name, is_active, fired_through from jobs order by name",
        "select day, job, endpoint, calls, cost_micros, yuan from spend order by 1, 2, 3",
        "select 1 as n, 'x' as n, null as n",
    ] {
        for form in ["--csv", "--json"] {
            let mut answers = Vec::new();
            for place in &places {
                let (code, out, said) = place.hear(&["sql", form, sql]).await;
                assert_eq!(code, 0, "{sql}: {said}");
                // Rows may come in any order among equals, and whitespace in JSON is irrelevant.
                let mut lines: Vec<_> =
                    out.lines().map(|line| line.replace(": ", ":").replace(", ", ",")).collect();
                lines.sort();
                answers.push(lines);
            }
            assert!(!answers[0].is_empty(), "{sql}");
            assert_eq!(answers[0], answers[1], "{sql}");
        }
    }
    for place in &places {
        let sql = "select body from documents where cleaned is null order by document_id";
        let (code, out, _) = place.hear(&["sql", "--limit", "2", sql]).await;
        assert_eq!((code, out.lines().count()), (0, 4), "{out}");
        assert!(out.lines().nth(2).unwrap().trim_start().starts_with('{'), "{out}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_of_any_type_are_printed() {
    let database = postgres().await;
    database.open().await.close().await;
    let place = Place::new(&database, "");
    let sql = "select 12345678901234567890.10::numeric as a, array[1, 2] as b, interval '1 day' as c,
        '2026-03-02'::date as d, '{\"k\": [1]}'::json as e, 'infinity'::timestamptz as f, 1.5::real as g,
        '\\x00ff'::bytea as h, inet '127.0.0.1' as i, 'NaN'::numeric as j, 3::smallint as k, now() is null as l";
    let (code, out, said) = place.hear(&["sql", "--json", sql]).await;
    assert_eq!(code, 0, "{said}");
    let expected = "{\"a\":12345678901234567890.10,\"b\":\"{1,2}\",\"c\":\"1 day\",\"d\":\"2026-03-02\",\
        \"e\":{\"k\": [1]},\"f\":\"infinity\",\"g\":1.5,\"h\":\"\\\\x00ff\",\"i\":\"127.0.0.1\",\
        \"j\":\"NaN\",\"k\":3,\"l\":false}\n";
    assert_eq!(out, expected);
}

on_both!(query_is_read_from_stdin);
async fn query_is_read_from_stdin(database: Database) {
    database.open().await.close().await;
    let place = Place::new(&database, "");
    place.write("question.sql", "-- a comment; and more\nselect zone from archive_zone;\n");
    let input = File::open(place.output("question.sql")).unwrap();
    let ended = place.start_reading(&["sql", "--csv"], Stdio::from(input)).end().await;
    assert_eq!(ended.code(), Some(0), "{}", place.said());
    assert_eq!(std::fs::read_to_string(place.output("stdout")).unwrap(), "zone\nAsia/Shanghai\n");
}

on_both!(interrupt_cancels_query_on_the_server);
async fn interrupt_cancels_query_on_the_server(database: Database) {
    let store = database.open().await;
    let place = Place::new(&database, "");
    let endless = "with recursive x(n) as (select 1 union all select 1 - n from x) select n from x";
    let working = "select count(*) from pg_stat_activity
                   where datname = current_database() and state = 'active' and query like 'with recursive%'";
    let running = place.start(&["sql", "--csv", endless]);
    let shows =
        async || std::fs::metadata(place.output("stdout")).is_ok_and(|out| out.len() > 10_000);
    wait_for("the first rows", PATIENCE, shows).await;
    running.signal("-INT");
    assert_eq!(running.end().await.code(), Some(1), "{}", place.said().len());
    if !store.is_sqlite() {
        let idle = async || rows::<(i64,)>(&store, working).await == [(0,)];
        wait_for("the server to stop", PATIENCE, idle).await;
    }
}

#[tokio::test]
async fn query_without_archive_creates_none() {
    let database = sqlite();
    let place = Place::new(&database, "");
    assert_eq!(place.run(&["sql", "select 1"]).await, 2, "{}", place.said());
    assert!(place.said().contains("there is no archive"), "{}", place.said());
    assert_eq!(std::fs::read_dir(database.directory()).unwrap().count(), 0);
}
