//! Every query of docs/sql.md and README.md runs on both databases with equal results; those of
//! docs/sql.md print the documented output.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Column as _, Row as _, SqlitePool, TypeInfo as _, ValueRef as _};
use tidewatch::store::Store;

use crate::databases::{postgres, rows};
use crate::parity::plain;

const BOOK: &str = include_str!("../../../docs/sql.md");

const README: &str = include_str!("../../../README.md");

/// Tables with foreign keys pointing to them, in dependency order.
const FIRST: [&str; 8] =
    ["jobs", "job_runs", "targets", "backfills", "job_targets", "slots", "calls", "documents"];

/// What PostgreSQL keeps by itself, and what each database has from the start.
const KEPT: [&str; 3] = ["latest", "days", "archive_zone"];

/// Rows per statement.
const ROWS: usize = 500;

/// A query of the document, and the position of its output.
struct Question {
    sql: String,
    output: std::ops::Range<usize>,
}

fn questions() -> Vec<Question> {
    let mut questions = Vec::new();
    let mut at = 0;
    while let Some(sql) = between(at, "```sql\n", "```") {
        let output = between(sql.end, "```text\n", "```").expect("the output follows the query");
        at = output.end;
        questions.push(Question { sql: BOOK.get(sql).unwrap().trim().to_owned(), output });
    }
    questions
}

/// The range between two markers, from `at` on.
fn between(at: usize, begin: &str, end: &str) -> Option<std::ops::Range<usize>> {
    let rest = |at| BOOK.get(at..).unwrap_or_default();
    let start = at + rest(at).find(begin)? + begin.len();
    let length = rest(start).find(end)?;
    Some(start..start + length)
}

