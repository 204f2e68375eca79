//! The texts of cold answers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};

use crate::cold_file::{ColdFile, Text};
use crate::store::db::Tx;

/// Files that stay open: each has its bytes in memory, some MiB.
const OPEN_FILES: usize = 8;

/// Reads answers from cold files. The files that it read last stay open, since their bytes never
/// change.
#[derive(Default)]
pub struct ColdReader {
    /// The last one read is the last.
    open: Vec<(i64, Arc<ColdFile>)>,
}

impl fmt::Debug for ColdReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.open.iter().map(|(id, _)| id);
        f.debug_set().entries(files).finish()
    }
}

/// Where a text is wanted, by file: the row in the file, and whose it is.
pub(in crate::store) type Wanted = BTreeMap<i64, Vec<(i64, usize)>>;

impl ColdReader {
    /// A file; `None`: there is none of this id any more.
    pub(in crate::store) async fn file(
        &mut self,
        tx: &mut Tx,
        id: i64,
    ) -> Result<Option<Arc<ColdFile>>> {
        let known = self.open.iter().position(|(open, _)| *open == id);
        let file = match known.map(|nth| self.open.remove(nth).1) {
            Some(file) => file,
            None => match tx.open_cold_file(id).await? {
                Some(file) => file,
                None => return Ok(None),
            },
        };
        if self.open.len() == OPEN_FILES {
            self.open.remove(0);
        }
        self.open.push((id, file.clone()));
        Ok(Some(file))
    }

    /// Passes the text of each wanted row to `take`, with whose it is. Returns a file that is no more,
    /// if one is: its answers are hot again, or elsewhere.
    pub(in crate::store) async fn read(
        &mut self,
        tx: &mut Tx,
        wanted: Wanted,
        mut take: impl FnMut(usize, Text) -> Result<()>,
    ) -> Result<Option<i64>> {
        for (id, mut rows) in wanted {
            let Some(file) = self.file(tx, id).await? else { return Ok(Some(id)) };
            rows.sort_unstable();
            let at: Result<Vec<_>, _> = rows.iter().map(|(row, _)| usize::try_from(*row)).collect();
            let texts = file.texts(&at?).with_context(|| format!("cold file {id}"))?;
            ensure!(texts.len() == rows.len(), "cold file {id} lacks rows");
            for ((_, whose), text) in rows.into_iter().zip(texts) {
                take(whose, text).with_context(|| format!("cold file {id}"))?;
            }
        }
        Ok(None)
    }
}
