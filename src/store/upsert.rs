//! Statements for what is known and how it moved.
//!
//! Most answers of a tracker repeat what is known. So an item and its children are rewritten
//! only when their fingerprint says that something changed; the counts are a new row each time.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use super::known::{Item, Known, text};
use super::rows::{array, names};
use super::shapes::{SHAPES, Shape};
use super::{Tx, execute, fetch_all};
use crate::time::Time;

/// What every row is stamped with: the answer it came from and when that came.
const STAMP: &str = "document_id int, observed_at time, observed_us micros, first_seen_at time";

#[derive(sqlx::FromRow)]
struct Stored {
    id: String,
    fingerprint: String,
    first_seen_at: Time,
    last_seen_at: Time,
}

impl Tx {
    /// Saves the rows of answers: items first, since the counts refer to them.
    pub(super) async fn put_known(&mut self, known: &Known) -> Result<()> {
        for (shape, items) in SHAPES.into_iter().zip(&known.items) {
            self.put_items(shape, items).await?;
        }
        let authors: Vec<_> = known.authors.values().collect();
        // An older answer changes nothing but when the author was first seen.
        let newer = ["sec_uid", "handle", "nickname", "avatar_url", "last_seen_at"].map(|column| {
            format!(
                "{column} = case when authors.last_seen_at <= excluded.last_seen_at
                                 then excluded.{column} else authors.{column} end"
            )
        });
        self.insert(
            "authors",
            "platform text, author_id text, sec_uid text, handle text, nickname text, avatar_url text",
            "first_seen_at, last_seen_at",
            "first_seen_at, observed_at",
            &format!(
                "on conflict (platform, author_id) do update set {},
                     first_seen_at = case when authors.first_seen_at <= excluded.first_seen_at
                                          then authors.first_seen_at else excluded.first_seen_at end
                 where authors.last_seen_at <= excluded.last_seen_at
                    or authors.first_seen_at > excluded.first_seen_at",
                newer.join(", ")
            ),
            &authors,
        )
        .await?;
        let hashtags: Vec<_> = known.hashtags.values().collect();
        self.insert(
            "hashtags",
            "platform text, hashtag_id text, name text",
            "read_at",
            "observed_at",
            "on conflict (platform, hashtag_id) do update set
                 name = excluded.name, read_at = excluded.read_at
             where hashtags.name <> excluded.name
               and (hashtags.read_at is null or hashtags.read_at <= excluded.read_at)",
            &hashtags,
        )
        .await?;
        let music: Vec<_> = known.music.values().collect();
        self.insert(
            "music",
            "music_id text, title text, author text, duration_ms int, is_original bool",
            "read_at",
            "observed_at",
            "on conflict (music_id) do update set
                 title = excluded.title, author = excluded.author,
                 duration_ms = excluded.duration_ms, is_original = excluded.is_original,
                 read_at = excluded.read_at
             where (music.title is distinct from excluded.title
                    or music.author is distinct from excluded.author
                    or music.duration_ms is distinct from excluded.duration_ms
                    or music.is_original is distinct from excluded.is_original)
               and (music.read_at is null or music.read_at <= excluded.read_at)",
            &music,
        )
        .await?;
        self.put_snapshots(known).await
    }

    async fn put_snapshots(&mut self, known: &Known) -> Result<()> {
        self.insert(
            "note_snapshots",
            "likes int, collects int, comments int, shares int, views int",
            "note_key, observed_at, document_id, rounded",
            "(select note_key from notes where note_id = r.note_id), observed_us, document_id,
             case when not exact then true end",
            "on conflict do nothing",
            &known.note_metrics,
        )
        .await?;
        self.insert(
            "work_snapshots",
            "likes int, comments int, collects int, shares int, plays int, recommends int, \
             downloads int, admires int",
            "work_key, observed_at, document_id, rounded",
            "(select work_key from works where work_id = r.work_id), observed_us, document_id,
             case when not exact then true end",
            "on conflict do nothing",
            &known.work_metrics,
        )
        .await?;
        self.insert(
            "kol_snapshots",
            "followers int, followers_growth_30d int, followers_growth_rate_30d real, \
             read_median int, engagement_median int, picture_read_median int, \
             picture_engagement_median int, video_read_median int, video_engagement_median int, \
             impression_median_30d int, monthly_engagements int, total_notes int, \
             business_notes int, picture_price real, video_price real, lower_price real, \
             picture_read_cost real, video_read_cost real, picture_cpm real, video_cpm real, \
             picture_engage_cost real, video_engage_cost real, hundred_like_percent real, \
             thousand_like_percent real, active_fans_percent real, engaged_fans_percent real, \
             invite_reply_percent real",
            "kol_key, observed_at, document_id",
            "(select kol_key from kols where kol_id = r.kol_id), observed_us, document_id",
            "on conflict do nothing",
            &known.kol_metrics,
        )
        .await?;
        self.insert(
            "keyword_suggestions",
            "keyword text, rank int, suggestion text, suggestion_type text, search_type text, \
             link text, highlight text, is_intervened bool, search_cpl_id text, word_request_id text",
            "observed_at, document_id",
            "observed_at, document_id",
            "on conflict do nothing",
            &known.suggestions,
        )
        .await?;
        self.insert(
            "kol_search_results",
            "position int, page int, kol_id text",
            "document_id",
            "document_id",
            "on conflict do nothing",
            &known.search_results,
        )
        .await
    }

