//! Whatever stands in a database: the bytes of a file, and every text of every table.

use std::path::Path;

use sqlx::AssertSqlSafe;
use tidewatch::store::Store;

/// Where these texts still stand. Of SQLite the bytes of the files are searched, free pages and the
/// journal with them; of PostgreSQL every column as text. `but` is the table that may hold them.
pub(super) async fn remains(store: &Store, texts: &[&str], but: &str) -> Vec<String> {
    match store {
        Store::Sqlite { writer, .. } => {
            in_files(writer.connect_options().get_filename().parent().unwrap(), texts)
        }
        Store::Postgres(pool) => in_tables(pool, texts, but).await,
    }
}

fn in_files(folder: &Path, texts: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        let holds = |text: &&&str| memchr::memmem::find(&bytes, text.as_bytes()).is_some();
        let name = entry.file_name().to_string_lossy().into_owned();
        found.extend(texts.iter().filter(holds).map(|text| format!("{name}: {text}")));
    }
    found
}

#[expect(clippy::disallowed_methods, reason = "looks at the rows from outside the store")]
async fn in_tables(pool: &sqlx::PgPool, texts: &[&str], but: &str) -> Vec<String> {
    let tables: Vec<(String,)> = sqlx::query_as(
        "select table_name::text from information_schema.tables
         where table_schema = 'public' and table_type = 'BASE TABLE' and table_name <> $1",
    )
    .bind(but)
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.len() > 25, "{tables:?}");
    let mut found = Vec::new();
    for (table,) in tables {
        for text in texts {
            // Bytes are shown as their digits.
            let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            let sql = format!(
                "select count(*) from {table} t
                 where position($1 in t::text) > 0 or position($2 in t::text) > 0"
            );
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(text)
                .bind(digits)
                .fetch_one(pool)
                .await
                .unwrap();
            found.extend((count > 0).then(|| format!("{table}: {text}")));
        }
    }
    found
}
