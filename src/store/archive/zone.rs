//! The archive's time zone, which divides the days of the views.

use anyhow::{Context as _, Result};
use chrono_tz::Tz;
use serde::Serialize;
use sqlx::AssertSqlSafe;

use crate::store::db::{Tx, execute, fetch_optional};
use crate::store::sql::Rows;
use crate::time::Time;

/// A UTC offset of the zone and its start.
#[derive(Serialize)]
struct OffsetRow<'a> {
    since: Time,
    zone: &'a str,
    offset_seconds: i64,
}

/// Number of rows, and of those that stay.
#[derive(sqlx::FromRow)]
struct Known {
    all_rows: i64,
    same: i64,
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
        self.sum_up_days().await?;
        Ok(true)
    }

    /// Recomputes all days from the snapshots.
    async fn sum_up_days(&mut self) -> Result<()> {
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
        execute!(self, "delete from days");
        // Ordered by time, which suits PostgreSQL's block range index.
        let sql = format!(
            "insert into days (item_key, day, previous_day, observations, observed_at, document_id,
                               likes, comments, collects, shares, views, granularity, suspect)
             select d.item_key, d.day, lag(d.day) over (partition by d.item_key order by d.day),
                    d.observations, s.observed_at, s.document_id, s.likes, s.comments, s.collects,
                    s.shares, s.views, s.granularity, s.suspect
             from (select item_key, {day} as day, count(*) as observations,
                          max(observed_at) as last_at
                   from snapshots group by 1, 2) d
             join snapshots s on s.item_key = d.item_key and s.observed_at = d.last_at
             order by d.day, d.item_key"
        );
        execute!(self, AssertSqlSafe(sql));
        Ok(())
    }
}
