//! `tidewatch forget`: deletes for good what somebody asks to be deleted.

mod named;
mod shown;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use chrono_tz::Tz;
use clap::{Args, Subcommand};

use self::named::{Named, subjects};
use self::shown::{listed, summed};
use super::format::safe;
use super::rows::{instant, moment};
use super::settings::require_archive;
use super::{Cli, SOME_FAILED, open, print};
use crate::config::Config;
use crate::erasure::{AUTHOR, Erasure, Subject, Summary, Tombstones, clear_away, permit};
use crate::store::Store;
use crate::time::Time;

/// How long `check` waits for the archive, which it can do without.
const PATIENCE: Duration = Duration::from_secs(3);

/// What was seen within this time is not erased for its age.
const YOUNGEST: Duration = Duration::from_hours(30 * 24);

#[derive(Args, Debug)]
#[command(after_help = "\
A note or work goes with its rows, counts, pictures, short links and answers. A person goes with all
notes or works of theirs, and wherever else they stand by their id: as a KOL, mentioned, as one of
several creators. In the answers of others null stands there afterwards, and redacted_at says so.
What goes is shown first; without a terminal nothing is done but with --yes.
From then on nothing of it is asked for, and no answer brings it in again.
Examples:
  tidewatch forget note 68a1b2c3d4e5f60718293a4b --note 'request of 2026-03-02'
  tidewatch forget author douyin 98765432100 --dry-run
  tidewatch forget --not-seen-since 2y --yes
  tidewatch forget note 68a1b2c3d4e5f60718293a4b --undo    # to be watched again; no data comes back")]
pub(super) struct Forget {
    #[command(subcommand)]
    what: Option<What>,
    /// Notes and works that were last seen before this, 30 days ago or earlier: 2y, 2026-03-02, an
    /// RFC 3339 time
    #[arg(long, value_name = "TIME", conflicts_with = "undo")]
    not_seen_since: Option<String>,
    /// Do not ask
    #[arg(long, global = true)]
    yes: bool,
    /// Show what would go, and leave it
    #[arg(long, global = true, conflicts_with = "yes")]
    dry_run: bool,
    /// Instead, let it be watched again; what was deleted does not come back
    #[arg(long, global = true, conflicts_with_all = ["yes", "dry_run", "note", "json"])]
    undo: bool,
    /// Why, for the record (`forgotten.note`): no names
    #[arg(long, global = true, value_name = "TEXT")]
    note: Option<String>,
    /// Write JSON instead of tables
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    #[command(flatten)]
    Named(Named),
    /// What is forgotten
    List,
    /// Clear away again what deleted rows left in the file; every forget ends with it
    Clean,
}

impl Forget {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        self.refuse_senseless_flags()?;
        require_archive(cli)?;
        let store = open(cli).await?;
        let now = store.clock().await?.now();
        let done = match (&self.what, &self.not_seen_since) {
            (Some(What::List), None) => self.list(&store).await,
            (Some(What::Clean), None) => cleared(clear_away(&store).await?),
            (Some(What::Named(it)), None) => {
                let subjects = subjects(&store, it).await?;
                match self.undo {
                    true => undo(&store, &subjects, now).await,
                    false => self.forget(&store, &subjects, now).await,
                }
            }
            (None, Some(since)) => {
                let since = long_ago(since, store.read().await?.zone().await?, now)?;
                self.forget(&store, &[Subject::NotSeenSince(since)], now).await
            }
            _ => bail!(
                "name what to forget, as in `tidewatch forget note ID`, or --not-seen-since TIME"
            ),
        };
        store.close().await;
        done
    }

    /// `list` and `clean` erase nothing, and so have nothing to ask, to show or to undo.
    fn refuse_senseless_flags(&self) -> Result<()> {
        let is_named = !matches!(self.what, Some(What::List | What::Clean));
        let is_given = self.yes || self.dry_run || self.undo || self.note.is_some();
        let is_json = self.json && matches!(self.what, Some(What::Clean));
        ensure!(
            is_named || !(is_given || is_json),
            "`tidewatch forget list` takes --json alone, and `tidewatch forget clean` no flag"
        );
        Ok(())
    }

    async fn list(&self, store: &Store) -> Result<ExitCode> {
        let mut tx = store.read().await?;
        let (all, zone) = (tx.tombstones().await?, tx.zone().await?);
        if let Some(since) = tx.uncleared_since().await? {
            tracing::warn!("{}", uncleared(since, zone));
        }
        drop(tx);
        let json = || anyhow::Ok(serde_json::to_string(&all)? + "\n");
        print(&if self.json { json()? } else { listed(&all, zone) })?;
        Ok(ExitCode::SUCCESS)
    }

    async fn forget(&self, store: &Store, subjects: &[Subject], now: Time) -> Result<ExitCode> {
        let asks = std::io::stdin().is_terminal() && !self.json;
        ensure!(
            self.yes || self.dry_run || asks,
            "nobody can be asked here: --dry-run shows what would go, --yes forgets it"
        );
        let erasure = Erasure { store, subjects, note: self.note.as_deref(), now };
        if self.yes {
            let (summary, _lock) = erasure.run(None).await.context("nothing was forgotten")?;
            self.print(&summary)?;
            return if summary.forgotten.is_empty() { nothing() } else { cleaned(store).await };
        }
        let summary = erasure.preview().await?;
        self.print(&summary)?;
        if self.dry_run || summary.forgotten.is_empty() || !agreed()? {
            return nothing();
        }
        // Kept until the file is written anew, which nobody else can write meanwhile.
        let (_, _lock) = erasure.run(Some(&summary)).await.context("nothing was forgotten")?;
        cleaned(store).await
    }

    fn print(&self, summary: &Summary) -> Result<()> {
        print(&match self.json {
            true => serde_json::to_string(summary)? + "\n",
            false => summed(summary, self.dry_run),
        })
    }
}

