//! A file written anew without some of its answers, and with others in place of some.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{ColdFile, Writer, Written};
use crate::time::Time;

/// What takes the place of an answer: JSON, and when it was redacted.
pub type Rewritten = (String, Option<Time>);

/// The file without the answers `gone`, and with what is left of others. `None` where nothing is.
///
/// # Errors
/// When the file is damaged.
pub fn rewrite(
    file: &ColdFile,
    endpoint: &str,
    gone: &BTreeSet<i64>,
    left: &BTreeMap<i64, Rewritten>,
) -> Result<Option<Written>> {
    let mut writer = Writer::new(endpoint)?;
    for group in 0..file.groups() {
        let mut rows = file.rows_of_group(group)?;
        rows.retain(|it| !gone.contains(&it.document_id));
        for row in &mut rows {
            if let Some((body, redacted_at)) = left.get(&row.document_id) {
                row.body.clone_from(body);
                row.redacted_at = *redacted_at;
                (row.cleaned, row.exact) = (None, None);
            }
        }
        writer.group(&rows)?;
    }
    if writer.documents() == 0 {
        return Ok(None);
    }
    let written = writer.finish()?;
    ColdFile::open(written.content.clone())?.require_texts(&written.texts)?;
    Ok(Some(written))
}
