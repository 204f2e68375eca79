//! One note or work.

use anyhow::Result;

use crate::model::{Kind, MissedReason, Platform, Suspect};
use crate::store::db::{Tx, fetch_all, fetch_optional};
use crate::store::sql::Micros;
use crate::time::Time;

/// A note or work as last observed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ItemFacts {
    /// The platform's id.
    pub item_id: String,
    /// `normal`, `video`, `images` …
    pub item_type: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Its text.
    pub body: Option<String>,
    /// Its author's name.
    pub nickname: Option<String>,
    /// Its author's handle, as people type it.
    pub handle: Option<String>,
    /// When it was published, as the platform says.
    pub published_at: Option<Time>,
    /// When it was last edited, as the platform says.
    pub edited_at: Option<Time>,
    /// Where it was posted from.
    pub place: Option<String>,
    /// Its address on the platform.
    pub share_url: Option<String>,
    /// Length of its video, in milliseconds.
    pub duration_ms: Option<i64>,
    /// Number of images.
    pub images: i64,
    /// When it was first observed.
    pub first_seen_at: Time,
    /// When these facts were last confirmed or changed.
    pub last_seen_at: Time,
    /// The document that these facts come from.
    pub document_id: i64,
}

/// Counts of an item at one observation.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ItemObservation {
    /// When.
    pub observed_at: Time,
    /// Likes.
    pub likes: Option<i64>,
    /// Comments.
    pub comments: Option<i64>,
    /// Collects.
    pub collects: Option<i64>,
    /// Shares.
    pub shares: Option<i64>,
    /// Views or plays.
    pub views: Option<i64>,
    /// Whether no count is rounded.
    pub exact: bool,
    /// Why they are doubtful.
    pub suspect: Option<Suspect>,
    /// The document they come from.
    pub document_id: i64,
}

/// Counts of an item at an age, interpolated.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Growth {
    /// Hours since publication.
    pub age_hours: i64,
    /// The observation before that age, if one is near.
    pub before_at: Option<Time>,
    /// The observation after it.
    pub after_at: Option<Time>,
    /// Likes.
    pub likes: Option<f64>,
    /// Comments.
    pub comments: Option<f64>,
    /// Collects.
    pub collects: Option<f64>,
    /// Shares.
    pub shares: Option<f64>,
}

/// An event of an item.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Event {
    /// When.
    pub at: Time,
    /// `published`, `first_seen`, `edited`, `gone`, `back` or `refused`.
    pub event: String,
    /// Its evidence.
    pub evidence: String,
    /// The document that shows it.
    pub document_id: Option<i64>,
}

/// A missed slot.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct MissedSlot {
    /// When it was due.
    pub due_at: Time,
    /// Why it was missed.
    pub reason: Option<MissedReason>,
}

/// A job that watches an item, or did.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Watcher {
    /// Its name.
    pub name: String,
    /// Its cron pattern.
    pub schedule: String,
    /// Time zone of the pattern.
    pub timezone: String,
    /// Active windows; `None`: always active.
    pub active: Option<String>,
    /// Whether it still watches it.
    pub watches: bool,
}

#[derive(sqlx::FromRow)]
struct Name {
    name: String,
}

/// The target kind of a platform's items.
fn kind(platform: Platform) -> Kind {
    match platform {
        Platform::Xiaohongshu => Kind::Note,
        Platform::Douyin => Kind::Work,
    }
}

impl Tx {
    /// A note or work as last observed.
    pub async fn item_facts(&mut self, platform: Platform, id: &str) -> Result<Option<ItemFacts>> {
        Ok(fetch_optional!(
            self,
            ItemFacts,
            "select k.item_id, coalesce(n.note_type, w.work_type) as item_type,
                    coalesce(n.title, w.title) as title, coalesce(n.body, w.body) as body,
                    a.nickname, a.handle, coalesce(n.published_at, w.published_at) as published_at,
                    n.edited_at, coalesce(n.ip_location, w.region) as place,
                    coalesce(n.share_url, w.share_url) as share_url,
                    coalesce(n.video_duration_ms, w.duration_ms) as duration_ms,
                    (select count(*) from images
                     where platform = k.platform and item_id = k.item_id) as images,
                    coalesce(n.first_seen_at, w.first_seen_at) as first_seen_at,
                    coalesce(n.last_seen_at, w.last_seen_at) as last_seen_at,
                    coalesce(n.document_id, w.document_id) as document_id
             from item_keys k
             left join notes n on n.item_key = k.item_key
             left join works w on w.item_key = k.item_key
             left join authors a on a.platform = k.platform
                  and a.author_id = coalesce(n.author_id, w.author_id)
             where k.platform = $1 and k.item_id = $2",
            platform.as_str(),
            id
        ))
    }

