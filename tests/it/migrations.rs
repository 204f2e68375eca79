//! Archives of older versions come to the newest one without loss.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;
use tidewatch::store::{Schema, Store};
use tidewatch::time::Time;

use crate::databases::{Database, count, postgres, rows, sqlite};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// The first version that anybody has archives of.
const FIRST: i64 = 4;

/// A row for every table of that version.
const ROWS: &str = include_str!("../fixtures/archive_at_version_4.sql");

/// A kept answer.
const BODY: &str = r#"{"code": 0, "data": [{"liked_count": 1.10, "title": "露营"}]}"#;

/// A table, and what stands in it.
struct Table {
    name: String,
    columns: Vec<String>,
    rows: Vec<String>,
}

/// The rows of a table as text.
async fn told(store: &Store, table: &str, columns: &[String]) -> Vec<String> {
    let sql = match store {
        Store::Sqlite { .. } => {
            let quoted: Vec<_> = columns.iter().map(|name| format!("quote({name})")).collect();
            format!("select {} from {table} order by 1", quoted.join(" || ',' || "))
        }
        Store::Postgres(_) => {
            format!("select row({})::text from {table} order by 1", columns.join(", "))
        }
    };
    let rows: Vec<(String,)> = rows(store, AssertSqlSafe(sql)).await;
    rows.into_iter().map(|row| row.0).collect()
}

/// What stands in every table.
async fn content(store: &Store) -> Vec<Table> {
    let sql = match store {
        Store::Sqlite { .. } => {
            "select m.name, p.name from sqlite_master m join pragma_table_info(m.name) p
             where m.type = 'table' and m.name not like '\\_sqlx%' escape '\\'
             order by m.name, p.cid"
        }
        Store::Postgres(_) => {
            "select table_name::text, column_name::text
             from information_schema.columns c join information_schema.tables t
                  using (table_schema, table_name)
             where table_schema = 'public' and table_type = 'BASE TABLE'
               and table_name not like '\\_sqlx%'
             order by table_name, ordinal_position"
        }
    };
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in rows::<(String, String)>(store, AssertSqlSafe(sql.to_owned())).await {
        columns.entry(table).or_default().push(column);
    }
    let mut content = Vec::new();
    for (name, columns) in columns {
        let rows = told(store, &name, &columns).await;
        content.push(Table { name, columns, rows });
    }
    content
}

async fn archive_of(store: &Store, version: i64) {
    let [at, earlier] = ["2026-03-09 09:00:02.000001", "2026-03-06 09:00:02"];
    let time = |at: &str| match store {
        Store::Sqlite { .. } => at.parse::<Time>().unwrap().micros().to_string(),
        Store::Postgres(_) => format!("'{at}'"),
    };
    let (body, bytes) = match store {
        Store::Sqlite { .. } => (format!("jsonb('{BODY}')"), "x'7b006d'"),
        Store::Postgres(_) => (format!("'{BODY}'::jsonb"), "'\\x7b006d'::bytea"),
    };
    let sql = ROWS.replace("{body}", &body).replace("{bytes}", bytes);
    let sql = sql.replace("{at}", &time(at)).replace("{earlier}", &time(earlier));
    let sql = sqlx::raw_sql(AssertSqlSafe(sql));
    match store {
        Store::Sqlite { writer, .. } => {
            SQLITE.run_to(version, writer).await.unwrap();
            sql.execute(writer).await.unwrap();
        }
        Store::Postgres(pool) => {
            POSTGRES.run_to(version, pool).await.unwrap();
            sql.execute(pool).await.unwrap();
        }
    }
}

/// Makes an archive of this version, brings it to the newest, and looks whether all is there.
async fn comes_to_the_newest(database: &Database, version: i64) {
    let store = Store::connect(database.url()).await.unwrap();
    archive_of(&store, version).await;
    let before = content(&store).await;
    if version == FIRST {
        let empty = before.iter().filter(|table| table.rows.is_empty());
        assert_eq!(empty.map(|table| table.name.as_str()).collect::<Vec<_>>(), [""; 0]);
    }
    store.migrate().await.unwrap();
    assert_eq!(store.schema().await.unwrap(), Schema::Current);
    for Table { name, columns, rows } in &before {
        assert_eq!(&told(&store, name, columns).await, rows, "{name}, from version {version}");
    }
    let looks = "select cast(sum(due) as bigint) from coverage";
    assert_eq!(count(&store, looks).await, 4);
    assert_eq!(count(&store, "select count(*) from engagement").await, 4);
    assert_eq!(count(&store, "select count(*) from engagement_latest").await, 2);
    let days = "select platform, day, previous_day, days from engagement_daily
                order by platform, day";
    let days: Vec<(String, String, Option<String>, Option<i64>)> = rows(&store, days).await;
    let [first, second] = ["2026-03-06", "2026-03-09"].map(str::to_owned);
    let expected = ["douyin", "xiaohongshu"].map(str::to_owned).into_iter().flat_map(|platform| {
        let later = (platform.clone(), second.clone(), Some(first.clone()), Some(3));
        [(platform, first.clone(), None, None), later]
    });
    assert_eq!(days, expected.collect::<Vec<_>>());
    store.close().await;
}

fn older_versions() -> impl Iterator<Item = i64> {
    let newest = SQLITE.iter().map(|migration| migration.version).max();
    let versions = SQLITE.iter().map(|migration| migration.version);
    versions.filter(move |version| *version >= FIRST && Some(*version) < newest)
}

#[tokio::test]
async fn an_archive_of_every_older_version_comes_to_the_newest_without_loss_on_sqlite() {
    for version in older_versions() {
        comes_to_the_newest(&sqlite(), version).await;
    }
}

#[tokio::test]
async fn an_archive_of_every_older_version_comes_to_the_newest_without_loss_on_postgres() {
    for version in older_versions() {
        comes_to_the_newest(&postgres().await, version).await;
    }
}