    /// Inserts rows with the columns of `spec` as they are, and `more` columns from `values`.
    async fn insert<T: Serialize>(
        &mut self,
        table: &str,
        spec: &str,
        more: &str,
        values: &str,
        conflict: &str,
        rows: &[T],
    ) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let columns = names(spec);
        let comma = if more.is_empty() { "" } else { ", " };
        let template = format!(
            "insert into {table} ({columns}{comma}{more})
             select {columns}{comma}{values} from {{rows}} where true {conflict}"
        );
        // The keys that `values` may refer to, beside the stamp.
        let extra =
            ["note_id text", "work_id text", "kol_id text", "exact bool", "fingerprint text"];
        let extra = extra.into_iter().filter(|column| !spec.contains(column));
        let spec = extra.fold(format!("{spec}, {STAMP}"), |spec, column| spec + ", " + column);
        let sql = self.over_rows(&spec, &template);
        execute!(self, sql, array(rows)?);
        Ok(())
    }

    /// Rewrites the items that changed, with their children, and notes the others as seen.
    async fn put_items(&mut self, shape: &Shape, items: &BTreeMap<String, Item>) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let Shape { table, id, columns, children } = shape;
        let ids: Vec<_> = items.keys().collect();
        let sql = format!(
            "select {id} as id, fingerprint, first_seen_at, last_seen_at from {table} where {id} in {}",
            self.listed(1)
        );
        let stored = fetch_all!(self, Stored, sqlx::AssertSqlSafe(sql), array(&ids)?);
        let stored: BTreeMap<_, _> = stored.iter().map(|row| (row.id.as_str(), row)).collect();
        let (mut changed, mut seen, mut earlier) = (Vec::new(), Vec::new(), Vec::new());
        for (id, item) in items {
            if stored.get(id.as_str()).is_some_and(|row| row.first_seen_at > item.first_seen_at) {
                earlier.push(&item.row);
            }
            match stored.get(id.as_str()) {
                // An older answer says nothing about how the item is now.
                Some(row) if row.last_seen_at > item.observed_at => {}
                Some(row) if row.fingerprint == item.fingerprint => seen.push(&item.row),
                _ => changed.push(item),
            }
        }
        let rows: Vec<_> = changed.iter().map(|item| &item.row).collect();
        let update: Vec<_> = names(columns)
            .split(", ")
            .chain(["last_seen_at", "fingerprint", "document_id"])
            .filter(|column| column != id)
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        self.insert(
            table,
            columns,
            "first_seen_at, last_seen_at, fingerprint, document_id",
            "first_seen_at, observed_at, fingerprint, document_id",
            &format!(
                "on conflict ({id}) do update set {}
                 where {table}.last_seen_at <= excluded.last_seen_at",
                update.join(", ")
            ),
            &rows,
        )
        .await?;
        let ids: Vec<_> = rows.iter().map(|row| text(row, id)).collect();
        for (n, (child, columns)) in children.iter().enumerate() {
            self.replace_children(child, columns, id, &ids, &changed, n).await?;
        }
        let sql = self.over_rows(
            &format!("{id} text, observed_at time"),
            &format!(
                "update {table} set last_seen_at = r.observed_at from {{rows}}
                 where {table}.{id} = r.{id} and {table}.last_seen_at < r.observed_at"
            ),
        );
        execute!(self, sql, array(&seen)?);
        self.begin_earlier(table, id, &earlier).await
    }

    /// Notes that items were first seen earlier than was known: an old answer came late.
    async fn begin_earlier(&mut self, table: &str, id: &str, rows: &[&Value]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let sql = self.over_rows(
            &format!("{id} text, first_seen_at time"),
            &format!(
                "update {table} set first_seen_at = r.first_seen_at from {{rows}}
                 where {table}.{id} = r.{id} and {table}.first_seen_at > r.first_seen_at"
            ),
        );
        execute!(self, sql, array(rows)?);
        Ok(())
    }

    async fn replace_children(
        &mut self,
        table: &str,
        columns: &str,
        id: &str,
        ids: &[String],
        items: &[&Item],
        n: usize,
    ) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let sql = format!("delete from {table} where {id} in {}", self.listed(1));
        execute!(self, sqlx::AssertSqlSafe(sql), array(ids)?);
        let rows: Vec<_> = items.iter().filter_map(|item| item.children.get(n)).flatten().collect();
        self.insert(table, columns, "", "", "", &rows).await
    }
}
