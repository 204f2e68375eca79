//! Measures a note from an HTTP upstream to committed rows, compared with the floor (the same rows,
//! ready-made, copied into the same tables) and with other programs.
//!
//! Run it with `bash benches/run.sh`, which starts a private PostgreSQL; `--help` lists the
//! options. Every contestant is a process of its own, and so is the upstream, whose cost is not
//! counted.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod client;
mod floor;
mod measure;
mod postgres;
mod processes;
mod table;
mod upstream;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use crate::measure::{Contestant, Figures};
use crate::postgres::Cluster;
use crate::table::Row;
use crate::upstream::Upstream;

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Benchmark of the pipeline.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    role: Option<Role>,
    /// Notes that Tidewatch archives per run, each fetched twice
    #[arg(long, default_value_t = 10_000)]
    notes: usize,
    /// Notes that each of the other programs archives per run
    #[arg(long, default_value_t = 2_000)]
    peer_notes: usize,
    /// Number of runs; the median is shown
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Calls in flight for the speed measurement; more of them are saved at once
    #[arg(long, default_value_t = 256)]
    concurrency: usize,
    /// Only `sqlite`, `postgres`, `peers` or `memory`, separated by commas
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// URL of a private PostgreSQL, as superuser
    #[arg(long)]
    postgres: Option<String>,
    /// Directory of the cluster, writable by its server
    #[arg(long)]
    cluster: Option<PathBuf>,
    /// A Python with the packages of `benches/peers/requirements.txt`
    #[arg(long)]
    python: Option<PathBuf>,
    /// Passed by cargo to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Role of a process started by the benchmark.
#[derive(Subcommand)]
enum Role {
    /// The upstream.
    #[command(hide = true)]
    Upstream,
    /// The daemon.
    #[command(hide = true)]
    Client(client::Args),
    /// The floor of SQLite.
    #[command(hide = true)]
    SqliteFloor(floor::Args),
}

/// Number of targets for the memory measurement.
const MANY: usize = 100_000;

/// Calls in flight for the memory measurement.
const OF_MANY: usize = 64;

fn main() -> Result<()> {
    let args = Args::parse();
    match &args.role {
        Some(Role::Upstream) => upstream::serve(),
        Some(Role::Client(args)) => client::run(args),
        Some(Role::SqliteFloor(args)) => floor::sqlite(args),
        None => Bench::new(args)?.run(),
    }
}

/// The program itself in another role.
fn itself(role: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(role);
    Ok(command)
}

struct Bench {
    args: Args,
    upstream: Upstream,
    folder: tempfile::TempDir,
    rows: Vec<Row>,
}

impl Bench {
    fn new(args: Args) -> Result<Self> {
        let upstream = Upstream::start()?;
        Ok(Self { args, upstream, folder: tempfile::tempdir()?, rows: Vec::new() })
    }

    fn run(mut self) -> Result<()> {
        for run in 1..=self.args.runs {
            eprintln!("run {run} of {}", self.args.runs);
            if self.wants("sqlite") {
                self.on_sqlite(run)?;
            }
            if let (Some(url), Some(cluster)) = (&self.args.postgres, &self.args.cluster) {
                let cluster = Cluster::new(url, cluster)?;
                if self.wants("postgres") {
                    self.on_postgres(&cluster)?;
                }
                if self.wants("peers") {
                    self.peers(&cluster)?;
                }
            }
        }
        if self.wants("memory") {
            self.memory()?;
        }
        println!("{}", table::text(&self.rows));
        Ok(())
    }

    fn wants(&self, part: &str) -> bool {
        self.args.only.is_empty() || self.args.only.iter().any(|only| only == part)
    }

    fn add(&mut self, database: &'static str, what: &'static str, figures: Figures) {
        eprintln!("  {database}, {what}: {figures}");
        match self.rows.iter_mut().find(|row| row.database == database && row.what == what) {
            Some(row) => row.runs.push(figures),
            None => self.rows.push(Row { database, what, runs: vec![figures] }),
        }
    }