fn nothing() -> Result<ExitCode> {
    tracing::info!("nothing was forgotten");
    Ok(ExitCode::SUCCESS)
}

async fn cleaned(store: &Store) -> Result<ExitCode> {
    tracing::info!("forgotten; clearing away what is left of it in the file");
    let all = store.clear_away().await.context(
        "it is forgotten, and the database could not clear away what deleted rows leave behind: \
         `tidewatch forget clean` tries it again",
    )?;
    cleared(all)
}

/// Asks the person at the terminal.
fn agreed() -> Result<bool> {
    write!(std::io::stderr(), "Forget this for good? It cannot be brought back. [y/N] ")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn cleared(all: bool) -> Result<ExitCode> {
    if all {
        tracing::info!("what was deleted is cleared away");
        return Ok(ExitCode::SUCCESS);
    }
    tracing::warn!(
        "somebody reads the archive, which keeps old pages in the -wal file: stop `tidewatch serve` \
         and other readers, and run `tidewatch forget clean`"
    );
    Ok(ExitCode::from(SOME_FAILED))
}

async fn undo(store: &Store, subjects: &[Subject], now: Time) -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for subject in subjects {
        let (kind, platform, id) = match subject {
            Subject::Item(target) => (target.kind.as_str(), target.kind.platform(), &target.key),
            Subject::Author(platform, id) => (AUTHOR, *platform, id),
            Subject::NotSeenSince(_) => continue,
        };
        let more = match permit(store, kind, platform, id, now).await? {
            0 => {
                let (id, list) = (safe(id, 80), "`tidewatch forget list` shows what is");
                tracing::error!("{kind} {id} is not forgotten for its own sake: {list}");
                code = ExitCode::from(SOME_FAILED);
                continue;
            }
            1 => String::new(),
            many => format!(", and {} that were forgotten with it", many - 1),
        };
        print(&format!("may be watched again: {kind} {id}{more}\n"))?;
    }
    Ok(code)
}

/// Says that an erasure did not come to its end.
pub(super) fn uncleared(since: Time, zone: Tz) -> String {
    format!(
        "what was forgotten at {} is deleted, but not cleared away from the database's files: \
         `tidewatch forget clean` does it, and so does the next start of `tidewatch run`",
        moment(since, zone)
    )
}

/// Warnings about an erasure that did not come to its end, and about entries that are erased; none
/// where there is no archive yet.
pub(super) async fn warnings(cli: &Cli, config: &Config) -> Vec<String> {
    if require_archive(cli).is_err() {
        return Vec::new();
    }
    let said = async {
        let store = Store::open_to_read(&cli.database_url).await?;
        let mut tx = store.read().await?;
        let (tombstones, zone) = (Tombstones::of(tx.tombstones().await?), tx.zone().await?);
        let unfinished = tx.uncleared_since().await?.map(|since| uncleared(since, zone));
        drop(tx);
        store.close().await;
        anyhow::Ok(unfinished.into_iter().chain(tombstones.warnings(config)).collect())
    };
    let said = tokio::time::timeout(PATIENCE, said).await.context("it does not answer").flatten();
    said.unwrap_or_else(|error| {
        tracing::info!("the archive does not say what is forgotten: {error:#}");
        Vec::new()
    })
}

/// The time that `--not-seen-since` means, which is logged; refused where it is so near that nearly
/// everything would go.
fn long_ago(text: &str, zone: Tz, now: Time) -> Result<Time> {
    let since = instant(text, zone, now)?;
    let understood = moment(since, zone);
    ensure!(
        since <= now.minus(YOUNGEST),
        "--not-seen-since {} is {understood} ({zone}), which is later than 30 days ago, and would \
         forget nearly everything: name an earlier time (6M is six months, 6m six minutes)",
        safe(text, 40)
    );
    tracing::info!("notes and works that were not seen since {understood} ({zone})");
    Ok(since)
}
