//! The best tables for the queries, created beside the archive's own: the latest row and the last
//! row of each day, in their natural order, and in PostgreSQL the series with a covering index.

/// Statements for SQLite, which stores the series in key order anyway.
pub(crate) fn sqlite(day: &str) -> Vec<String> {
    let mut statements = rolled_up(day);
    statements.push("analyze".to_owned());
    statements
}

/// Statements for PostgreSQL.
pub(crate) fn postgres(day: &str) -> Vec<String> {
    let mut statements = rolled_up(day);
    statements.extend(
        [
            "create table best_snapshots as select * from snapshots",
            "create unique index on best_snapshots (item_key, observed_at)
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
        "create table best_latest (item_key bigint primary key, observed_at bigint,
             likes bigint, comments bigint, collects bigint, shares bigint, views bigint)",
        "insert into best_latest
         select s.item_key, null, s.likes, s.comments, s.collects, s.shares, s.views
         from (select item_key, max(observed_at) as at from snapshots group by item_key) l
         join snapshots s on s.item_key = l.item_key and s.observed_at = l.at",
        "create table best_days (item_key bigint, day text, likes bigint,
             primary key (item_key, day))",
        &format!(
            "insert into best_days
             select s.item_key, l.day, s.likes
             from (select item_key, {day} as day, max(observed_at) as at
                   from snapshots group by 1, 2) l
             join snapshots s on s.item_key = l.item_key and s.observed_at = l.at
             order by 2, 1"
        ),
    ]
    .map(str::to_owned)
    .to_vec()
}
