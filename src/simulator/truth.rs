//! What the simulator answered, to hold the crawler's archive against.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::time::Time;

/// One call, as the server saw it. On a line of the truth file as JSON; never with the token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TruthRow {
    /// Its place among all calls, from 1.
    pub n: u64,
    /// When it was answered, by the simulator's clock.
    pub at: Time,
    /// The time at which the item was shown; another one than `at` where looks step through time.
    pub seen_at: Time,
    /// The path, without the query.
    pub path: String,
    /// The endpoint's name in fault rules; `None` for an unknown path.
    pub endpoint: Option<&'static str>,
    /// The note id, work id, keyword, link, or KOL filter asked for.
    pub key: String,
    /// The page of a listing.
    pub page: Option<usize>,
    /// The HTTP status; `None` where no answer was given.
    pub status: Option<u16>,
    /// The envelope's code; `None` where the answer has none.
    pub code: Option<i64>,
    /// The fault the call met.
    pub fault: Option<String>,
    /// Whether it is paid for.
    pub billed: bool,
    /// The figures in a true answer: `likes`, `collects`, `comments`, `shares` of a note or work,
    /// the followers of each KOL by its id. Empty where the answer has none.
    pub metrics: BTreeMap<String, i64>,
    /// The list in a true answer: suggestions in rank order, KOL ids in theirs.
    pub items: Vec<String>,
}

/// The rows so far, and the file they are appended to.
#[derive(Default)]
pub(super) struct Truth {
    rows: Vec<TruthRow>,
    file: Option<File>,
}

impl Truth {
    /// Appends to the file at `path`, if one is wanted.
    pub(super) fn open(path: Option<&Path>) -> io::Result<Self> {
        let open = |path| File::options().create(true).append(true).open(path);
        Ok(Self { rows: Vec::new(), file: path.map(open).transpose()? })
    }

    /// Keeps a row and writes its line at once, before the answer leaves.
    pub(super) fn record(&mut self, mut row: TruthRow) {
        row.n = self.rows.len() as u64 + 1;
        if let Some(file) = &mut self.file {
            let written = serde_json::to_string(&row)
                .map_err(io::Error::other)
                .and_then(|line| file.write_all(format!("{line}\n").as_bytes()));
            if let Err(error) = written {
                tracing::error!(%error, "the truth file cannot be written");
            }
        }
        self.rows.push(row);
    }

    pub(super) fn rows(&self) -> Vec<TruthRow> {
        self.rows.clone()
    }
}
