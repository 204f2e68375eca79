//! KOLs.

use anyhow::Result;
use sqlx::AssertSqlSafe;

use crate::store::db::{Tx, fetch_all, fetch_optional};
use crate::store::sql::Micros;
use crate::time::Time;

/// Prices and reach of a KOL at one observation. Prices are in yuan.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct KolValue {
    /// The platform's id.
    pub kol_id: String,
    /// Its name.
    pub nickname: Option<String>,
    /// When.
    pub observed_at: Micros,
    /// Followers.
    pub followers: Option<i64>,
    /// Median reads of a note.
    pub read_median: Option<i64>,
    /// Median engagements of a note.
    pub engagement_median: Option<i64>,
    /// Price of a note with pictures.
    pub picture_price: Option<f64>,
    /// Price per median read of notes with pictures.
    pub picture_per_read: Option<f64>,
    /// Price per median engagement of them.
    pub picture_per_engagement: Option<f64>,
    /// Median engagements of notes with pictures.
    pub picture_engagement_median: Option<i64>,
    /// Price of a video.
    pub video_price: Option<f64>,
    /// Price per median read of videos.
    pub video_per_read: Option<f64>,
    /// Price per median engagement of them.
    pub video_per_engagement: Option<f64>,
    /// Median engagements of videos.
    pub video_engagement_median: Option<i64>,
    /// The document they come from.
    pub document_id: i64,
}

/// A KOL as last observed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KolFacts {
    /// The platform's id.
    pub kol_id: String,
    /// Its name.
    pub nickname: Option<String>,
    /// Its handle, as people type it.
    pub red_id: Option<String>,
    /// Its location.
    pub location: Option<String>,
    /// Its agency.
    pub mcn_name: Option<String>,
    /// When it was first observed.
    pub first_seen_at: Time,
    /// When these facts were last confirmed or changed.
    pub last_seen_at: Time,
}

/// A column to order KOLs by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KolOrder {
    /// Followers.
    Followers,
    /// Median reads.
    Reads,
    /// Median engagements.
    Engagements,
    /// Price of a note with pictures.
    PicturePrice,
    /// Price per read.
    PicturePerRead,
    /// Price per engagement.
    PicturePerEngagement,
    /// Price of a video.
    VideoPrice,
    /// Price per read.
    VideoPerRead,
    /// Price per engagement.
    VideoPerEngagement,
}

impl KolOrder {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 9] = [
        Self::Followers,
        Self::Reads,
        Self::Engagements,
        Self::PicturePrice,
        Self::PicturePerRead,
        Self::PicturePerEngagement,
        Self::VideoPrice,
        Self::VideoPerRead,
        Self::VideoPerEngagement,
    ];

    /// Its column, and its name in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Followers => "followers",
            Self::Reads => "read_median",
            Self::Engagements => "engagement_median",
            Self::PicturePrice => "picture_price",
            Self::PicturePerRead => "picture_per_read",
            Self::PicturePerEngagement => "picture_per_engagement",
            Self::VideoPrice => "video_price",
            Self::VideoPerRead => "video_per_read",
            Self::VideoPerEngagement => "video_per_engagement",
        }
    }

    /// The one of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// Selects a KOL `k` and a snapshot `s` of it, up to the `where`.
const VALUES: &str = "select k.kol_id, k.nickname, s.observed_at, s.followers, s.read_median,
        s.engagement_median, s.picture_price,
        s.picture_price / nullif(s.picture_read_median, 0) as picture_per_read,
        s.picture_price / nullif(s.picture_engagement_median, 0) as picture_per_engagement,
        s.picture_engagement_median, s.video_price,
        s.video_price / nullif(s.video_read_median, 0) as video_per_read,
        s.video_price / nullif(s.video_engagement_median, 0) as video_per_engagement,
        s.video_engagement_median, s.document_id
    from kols k join kol_snapshots s on s.kol_key = k.kol_key";

impl Tx {
    /// Every KOL at its latest observation, ordered; NULL comes last.
    pub async fn kol_values(
        &mut self,
        order: KolOrder,
        falling: bool,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<KolValue>> {
        let column = order.as_str();
        let direction = if falling { "desc" } else { "asc" };
        let sql = format!(
            "select * from ({VALUES} where s.observed_at = (
                 select max(observed_at) from kol_snapshots where kol_key = k.kol_key)) v
             order by {column} {direction} nulls last, kol_id limit $1 offset $2"
        );
        Ok(fetch_all!(self, KolValue, AssertSqlSafe(sql), limit, offset))
    }

    /// A KOL as last observed.
    pub async fn kol_facts(&mut self, id: &str) -> Result<Option<KolFacts>> {
        Ok(fetch_optional!(
            self,
            KolFacts,
            "select kol_id, nickname, red_id, location, mcn_name, first_seen_at, last_seen_at
             from kols where kol_id = $1",
            id
        ))
    }

    /// The latest observations of a KOL, latest first.
    pub async fn kol_history(&mut self, id: &str, limit: i64) -> Result<Vec<KolValue>> {
        let sql = format!("{VALUES} where k.kol_id = $1 order by s.observed_at desc limit $2");
        Ok(fetch_all!(self, KolValue, AssertSqlSafe(sql), id, limit))
    }
}