/// Writes the demo's file as users do.
fn demo(path: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_tidewatch"))
        .args(["demo", "--output"])
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The tables of the file with their columns as JSON pairs, in dependency order.
async fn tables(file: &Store) -> Vec<(String, String)> {
    let columns: Vec<(String, String)> = rows(
        file,
        "select m.name, p.name from sqlite_master m join pragma_table_info(m.name) p
         where m.type = 'table' and m.name not like 'sqlite_%' and m.name not like '_sqlx%'
         order by m.name, p.cid",
    )
    .await;
    let mut tables: Vec<(String, String)> = Vec::new();
    for (table, column) in columns {
        let value = match (table.as_str(), column.as_str()) {
            ("documents", "body") => "json(body)".to_owned(),
            ("documents", "exact") => "'\\x' || hex(exact)".to_owned(),
            (table, "observed_at") if table.ends_with("snapshots") => {
                "strftime('%Y-%m-%d %H:%M:%S', observed_at / 1000000, 'unixepoch')
                 || printf('.%06d', observed_at % 1000000)"
                    .to_owned()
            }
            _ => column.clone(),
        };
        let pair = format!("'{column}', {value}");
        match tables.last_mut().filter(|(last, _)| *last == table) {
            Some((_, pairs)) => *pairs += &format!(", {pair}"),
            None => tables.push((table, pair)),
        }
    }
    tables.retain(|(table, _)| !KEPT.contains(&table.as_str()));
    tables.sort_by_key(|(table, _)| FIRST.iter().position(|it| it == table).unwrap_or(FIRST.len()));
    tables
}

/// Copies every row of the file into an empty database.
#[expect(clippy::disallowed_methods, reason = "copies from outside the store")]
async fn copy(file: &Store, into: &Store) {
    let Store::Postgres(pool) = into else { panic!("copies into PostgreSQL") };
    for (table, pairs) in tables(file).await {
        let sql = format!("select json_object({pairs}) from {table}");
        let found: Vec<(String,)> = rows(file, AssertSqlSafe(sql)).await;
        let insert = format!(
            "insert into {table} select * from jsonb_populate_recordset(null::{table}, $1::jsonb)"
        );
        for part in found.chunks(ROWS) {
            let part: Vec<_> = part.iter().map(|(row,)| row.as_str()).collect();
            sqlx::query(AssertSqlSafe(insert.as_str()))
                .bind(format!("[{}]", part.join(",")))
                .execute(pool)
                .await
                .unwrap_or_else(|error| panic!("{table}: {error}"));
        }
    }
}

/// A value of a row of any type.
fn value(row: &SqliteRow, at: usize) -> Value {
    let raw = row.try_get_raw(at).unwrap();
    if raw.is_null() {
        return Value::Null;
    }
    let kind = raw.type_info();
    match kind.name() {
        "INTEGER" | "BOOLEAN" => row.get::<i64, _>(at).into(),
        "REAL" => row.get::<f64, _>(at).into(),
        _ => row.get::<String, _>(at).into(),
    }
}

/// Column names and rows from SQLite.
#[expect(clippy::disallowed_methods, reason = "asks as a user would, from outside the store")]
async fn ask_sqlite(pool: &SqlitePool, sql: &str) -> (Vec<String>, Vec<Vec<Value>>) {
    let found = sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await;
    let found = found.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    let columns = |row: &SqliteRow| row.columns().iter().map(|c| c.name().to_owned()).collect();
    let names: Vec<String> = found.first().map(columns).unwrap_or_default();
    let values = |row: &SqliteRow| (0..names.len()).map(|at| value(row, at)).collect();
    let values = found.iter().map(values).collect();
    (names, values)
}

/// Rows from PostgreSQL.
async fn ask_postgres(store: &Store, names: &[String], sql: &str) -> Vec<Vec<Value>> {
    let sql = format!("select row_to_json(q)::text from ({}) q", sql.trim_end_matches(';'));
    let found: Vec<(String,)> = rows(store, AssertSqlSafe(sql)).await;
    let row = |text: &str| {
        let row: Value = serde_json::from_str(text).unwrap();
        names.iter().map(|name| row[name].clone()).collect()
    };
    found.iter().map(|(text,)| row(text)).collect()
}

/// Column names and rows, which both databases agree on.
async fn ask_both(here: &SqlitePool, there: &Store, sql: &str) -> (Vec<String>, Vec<Vec<Value>>) {
    let (names, rows) = ask_sqlite(here, sql).await;
    assert!(!rows.is_empty(), "no rows\n{sql}");
    let others = ask_postgres(there, &names, sql).await;
    let is_ordered = sql.rsplit(')').next().is_some_and(|end| end.contains("order by"));
    let same = |rows: &[Vec<Value>]| {
        let mut rows: Vec<_> = rows.iter().map(|row| plain(row.clone().into())).collect();
        if !is_ordered {
            rows.sort_by_key(Value::to_string);
        }
        rows
    };
    assert_eq!(same(&rows), same(&others), "{sql}");
    (names, rows)
}

/// The output format of `sqlite3 -header`.
fn printed(names: &[String], rows: &[Vec<Value>]) -> String {
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            format!("{:?}", number.as_f64().unwrap_or_default())
        }
        other => other.to_string(),
    };
    let line = |row: &Vec<Value>| row.iter().map(cell).collect::<Vec<_>>().join("|") + "\n";
    names.join("|") + "\n" + &rows.iter().map(line).collect::<String>()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cookbook_queries_print_the_documented_output() {
    let there = postgres().await;
    let path = there.directory().join("demo.db");
    demo(&path);
    let file = Store::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let server = there.open().await;
    copy(&file, &server).await;
    let Store::Sqlite { readers, .. } = &file else { panic!("the demo writes SQLite") };
    let (mut book, mut written) = (String::new(), 0);
    for Question { sql, output } in &questions() {
        let (names, rows) = ask_both(readers, &server, sql).await;
        book += BOOK.get(written..output.start).unwrap();
        book += &printed(&names, &rows);
        written = output.end;
    }
    book += BOOK.get(written..).unwrap();
    if book != BOOK {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sql.md");
        std::fs::write(&path, book).unwrap();
        panic!("docs/sql.md prints something else than its queries give: see {}", path.display());
    }
    for example in README.split("```sql\n").skip(1) {
        let (sql, _) = example.split_once("```").unwrap();
        ask_both(readers, &server, sql.trim()).await;
    }
    every_view_has_rows(readers).await;
}

/// Every view has rows in the demo, but for the one of changed answers: its provider keeps its format.
#[expect(clippy::disallowed_methods, reason = "reads from outside the store")]
async fn every_view_has_rows(pool: &SqlitePool) {
    let views =
        "select name from sqlite_master where type = 'view' and name <> 'drift' order by name";
    let views: Vec<String> = sqlx::query_scalar(views).fetch_all(pool).await.unwrap();
    assert!(views.iter().any(|name| name == "timeline"));
    for view in views {
        let sql = AssertSqlSafe(format!("select count(*) from {view}"));
        let count: i64 = sqlx::query_scalar(sql).fetch_one(pool).await.unwrap();
        assert!(count > 0, "no rows in {view}");
    }
}
