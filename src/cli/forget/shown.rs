//! What is erased, and what goes with it, for people.

use chrono_tz::Tz;

use crate::cli::format::{count, safe, table, times_in};
use crate::erasure::Summary;
use crate::store::Tombstone;

/// What is named one by one; the rest is counted.
const NAMED: usize = 20;

/// What goes, or would go.
pub(super) fn summed(summary: &Summary, dry_run: bool) -> String {
    let Summary { forgotten, rows, documents_deleted, documents_redacted } = summary;
    let rows = rows
        .iter()
        .map(|(table, rows)| (*table, *rows))
        .chain([("documents", *documents_deleted), ("documents, in part", *documents_redacted)]);
    let rows: Vec<_> = rows
        .filter(|(_, rows)| *rows != 0)
        .map(|(table, rows)| vec![table.to_owned(), count(rows)])
        .collect();
    let mut text = String::new();
    for it in forgotten.iter().take(NAMED) {
        text += &format!("{} {} {}\n", it.platform, it.kind, safe(&it.id, 80));
    }
    if forgotten.len() > NAMED {
        text += &format!("… and {} more\n", forgotten.len() - NAMED);
    }
    if forgotten.is_empty() {
        return "there is nothing to forget\n".to_owned();
    }
    let (lets, goes) = match dry_run {
        true => ("it would not be let in any more", "would go for good"),
        false => ("it is not let in from now on", "goes for good"),
    };
    text += &match rows.is_empty() {
        true => format!("the archive has nothing of it; {lets}\n"),
        false => table(&[goes, "rows"], &[1], rows),
    };
    text + "calls and slots stay, without its name\n"
}

/// All tombstones.
pub(super) fn listed(all: &[Tombstone], zone: Tz) -> String {
    if all.is_empty() {
        return "nothing is forgotten\n".to_owned();
    }
    let rows = all.iter().map(|it| {
        vec![
            it.forgotten_at.utc().with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string(),
            it.platform.clone(),
            it.kind.clone(),
            safe(&it.id, 80),
            safe(it.because.as_deref().unwrap_or("–"), 80),
            safe(it.note.as_deref().unwrap_or("–"), 60),
        ]
    });
    times_in(zone)
        + &table(&["forgotten", "platform", "kind", "id", "with", "why"], &[], rows.collect())
}
