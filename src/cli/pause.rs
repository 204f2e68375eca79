//! `tidewatch pause` and `resume`.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};

use super::format::{local_after, safe};
use super::{Cli, open, print, settings};
use crate::api::{Endpoint, Provider};
use crate::config::Config;
use crate::model::{self, PauseReason, PauseScope, ResumedBy};
use crate::store::Tx;
use crate::suggest;
use crate::time::Time;

#[derive(Args, Debug)]
#[command(after_help = "\
Slots that become due during a pause wait; a slot is missed (paused) once the next slot of the same
target is due. The pause applies to every daemon on the archive and to `fetch`. A newer pause of the
same name replaces the older one.
Examples:
  tidewatch pause job spring-campaign --for 2h --note 'budget talks'
  tidewatch pause endpoint xiaohongshu/get-note-detail
  tidewatch resume provider justoneapi")]
pub(super) struct Pause {
    #[command(subcommand)]
    target: PauseTarget,
    /// Duration such as 90m, 2h or 3days [default: until `tidewatch resume`]
    #[arg(long = "for", global = true, value_name = "TIME", value_parser = humantime::parse_duration)]
    span: Option<Duration>,
    /// Reason, shown by `tidewatch status`
    #[arg(long, global = true, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Ends manual pauses and those caused by an answer, such as an empty balance. If the cause persists,
the next call pauses again.")]
pub(super) struct Resume {
    #[command(subcommand)]
    target: Option<PauseTarget>,
    /// Every pause
    #[arg(long)]
    all: bool,
    /// Reason, stored with the pause (`pauses.ended_note`)
    #[arg(long, global = true, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Subcommand)]
enum PauseTarget {
    /// A job, by its name in jobs.toml
    Job { name: String },
    /// An endpoint, by its name on the ledger, with or without version
    Endpoint { name: String },
    /// All endpoints of a provider: justoneapi or amagi
    Provider { name: String },
}

impl Pause {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let config = settings(cli, "using the default zone, and jobs that never ran are unknown")?;
        let store = open(cli).await?;
        let now = store.clock().await?.now();
        let mut tx = store.begin().await?;
        let (scope, names) = self.target.names(&config, &mut tx).await?;
        let until = self.span.map(|span| now.plus(span));
        for name in &names {
            tx.pause(&model::Pause {
                scope,
                name: name.clone(),
                reason: PauseReason::ByHand,
                note: self.note.clone(),
                since: now,
                until,
                probe_at: None,
                failures: 0,
                call_id: None,
            })
            .await?;
        }
        tx.commit().await?;
        store.close().await;
        let zone = config.timezone;
        let until = until.map_or("a manual resume".to_owned(), |at| {
            format!("{} ({zone})", local_after(now, at, zone))
        });
        print(&format!("paused until {until}: {}\n", listed(names)))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Resume {
    pub(super) async fn run(&self, cli: &Cli) -> Result<ExitCode> {
        let config = settings(cli, "using the default zone, and jobs that never ran are unknown")?;
        let store = open(cli).await?;
        let now = store.clock().await?.now();
        let mut tx = store.begin().await?;
        let names = match (&self.target, self.all) {
            (Some(what), false) => {
                let (scope, names) = what.names(&config, &mut tx).await?;
                names.into_iter().map(|name| (scope, name)).collect()
            }
            (None, true) => {
                let pauses = tx.pauses(now).await?.into_iter();
                pauses.map(|pause| (pause.scope, pause.name)).collect::<Vec<_>>()
            }
            _ => {
                bail!(
                    "nothing to resume: use e.g. `tidewatch resume provider justoneapi`, or --all"
                )
            }
        };
        let mut resumed = Vec::new();
        for (scope, name) in &names {
            if tx.resume(*scope, name, None, Time::MAX, now, ResumedBy::Hand).await? == 0 {
                continue;
            }
            if let Some(note) = &self.note {
                tx.note_resume(*scope, name, now, note).await?;
            }
            resumed.push(name.clone());
        }
        let mut left = tx.pauses(now).await?;
        left.retain(|it| names.iter().any(|(scope, name)| (scope, name) == (&it.scope, &it.name)));
        tx.commit().await?;
        store.close().await;
        let mut text = match resumed.as_slice() {
            [] if !left.is_empty() => String::new(),
            [] if self.all => "nothing is paused\n".to_owned(),
            [] => format!("not paused: {}\n", listed(names.into_iter().map(|(_, name)| name))),
            _ => format!("resumed: {}\n", listed(resumed)),
        };
        if !left.is_empty() {
            text += "today's budget is used up and cannot be resumed: raise it in jobs.toml, or \
                     wait for midnight\n";
        }
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl PauseTarget {
    /// The scope and its names in the database.
    async fn names(&self, config: &Config, tx: &mut Tx) -> Result<(PauseScope, Vec<String>)> {
        match self {
            Self::Job { name } => {
                let rows = tx.jobs().await?;
                let watched = config.jobs.iter().map(|job| job.name.as_str());
                let jobs: Vec<_> =
                    rows.iter().map(|job| job.name.as_str()).chain(watched).collect();
                if !jobs.contains(&name.as_str()) {
                    let mut meant = suggest::meant(name, jobs.iter().copied());
                    if meant.is_empty() && !jobs.is_empty() {
                        let known: BTreeSet<_> = jobs.into_iter().map(str::to_owned).collect();
                        meant = format!(": known are {}", listed(known));
                    }
                    bail!("unknown job {}{meant}", safe(name, 64));
                }
                Ok((PauseScope::Job, vec![name.clone()]))
            }
            Self::Endpoint { name } => {
                let names: Vec<_> =
                    Endpoint::named(name).into_iter().map(|it| it.as_str().to_owned()).collect();
                if names.is_empty() {
                    let all = Endpoint::ALL.into_iter().map(Endpoint::as_str);
                    let all = all.flat_map(|it| [it, it.rsplit_once('/').map_or(it, |it| it.0)]);
                    let meant = suggest::meant(name, all);
                    let known = || Endpoint::ALL.map(Endpoint::as_str).join(", ");
                    let meant =
                        if meant.is_empty() { format!(": known are {}", known()) } else { meant };
                    bail!("unknown endpoint {}{meant}", safe(name, 64));
                }
                Ok((PauseScope::Endpoint, names))
            }
            Self::Provider { name } => {
                let provider = Provider::parse(name).with_context(|| {
                    let names = Provider::ALL.map(Provider::as_str).join(" and ");
                    let meant =
                        suggest::meant(name, Provider::ALL.into_iter().map(Provider::as_str));
                    match meant.is_empty() {
                        true => format!("unknown provider {}: known are {names}", safe(name, 64)),
                        false => format!("unknown provider {}{meant}", safe(name, 64)),
                    }
                })?;
                Ok((PauseScope::Provider, vec![provider.as_str().to_owned()]))
            }
        }
    }
}

fn listed(names: impl IntoIterator<Item = String>) -> String {
    names.into_iter().map(|name| safe(&name, 64)).collect::<Vec<_>>().join(", ")
}
