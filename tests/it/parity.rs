//! Backend parity: the same answers give the same rows in both databases, whatever the upstream does.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::AssertSqlSafe;
use tidewatch::simulator::Fates;
use tidewatch::store::Store;
use tidewatch::time::Time;

use crate::databases::{Database, postgres, sqlite};
use crate::env::{Env, hours, minutes, world};

/// Columns that number rows in the order in which they happened to come, measure the machine, or
/// hold the words of its network.
pub(crate) const VOLATILE: &[&str] = &[
    "archive_id",
    "call_id",
    "document_id",
    "previous_document_id",
    "last_document_id",
    "first_document_id",
    "retyped_document_id",
    "gap_document_id",
    "gap_at",
    "gap",
    "longest_gap",
    "run_id",
    "owner",
    "lease_owner",
    "item_key",
    "kol_key",
    "duration_ms",
    "message",
    "load_id",
    "base_url",
    // The clock of a database that is a server.
    "server_at",
    "beat_at",
];

/// Tables that half a day of schedules leaves empty.
pub(crate) const EMPTY: [&str; 10] = [
    "alerts",
    "availability",
    "backfills",
    "balances",
    "cold_contents",
    "cold_files",
    "drift",
    "endpoint_failures",
    "forgotten",
    "stale",
];

/// Tables of numbered items and times as numbers, which are seen through their views, and the archive's
/// random id.
const THROUGH_VIEWS: [&str; 6] =
    ["snapshots", "kol_snapshots", "latest", "days", "archive_zone", "archive"];

/// Every table and view, each with its rows as sorted JSON.
pub(crate) type Dump = BTreeMap<String, Vec<String>>;

pub(crate) fn jobs() -> String {
    let world = world();
    let list = |items: Vec<String>| {
        items.iter().map(|item| format!("{item:?}")).collect::<Vec<_>>().join(", ")
    };
    // One at a time: what follows from failures in a row depends on their order.
    format!(
        "concurrency = 1\n[[job]]\nname = \"notes\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = [{}]\n\
         [[job]]\nname = \"works\"\nkind = \"works\"\nschedule = \"*/30 * * * *\"\nurls = [{}]\n\
         [[job]]\nname = \"words\"\nkind = \"keywords\"\nschedule = \"0 */4 * * *\"\n\
         keywords = [\"美食\", \"露营\"]\n\
         [[job]]\nname = \"kols\"\nkind = \"kols\"\nschedule = \"0 */6 * * *\"\nmax_pages = 2\n\
         filter = {{ keyword = \"阅读\" }}\n",
        list(world.notes(14)),
        list([world.works(8), world.work_links(1)].concat()),
    )
}

/// Half a day with failures and poisoned answers, and a backfill.
pub(crate) async fn half_a_day(database: Database) -> Env {
    let fates = Fates { edited: 1000, ..Fates::default() };
    let mut env = Env::with(database, &jobs(), |options| options.fates = fates).await;
    env.backfill(&world().notes(18)[14..]).await;
    env.advance(minutes(1)).await;
    env.fails(
        "note=301:0.1,drop:0.05,nul:0.05,surrogate:0.05,dup:0.05,empty:0.05,wrong-id:0.05,100:0.02; \
         amagi=risk:0.2; suggestions@2=not-json; kols@2=503",
    );
    env.advance(hours(12)).await;
    env
}

/// The same; then everything that is in the database.
async fn half_a_day_in(database: Database) -> Dump {
    dump_but(&half_a_day(database).await.store, VOLATILE).await
}

/// Everything that is in the database but for these columns.
pub(crate) async fn dump_but(store: &Store, without: &[&str]) -> Dump {
    let mut dump = Dump::new();
    for (table, columns) in tables(store, without).await {
        let rows = rows(store, &table, &columns).await;
        let mut rows: Vec<_> = rows.into_iter().map(|row| plain(row).to_string()).collect();
        rows.sort();
        dump.insert(table, rows);
    }
    dump
}

