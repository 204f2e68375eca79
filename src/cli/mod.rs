//! The command line: what can be asked for, one short function or file a subcommand.

mod alert;
mod backfill;
pub mod check;
mod completions;
mod demo;
mod export;
mod fetch;
mod forget;
mod healthcheck;
mod logging;
mod man;
mod pause;
mod replay;
mod report;
mod rows;
mod run;
mod schema;
mod serve;
mod settings;
mod show;
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
use crate::config::{AlertUrlMissing, ConfigError, PageRefused, PriceMissing, TokenMissing};
use crate::store::{Schema, Store};
use crate::time::Clock;

/// Exit code: some of it failed.
const SOME_FAILED: u8 = 1;

/// Exit code: it crashed, or could not begin.
const CRASHED: u8 = 2;

/// Exit code: wrong configuration (`EX_CONFIG`).
const MISCONFIGURED: u8 = 78;

/// What the program is called.
const PROGRAM: &str = "tidewatch";

/// Under which heading `--help` shows the options that every verb has.
const GLOBAL: &str = "Options of every verb (demo and simulate take none of the first two)";

/// Where the jobs and settings are, unless `--config` says otherwise.
const JOBS: &str = "jobs.toml";

/// The commented sample.
const SAMPLE: &str = include_str!("../../jobs.toml");

/// A scheduled archival crawler that writes to SQL: the trustworthy time series.
///
/// Watches Xiaohongshu notes, keywords and KOL searches and Douyin works on the schedules of
/// jobs.toml, keeps every answer, and adds a row of counts for every look.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Begin with `tidewatch demo`: a simulated week, without a token or a server.
Exit codes: 0 done, 1 some of it failed, 2 crashed, 78 wrong configuration.
Environment: JUSTONEAPI_TOKEN or JUSTONEAPI_TOKEN_FILE, JUSTONEAPI_BASE_URL."
)]
pub struct Cli {
    /// The jobs and settings [default: jobs.toml]
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
    /// How messages are written to stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, help_heading = GLOBAL)]
    log_format: LogFormat,
    /// More messages; twice for all of them
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    verbose: u8,
    /// Only warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = GLOBAL)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

impl Cli {
    /// The file with the jobs and settings.
    fn jobs(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(JOBS))
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch: fire the jobs of jobs.toml on schedule until stopped
    ///
    /// SIGTERM or Ctrl-C stops it gracefully: calls in flight end and are saved. A second one
    /// stops at once; what was in flight stands open on the ledger and is tried again.
    Run(run::Run),
    /// Write a commented jobs.toml to begin with
    Init,
    /// Check jobs.toml: next fires, targets, calls and price a day (exit 0 or 78)
    Check {
        /// Exit with 78 on warnings as well, such as jobs that want more than the budget allows
        #[arg(long)]
        deny_warnings: bool,
    },
    /// Look now: the same step as the daemon's, and show what was stored
    Fetch(fetch::Fetch),
    /// Bring many things in at once, beside the schedules: from files, a job, or the archive itself
    Backfill(backfill::Backfill),
    /// How the jobs stand: due, observed and missed looks, calls and cost, open problems
    Status(status::Status),
    /// What the archive says of an item, a KOL, a keyword, a job, money, or what was missed
    Report(report::Report),
    /// Ask the archive in SQL; nothing can be changed so
    Sql(sql::Sql),
    /// Write a table, a view or the rows of a query to a file: CSV, JSONL or Parquet
    Export(export::Export),
    /// Serve the archive as a page to look at, in Chinese and English; it changes nothing
    ///
    /// What moved, what is wrong and what it costs; the curves of notes and works, with gaps as gaps
    /// and the answer behind each point; jobs, keywords, KOLs. Open http://127.0.0.1:8080/ in a
    /// browser; Ctrl-C ends it. Other machines are let in only with a password, which stands in
    /// TIDEWATCH_PAGE_PASSWORD or in the file that TIDEWATCH_PAGE_PASSWORD_FILE names; put a proxy
    /// with TLS in front of it there, and name its host with --host.
    Serve(serve::Serve),
    /// Try the alerts of jobs.toml: `alert test`
    Alert(alert::Alert),
    /// Ask the daemon on this machine how it is (exit 0 or 1): for containers
    Healthcheck(healthcheck::Healthcheck),
    /// Stop asking a job, an endpoint or a provider for a while
    Pause(pause::Pause),
    /// Go on asking what was paused, by hand or by upstream
    Resume(pause::Resume),
    /// Bring the database's schema up to date (SQLite does so by itself)
    Migrate,
    /// Make the rows anew from the kept answers, without a call; no other tidewatch may be running
    ///
    /// Tables of items, counts, suggestions and search results are dropped and filled again; links,
    /// looks and the ledger stay. If it is interrupted rows are missing until it is run again.
    Replay,
    /// Delete a note, a work or a person for good, and let nothing of them in again
    ///
    /// Rows, kept answers, and what other answers say of them go; the ledger and the looks stay and
    /// bear no name. What goes is shown first, and asked about. No other tidewatch may be running but
    /// `serve`: stop the daemon, forget, and start it again.
    Forget(forget::Forget),
    /// A simulated week in seconds: no token, no server, no questions
    Demo(demo::Demo),
    /// Serve a simulated upstream on 127.0.0.1, for rehearsals and tests
    Simulate(simulate::Simulate),
    /// Write what a shell needs to complete this command line
    Completions(completions::Completions),
    /// Write the manual: one page, or one for each verb into a folder
    Man(man::Manual),
    /// Write a JSON Schema of jobs.toml, for editors
    Schema,
}

/// What a program reads instead of a person.
#[derive(Args, Debug)]
struct Json {
    /// Write JSON instead of a table
    #[arg(long, global = true)]
    json: bool,
}

/// Carries out what was asked for.
///
/// # Errors
/// Whatever went wrong; [`explain`] tells the user.
pub fn run(cli: &Cli) -> Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let done = runtime.block_on(Box::pin(async {
        match &cli.command {
            Command::Run(run) => run.run(cli).await,
            Command::Init => init(cli),
            Command::Check { deny_warnings } => check_config(cli, *deny_warnings).await,
            Command::Fetch(fetch) => fetch.run(cli).await,
            Command::Backfill(backfill) => backfill.run(cli).await,
            Command::Status(status) => status.run(cli).await,
            Command::Report(report) => report.run(cli).await,
            Command::Sql(sql) => sql.run(cli).await,
            Command::Export(export) => export.run(cli).await,
            Command::Serve(serve) => serve.run(cli).await,
            Command::Alert(alert) => alert.run(cli).await,
            Command::Healthcheck(check) => check.run(cli).await,
            Command::Pause(pause) => pause.run(cli).await,
            Command::Resume(resume) => resume.run(cli).await,
            Command::Migrate => migrate(cli).await,
            Command::Replay => replay::run(cli).await,
            Command::Forget(forget) => forget.run(cli).await,
            Command::Demo(demo) => demo.run().await,
            Command::Simulate(simulate) => simulate.run().await,
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(),
            Command::Schema => schema::run(),
        }
    }));
    // A task that still waits for the network must not hold up the end.
    runtime.shutdown_background();
    done
}

