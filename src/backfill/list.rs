//! The distinct targets of lists and their invalid lines.

use std::collections::BTreeSet;
use std::io::Read;

use anyhow::{Result, anyhow, ensure};

use crate::model::Target;
use crate::watchlist::{self, Decoded, ListOptions};

/// Maximum targets of one backfill; their keys are held in memory, about 100 bytes each.
const MOST_TARGETS: usize = 1_000_000;

/// Maximum size of a list in bytes: a million ids take 25 MB.
const LARGEST_LIST: u64 = 64 << 20;

/// Invalid lines reported one by one; the others are counted.
const BAD_LINES_NAMED: usize = 20;

/// The targets read from lists.
#[derive(Debug, Default)]
pub struct List {
    /// Distinct targets.
    pub targets: BTreeSet<Target>,
    /// Repeated entries.
    pub repeated: u64,
    /// The first invalid lines, as `file:line: reason`.
    pub bad: Vec<String>,
    /// Number of invalid lines.
    pub bad_lines: u64,
    /// What to tell about the hashtags in each list that has some.
    pub hashtags: Vec<String>,
}

impl List {
    /// Reads a list to its end; `name` appears in messages, and its extension tells the format. Returns
    /// its encoding if that is not UTF-8. Fails if the list is no text, is too large, or has too many
    /// targets.
    pub fn read(
        &mut self,
        name: &str,
        input: impl Read,
        options: &ListOptions,
    ) -> Result<Option<&'static str>> {
        let mut bytes = Vec::new();
        input.take(LARGEST_LIST + 1).read_to_end(&mut bytes)?;
        ensure!(
            bytes.len() as u64 <= LARGEST_LIST,
            "it is larger than {} MiB: split it into several backfills",
            LARGEST_LIST >> 20
        );
        let Decoded { text, encoding } = watchlist::decode(bytes).map_err(|why| anyhow!(why))?;
        let hashtags = watchlist::read(name, &text, options, |line, target| match target {
            Ok(target) => self.add(target),
            Err(why) => {
                self.bad_lines += 1;
                if self.bad.len() < BAD_LINES_NAMED {
                    self.bad.push(format!("{name}:{line}: {why}"));
                }
                Ok(())
            }
        })?;
        self.hashtags.extend(hashtags.notice(name));
        Ok(encoding)
    }

    /// Adds one target from a list or the archive. Fails if there are too many.
    pub fn add(&mut self, target: Target) -> Result<()> {
        if !self.targets.insert(target) {
            self.repeated += 1;
        }
        ensure!(
            self.targets.len() <= MOST_TARGETS,
            "more than {MOST_TARGETS} targets: split the list into several backfills"
        );
        Ok(())
    }
}