/// Tables and views with their columns, but for these.
#[expect(clippy::disallowed_methods, reason = "looks at the rows from outside the store")]
async fn tables(store: &Store, without: &[&str]) -> BTreeMap<String, Vec<String>> {
    let found: Vec<(String, String)> = match store {
        Store::Sqlite { writer, .. } => sqlx::query_as(
            "select m.name, p.name from sqlite_master m join pragma_table_info(m.name) p
             where m.type in ('table', 'view') and m.name not like 'sqlite_%'
               and m.name not like '_sqlx%'",
        )
        .fetch_all(writer)
        .await
        .unwrap(),
        Store::Postgres(pool) => sqlx::query_as(
            "select table_name::text, column_name::text from information_schema.columns
             where table_schema = 'public' and table_name not like '\\_sqlx%'",
        )
        .fetch_all(pool)
        .await
        .unwrap(),
    };
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in found {
        if !without.contains(&column.as_str()) && !THROUGH_VIEWS.contains(&table.as_str()) {
            tables.entry(table).or_default().push(column);
        }
    }
    tables
}

#[expect(clippy::disallowed_methods, reason = "looks at the rows from outside the store")]
async fn rows(store: &Store, table: &str, columns: &[String]) -> Vec<Value> {
    let texts: Vec<String> = match store {
        Store::Sqlite { writer, .. } => {
            let pairs = columns.iter().map(|column| match (table, column.as_str()) {
                (_, "body") if table == "documents" => "'body', json(body)".to_owned(),
                ("documents", "exact") => "'exact', '\\x' || lower(hex(exact))".to_owned(),
                _ => format!(
                    "'{column}', iif(typeof({column}) = 'blob', '\\x' || lower(hex({column})), {column})"
                ),
            });
            let pairs = pairs.collect::<Vec<_>>().join(", ");
            let sql = AssertSqlSafe(format!("select json_object({pairs}) from {table}"));
            sqlx::query_scalar(sql).fetch_all(writer).await.unwrap()
        }
        Store::Postgres(pool) => {
            let columns = columns.join(", ");
            let sql = format!("select to_jsonb(t)::text from (select {columns} from {table}) t");
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap()
        }
    };
    texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

/// A value as both databases mean it: true is 1, a time is our own text, 158.0 is 158, an absent
/// byte string is null, and the spaces in a JSON text say nothing.
pub(crate) fn plain(value: Value) -> Value {
    match value {
        Value::Bool(flag) => i64::from(flag).to_string().into(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.as_i64().is_none() && float.fract() == 0.0 => {
                serde_json::json!(format!("{float:.0}"))
            }
            // One database writes 15 digits, the other all of them.
            Some(float) if number.is_f64() => serde_json::json!(format!("{float:.9e}")),
            _ => serde_json::json!(number.to_string()),
        },
        Value::String(text) if text == "\\x" => Value::Null,
        Value::String(text) => match (text.parse::<Time>(), serde_json::from_str(&text)) {
            (Ok(time), _) => time.to_string().into(),
            (_, Ok(json @ (Value::Object(_) | Value::Array(_)))) => plain(json),
            _ => text.into(),
        },
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, plain(value))).collect())
        }
        Value::Null => Value::Null,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_answers_give_the_same_rows_in_sqlite_and_in_postgres() {
    let here = Box::pin(half_a_day_in(sqlite())).await;
    let there = Box::pin(half_a_day_in(postgres().await)).await;
    assert_eq!(here.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
    for (table, rows) in &here {
        assert!(!rows.is_empty() || EMPTY.contains(&table.as_str()), "no rows in {table}");
        let other = &there[table];
        let differs = rows.iter().zip(other).find(|(one, another)| one != another);
        assert_eq!(differs, None, "in {table}");
        assert_eq!(rows.len(), other.len(), "rows of {table}");
    }
}
