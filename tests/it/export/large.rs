//! A large table goes out in constant memory, and another program reads the same sums from it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::AssertSqlSafe;
use tidewatch::store::Store;

use crate::databases::sqlite;
use crate::flags;
use crate::program::{Place, Running, waited_for};

/// Rows of the usual run, and of the long one.
const ROWS: [u64; 2] = [200_000, 10_000_000];

/// What an export may take at the most.
const MOST_MB: u64 = 150;

/// How long an export may take.
const PATIENCE: Duration = Duration::from_secs(1800);

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_table_goes_out_in_constant_memory_and_duckdb_finds_the_same_sums() {
    let rows = ROWS[usize::from(flags::is_long())];
    let database = sqlite();
    let store = database.open().await;
    fill(&store, rows).await;
    let place = Place::new(&database, "");
    let expected = sums(&store).await;
    store.close().await;
    for name in ["engagement.parquet", "engagement.csv"] {
        let (peak_mb, seconds) = measured(place.start(&["export", "engagement", "-o", name])).await;
        let file = place.output(name);
        let size_mb =
            std::fs::metadata(&file).unwrap_or_else(|_| panic!("{}", place.said())).len() >> 20;
        eprintln!("{name}: {rows} rows, peak {peak_mb} MB, {seconds} s, file {size_mb} MB");
        assert!(peak_mb > 0 && peak_mb < MOST_MB, "{name}: {peak_mb} MB");
        assert_eq!(read_by_duckdb(&file), expected, "{name}");
    }
}

/// A thousand notes with as many observations as make so many rows; some counts are not known.
#[expect(clippy::disallowed_methods, reason = "makes rows outside the store, without answers")]
async fn fill(store: &Store, rows: u64) {
    let Store::Sqlite { writer, .. } = store else { panic!("SQLite") };
    for sql in [
        "drop trigger note_snapshots_kept".to_owned(),
        "with recursive n(n) as (select 1 union all select n + 1 from n where n < 1000)
         insert into notes (note_key, note_id, title, first_seen_at, last_seen_at, fingerprint, document_id)
         select n, printf('%024x', n), '=' || n, '2026-03-02', '2026-03-02', '', 0 from n"
            .to_owned(),
        format!(
            "with recursive n(n) as (select 0 union all select n + 1 from n where n < {rows} - 1)
             insert into note_snapshots
             (note_key, observed_at, document_id, likes, collects, comments, shares, views)
             select 1 + n / ({rows} / 1000), 1772409600000000 + n % ({rows} / 1000) * 3600000001, n, n % 99991,
                    n % 101, iif(n % 10 = 0, null, n % 11), 0, null
             from n"
        ),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(writer).await.unwrap();
    }
}

/// The number of rows, the sums of two counts, how many are known, and the sum of the times.
#[expect(clippy::disallowed_methods, reason = "looks at the rows from outside the store")]
async fn sums(store: &Store) -> String {
    let Store::Sqlite { readers, .. } = store else { panic!("SQLite") };
    let sums: (i64, i64, i64, i64, i64) = sqlx::query_as(
        "select count(*), sum(likes), sum(comments), count(comments), sum(observed_at / 1000000)
         from note_snapshots",
    )
    .fetch_one(readers)
    .await
    .unwrap();
    format!("{} {} {} {} {}", sums.0, sums.1, sums.2, sums.3, sums.4)
}

/// The same of a file, as DuckDB reads it.
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

/// Waits for a program's end; the most memory that it had, in MB, and the seconds it took.
async fn measured(running: Running) -> (u64, u64) {
    #[expect(clippy::disallowed_methods, reason = "shown, and nothing depends on it")]
    let began = Instant::now();
    let status = format!("/proc/{}/status", running.id());
    let mut peak_kb = 0;
    let ended = waited_for(PATIENCE, async || {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        // Once it has ended it has no memory any more.
        let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
        peak_kb = peak.unwrap_or(peak_kb);
        peak.is_none()
    });
    assert!(ended.await, "the export does not end");
    assert_eq!(running.end().await.code(), Some(0));
    (peak_kb >> 10, began.elapsed().as_secs())
}
