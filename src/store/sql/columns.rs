//! Types of the columns of tables and views, by name: a name has one type in every table. SQLite
//! stores times as text and reports no types for views. Tests compare this with PostgreSQL's
//! catalogue.

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// 64-bit integer.
    Int,
    /// Floating-point number.
    Real,
    /// Boolean.
    Bool,
    /// Text.
    Text,
    /// A [`Time`](crate::time::Time).
    Time,
    /// JSON, as text.
    Json,
    /// Bytes.
    Bytes,
}

/// The column by which rows of a table are filtered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum TimeColumn {
    /// A time; text in SQLite.
    At(&'static str),
    /// A time that is an integer in SQLite: microseconds since 1970.
    Micros(&'static str),
    /// A `day` of the archive's zone.
    Day,
    /// A `day` of UTC.
    UtcDay,
    /// None.
    Never,
}

use TimeColumn::{At, Day, Micros, Never, UtcDay};

/// Every table and view, with its time column.
const TABLES: [(&str, TimeColumn); 59] = [
    ("alerts", At("since")),
    ("archive_zone", Micros("since")),
    ("authors", At("last_seen_at")),
    ("availability", At("since")),
    ("backfills", At("created_at")),
    ("calls", At("opened_at")),
    ("config_loads", At("read_at")),
    ("coverage", UtcDay),
    ("coverage_reasons", UtcDay),
    ("document_texts", At("fetched_at")),
    ("documents", At("fetched_at")),
    ("edits", At("seen_at")),
    ("endpoints", Never),
    ("engagement", At("observed_at")),
    ("engagement_24h", At("observed_at")),
    ("engagement_daily", Day),
    ("engagement_growth", At("at")),
    ("engagement_latest", At("observed_at")),
    ("engagement_velocity", At("observed_at")),
    ("forgotten", At("forgotten_at")),
    ("hashtags", At("read_at")),
    ("items", At("last_seen_at")),
    ("job_runs", At("due_at")),
    ("job_targets", At("added_at")),
    ("jobs", Never),
    ("keyword_ranks", At("observed_at")),
    ("keyword_suggestions", At("observed_at")),
    ("kol_metrics", At("observed_at")),
    ("kol_notes", Never),
    ("kol_search_results", Never),
    ("kol_snapshots", Micros("observed_at")),
    ("kol_tags", Never),
    ("kol_value", At("observed_at")),
    ("kols", At("last_seen_at")),
    ("links", At("resolved_at")),
    ("music", At("read_at")),
    ("note_days", Day),
    ("note_hashtags", Never),
    ("note_images", Never),
    ("note_latest", Micros("observed_at")),
    ("note_mentions", Never),
    ("note_metrics", At("observed_at")),
    ("note_snapshots", Micros("observed_at")),
    ("notes", At("last_seen_at")),
    ("pauses", At("since")),
    ("processes", At("started_at")),
    ("slots", At("due_at")),
    ("spend", Day),
    ("targets", At("first_seen_at")),
    ("timeline", At("at")),
    ("work_creators", Never),
    ("work_days", Day),
    ("work_hashtags", Never),
    ("work_images", Never),
    ("work_latest", Micros("observed_at")),
    ("work_mentions", Never),
    ("work_metrics", At("observed_at")),
    ("work_snapshots", Micros("observed_at")),
    ("works", At("last_seen_at")),
];

/// Names of time columns that do not end in `_at`.
const TIMES: [&str; 6] = ["at", "since", "until", "lease_until", "paid_through", "fired_through"];

/// Names of boolean, floating-point and integer columns. The others are text.
const BOOLS: &str = "exact has_goods is_active is_deleted is_intervened is_live is_original \
    is_private is_prohibited low_active pinned rounded with_goods";

const REALS: &str = "active_fans_percent collects_per_hour comments_per_hour engaged_fans_percent \
    followers_growth_rate_30d hours hundred_like_percent invite_reply_percent likes_per_hour \
    lower_price picture_cpm picture_engage_cost picture_price picture_price_per_engagement \
    picture_price_per_follower picture_price_per_read picture_read_cost shares_per_hour \
    thousand_like_percent video_cpm video_engage_cost video_price video_price_per_engagement \
    video_price_per_follower video_price_per_read video_read_cost views_per_hour yuan";

const INTS: &str = "access admires age_hours alert_id attempt attempts availability_id aweme_type balance budget \
    business_notes bytes call_id calls collects collects_after collects_before collects_delta \
    comments comments_after comments_before comments_delta confirmations cost_micros daemon_down \
    days document_id documents_deleted documents_redacted downloads due duration_ms ended_call_id engagement_median failures fence \
    first_call_id followers followers_growth_30d gone height http_status impression_median_30d \
    job_id kol_key last_call_id lease_owner level likes likes_after likes_before likes_delta \
    live_duration_ms load_id looks max_calls max_cost_micros missed mix_episode \
    monthly_engagements moved_by next_page normaliser note_key observations observed \
    offset_seconds open other owner page pause_id paused picture_engagement_median \
    picture_read_median plays position previous_document_id previous_rank price_micros priority \
    probes quota rank read_median recommends refused rows_deleted run_id shares shares_after shares_before \
    shares_delta speed_permille spread_seconds superseded target_id token_mark total_notes \
    unknown unknown_micros unpriced upstream video_duration_ms video_engagement_median \
    video_height video_read_median video_width views views_after views_before views_delta width \
    work_key";

/// Columns whose type differs from the one of their name.
const OTHERWISE: [(&str, &str, ColumnType); 8] = [
    ("documents", "body", ColumnType::Json),
    ("documents", "exact", ColumnType::Bytes),
    ("spend", "billed", ColumnType::Int),
    ("engagement_growth", "likes", ColumnType::Real),
    ("engagement_growth", "comments", ColumnType::Real),
    ("engagement_growth", "collects", ColumnType::Real),
    ("engagement_growth", "shares", ColumnType::Real),
    ("engagement_growth", "views", ColumnType::Real),
];

/// Type of a column of this name, unless the table overrides it.
pub(in crate::store) fn by_name(column: &str) -> ColumnType {
    let among = |names: &str| names.split(' ').any(|name| name == column);
    if column.ends_with("_at") || TIMES.contains(&column) {
        ColumnType::Time
    } else if among(INTS) {
        ColumnType::Int
    } else if among(REALS) {
        ColumnType::Real
    } else if among(BOOLS) {
        ColumnType::Bool
    } else {
        ColumnType::Text
    }
}

/// Type of a column of a table or view.
pub(in crate::store) fn of_table(table: &str, column: &str) -> ColumnType {
    let otherwise = OTHERWISE.iter().find(|(t, c, _)| *t == table && *c == column);
    otherwise.map_or_else(|| by_name(column), |(_, _, column_type)| *column_type)
}

/// A table or view by name, as a constant that is safe in a statement, and its time column.
pub(in crate::store) fn table(name: &str) -> Option<(&'static str, TimeColumn)> {
    TABLES.into_iter().find(|(table, _)| *table == name)
}

/// Names of all tables and views.
pub fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().map(|(name, _)| name)
}
