//! `tidewatch backfill --from-jsonl`: imports stored answers.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use super::args::Sources;
use crate::api::Endpoint;
use crate::backfill::{ImportOptions, ImportSummary, no_endpoint, read_answers};
use crate::cli::format::{BARS, count};
use crate::cli::{Cli, load_or_default, open, print};
use crate::process;
use crate::replay::derive_waiting;
use crate::text::things;
use crate::time::{Clock, Time};

impl Sources {
    /// Imports the answers of a file.
    pub(super) async fn import(&self, cli: &Cli, file: &Path, json: bool) -> Result<ExitCode> {
        let endpoint = self
            .endpoint
            .as_deref()
            .map(|name| Endpoint::parse(name).ok_or_else(|| anyhow::anyhow!(no_endpoint(name))));
        let config = load_or_default(cli)?;
        let options = ImportOptions {
            endpoint: endpoint.transpose()?,
            fetched_at_field: self.fetched_at_field.clone(),
            tokens: config.tokens().cloned().collect(),
        };
        let clock = Clock::system();
        let now = clock.now();
        // A pipe can be read only once: the lines before an invalid one are imported.
        let again = file.metadata().is_ok_and(|it| it.is_file());
        if again || self.dry_run {
            let checked = self.check(file, &options, now).await?;
            if self.dry_run {
                return shown(&checked, json, true);
            }
        }
        let store = open(cli).await?;
        let owner = process::record_without_lock(&store, &config, "import", now).await?;
        let to = Some((&store, owner));
        let done = read_answers(input(file)?, &options, to, now, |line, why| {
            if !again {
                refuse(file, line, why)?;
                if !self.skip_bad {
                    bail!(
                        "stopped at this line: earlier lines are imported, and are skipped by a second import"
                    );
                }
            }
            Ok(())
        });
        let done = done.await;
        derive_waiting(&store).await?;
        let mut tx = store.begin().await?;
        tx.end_process(owner, clock.now()).await?;
        tx.commit().await?;
        store.close().await;
        shown(&done?, json, false)
    }

    /// Reads the file without importing it. Fails on invalid lines without --skip-bad.
    async fn check(
        &self,
        file: &Path,
        options: &ImportOptions,
        now: Time,
    ) -> Result<ImportSummary> {
        let each = |line, why: &str| refuse(file, line, why);
        let checked = read_answers(input(file)?, options, None, now, each).await?;
        if checked.refused > 0 && !self.skip_bad {
            let refused = count(i64::try_from(checked.refused).unwrap_or(i64::MAX));
            bail!(
                "{} invalid, nothing imported: --skip-bad imports the others",
                things(refused, "line")
            );
        }
        Ok(checked)
    }
}

fn input(file: &Path) -> Result<Box<dyn BufRead>> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Box::new(BufReader::new(opened)))
}

/// Reports an invalid line.
fn refuse(file: &Path, line: u64, why: &str) -> Result<()> {
    BARS.suspend(|| writeln!(std::io::stderr(), "{}:{line}: {why}", file.display()))?;
    Ok(())
}

fn shown(done: &ImportSummary, json: bool, dry: bool) -> Result<ExitCode> {
    let number = |number: u64| count(i64::try_from(number).unwrap_or(i64::MAX));
    let text = if json {
        serde_json::to_string(done)? + "\n"
    } else if dry {
        format!(
            "invalid lines: {}, answers of failed calls: {}; nothing was written\n",
            number(done.refused),
            number(done.failures)
        )
    } else {
        format!(
            "imported {}, {} of them unreadable (stored and marked); {}{} already there; {} skipped as \
             failures; {}{} refused\n",
            things(number(done.imported), "answer"),
            number(done.unreadable),
            match done.same_time {
                0 => String::new(),
                same => format!(
                    "{} with the time of another one and other content (both stored, the later number counts); ",
                    number(same)
                ),
            },
            number(done.already_there),
            number(done.failures),
            match done.forgotten {
                0 => String::new(),
                forgotten => format!("{} about forgotten items; ", number(forgotten)),
            },
            things(number(done.refused), "line")
        )
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
