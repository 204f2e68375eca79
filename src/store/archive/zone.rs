//! The archive's time zone, which divides the days of the views.

use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono_tz::Tz;
use serde::Serialize;

use crate::store::db::{Tx, execute, fetch_optional};
use crate::store::sql::Rows;
use crate::time::Time;

/// Days summed up by one statement in PostgreSQL, which limits how long each may take.
const DAYS_AT_ONCE: u64 = 7;

/// A UTC offset of the zone and its start.
#[derive(Serialize)]
struct OffsetRow<'a> {
    since: Time,
    zone: &'a str,
    offset_seconds: i64,
}

/// A stretch of time, without its end.
#[derive(Serialize)]
struct Range {
    since: Time,
    until: Time,
}

/// Number of rows, and of those that stay.
#[derive(sqlx::FromRow)]
struct Known {
    all_rows: i64,
    same: i64,
}

/// When the first and the last snapshot came.
#[derive(sqlx::FromRow)]
struct Extent {
    first: Option<Time>,
    last: Option<Time>,
}

/// The zone by its name.
#[derive(sqlx::FromRow)]
struct Named {
    zone: String,
}

impl Tx {
    /// The archive's zone.
    ///
    /// # Errors
    /// When the database fails, or the zone is unknown to this program.
    pub async fn zone(&mut self) -> Result<Tz> {
        let named = fetch_optional!(self, Named, "select zone from archive_zone limit 1");
        let name = named.context("the archive has no zone")?.zone;
        name.parse().with_context(|| format!("the archive's zone {name} is unknown"))
    }

    /// Sets the archive's zone with its UTC `offsets` in seconds and their starts, and recomputes
    /// all days if it was another one. Returns whether it was.
    pub async fn set_zone(&mut self, zone: &str, offsets: &[(Time, i64)]) -> Result<bool> {
        let rows = offsets.iter().map(|(since, offset)| OffsetRow {
            since: *since,
            zone,
            offset_seconds: *offset,
        });
        let rows = Rows::of("since micros, zone text, offset_seconds int", rows)?;
        let known: Vec<Known> = self
            .fetch_over(
                &rows,
                "select (select count(*) from archive_zone) as all_rows, count(*) as same
                 from {rows} join archive_zone z on z.since = r.since and z.zone = r.zone
                      and z.offset_seconds = r.offset_seconds",
            )
            .await?;
        let count = i64::try_from(offsets.len())?;
        if known.iter().all(|known| (known.all_rows, known.same) == (count, count)) {
            return Ok(false);
        }
        // Differs by necessity: blocks writers of old days meanwhile; SQLite has one writer.
        if let Self::Postgres(_) = self {
            execute!(self, "lock table snapshots in share row exclusive mode");
        }
        execute!(self, "delete from archive_zone");
        self.execute_over(
            &rows,
            "insert into archive_zone (since, zone, offset_seconds)
             select since, zone, offset_seconds from {rows} where true",
        )
        .await?;
        self.sum_up_days(zone.parse().context("no such zone")?).await?;
        Ok(true)
    }

    /// Recomputes all days from the snapshots, some days of the zone at a time.
    async fn sum_up_days(&mut self, zone: Tz) -> Result<()> {
        execute!(self, "delete from days");
        // Differs by necessity: the representation of times.
        let extent = match self {
            Self::Sqlite(_) => {
                "select strftime('%Y-%m-%d %H:%M:%S', min(observed_at) / 1000000, 'unixepoch') as first,
                        strftime('%Y-%m-%d %H:%M:%S', max(observed_at) / 1000000, 'unixepoch') as last
                 from snapshots"
            }
            Self::Postgres(_) => {
                "select min(observed_at) as first, max(observed_at) as last from snapshots"
            }
        };
        let extent = fetch_optional!(self, Extent, extent);
        let Some((first, last)) = extent.and_then(|it| it.first.zip(it.last)) else {
            return Ok(());
        };
        let mut from = first.last_midnight(zone);
        while from <= last {
            let until = match self {
                Self::Sqlite(_) => last.next_midnight(zone),
                Self::Postgres(_) => {
                    let span = Duration::from_hours(24 * DAYS_AT_ONCE);
                    from.plus(span).last_midnight(zone).max(from.next_midnight(zone))
                }
            };
            self.sum_up(from, until).await?;
            from = until;
        }
        Ok(())
    }

    /// Computes the days that begin and end within this time, later than all that are known.
    async fn sum_up(&mut self, from: Time, until: Time) -> Result<()> {
        // Differs by necessity: the representation of times, and the functions for their day.
        let day = match self {
            Self::Sqlite(_) => {
                "strftime('%Y-%m-%d', observed_at / 1000000 + {offset}, 'unixepoch')"
            }
            Self::Postgres(_) => {
                "to_char(observed_at at time zone 'UTC' + {offset} * interval '1 second', 'YYYY-MM-DD')"
            }
        };
        let offset = "(select offset_seconds from archive_zone
                       where since <= observed_at order by since desc limit 1)";
        let day = day.replace("{offset}", offset);
        let range = Rows::of("since micros, until micros", [Range { since: from, until }])?;
        // Ordered by time, which suits PostgreSQL's block range index.
        let sql = format!(
            "insert into days (item_key, day, previous_day, observations, observed_at, document_id,
                               likes, comments, collects, shares, views, granularity, suspect)
             select d.item_key, d.day,
                    coalesce(lag(d.day) over (partition by d.item_key order by d.day),
                             (select max(p.day) from days p
                              where p.item_key = d.item_key and p.day < d.day)),
                    d.observations, s.observed_at, s.document_id, s.likes, s.comments, s.collects,
                    s.shares, s.views, s.granularity, s.suspect
             from (select item_key, {day} as day, count(*) as observations,
                          max(observed_at) as last_at
                   from {{rows}} join snapshots
                        on snapshots.observed_at >= r.since and snapshots.observed_at < r.until
                   group by 1, 2) d
             join snapshots s on s.item_key = d.item_key and s.observed_at = d.last_at
             order by d.day, d.item_key"
        );
        self.execute_over(&range, &sql).await?;
        Ok(())
    }
}