/// Tells the user what went wrong; the exit code.
///
/// Errors are of one style: `error: what is wrong: why, or what to do about it`. Each is one line in
/// small letters without a full stop at its end. After the colon stands why, or what to do about it,
/// after a semicolon whatever else there is to say, and in backquotes what is to be typed. Mistakes in
/// the settings and in queries alone are shown with their place, and with advice in a line of its own.
pub fn explain(error: &anyhow::Error) -> ExitCode {
    let mut stderr = std::io::stderr();
    if let Some(problems) = error.downcast_ref::<ConfigError>() {
        // Each of its problems says that it is an error.
        let _ = writeln!(stderr, "{problems}");
        return ExitCode::from(MISCONFIGURED);
    }
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // Libraries repeat their cause in their own words.
        if !text.contains(&cause) {
            let separator = if text.is_empty() { "" } else { ": " };
            text = text + separator + &cause;
        }
    }
    let _ = writeln!(stderr, "error: {text}");
    let misconfigured = error.downcast_ref::<TokenMissing>().is_some()
        || error.downcast_ref::<PriceMissing>().is_some()
        || error.downcast_ref::<AlertUrlMissing>().is_some()
        || error.downcast_ref::<PageRefused>().is_some();
    ExitCode::from(if misconfigured { MISCONFIGURED } else { CRASHED })
}

/// What a panic ends in; its message is on stderr.
pub fn crashed() -> ExitCode {
    ExitCode::from(CRASHED)
}

/// Writes data to stdout; a reader that went away is no error.
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
        ErrorKind::AlreadyExists => anyhow!("{} exists and is left alone", path.display()),
        _ => anyhow!("cannot write {}: {error}", path.display()),
    })?;
    // The sample's items are invented: nobody should pay for them by accident.
    let switched_off = "[[job]]\nenabled = false     # remove this once the entries are yours\n";
    file.write_all(SAMPLE.replace("[[job]]\n", switched_off).as_bytes())?;
    print(&format!(
        "wrote {}; edit it, then run `tidewatch check`\n\
         for completion in an editor: `tidewatch schema > jobs.schema.json`, and `#:schema \
         ./jobs.schema.json` as its first line\n",
        path.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the archive with a schema that this program knows.
async fn open(cli: &Cli) -> Result<Store> {
    let store = Store::connect(&cli.database_url).await?;
    store.require_schema().await?;
    Ok(store)
}

async fn check_config(cli: &Cli, deny_warnings: bool) -> Result<ExitCode> {
    let (mut config, now) = (load(cli)?, Clock::system().now());
    config.warnings.extend(forget::named_by(cli, &config).await);
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
        Schema::Behind(_) | Schema::Newer => "the schema is up to date now\n",
    })?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
