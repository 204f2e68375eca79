//! Measures the usual queries on a large archive through the views, compared with the best
//! hand-written queries over dedicated tables, on both databases.
//!
//! Run it with `bash benches/questions.sh`, which starts a private PostgreSQL.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod archive;
mod best;
mod database;
mod measure;
mod queries;

use anyhow::Result;
use clap::Parser;

use crate::archive::Size;
use crate::database::Database;

/// Benchmark of queries on a large archive.
#[derive(Parser)]
struct Args {
    /// Notes fetched hourly
    #[arg(long, default_value_t = 100_000)]
    notes: i64,
    /// Number of hours
    #[arg(long, default_value_t = 100)]
    hours: i64,
    /// Number of runs per query; the median is shown
    #[arg(long, default_value_t = 15)]
    runs: usize,
    /// URL of an empty PostgreSQL database
    #[arg(long)]
    postgres: String,
    /// Passed by cargo to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let size = Size { notes: args.notes, hours: args.hours, ..Size::default() };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let file = format!("sqlite:{}", folder.path().join("large.db").display());
    println!("{} snapshots; milliseconds, the median of {} runs\n", size.snapshots(), args.runs);
    println!("| database | what | ours | best by hand | ratio |");
    println!("|---|---|---:|---:|---:|");
    for url in [&file, &args.postgres] {
        let database = Database::open(url, size).await?;
        for row in measure::questions(&database, size, args.runs).await? {
            println!("{row}");
        }
        println!("{}", measure::saving(&database, size, args.runs).await?);
    }
    Ok(())
}
