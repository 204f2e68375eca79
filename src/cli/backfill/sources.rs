//! Sources of a backfill's targets.

use std::fs::File;
use std::io::{Read, Write as _};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::args::{KindArg, Sources};
use crate::backfill::List;
use crate::cli::format::safe;
use crate::cli::rows::instant;
use crate::config::Config;
use crate::model::{Kind, MissedReason, Target};
use crate::store::Store;
use crate::suggest;
use crate::text::things;
use crate::time::Time;
use crate::watchlist::{self, ListOptions};

/// Files mentioned in a derived name.
const FILES_NAMED: usize = 3;

/// Reasons of missed slots that another fetch does not mend.
const UNMENDABLE: [MissedReason; 5] = [
    MissedReason::Gone,
    MissedReason::BadRequest,
    MissedReason::Unwatched,
    MissedReason::Forgotten,
    MissedReason::Cancelled,
];

/// Discovered notes per query.
const DISCOVERED_AT_ONCE: usize = 10_000;

/// How long a list may take without a word.
const PATIENCE: Duration = Duration::from_secs(3);

/// Says that a list has not ended yet, until it is dropped.
struct Waiting {
    _ended: Sender<()>,
}

impl Waiting {
    fn for_end_of(name: &str) -> Self {
        let (ended, end) = channel::<()>();
        let name = if name == "-" { "stdin".to_owned() } else { name.to_owned() };
        std::thread::spawn(move || {
            if end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                tracing::info!("waiting for the end of {name}; Ctrl-D ends a list that is typed");
            }
        });
        Self { _ended: ended }
    }
}

/// A list whose end is waited for.
struct Told<R> {
    input: R,
    waiting: Option<Waiting>,
}

impl<R: Read> Read for Told<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        if read == 0 {
            drop(self.waiting.take());
        }
        Ok(read)
    }
}

impl Sources {
    /// Reads the targets of the files and the job. Invalid lines are reported, and refused without
    /// --skip-bad.
    pub(super) fn list(&self, config: &Config) -> Result<List> {
        let options = ListOptions {
            kind: self.kind.and_then(KindArg::kind),
            format: self.format.map(Into::into),
            column: self.column.clone(),
        };
        let mut list = List::default();
        for file in &self.files {
            let name = file.display().to_string();
            let opened: Box<dyn Read> = match file == Path::new("-") {
                true => Box::new(std::io::stdin()),
                false => Box::new(File::open(file).with_context(|| unread(&name))?),
            };
            let opened = Told { input: opened, waiting: Some(Waiting::for_end_of(&name)) };
            let before = list.targets.len();
            let encoding = list.read(&name, opened, &options);
            if let Some(encoding) = encoding.with_context(|| format!("cannot read {name}"))? {
                tracing::info!("{name} is read as {encoding}");
            }
            if list.targets.len() == before && list.bad_lines == 0 {
                tracing::warn!("{name} has no targets");
            }
        }
        self.judge(&list)?;
        for hashtags in &list.hashtags {
            tracing::warn!("{hashtags}");
        }
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
                "{} invalid, nothing fetched: --skip-bad skips them",
                things(list.bad_lines, "line")
            );
        }
        Ok(())
    }

    /// Adds the notes listed with KOLs. The ids come from answers: anything but a note id is
    /// skipped, also links, which would cost another call.
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
                        tracing::warn!(listed = safe(&note.key, 80), "skipping an invalid note id");
                    }
                }
            }
        }
    }

    /// Adds the targets of missed slots; returns the number of these slots. Without --reason those are
    /// left out that a fetch cannot mend.
    pub(super) async fn add_missed(
        &self,
        store: &Store,
        list: &mut List,
        now: Time,
    ) -> Result<i64> {
        let mut tx = store.read().await?;
        tx.disable_timeout().await?;
        let zone = tx.zone().await?;
        let at =
            |text: &Option<String>| text.as_ref().map(|text| instant(text, zone, now)).transpose();
        let (since, until) = (at(&self.since)?.unwrap_or(Time::EPOCH), at(&self.until)?);
        let mends = |reason: &MissedReason| !UNMENDABLE.contains(reason);
        let reasons = match self.reason.as_slice() {
            [] => MissedReason::ALL.into_iter().filter(mends).collect(),
            given => given.to_vec(),
        };
        let all = !self.reason.is_empty();
        let (targets, slots) =
            tx.missed_targets(since, until.unwrap_or(now), &reasons, all).await?;
        for target in targets {
            list.add(target)?;
        }
        Ok(slots)
    }

    /// The sources for display and for a derived name.
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
        if self.missed {
            let reasons = self.reason.iter().map(|reason| reason.as_str());
            let span = self.since.iter().chain(&self.until).map(String::as_str);
            let words: Vec<_> = ["missed"].into_iter().chain(span).chain(reasons).collect();
            parts.push(words.join("-").replace(' ', "-"));
        }
        parts.join("+")
    }
}

/// Why a file cannot be read; people also write what should stand in it.
fn unread(name: &str) -> String {
    match watchlist::recognise(name) {
        Ok(_) => format!(
            "{} is no file; `tidewatch fetch` takes ids, links and share text, and `backfill -` a \
             list on stdin",
            safe(name, 80)
        ),
        Err(_) => format!("cannot read {}", safe(name, 200)),
    }
}

/// Adds the targets of a job, enabled or not.
fn add_job(config: &Config, name: &str, list: &mut List) -> Result<()> {
    let jobs = || config.jobs.iter().chain(&config.disabled_jobs);
    let Some(job) = jobs().find(|job| job.name == name) else {
        let meant = suggest::meant(name, jobs().map(|job| job.name.as_str()));
        bail!("unknown job {} in {}{meant}", safe(name, 64), config.path.display());
    };
    for target in &job.targets {
        list.add(target.clone())?;
    }
    Ok(())
}
