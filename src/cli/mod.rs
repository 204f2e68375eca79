//! The command line: one file per verb.

mod alert;
mod backfill;
mod backup;
pub mod check;
mod cold;
mod completions;
mod demo;
mod export;
mod fetch;
mod forget;
mod format;
mod healthcheck;
mod logging;
mod man;
mod meter;
mod pause;
mod replay;
mod report;
mod rows;
mod run;
mod schema;
mod serve;
mod settings;
mod signals;
mod simulate;
mod sql;
mod status;

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, Parser, Subcommand};

use self::logging::LogFormat;
pub use self::logging::start_logging;
use self::settings::{load, load_or_default, load_without_calls, say_whom, settings};
use crate::api::Provider;
use crate::config::{AlertUrlMissing, ConfigError, PageRefused, PriceMissing, TokenMissing};
use crate::store::{Schema, Store};
use crate::time::Clock;

/// Exit code: partial failure.
const SOME_FAILED: u8 = 1;

/// Exit code: crash or failed start.
const CRASHED: u8 = 2;

/// Exit code: wrong configuration (`EX_CONFIG`).
const MISCONFIGURED: u8 = 78;

/// The program's name.
const PROGRAM: &str = "tidewatch";

/// Heading of the global options in `--help`.
const GLOBAL: &str = "Global options (demo and simulate ignore the first two)";

/// Default path of the settings.
const JOBS: &str = "jobs.toml";

/// The commented sample.
const SAMPLE: &str = include_str!("../../jobs.toml");

/// The environment variables of the providers.
fn variables() -> String {
    let of = |provider: Provider| {
        let token = provider.profile().token.map(|_| provider.variable("TOKEN"));
        let token = token.map(|name| format!("{name} or {name}_FILE, "));
        format!("{}{}", token.unwrap_or_default(), provider.variable("BASE_URL"))
    };
    Provider::ALL.map(of).join(", ")
}

/// A scheduled archival crawler that writes to SQL: the trustworthy time series.
///
/// Watches Xiaohongshu notes, keywords and KOL searches and Douyin works on the schedules of
/// jobs.toml, stores every answer, and adds a row of counts for every observation.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = format!("\
Start with `tidewatch demo`: a simulated week, without a token or a server.
Exit codes: 0 done, 1 partial failure, 2 crashed, 78 invalid configuration.
Environment: {}.", variables())
)]
pub struct Cli {
    /// Jobs and settings [default: jobs.toml]
    #[arg(
        long,
        global = true,
        env = "TIDEWATCH_CONFIG",
        value_name = "FILE",
        help_heading = GLOBAL
    )]
    config: Option<PathBuf>,
    /// The archive: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite:tidewatch.db",
        value_name = "URL"
    )]
    database_url: String,
    /// Format of messages on stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, help_heading = GLOBAL)]
    log_format: LogFormat,
    /// More messages; twice for debug messages
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    verbose: u8,
    /// Only warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = GLOBAL)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

impl Cli {
    /// Path of the settings.
    fn jobs(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(JOBS))
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon: fetch the jobs of jobs.toml on schedule until stopped
    ///
    /// SIGTERM or Ctrl-C stops it gracefully: calls in flight finish and are saved. A second one
    /// stops immediately; calls in flight remain open on the ledger and are retried later.
    Run(run::Run),
    /// Write a commented jobs.toml to start with
    Init,
    /// Check jobs.toml: next fires, targets, calls and cost per day (exit 0 or 78)
    Check {
        /// Exit with 78 on warnings as well, such as jobs that exceed the budget
        #[arg(long)]
        deny_warnings: bool,
    },
    /// Fetch targets now, through the daemon's step, and show the stored rows
    Fetch(fetch::Fetch),
    /// Fetch many targets once, beside the schedules: from files, a job, or the archive itself
    Backfill(backfill::Backfill),
    /// Show the state of the jobs: due, observed and missed slots, calls and cost, open problems
    Status(status::Status),
    /// Report on an item, a KOL, a keyword, a job, the cost, or missed slots
    Report(report::Report),
    /// Query the archive in SQL, read-only
    Sql(sql::Sql),
    /// Write a table, a view or a query's rows to a file: CSV, JSONL or Parquet
    Export(export::Export),
    /// Old answers in compressed files: `cold pack`, `files`, `verify`, `thaw`
    Cold(cold::Cold),
    /// Serve the archive as a read-only web page in Chinese and English
    ///
    /// It shows movers, problems and cost; curves of notes and works, with gaps for missed slots
    /// and the answer behind each point; jobs, keywords and KOLs. Open http://127.0.0.1:8080/ in a
    /// browser; Ctrl-C stops it. Other machines need a password, set in TIDEWATCH_PAGE_PASSWORD or
    /// in the file named by TIDEWATCH_PAGE_PASSWORD_FILE; put a TLS proxy in front and pass its
    /// host name with --host.
    Serve(serve::Serve),
    /// Test the alerts of jobs.toml: `alert test`
    Alert(alert::Alert),
    /// Check the health of the daemon on this machine (exit 0 or 1), for containers
    Healthcheck(healthcheck::Healthcheck),
    /// Pause a job, an endpoint or a provider for a while
    Pause(pause::Pause),
    /// End pauses, whether manual or caused by upstream
    Resume(pause::Resume),
    /// Migrate the database schema (SQLite archives are migrated on opening)
    Migrate,
    /// Write a checked copy of a SQLite archive, also beside a running daemon
    Backup(backup::Backup),
    /// Derive all rows again from the stored answers, without calls; no other tidewatch may be
    /// running
    ///
    /// Tables of items, counts, suggestions and search results are dropped and filled again; links,
    /// slots and the ledger stay. If it is interrupted, rows are missing until it runs again.
    Replay,
    /// Erase a note, a work or a person permanently, and block new data about them
    ///
    /// Deletes rows and stored answers, and mentions in other answers; the ledger and the slots
    /// stay without names. Shows what it will delete and asks first. No other tidewatch but `serve`
    /// may be running: stop the daemon, forget, and start it again.
    Forget(forget::Forget),
    /// Simulate a week in seconds: no token, no server
    Demo(demo::Demo),
    /// Serve a simulated upstream on 127.0.0.1 for rehearsals and tests
    Simulate(simulate::Simulate),
    /// Print a shell completion script
    Completions(completions::Completions),
    /// Print the manual, or write a page per verb into a folder
    Man(man::Manual),
    /// Print a JSON Schema of jobs.toml, for editors
    Schema,
}

