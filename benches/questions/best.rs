//! The best tables for the queries, created beside the archive's own: the latest row and the last
//! row of each day, in their natural order, and in PostgreSQL the series with a covering index.

/// Statements for SQLite, which stores the series in key order anyway.
pub(crate) fn sqlite() -> Vec<String> {
    let mut statements =
        rolled_up("strftime('%Y-%m-%d', observed_at / 1000000 + 28800, 'unixepoch')");
    statements.push("analyze".to_owned());
    statements
}

/// Statements for PostgreSQL.
pub(crate) fn postgres() -> Vec<String> {
    let day = "to_char(observed_at at time zone 'UTC' + interval '8 hours', 'YYYY-MM-DD')";
    let mut statements = rolled_up(day);
    statements.extend(
        [
            "create table best_snapshots as select * from note_snapshots",
            "create unique index on best_snapshots (note_key, observed_at)
                 include (likes, comments, collects, shares, views)",
            "create index on best_snapshots using brin (observed_at) with (pages_per_range = 32)",
            "vacuum analyze",
            "checkpoint",
        ]
        .map(str::to_owned),
    );
    statements
}

fn rolled_up(day: &str) -> Vec<String> {
    [
        "create table best_latest (note_key bigint primary key, observed_at bigint,
             likes bigint, comments bigint, collects bigint, shares bigint, views bigint)",
        "insert into best_latest
         select s.note_key, null, s.likes, s.comments, s.collects, s.shares, s.views
         from (select note_key, max(observed_at) as at from note_snapshots group by note_key) l
         join note_snapshots s on s.note_key = l.note_key and s.observed_at = l.at",
        "create table best_days (note_key bigint, day text, likes bigint,
             primary key (note_key, day))",
        &format!(
            "insert into best_days
             select s.note_key, l.day, s.likes
             from (select note_key, {day} as day, max(observed_at) as at
                   from note_snapshots group by 1, 2) l
             join note_snapshots s on s.note_key = l.note_key and s.observed_at = l.at
             order by 2, 1"
        ),
    ]
    .map(str::to_owned)
    .to_vec()
}
