//! Record of the simulator's answers, to compare an archive with.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::time::Time;

/// One call as the server saw it: a line of JSON in the truth file, never with the token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TruthRow {
    /// The number of the call, from 1.
    pub n: u64,
    /// Time of the answer by the simulator's clock.
    pub at: Time,
    /// Time of the state shown; differs from `at` if the simulator advances in steps.
    pub seen_at: Time,
    /// The path, without the query.
    pub path: String,
    /// The endpoint's name in fault rules; `None` for an unknown path.
    pub endpoint: Option<&'static str>,
    /// The requested note id, work id, keyword, link, or KOL filter.
    pub key: String,
    /// The page of a listing.
    pub page: Option<usize>,
    /// The HTTP status; `None` without an answer.
    pub status: Option<u16>,
    /// The envelope's code; `None` if the answer has none.
    pub code: Option<i64>,
    /// The injected fault.
    pub fault: Option<String>,
    /// Whether the call is billed.
    pub billed: bool,
    /// The figures in a complete answer: `likes`, `collects`, `comments`, `shares` of a note or
    /// work, the followers of each KOL by id. Empty if the answer has none.
    pub metrics: BTreeMap<String, i64>,
    /// The list in a complete answer: suggestions or KOL ids in rank order.
    pub items: Vec<String>,
}

/// The rows so far, and the file they are appended to.
#[derive(Default)]
pub(super) struct Truth {
    rows: Vec<TruthRow>,
    file: Option<File>,
}

impl Truth {
    /// Opens the file at `path` for appending, if given.
    pub(super) fn open(path: Option<&Path>) -> io::Result<Self> {
        let open = |path| File::options().create(true).append(true).open(path);
        Ok(Self { rows: Vec::new(), file: path.map(open).transpose()? })
    }

    /// Stores a row and writes its line before the answer is sent.
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
