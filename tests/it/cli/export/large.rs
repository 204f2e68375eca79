//! A large export runs in constant memory, and DuckDB computes the same sums from it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::AssertSqlSafe;
use tidewatch::store::Store;

use crate::databases::{Database, on_both, rows};
use crate::flags;
use crate::program::{Place, Running, waited_for};

/// Rows of the usual and of the long run.
const ROWS: [u64; 2] = [200_000, 10_000_000];

/// Maximum memory of an export.
const MOST_MB: u64 = 150;

/// Maximum duration of an export.
const PATIENCE: Duration = Duration::from_secs(1800);

#[cfg(target_os = "linux")]
on_both!(large_export_has_constant_memory_and_equal_sums);
#[cfg(target_os = "linux")]
async fn large_export_has_constant_memory_and_equal_sums(database: Database) {
    let count = ROWS[usize::from(flags::is_long())];
    let store = database.open().await;
    fill(&store, count).await;
    let place = Place::new(&database, "");
    let expected = sums(&store).await;
    let from = if store.is_sqlite() { "SQLite" } else { "PostgreSQL" };
    store.close().await;
    for name in ["engagement.parquet", "engagement.csv"] {
        let (peak_mb, seconds) = measured(place.start(&["export", "engagement", "-o", name])).await;
        let file = place.output(name);
        let size_mb =
            std::fs::metadata(&file).unwrap_or_else(|_| panic!("{}", place.said())).len() >> 20;
        eprintln!(
            "{name} from {from}: {count} rows, peak {peak_mb} MB, {seconds} s, file {size_mb} MB"
        );
        assert!(peak_mb > 0 && peak_mb < MOST_MB, "{name}: {peak_mb} MB");
        assert_eq!(read_by_duckdb(&file), expected, "{name}");
    }
}

/// A thousand notes with observations to make this many rows; some counts are NULL.
async fn fill(store: &Store, count: u64) {
    // Differs by necessity: number series, time types, and skipping slow triggers.
    let numbers = |count| match store {
        Store::Sqlite { .. } => format!(
            "(with recursive n(n) as (select 0 union all select n + 1 from n where n < {count} - 1)
              select n from n)"
        ),
        Store::Postgres(_) => format!("generate_series(0::bigint, {count} - 1) n"),
    };
    let (ready, start, micro) = match store {
        Store::Sqlite { .. } => ("drop trigger snapshots_added", "1772409600000000", "1"),
        Store::Postgres(_) => (
            "set local statement_timeout = 0; drop trigger snapshots_added on snapshots",
            "timestamptz '2026-03-02 00:00Z'",
            "interval '1 microsecond'",
        ),
    };
    let (notes, snapshots) = (numbers(1000), numbers(count));
    let sql = format!(
        "{ready};
         insert into item_keys (item_key, platform, item_id)
         select 1 + n, 'xiaohongshu', '00000000000000000' || (1000000 + n) from {notes};
         insert into snapshots
         (item_key, observed_at, document_id, likes, collects, comments, shares, views)
         select 1 + n / ({count} / 1000), {start} + n % ({count} / 1000) * 3600000001 * {micro}, n, n % 99991,
                n % 101, case n % 10 when 0 then null else n % 11 end, 0, null
         from {snapshots}"
    );
    let sql = sqlx::raw_sql(AssertSqlSafe(sql));
    match store {
        Store::Sqlite { writer, .. } => sql.execute(writer).await.unwrap().rows_affected(),
        Store::Postgres(pool) => sql.execute(pool).await.unwrap().rows_affected(),
    };
}

/// Number of rows, sums of two counts, number of non-null ones, and sum of the times.
async fn sums(store: &Store) -> String {
    // Differs by necessity: time types.
    let second = match store {
        Store::Sqlite { .. } => "observed_at / 1000000",
        Store::Postgres(_) => "floor(extract(epoch from observed_at))",
    };
    let sql = format!(
        "select count(*), cast(sum(likes) as bigint), cast(sum(comments) as bigint), count(comments),
                cast(sum({second}) as bigint)
         from snapshots"
    );
    let sums: Vec<(i64, i64, i64, i64, i64)> = rows(store, AssertSqlSafe(sql)).await;
    let sums = sums[0];
    format!("{} {} {} {} {}", sums.0, sums.1, sums.2, sums.3, sums.4)
}

/// The same of a file, read by DuckDB.
#[expect(clippy::disallowed_methods, reason = "tests/run.sh says where DuckDB is")]
fn read_by_duckdb(file: &Path) -> String {
    let python = std::env::var("TEST_DUCKDB_PYTHON").expect(
        "TEST_DUCKDB_PYTHON names no Python with DuckDB: run the tests with `bash tests/run.sh`",
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/duckdb/sums.py");
    let output = Command::new(python).arg(script).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Waits for a program's exit: peak memory in MB, and seconds.
async fn measured(running: Running) -> (u64, u64) {
    #[expect(clippy::disallowed_methods, reason = "shown, and nothing depends on it")]
    let began = Instant::now();
    let status = format!("/proc/{}/status", running.id());
    let mut peak_kb = 0;
    let ended = waited_for(PATIENCE, async || {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        // An exited program has no memory any more.
        let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
        peak_kb = peak.unwrap_or(peak_kb);
        peak.is_none()
    });
    assert!(ended.await, "the export does not end");
    assert_eq!(running.end().await.code(), Some(0));
    (peak_kb >> 10, began.elapsed().as_secs())
}
