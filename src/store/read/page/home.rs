//! The home page: top movers and problems.

use anyhow::Result;

use crate::model::Suspect;
use crate::store::db::{Tx, fetch_all, fetch_optional};
use crate::store::sql::Micros;
use crate::time::Time;

/// An item and its growth.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Mover {
    /// `xiaohongshu` or `douyin`.
    pub platform: String,
    /// The platform's id.
    pub item_id: String,
    /// Its title, or the beginning of its body.
    pub title: Option<String>,
    /// Its author's name.
    pub nickname: Option<String>,
    /// The observation it is measured from: the latest, if it is the only one.
    pub from_at: Micros,
    /// The latest observation.
    pub to_at: Micros,
    /// Its likes at the latest observation.
    pub likes: Option<i64>,
    /// Whether no count of either observation is rounded.
    pub exact: bool,
    /// Why the latest counts are doubtful.
    pub suspect: Option<Suspect>,
    /// Growth of likes between the two; `None` if there is only one.
    pub grew: Option<i64>,
    /// Growth of comments.
    pub comments_grew: Option<i64>,
    /// Growth of collects.
    pub collects_grew: Option<i64>,
}

/// Settings that a running process has rejected.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RefusedSettings {
    /// When it rejected them.
    pub read_at: Time,
    /// The error in them.
    pub error: String,
}

#[derive(sqlx::FromRow)]
struct At {
    at: Option<Time>,
}

#[derive(sqlx::FromRow)]
struct Name {
    name: String,
}

impl Tx {
    /// When the last call was opened; `None` without calls.
    pub async fn last_call_at(&mut self) -> Result<Option<Time>> {
        let row = fetch_optional!(self, At, "select max(opened_at) as at from calls");
        Ok(row.and_then(|row| row.at))
    }

    /// The archive's zone, by its IANA name.
    pub async fn zone_name(&mut self) -> Result<Option<String>> {
        let sql = "select zone as name from archive_zone order by since desc limit 1";
        Ok(fetch_optional!(self, Name, sql).map(|row| row.name))
    }

    /// Items observed after `since`, ordered by growth of likes: from the last observation up to
    /// `since`, or the first one after it, to the latest. Doubtful counts have not grown.
    pub async fn movers(&mut self, since: Time, limit: i64) -> Result<Vec<Mover>> {
        Ok(fetch_all!(
            self,
            Mover,
            "select k.platform, k.item_id, coalesce(n.title, n.body, w.title, w.body) as title,
                    a.nickname, coalesce(b.observed_at, l.observed_at) as from_at,
                    l.observed_at as to_at, l.likes,
                    l.granularity is null and b.granularity is null as exact, l.suspect,
                    l.likes - b.likes as grew, l.comments - b.comments as comments_grew,
                    l.collects - b.collects as collects_grew
             from latest l
             left join snapshots b on b.item_key = l.item_key
                  and coalesce(l.suspect, 'fell') = 'fell'
                  and b.observed_at < l.observed_at and b.observed_at = coalesce(
                 (select max(observed_at) from snapshots
                  where item_key = l.item_key and observed_at <= $1
                    and coalesce(suspect, 'fell') = 'fell'),
                 (select min(observed_at) from snapshots
                  where item_key = l.item_key and coalesce(suspect, 'fell') = 'fell'))
             join item_keys k on k.item_key = l.item_key
             left join notes n on n.item_key = l.item_key
             left join works w on w.item_key = l.item_key
             left join authors a on a.platform = k.platform
                  and a.author_id = coalesce(n.author_id, w.author_id)
             where l.observed_at > $1
             order by grew desc nulls last, k.item_id limit $2",
            Micros(since),
            limit
        ))
    }

    /// Settings that running processes have rejected, latest first.
    pub async fn refused_settings(&mut self) -> Result<Vec<RefusedSettings>> {
        Ok(fetch_all!(
            self,
            RefusedSettings,
            "select l.read_at, l.error
             from processes p
             join config_loads l on l.load_id = (
                 select max(load_id) from config_loads where owner = p.owner)
             where p.stopped_at is null and p.died_at is null and l.error is not null
             order by l.read_at desc limit 10"
        ))
    }

    /// Last heartbeat of a running daemon; `None` while there is none.
    pub async fn last_beat_at(&mut self) -> Result<Option<Time>> {
        let row = fetch_optional!(
            self,
            At,
            "select max(coalesce(beat_at, started_at)) as at from processes
             where verb = 'run' and stopped_at is null and died_at is null"
        );
        Ok(row.and_then(|row| row.at))
    }
}