    /// The daemon on `database` with this many notes.
    fn client(&self, database: &str, notes: usize, concurrency: usize) -> Result<Command> {
        let mut command = itself("client")?;
        command.args(["--database", database, "--upstream", self.upstream.url()]);
        command.args(["--notes", &notes.to_string()]);
        command.args(["--concurrency", &concurrency.to_string()]);
        Ok(command)
    }

    fn on_sqlite(&mut self, run: usize) -> Result<()> {
        let file = self.folder.path().join(format!("{run}.db"));
        let database = format!("sqlite:{}", file.display());
        let mut client =
            Contestant::start(self.client(&database, self.args.notes, self.args.concurrency)?)?;
        let first = client.measure(None)?;
        let again = client.measure(None)?;
        client.end()?;
        let mut floor = itself("sqlite-floor")?;
        floor.arg(&file).arg(self.folder.path().join(format!("{run}-floor.db")));
        let mut floor = Contestant::start(floor)?;
        let ready = floor.measure(None)?;
        let ready_again = floor.measure(None)?;
        floor.end()?;
        self.add("SQLite", table::FLOOR, ready);
        self.add("SQLite", table::FIRST, first);
        self.add("SQLite", table::FLOOR_AGAIN, ready_again);
        self.add("SQLite", table::AGAIN, again);
        Ok(())
    }

    fn on_postgres(&mut self, cluster: &Cluster) -> Result<()> {
        let database = cluster.fresh("tidewatch_bench")?;
        let mut client =
            Contestant::start(self.client(&database, self.args.notes, self.args.concurrency)?)?;
        let first = client.measure(Some(cluster))?;
        cluster.checkpoint()?;
        let again = client.measure(Some(cluster))?;
        client.end()?;
        let (ready, ready_again) = floor::postgres(cluster, &database)?;
        self.add("PostgreSQL", table::FLOOR, ready);
        self.add("PostgreSQL", table::FIRST, first);
        self.add("PostgreSQL", table::FLOOR_AGAIN, ready_again);
        self.add("PostgreSQL", table::AGAIN, again);
        Ok(())
    }

    fn peers(&mut self, cluster: &Cluster) -> Result<()> {
        let Some(python) = self.args.python.clone() else {
            eprintln!("  no Python: the other programs are left out");
            return Ok(());
        };
        let ids = self.folder.path().join("ids.txt");
        std::fs::write(&ids, client::note_ids(self.args.peer_notes).join("\n"))?;
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
        for (file, more, what) in [
            ("script.py", None, table::SCRIPT),
            ("with_dlt.py", None, table::DLT),
            ("with_dlt.py", Some("whole"), table::DLT_WHOLE),
        ] {
            let mut command = Command::new(&python);
            command.arg(folder.join(file)).arg(cluster.fresh("peer_bench")?);
            command.arg(self.upstream.url()).arg(&ids).args(more).current_dir(self.folder.path());
            let mut peer = Contestant::start(command).with_context(|| file.to_owned())?;
            let figures = peer.measure(Some(cluster))?;
            peer.end()?;
            self.add("PostgreSQL", what, figures);
        }
        Ok(())
    }

    /// Fetches many targets once on both databases.
    fn memory(&mut self) -> Result<()> {
        let file = self.folder.path().join("many.db");
        let database = format!("sqlite:{}", file.display());
        let mut client = Contestant::start(self.client(&database, MANY, OF_MANY)?)?;
        let figures = client.measure(None)?;
        client.abandon()?;
        self.add("SQLite", table::MANY, figures);
        if let (Some(url), Some(cluster)) = (&self.args.postgres, &self.args.cluster) {
            let cluster = Cluster::new(url, cluster)?;
            let database = cluster.fresh("tidewatch_bench")?;
            let mut client = Contestant::start(self.client(&database, MANY, OF_MANY)?)?;
            let figures = client.measure(Some(&cluster))?;
            client.abandon()?;
            self.add("PostgreSQL", table::MANY, figures);
        }
        Ok(())
    }
}