    /// Hashtags of a note or work, in order.
    pub async fn hashtags_of(&mut self, platform: Platform, id: &str) -> Result<Vec<String>> {
        let sql = "select name from item_hashtags where platform = $1 and item_id = $2
                   order by position limit 100";
        let names = fetch_all!(self, Name, sql, platform.as_str(), id);
        Ok(names.into_iter().map(|row| row.name).collect())
    }

    /// Observations of an item before `before`, latest first.
    pub async fn observations_before(
        &mut self,
        platform: Platform,
        id: &str,
        before: Time,
        limit: i64,
    ) -> Result<Vec<ItemObservation>> {
        Ok(fetch_all!(
            self,
            ItemObservation,
            "select observed_at, likes, comments, collects, shares, views, exact, suspect,
                    document_id
             from engagement where platform = $1 and item_id = $2 and observed_at < $3
             order by observed_at desc limit $4",
            platform.as_str(),
            id,
            before,
            limit
        ))
    }

    /// Likes of an item since `since`, latest first; NULL where they are doubtful.
    pub async fn likes_from(
        &mut self,
        platform: Platform,
        id: &str,
        since: Time,
        limit: i64,
    ) -> Result<Vec<(Micros, Option<i64>)>> {
        Ok(fetch_all!(
            self,
            (Micros, Option<i64>),
            "select s.observed_at,
                    case when coalesce(s.suspect, 'fell') = 'fell' then s.likes end as likes
             from item_keys k join snapshots s on s.item_key = k.item_key
             where k.platform = $1 and k.item_id = $2 and s.observed_at >= $3
             order by s.observed_at desc limit $4",
            platform.as_str(),
            id,
            Micros(since),
            limit
        ))
    }

    /// Counts of an item at the usual ages; empty if its publication is unknown.
    pub async fn growth(&mut self, platform: Platform, id: &str) -> Result<Vec<Growth>> {
        Ok(fetch_all!(
            self,
            Growth,
            "select cast(age_hours as bigint) as age_hours, before_at, after_at,
                    cast(likes as double precision) as likes,
                    cast(comments as double precision) as comments,
                    cast(collects as double precision) as collects,
                    cast(shares as double precision) as shares
             from engagement_growth where platform = $1 and item_id = $2 order by age_hours",
            platform.as_str(),
            id
        ))
    }

    /// Events of an item, latest first.
    pub async fn events_of(&mut self, platform: Platform, id: &str) -> Result<Vec<Event>> {
        Ok(fetch_all!(
            self,
            Event,
            "select at, event, evidence, document_id from timeline
             where platform = $1 and item_id = $2 order by at desc, event limit 500",
            platform.as_str(),
            id
        ))
    }

    /// Missed slots of an item since `since`, latest first.
    pub async fn missed_of(
        &mut self,
        platform: Platform,
        id: &str,
        since: Time,
        limit: i64,
    ) -> Result<Vec<MissedSlot>> {
        Ok(fetch_all!(
            self,
            MissedSlot,
            "select s.due_at, s.reason from targets t join slots s on s.target_id = t.target_id
             where t.kind = $1 and (t.key = $2 or t.item_id = $2) and s.outcome = 'missed'
                   and s.due_at >= $3
             order by s.due_at desc limit $4",
            kind(platform).as_str(),
            id,
            since,
            limit
        ))
    }

    /// Jobs that watch an item, or did.
    pub async fn watchers_of(&mut self, platform: Platform, id: &str) -> Result<Vec<Watcher>> {
        Ok(fetch_all!(
            self,
            Watcher,
            "select j.name, j.schedule, j.timezone, j.active,
                    j.is_active and jt.removed_at is null as watches
             from targets t
             join job_targets jt on jt.target_id = t.target_id
             join jobs j on j.job_id = jt.job_id
             where t.kind = $1 and (t.key = $2 or t.item_id = $2)
             order by j.name limit 50",
            kind(platform).as_str(),
            id
        ))
    }
}
