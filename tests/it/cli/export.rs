//! `tidewatch export`: the same rows and types from both databases; complete files only.

mod large;

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::Value;
use tidewatch::export::{Export, Format};
use tidewatch::model::catalogue::ColumnType;
use tidewatch::store::{Span, Store, tables};
use tokio_util::sync::CancellationToken;

use crate::databases::{Database, on_both, postgres, rows, sqlite};
use crate::parity::{EMPTY, VOLATILE, half_a_day, plain};
use crate::program::{PATIENCE, Place, wait_for};

const ALL: Span = Span { since: None, until: None, zone: Tz::Asia__Shanghai };

/// A table in one of the formats.
async fn exported(store: &Store, table: &str, format: Format) -> Vec<u8> {
    let mut query = store.rows_of(table, ALL).await.unwrap();
    let mut out = Vec::new();
    let mut export = Export::new(format, query.columns(), &mut out).unwrap();
    let stop = CancellationToken::new();
    let whole = query.each(&stop, |row| export.row(row)).await;
    assert!(whole.unwrap_or_else(|error| panic!("{table}: {error:#}")));
    export.finish().unwrap_or_else(|error| panic!("{table}: {error:#}"));
    out
}

/// The rows of a table as sorted JSON, without values that differ from run to run.
async fn exported_rows(store: &Store, table: &str) -> Vec<String> {
    let jsonl = String::from_utf8(exported(store, table, Format::Jsonl).await).unwrap();
    let row = |line: &str| {
        let mut row: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        row.retain(|name, _| !VOLATILE.contains(&name.as_str()));
        plain(Value::Object(row)).to_string()
    };
    let mut rows: Vec<_> = jsonl.lines().map(row).collect();
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn export_rows_are_equal_on_both_databases() {
    let (here, there) = (half_a_day(sqlite()).await, half_a_day(postgres().await).await);
    for table in tables() {
        let rows = exported_rows(&here.store, table).await;
        let others = exported_rows(&there.store, table).await;
        assert!(!rows.is_empty() || EMPTY.contains(&table), "no rows in {table}");
        let differs = rows.iter().zip(&others).find(|(one, other)| one != other);
        let shortened = |row: &String| row.chars().take(2000).collect::<String>();
        let differs = differs.map(|(one, other)| (shortened(one), shortened(other)));
        assert_eq!(differs, None, "in {table}");
        assert_eq!(rows.len(), others.len(), "rows of {table}");
        for store in [&here.store, &there.store] {
            // Every value has the type of its column.
            assert!(exported(store, table, Format::Parquet).await.ends_with(b"PAR1"));
            let csv = exported(store, table, Format::Csv { bom: false, raw: false }).await;
            let records = csv::Reader::from_reader(csv.as_slice()).into_records();
            assert_eq!(records.map(Result::unwrap).count(), rows.len(), "{table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn column_types_match_postgres() {
    let databases = [sqlite(), postgres().await];
    let stores = [databases[0].open().await, databases[1].open().await];
    let sql = "select table_name::text, column_name::text, data_type::text
               from information_schema.columns
               where table_schema = 'public' and table_name not like '\\_sqlx%'
               order by table_name, ordinal_position";
    let mut declared: BTreeMap<String, Vec<(String, ColumnType)>> = BTreeMap::new();
    let Store::Postgres(pool) = &stores[1] else { panic!("the second is PostgreSQL") };
    #[expect(clippy::disallowed_methods, reason = "reads the schema from outside the store")]
    let columns: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(pool).await.unwrap();
    for (table, column, kind) in columns {
        let holds = match kind.as_str() {
            "bigint" => ColumnType::Int,
            "double precision" => ColumnType::Real,
            "boolean" => ColumnType::Bool,
            "text" => ColumnType::Text,
            "timestamp with time zone" => ColumnType::Time,
            "jsonb" => ColumnType::Json,
            "bytea" => ColumnType::Bytes,
            other => panic!("{table}.{column} is {other}"),
        };
        declared.entry(table).or_default().push((column, holds));
    }
    assert_eq!(tables().collect::<Vec<_>>(), declared.keys().collect::<Vec<_>>());
    for store in &stores {
        for (table, declared) in &declared {
            let query = store.rows_of(table, ALL).await.unwrap();
            let columns = query.columns().iter();
            let known = columns.map(|column| (column.name.clone(), column.column_type.unwrap()));
            assert_eq!(&known.collect::<Vec<_>>(), declared, "{table}");
        }
    }
}

on_both!(time_span_filters_rows);
async fn time_span_filters_rows(database: Database) {
    let place = Place::new(&database, "");
    let env = half_a_day(database).await;
    for (table, time) in [
        ("engagement", "observed_at"),
        ("snapshots", "observed_at"),
        ("slots", "due_at"),
        ("calls", "opened_at"),
        ("coverage", "day"),
        ("spend", "day"),
        ("engagement_daily", "day"),
    ] {
        // Noon in the archive's zone, six hours after the start.
        let spans = [["--until", "2026-03-02 14:00"], ["--since", "2026-03-02 14:00"]];
        let mut found = Vec::new();
        for span in spans {
            let (code, out, said) =
                place.hear(&[&["export", table, "--format", "jsonl"][..], &span].concat()).await;
            assert_eq!(code, 0, "{said}");
            let at = |line: &str| {
                let row: Value = serde_json::from_str(line).unwrap();
                row[time].as_str().unwrap().to_owned()
            };
            found.push(out.lines().map(at).collect::<Vec<_>>());
        }
        let all = exported_rows(&env.store, table).await.len();
        assert!(!found[0].is_empty() && !found[1].is_empty(), "{table}");
        if time == "day" {
            assert!(found[0].iter().chain(&found[1]).any(|day| day == "2026-03-02"), "{table}");
            continue;
        }
        assert!(found[0].iter().all(|at| at.as_str() < "2026-03-02 06:00:00"), "{table}");
        assert!(found[1].iter().all(|at| at.as_str() >= "2026-03-02 06:00:00"), "{table}");
        assert_eq!(found[0].len() + found[1].len(), all, "{table}");
    }
    let reversed = ["--since", "2026-03-03", "--until", "2026-03-02"];
    for verb in [["export", "calls"], ["report", "spend"]] {
        let (code, out, said) = place.hear(&[&verb[..], &reversed].concat()).await;
        assert_eq!((code, out.as_str()), (2, ""), "{said}");
        assert!(
            said.contains("empty span from --since 2026-03-03 00:00 to --until 2026-03-02 00:00"),
            "{said}"
        );
        let (code, _, said) = place.hear(&[&verb[..], &["--since", "2026-03-05"]].concat()).await;
        assert_eq!(code, 0, "{said}");
        let reach =
            "no row matched: the archive has calls from 2026-03-02 08:00 to 2026-03-02 20:0";
        assert!(said.contains(reach), "{verb:?}: {said}");
    }
    let (code, out, said) =
        place.hear(&["report", "keyword", "露营", "--since", "2026-03-05"]).await;
    assert_eq!((code, out.as_str()), (1, ""), "{said}");
    assert!(said.contains("has no data on keyword 露营 in this time span"), "{said}");
    let (code, out, said) =
        place.hear(&["sql", "--csv", "select job from spend where 1 = 2"]).await;
    assert_eq!((code, out.as_str()), (0, "job\n"), "{said}");
    assert!(said.contains("no row matched"), "{said}");
    let (code, _, said) = place.hear(&["export", "jobs", "--format", "csv", "--since", "1d"]).await;
    assert_eq!(code, 2);
    assert!(said.contains("jobs has no time column"), "{said}");
    let (code, _, said) = place.hear(&["export", "engagment", "-o", "x.csv"]).await;
    assert_eq!(code, 2);
    assert!(said.contains("did you mean `engagement`?"), "{said}");
}

on_both!(failed_export_keeps_the_old_file);
async fn failed_export_keeps_the_old_file(database: Database) {
    let store = database.open().await;
    let place = Place::new(&database, "");
    let breaks = match store.is_sqlite() {
        true => {
            "with x(n) as (values (1), (2), (3)) select n, json(iif(n = 3, '{', '{}')) as j from x"
        }
        false => "select n, 1 / (n - 3) as j from generate_series(1, 3) as x(n)",
    };
    for (name, whole) in [("out.csv", "n\n1\n"), ("out.jsonl", "{\"n\":1}\n")] {
        let files = || {
            let names = std::fs::read_dir(place.output(".")).unwrap();
            names
                .filter(|entry| entry.as_ref().unwrap().path().to_string_lossy().contains("out."))
                .count()
        };
        let before = files();
        let query = |sql| ["export", "--query", sql, "-o", name];
        assert_eq!(place.run(&query("select 1 as n")).await, 0, "{}", place.said());
        assert_eq!(place.run(&query(breaks)).await, 1, "{}", place.said());
        assert_eq!(std::fs::read_to_string(place.output(name)).unwrap(), whole);
        assert_eq!(files(), before + 1);
    }
    assert_eq!(rows::<(i64,)>(&store, "select count(*) from archive_zone").await, [(1,)]);
}

on_both!(interrupted_export_leaves_no_file);
async fn interrupted_export_leaves_no_file(database: Database) {
    database.open().await.close().await;
    let place = Place::new(&database, "");
    let endless = "with recursive x(n) as (select 1 union all select 1 - n from x) select n from x";
    let running = place.start(&["export", "--query", endless, "-o", "out.csv"]);
    let part = place.output("out.csv.part");
    let grows = async || std::fs::metadata(&part).is_ok_and(|part| part.len() > 10_000);
    wait_for("the first rows", PATIENCE, grows).await;
    running.signal("-INT");
    assert_eq!(running.end().await.code(), Some(1), "{}", place.said());
    assert!(!part.exists() && !place.output("out.csv").exists());
}

#[tokio::test]
async fn export_never_replaces_the_archive() {
    let database = sqlite();
    database.open().await.close().await;
    let place = Place::new(&database, "");
    let archive = database.directory().join("test.db");
    let (code, _, said) =
        place.hear(&["export", "jobs", "--format", "csv", "-o", archive.to_str().unwrap()]).await;
    assert_eq!(code, 2);
    assert!(said.contains("is the archive"), "{said}");
    assert!(std::fs::read(archive).unwrap().starts_with(b"SQLite format 3"));
}
