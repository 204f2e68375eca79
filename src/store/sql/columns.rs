//! Types of the columns of tables and views. SQLite stores times as text and reports no types for
//! views, so they are known by name: from the catalogue, and for other tables from here. Tests
//! compare them with PostgreSQL's catalogue.

use std::collections::BTreeSet;

use crate::model;
use crate::model::catalogue::{Column, ColumnType};

/// The column by which rows of a table are filtered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum TimeColumn {
    /// A time; text in SQLite.
    At(&'static str),
    /// A time that is an integer in SQLite: microseconds since 1970.
    Micros(&'static str),
    /// A `day` of the archive's zone.
    Day,
    /// None.
    Never,
}

use TimeColumn::{At, Day, Micros, Never};

/// Time columns of tables and views, and tables that the catalogue lacks.
const TABLES: [(&str, TimeColumn); 59] = [
    ("alerts", At("since")),
    ("answer_paths", At("first_seen_at")),
    ("archive", Never),
    ("archive_zone", Micros("since")),
    ("authors", At("last_seen_at")),
    ("availability", At("since")),
    ("backfills", At("created_at")),
    ("balances", At("asked_at")),
    ("calls", At("opened_at")),
    ("changes", At("seen_at")),
    ("cold_contents", Never),
    ("cold_files", At("made_at")),
    ("config_load_providers", Never),
    ("config_loads", At("read_at")),
    ("coverage", Day),
    ("coverage_reasons", Day),
    ("days", Day),
    ("document_texts", At("fetched_at")),
    ("documents", At("fetched_at")),
    ("drift", At("since")),
    ("edits", At("seen_at")),
    ("endpoint_failures", Never),
    ("engagement", At("observed_at")),
    ("engagement_24h", At("observed_at")),
    ("engagement_daily", Day),
    ("engagement_growth", At("at")),
    ("engagement_latest", At("observed_at")),
    ("engagement_velocity", At("observed_at")),
    ("erasure", At("uncleared_since")),
    ("forgotten", At("forgotten_at")),
    ("hashtags", Never),
    ("item_keys", Never),
    ("items", At("last_seen_at")),
    ("job_runs", At("due_at")),
    ("job_targets", At("added_at")),
    ("jobs", Never),
    ("keyword_ranks", At("observed_at")),
    ("keyword_suggestions", At("observed_at")),
    ("kol_metrics", At("observed_at")),
    ("kol_snapshots", Micros("observed_at")),
    ("kol_value", At("observed_at")),
    ("kols", At("last_seen_at")),
    ("latest", Micros("observed_at")),
    ("links", At("resolved_at")),
    ("music", At("last_seen_at")),
    ("note_metrics", At("observed_at")),
    ("notes", At("last_seen_at")),
    ("pauses", At("since")),
    ("process_providers", Never),
    ("processes", At("started_at")),
    ("rate_limits", Never),
    ("slots", At("due_at")),
    ("snapshots", Micros("observed_at")),
    ("spend", Day),
    ("stale", Never),
    ("targets", At("first_seen_at")),
    ("timeline", At("at")),
    ("work_metrics", At("observed_at")),
    ("works", At("last_seen_at")),
];

/// Names of time columns that do not end in `_at`.
const TIMES: &[&str] = &[
    "at",
    "since",
    "until",
    "lease_until",
    "paid_through",
    "fired_through",
    "backlog_since",
    "backlog_until",
    "uncleared_since",
];

/// Integer columns outside the catalogue whose names have none of the usual ends. The rest is text.
const INTS: &str = "access age_hours alert_id answers attempt attempts availability_id backlog_fires balance \
    budget bytes call_id calls cold_file_id cold_row confirmations daemon_down days document_id \
    documents documents_deleted documents_redacted due ended_call_id failures fence first_call_id \
    footer_bytes format gap gone http_status items \
    job_id last_call_id lease_owner load_id longest_gap max_calls micros missed moved_by next_page \
    normaliser observations observed offset_seconds open other owner pause_id paused plays \
    previous_rank priority probes quota refused rows_deleted run_id slots speed_permille \
    spread_seconds superseded target_id text_bytes token_mark unknown unpriced upstream";

/// Ends of the names of integer columns.
const INT_ENDS: [&str; 6] = ["_key", "_document_id", "_micros", "_before", "_after", "_delta"];

/// Columns whose type differs from the one of their name.
const OTHERWISE: [(&str, &str, ColumnType); 11] = [
    ("cold_contents", "content", ColumnType::Bytes),
    ("cold_files", "sha256", ColumnType::Bytes),
    ("documents", "body", ColumnType::Json),
    ("documents", "exact", ColumnType::Bytes),
    ("erasure", "version", ColumnType::Int),
    ("spend", "billed", ColumnType::Int),
    ("engagement_growth", "likes", ColumnType::Real),
    ("engagement_growth", "comments", ColumnType::Real),
    ("engagement_growth", "collects", ColumnType::Real),
    ("engagement_growth", "shares", ColumnType::Real),
    ("engagement_growth", "views", ColumnType::Real),
];

/// Type of a column of this name, unless the table overrides it.
pub(in crate::store) fn by_name(column: &str) -> ColumnType {
    let named = |it: &&Column| it.name == column;
    let known = model::TABLES.iter().flat_map(|table| table.columns).find(named);
    if column.ends_with("_at") || TIMES.contains(&column) {
        ColumnType::Time
    } else if let Some(known) = known {
        known.column_type
    } else if INTS.split(' ').any(|name| name == column)
        || INT_ENDS.iter().any(|end| column.ends_with(end))
    {
        ColumnType::Int
    } else if column == "exact" || column.starts_with("is_") {
        ColumnType::Bool
    } else if matches!(column, "hours" | "yuan") || column.contains("_per_") {
        ColumnType::Real
    } else {
        ColumnType::Text
    }
}

/// The type of a column of a table or view.
pub(in crate::store) fn of_table(table: &str, column: &str) -> ColumnType {
    let otherwise = OTHERWISE.iter().find(|(t, c, _)| *t == table && *c == column);
    let named = |it: &&Column| it.name == column;
    let known = model::TABLES.iter().filter(|it| it.name == table).flat_map(|it| it.columns);
    match (otherwise, known.into_iter().find(named)) {
        (Some((_, _, column_type)), _) => *column_type,
        (None, Some(known)) => known.column_type,
        (None, None) => by_name(column),
    }
}

/// A table or view by name, as a constant that is safe in a statement, and its time column.
pub(in crate::store) fn table(name: &str) -> Option<(&'static str, TimeColumn)> {
    let table = tables().find(|table| *table == name)?;
    let told = TABLES.iter().find(|(told, _)| *told == name);
    Some((table, told.map_or(Never, |(_, when)| *when)))
}

/// Names of all tables and views.
pub fn tables() -> impl Iterator<Item = &'static str> {
    let of_catalogue = model::TABLES.iter().map(|table| table.name);
    let others = TABLES.iter().map(|(name, _)| *name);
    others.chain(of_catalogue).collect::<BTreeSet<_>>().into_iter()
}
