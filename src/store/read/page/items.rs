//! What the page says of one note or work.

use anyhow::Result;

use super::Micros;
use crate::model::{MissedReason, Platform};
use crate::store::db::{Tx, fetch_all, fetch_optional};
use crate::time::Time;

/// A note or work as last seen.
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
    /// Where it can be looked at.
    pub share_url: Option<String>,
    /// Length of its video, in milliseconds.
    pub duration_ms: Option<i64>,
    /// Pictures.
    pub images: i64,
    /// When it was first seen.
    pub first_seen_at: Time,
    /// When what stands here was last confirmed or changed.
    pub last_seen_at: Time,
    /// The answer that these facts come from.
    pub document_id: i64,
}

/// An item at one look.
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
    /// Whether no count was rounded.
    pub exact: bool,
    /// The answer that it was read from.
    pub document_id: i64,
}

/// Where an item stood at an age.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Growth {
    /// Hours since publication.
    pub age_hours: i64,
    /// The observation before; `None`: none was near.
    pub before_at: Option<Time>,
    /// The observation after.
    pub after_at: Option<Time>,
    /// Likes, on a line between the two.
    pub likes: Option<f64>,
    /// Comments.
    pub comments: Option<f64>,
    /// Collects.
    pub collects: Option<f64>,
    /// Shares.
    pub shares: Option<f64>,
}

/// Something that happened to an item.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Event {
    /// When.
    pub at: Time,
    /// `published`, `first_seen`, `edited`, `gone`, `back` or `refused`.
    pub event: String,
    /// What says so.
    pub evidence: String,
    /// The kept answer that says so.
    pub document_id: Option<i64>,
}

/// A planned look that did not see its target.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct MissedSlot {
    /// When it was due.
    pub due_at: Time,
    /// Why it was missed.
    pub reason: Option<MissedReason>,
}

/// A job that wants an item looked at.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Watcher {
    /// Its name.
    pub name: String,
    /// Its cron pattern.
    pub schedule: String,
    /// The zone that is meant in.
    pub timezone: String,
    /// The windows it fires in; `None`: always.
    pub active: Option<String>,
    /// Whether it still wants it.
    pub watches: bool,
}

#[derive(sqlx::FromRow)]
struct Name {
    name: String,
}

/// What kind of target an item of a platform is.
fn kind(platform: Platform) -> &'static str {
    match platform {
        Platform::Xiaohongshu => "note",
        Platform::Douyin => "work",
    }
}

impl Tx {
    /// A note or work as last seen; `None` when it never was.
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

    /// The hashtags of a note or work, in their order.
    pub async fn hashtags_of(&mut self, platform: Platform, id: &str) -> Result<Vec<String>> {
        let sql = "select name from item_hashtags where platform = $1 and item_id = $2
                   order by position limit 100";
        let names = fetch_all!(self, Name, sql, platform.as_str(), id);
        Ok(names.into_iter().map(|row| row.name).collect())
    }

    /// The observations of an item before `before`, the latest first.
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
            "select observed_at, likes, comments, collects, shares, views, exact, document_id
             from engagement where platform = $1 and item_id = $2 and observed_at < $3
             order by observed_at desc limit $4",
            platform.as_str(),
            id,
            before,
            limit
        ))
    }

    /// The likes of an item from `since` on, the latest first.
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
            "select s.observed_at, s.likes
             from item_keys k join snapshots s on s.item_key = k.item_key
             where k.platform = $1 and k.item_id = $2 and s.observed_at >= $3
             order by s.observed_at desc limit $4",
            platform.as_str(),
            id,
            Micros(since),
            limit
        ))
    }

    /// Where an item stood at each of the usual ages; empty where its publication is not known.
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

    /// What happened to an item, the latest first.
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

    /// The looks at an item that were missed from `since` on, the latest first.
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
            kind(platform),
            id,
            since,
            limit
        ))
    }

    /// The jobs that want an item looked at, or did.
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
            kind(platform),
            id
        ))
    }
}
