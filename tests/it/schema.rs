//! Both databases have the same schema, and migrations only go forward.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row as _;
use tidewatch::model::TABLES;
use tidewatch::store::{Schema, Store};

use crate::databases::{Database, on_both, postgres, sqlite};

/// Tables and views with their columns in the order of `select *`.
type Columns = BTreeMap<String, Vec<String>>;

#[expect(clippy::disallowed_methods, reason = "reads the schema from outside the store")]
async fn sqlite_columns(url: &str) -> Columns {
    let pool = sqlx::SqlitePool::connect(url).await.unwrap();
    let rows = sqlx::query(
        "select m.name as t, p.name as c from sqlite_master m join pragma_table_info(m.name) p
         where m.type in ('table', 'view') and m.name not like 'sqlite_%' and m.name not like '_sqlx%'
         order by m.name, p.cid",
    );
    collect(rows.fetch_all(&pool).await.unwrap().iter().map(|row| (row.get("t"), row.get("c"))))
}

#[expect(clippy::disallowed_methods, reason = "reads the schema from outside the store")]
async fn postgres_columns(url: &str) -> Columns {
    let pool = sqlx::PgPool::connect(url).await.unwrap();
    let rows = sqlx::query(
        "select table_name::text as t, column_name::text as c from information_schema.columns
         where table_schema = 'public' and table_name not like '\\_sqlx%'
         order by table_name, ordinal_position",
    );
    collect(rows.fetch_all(&pool).await.unwrap().iter().map(|row| (row.get("t"), row.get("c"))))
}

fn collect(rows: impl Iterator<Item = (String, String)>) -> Columns {
    let mut columns = Columns::new();
    for (table, column) in rows {
        columns.entry(table).or_default().push(column);
    }
    columns
}

#[tokio::test]
async fn schemas_have_the_same_tables_and_columns() {
    let (here, there) = (sqlite(), postgres().await);
    here.open().await;
    there.open().await;
    let (here, there) = (sqlite_columns(here.url()).await, postgres_columns(there.url()).await);
    assert!(here.contains_key("note_metrics") && here.contains_key("engagement"));
    assert_eq!(here, there);
}

/// Columns of content tables that come from the answer's place in the archive, not from its text.
const STAMPS: [&str; 15] = [
    "item_key",
    "kol_key",
    "platform",
    "item_id",
    "kol_id",
    "observed_at",
    "document_id",
    "suspect",
    "first_seen_at",
    "last_seen_at",
    "changed_at",
    "last_document_id",
    "refreshed_at",
    "fingerprint",
    "unconfirmed",
];

#[tokio::test]
async fn catalogue_columns_are_those_of_both_schemas() {
    let (here, there) = (sqlite(), postgres().await);
    here.open().await;
    there.open().await;
    for schema in [sqlite_columns(here.url()).await, postgres_columns(there.url()).await] {
        for table in TABLES {
            let known: BTreeSet<_> = table.columns.iter().map(|column| column.name).collect();
            let is_content = |name: &&str| known.contains(name) || !STAMPS.contains(name);
            let found = schema[table.name].iter().map(String::as_str).filter(is_content);
            assert_eq!(found.collect::<BTreeSet<_>>(), known, "{}", table.name);
        }
        for (view, table) in [("kol_metrics", "kol_snapshots"), ("work_metrics", "snapshots")] {
            for name in &schema[table] {
                // Views of a work are its plays, and `exact` says whether a count is rounded.
                let is_elsewhere = ["views", "granularity"].contains(&name.as_str())
                    || STAMPS.contains(&name.as_str());
                assert!(is_elsewhere || schema[view].contains(name), "{view} hides {name}");
            }
        }
    }
}

#[test]
fn migrations_have_the_same_names() {
    let names = |folder: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
        let mut names: Vec<_> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert!(!names("sqlite").is_empty());
    assert_eq!(names("sqlite"), names("postgres"));
}

on_both!(schema_version_is_behind_current_or_newer);
async fn schema_version_is_behind_current_or_newer(database: Database) {
    let store = Store::connect(database.url()).await.unwrap();
    assert!(matches!(store.schema().await.unwrap(), Schema::Behind(_)));
    let required = store.require_schema().await;
    if store.is_sqlite() {
        required.unwrap();
    } else {
        let error = required.unwrap_err().to_string();
        assert!(error.contains("tidewatch migrate"), "{error}");
    }
    store.migrate().await.unwrap();
    assert_eq!(store.schema().await.unwrap(), Schema::Current);
    add_newer_migration(&store).await;
    assert_eq!(store.schema().await.unwrap(), Schema::Newer);
    for error in [store.require_schema().await, store.migrate().await] {
        assert!(error.unwrap_err().to_string().contains("newer version"));
    }
}

#[expect(clippy::disallowed_methods, reason = "plays a newer program")]
async fn add_newer_migration(store: &Store) {
    let sql = "insert into _sqlx_migrations
               (version, description, success, checksum, execution_time)
               select 9999, description, success, checksum, execution_time
               from _sqlx_migrations limit 1";
    match store {
        Store::Sqlite { writer, .. } => {
            sqlx::query(sql).execute(writer).await.unwrap();
        }
        Store::Postgres(pool) => {
            sqlx::query(sql).execute(pool).await.unwrap();
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn new_sqlite_file_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let database = sqlite();
    let store = database.open().await;
    let mut checked = 0;
    for entry in std::fs::read_dir(database.directory()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        checked += 1;
    }
    assert!(checked >= 2, "the file and its journal");
    store.close().await;
}

#[tokio::test]
async fn sqlite_url_parameters_are_refused() {
    let database = sqlite();
    let error = Store::connect(&format!("{}?mode=ro", database.url())).await.unwrap_err();
    assert!(error.to_string().contains("takes no parameters"), "{error}");
    assert_eq!(std::fs::read_dir(database.directory()).unwrap().count(), 0);
}
