//! What the first page says: what moved, and what is wrong.

use anyhow::Result;

use super::Micros;
use crate::store::db::{Tx, fetch_all, fetch_optional};
use crate::time::Time;

/// An item, and how far it moved.
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
    /// The observation from which on it is measured: the latest, where it is the only one.
    pub from_at: Micros,
    /// The latest observation.
    pub to_at: Micros,
    /// Likes then.
    pub likes: Option<i64>,
    /// Whether no count of either end was rounded.
    pub exact: bool,
    /// How many likes it gained between the two; `None` also where there is only one.
    pub grew: Option<i64>,
    /// How many comments.
    pub comments_grew: Option<i64>,
    /// How many collects.
    pub collects_grew: Option<i64>,
}

/// A process that works by older settings than its file has.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RefusedSettings {
    /// When it refused the newer ones.
    pub read_at: Time,
    /// What is wrong with them.
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
    /// When the last call was opened; `None` in an archive without any.
    pub async fn last_call_at(&mut self) -> Result<Option<Time>> {
        let row = fetch_optional!(self, At, "select max(opened_at) as at from calls");
        Ok(row.and_then(|row| row.at))
    }

    /// The archive's zone, by its IANA name.
    pub async fn zone_name(&mut self) -> Result<Option<String>> {
        let sql = "select zone as name from archive_zone order by since desc limit 1";
        Ok(fetch_optional!(self, Name, sql).map(|row| row.name))
    }

    /// The items that were seen after `since`, the one whose likes grew most from there on first.
    /// Measured is from the last observation up to `since`, or from the first where there is none.
    pub async fn movers(&mut self, since: Time, limit: i64) -> Result<Vec<Mover>> {
        Ok(fetch_all!(
            self,
            Mover,
            "select k.platform, k.item_id, coalesce(n.title, n.body, w.title, w.body) as title,
                    a.nickname, coalesce(b.observed_at, l.observed_at) as from_at,
                    l.observed_at as to_at, l.likes,
                    l.granularity is null and b.granularity is null as exact,
                    l.likes - b.likes as grew, l.comments - b.comments as comments_grew,
                    l.collects - b.collects as collects_grew
             from latest l
             left join snapshots b on b.item_key = l.item_key
                  and b.observed_at < l.observed_at and b.observed_at = coalesce(
                 (select max(observed_at) from snapshots
                  where item_key = l.item_key and observed_at <= $1),
                 (select min(observed_at) from snapshots where item_key = l.item_key))
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

    /// The processes at work that have refused newer settings, the latest first.
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

    /// When a daemon last said that it is there; `None` while none is at work.
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