/// Output for programs.
#[derive(Args, Debug)]
struct Json {
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    json: bool,
}

/// Runs the command. [`explain`] reports its errors.
pub fn run(cli: &Cli) -> Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let done = runtime.block_on(Box::pin(async {
        match &cli.command {
            Command::Run(run) => Box::pin(run.run(cli)).await,
            Command::Init => init(cli),
            Command::Check { deny_warnings } => check_config(cli, *deny_warnings).await,
            Command::Fetch(fetch) => fetch.run(cli).await,
            Command::Backfill(backfill) => backfill.run(cli).await,
            Command::Status(status) => status.run(cli).await,
            Command::Report(report) => report.run(cli).await,
            Command::Sql(sql) => sql.run(cli).await,
            Command::Export(export) => export.run(cli).await,
            Command::Cold(cold) => cold.run(cli).await,
            Command::Serve(serve) => serve.run(cli).await,
            Command::Alert(alert) => alert.run(cli).await,
            Command::Healthcheck(check) => check.run(cli).await,
            Command::Pause(pause) => pause.run(cli).await,
            Command::Resume(resume) => resume.run(cli).await,
            Command::Migrate => migrate(cli).await,
            Command::Backup(backup) => backup.run(cli).await,
            Command::Replay => replay::run(cli).await,
            Command::Forget(forget) => forget.run(cli).await,
            Command::Demo(demo) => demo.run().await,
            Command::Simulate(simulate) => simulate.run().await,
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(),
            Command::Schema => schema::run(),
        }
    }));
    // A task that waits for the network must not delay the exit.
    runtime.shutdown_background();
    done
}

/// Reports an error and returns the exit code.
///
/// Errors have one style: `error: what is wrong: the reason or the fix; more`, on one line in lower
/// case without a full stop; text to type is in backquotes. Only errors in settings and queries
/// show their position and have a separate help line.
pub fn explain(error: &anyhow::Error) -> ExitCode {
    if let Some(problems) = error.downcast_ref::<ConfigError>() {
        // Each problem has its own `error:` prefix.
        let _ = writeln!(std::io::stderr(), "{problems}");
        return ExitCode::from(MISCONFIGURED);
    }
    say(&chain(error));
    exit_code(error)
}

/// Says on stderr what is wrong.
fn say(wrong: &str) {
    let _ = writeln!(std::io::stderr(), "error: {wrong}");
}

/// An error with its causes.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // Libraries repeat their cause in their own message.
        if !text.contains(&cause) {
            let separator = if text.is_empty() { "" } else { ": " };
            text = text + separator + &cause;
        }
    }
    text
}

/// The exit code of a verb that fails with this error.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    let misconfigured = error.downcast_ref::<TokenMissing>().is_some()
        || error.downcast_ref::<PriceMissing>().is_some()
        || error.downcast_ref::<AlertUrlMissing>().is_some()
        || error.downcast_ref::<PageRefused>().is_some();
    ExitCode::from(if misconfigured { MISCONFIGURED } else { CRASHED })
}

/// The exit code after a panic, whose message is on stderr.
pub fn crashed() -> ExitCode {
    ExitCode::from(CRASHED)
}

/// Writes data to stdout; a closed reader is no error.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn init(cli: &Cli) -> Result<ExitCode> {
    let path = cli.jobs();
    let mut file = std::fs::File::create_new(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow!("{} exists and is not changed", path.display()),
        _ => anyhow!("cannot write {}: {error}", path.display()),
    })?;
    // The sample's items are invented: fetching them would cost money for nothing.
    let switched_off =
        "[[job]]\nenabled = false     # remove this line once the entries are yours\n";
    file.write_all(SAMPLE.replace("[[job]]\n", switched_off).as_bytes())?;
    print(&format!(
        "wrote {}; edit it, then run `tidewatch check`\n\
         for completion in an editor: `tidewatch schema > jobs.schema.json`, and `#:schema \
         ./jobs.schema.json` as its first line\n",
        path.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the archive and checks its schema version.
async fn open(cli: &Cli) -> Result<Store> {
    let store = Store::connect(&cli.database_url).await?;
    store.require_schema().await?;
    Ok(store)
}

async fn check_config(cli: &Cli, deny_warnings: bool) -> Result<ExitCode> {
    let (mut config, now) = (load(cli)?, Clock::system().now());
    config.warnings.extend(forget::warnings(cli, &config).await);
    print(&check::report(&config, now))?;
    let denied = deny_warnings && !check::warnings(&config, now).is_empty();
    Ok(ExitCode::from(if denied { MISCONFIGURED } else { 0 }))
}

async fn migrate(cli: &Cli) -> Result<ExitCode> {
    let store = Store::connect(&cli.database_url).await?;
    let before = store.schema().await?;
    store.migrate().await?;
    print(match before {
        Schema::Current => "the schema was up to date\n",
        Schema::Behind(_) | Schema::Newer => "the schema was migrated\n",
    })?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
