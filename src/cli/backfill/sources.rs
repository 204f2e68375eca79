//! Where the targets of a backfill come from.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::args::{Bring, KindArg};
use crate::backfill::{List, ListOptions};
use crate::cli::show::safe;
use crate::config::Config;
use crate::model::{Kind, Target};
use crate::store::Store;
use crate::text::things;
use crate::{suggest, watchlist};

/// Files that a derived name names.
const FILES_NAMED: usize = 3;

/// Discovered notes read in one statement.
const DISCOVERED_AT_ONCE: usize = 10_000;

impl Bring {
    /// What the files and the job name. Bad lines are shown, and refused unless they may be left out.
    pub(super) fn list(&self, config: &Config) -> Result<List> {
        let options = ListOptions {
            kind: self.kind.and_then(KindArg::kind),
            format: self.format.map(Into::into),
            column: self.column.clone(),
        };
        let mut list = List::default();
        for file in &self.files {
            if file == Path::new("-") {
                list.read("-", std::io::stdin().lock(), &options)?;
                continue;
            }
            let name = file.display().to_string();
            let opened = File::open(file).with_context(|| format!("cannot read {name}"))?;
            list.read(&name, opened, &options).with_context(|| format!("cannot read {name}"))?;
        }
        self.judge(&list)?;
        if let Some(job) = &self.job {
            add_job(config, job, &mut list)?;
        }
        Ok(list)
    }

    fn judge(&self, list: &List) -> Result<()> {
        let mut stderr = std::io::stderr();
        for bad in &list.bad {
            writeln!(stderr, "{}", safe(bad, 300))?;
        }
        let named = u64::try_from(list.bad.len()).unwrap_or(u64::MAX);
        if list.bad_lines > named {
            writeln!(stderr, "and {} more", list.bad_lines - named)?;
        }
        if list.bad_lines > 0 && !self.skip_bad {
            bail!(
                "nothing to look at in {}, and nothing was asked: --skip-bad goes on without",
                things(list.bad_lines, "line")
            );
        }
        Ok(())
    }

    /// Adds the notes that were listed with KOLs. Their ids come from answers: only what is one is
    /// taken, and no link, which would cost a call more.
    pub(super) async fn discover(&self, store: &Store, list: &mut List) -> Result<()> {
        let mut after = String::new();
        loop {
            let mut tx = store.read().await?;
            let notes = tx.discovered_notes(&after, DISCOVERED_AT_ONCE).await?;
            let Some(last) = notes.last() else { return Ok(()) };
            after.clone_from(&last.key);
            for note in notes {
                match watchlist::parse(Kind::Note, &note.key).ok().filter(Target::is_item) {
                    Some(note) => list.add(note)?,
                    None => {
                        tracing::warn!(listed = safe(&note.key, 80), "no id of a note: left out");
                    }
                }
            }
        }
    }

    /// Where the targets come from, for people and for a name.
    pub(super) fn source(&self) -> String {
        let name = |file: &std::path::PathBuf| match file.file_name() {
            Some(name) if name != "-" => name.to_string_lossy().into_owned(),
            _ => "stdin".to_owned(),
        };
        let mut parts: Vec<_> = self.files.iter().take(FILES_NAMED).map(name).collect();
        if self.files.len() > FILES_NAMED {
            parts.push(format!("{}-more", self.files.len() - FILES_NAMED));
        }
        parts.extend(self.job.as_ref().map(|job| format!("job-{job}")));
        parts.extend(self.discovered.then(|| "discovered".to_owned()));
        parts.join("+")
    }
}

/// Adds the watchlist of a job, whether it is switched on or not.
fn add_job(config: &Config, name: &str, list: &mut List) -> Result<()> {
    let jobs = || config.jobs.iter().chain(&config.disabled_jobs);
    let Some(job) = jobs().find(|job| job.name == name) else {
        let meant = suggest::meant(name, jobs().map(|job| job.name.as_str()));
        bail!("there is no job {} in {}{meant}", safe(name, 64), config.path.display());
    };
    for target in &job.targets {
        list.add(target.clone())?;
    }
    Ok(())
}
