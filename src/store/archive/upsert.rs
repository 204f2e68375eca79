//! Statements for what is known and how it moved.
//!
//! Most answers of a tracker repeat what is known. So an item and its children are rewritten
//! only when their fingerprint says that something changed; the counts are a new row each time.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Result;

use super::known::{Item, Items, Known, OBSERVED};
use super::shapes::{SHAPES, Shape};
use crate::store::db::Tx;
use crate::store::sql::{Cell, Rows};
use crate::time::Time;

#[derive(sqlx::FromRow)]
struct Stored {
    id: String,
    fingerprint: String,
    first_seen_at: Time,
    last_seen_at: Time,
}

#[derive(sqlx::FromRow)]
struct ItemId {
    id: String,
}

impl Tx {
    /// Saves the rows of answers: items first, since the counts refer to them.
    pub(in crate::store) async fn put_known(&mut self, known: Known) -> Result<()> {
        let Known {
            items,
            authors,
            hashtags,
            music,
            note_metrics,
            work_metrics,
            kol_metrics,
            suggestions,
            search_results,
        } = known;
        for (shape, items) in SHAPES.into_iter().zip(items) {
            self.put_items(shape, items).await?;
        }
        self.put_authors(&authors.into_rows()).await?;
        self.put_names(&hashtags.into_rows(), &music.into_rows()).await?;
        self.put_snapshots("note", &note_metrics).await?;
        self.put_snapshots("work", &work_metrics).await?;
        self.put_snapshots("kol", &kol_metrics).await?;
        self.insert("keyword_suggestions", &suggestions).await?;
        self.insert("kol_search_results", &search_results).await
    }

    /// An older answer changes nothing of an author but when it was first seen.
    async fn put_authors(&mut self, rows: &Rows) -> Result<()> {
        let newer = ["sec_uid", "handle", "nickname", "avatar_url", "last_seen_at"].map(|column| {
            format!(
                "{column} = case when authors.last_seen_at <= excluded.last_seen_at
                                 then excluded.{column} else authors.{column} end"
            )
        });
        let template = format!(
            "insert into authors (platform, author_id, sec_uid, handle, nickname, avatar_url,
                                  first_seen_at, last_seen_at)
             select platform, author_id, sec_uid, handle, nickname, avatar_url,
                    first_seen_at, observed_at
             from {{rows}} where true
             on conflict (platform, author_id) do update set {},
                 first_seen_at = case when authors.first_seen_at <= excluded.first_seen_at
                                      then authors.first_seen_at else excluded.first_seen_at end
             where authors.last_seen_at <= excluded.last_seen_at
                or authors.first_seen_at > excluded.first_seen_at",
            newer.join(", ")
        );
        self.execute_over(rows, &template).await?;
        Ok(())
    }

    /// Hashtags and music: what an older answer says does not count, and what is there already is
    /// not even locked.
    async fn put_names(&mut self, hashtags: &Rows, music: &Rows) -> Result<()> {
        self.execute_over(
            hashtags,
            "insert into hashtags (platform, hashtag_id, name, read_at)
             select platform, hashtag_id, name, observed_at
             from {rows} where not exists (
                 select 1 from hashtags h
                 where h.platform = r.platform and h.hashtag_id = r.hashtag_id
                   and h.name = r.name and h.read_at <= r.observed_at)
             on conflict (platform, hashtag_id) do update set
                 name = excluded.name, read_at = excluded.read_at
             where hashtags.read_at is null
                or (hashtags.name <> excluded.name and hashtags.read_at <= excluded.read_at)
                or (hashtags.name = excluded.name and hashtags.read_at > excluded.read_at)",
        )
        .await?;
        self.execute_over(
            music,
            "insert into music (music_id, title, author, duration_ms, is_original, read_at)
             select music_id, title, author, duration_ms, is_original, observed_at
             from {rows} where true
             on conflict (music_id) do update set
                 title = excluded.title, author = excluded.author,
                 duration_ms = excluded.duration_ms, is_original = excluded.is_original,
                 read_at = excluded.read_at
             where music.read_at is null or (music.read_at <= excluded.read_at) = (
                    music.title is distinct from excluded.title
                    or music.author is distinct from excluded.author
                    or music.duration_ms is distinct from excluded.duration_ms
                    or music.is_original is distinct from excluded.is_original)",
        )
        .await?;
        Ok(())
    }

    /// Adds the counts of items, under the items' small keys.
    async fn put_snapshots(&mut self, item: &str, rows: &Rows) -> Result<()> {
        let (id, key) = (format!("{item}_id"), format!("{item}_key"));
        let is_plain = |name: &&&str| **name != id.as_str() && **name != "exact";
        let plain: Vec<_> = rows.names().iter().filter(is_plain).copied().collect();
        let plain = plain.join(", ");
        let (rounded, was_rounded) = match rows.names().contains(&"exact") {
            true => (", rounded", ", case when not exact then true end"),
            false => ("", ""),
        };
        let template = format!(
            "insert into {item}_snapshots ({key}, {plain}{rounded})
             select (select {key} from {item}s where {id} = r.{id}), {plain}{was_rounded}
             from {{rows}} where true on conflict do nothing"
        );
        self.execute_over(rows, &template).await?;
        Ok(())
    }

    /// Inserts rows as they are; those that are there already stay.
    async fn insert(&mut self, table: &str, rows: &Rows) -> Result<()> {
        let columns = rows.names().join(", ");
        let template = format!(
            "insert into {table} ({columns}) select {columns} from {{rows}} where true
             on conflict do nothing"
        );
        self.execute_over(rows, &template).await?;
        Ok(())
    }

    /// Rewrites the items that changed, with their children, and notes the others as seen.
    async fn put_items(&mut self, shape: &Shape, items: Items) -> Result<()> {
        let Shape { table, id, .. } = shape;
        let Items { mut rows, mut children, by_id } = items;
        let stored = self.stored(shape, by_id.keys()).await?;
        let begun_earlier = self.begun_earlier(shape, &by_id, &stored).await?;
        let mut seen = Rows::new(&["id text, observed_at time"]);
        let mut earlier = Rows::new(&["id text, first_seen_at time"]);
        let mut replaced = Rows::new(&["id text"]);
        for (item_id, item) in by_id {
            let Item {
                observed_at,
                began_at,
                first_seen_at,
                fingerprint,
                is_changed,
                mut row,
                children: of_item,
            } = item;
            if stored.get(&item_id).is_some_and(|old| old.first_seen_at > first_seen_at) {
                let began = Cell::Int(first_seen_at.micros());
                earlier.push(vec![Cell::Text(item_id.clone()), began]);
            }
            match stored.get(&item_id) {
                // What is known was known by an older answer already, which came late.
                Some(old) if begun_earlier.contains(&item_id) => {
                    if let Some(cell) = rows.cell(&mut row, OBSERVED) {
                        *cell = Cell::Int(old.last_seen_at.micros());
                    }
                    replaced.push(vec![Cell::Text(item_id)]);
                }
                // An older answer says nothing about how the item is now.
                Some(old) if old.last_seen_at > observed_at => continue,
                Some(old) if old.fingerprint == fingerprint && !is_changed => {
                    seen.push(vec![Cell::Text(item_id), Cell::Int(observed_at.micros())]);
                    continue;
                }
                // Those that are new, too: another process may be adding them.
                old => {
                    // What it shows was seen first when its own answer came: so edits say.
                    if began_at < observed_at && old.is_none_or(|it| it.last_seen_at <= began_at) {
                        seen.push(vec![
                            Cell::Text(item_id.clone()),
                            Cell::Int(observed_at.micros()),
                        ]);
                        if let Some(cell) = rows.cell(&mut row, OBSERVED) {
                            *cell = Cell::Int(began_at.micros());
                        }
                    }
                    replaced.push(vec![Cell::Text(item_id)]);
                }
            }
            rows.push(row);
            for (table, of_item) in children.iter_mut().zip(of_item) {
                of_item.into_iter().for_each(|row| table.push(row));
            }
        }
        self.put_changed(shape, &rows).await?;
        for ((child, _), rows) in shape.children.iter().zip(&children) {
            let sql = format!("delete from {child} where {id} in (select r.id from {{rows}})");
            self.execute_over(&replaced, &sql).await?;
            self.insert(child, rows).await?;
        }
        let sql = format!(
            "update {table} set last_seen_at = r.observed_at from {{rows}}
             where {table}.{id} = r.id and {table}.last_seen_at < r.observed_at"
        );
        self.execute_over(&seen, &sql).await?;
        // An old answer came late.
        let sql = format!(
            "update {table} set first_seen_at = r.first_seen_at from {{rows}}
             where {table}.{id} = r.id and {table}.first_seen_at > r.first_seen_at"
        );
        self.execute_over(&earlier, &sql).await?;
        Ok(())
    }

    /// The items that were like this already when an answer came which is only saved now: it
    /// says the same as the one that they were read from, is older, and nothing was seen in between.
    async fn begun_earlier(
        &mut self,
        shape: &Shape,
        by_id: &BTreeMap<String, Item>,
        stored: &HashMap<String, Stored>,
    ) -> Result<HashSet<String>> {
        let mut rows = Rows::new(&["id text, observed_at micros"]);
        for (id, item) in by_id {
            let repeats = |old: &Stored| {
                old.last_seen_at > item.observed_at && old.fingerprint == item.fingerprint
            };
            if stored.get(id).is_some_and(repeats) {
                rows.push(vec![Cell::Text(id.clone()), Cell::Int(item.observed_at.micros())]);
            }
        }
        let Shape { table, id, item, .. } = shape;
        let sql = format!(
            "select r.id as id from {{rows}} cross join {table} t
             join {item}_snapshots began on began.{item}_key = t.{item}_key
                                        and began.document_id = t.document_id
             where t.{id} = r.id and began.observed_at > r.observed_at and not exists (
                 select 1 from {item}_snapshots s
                 where s.{item}_key = t.{item}_key and s.observed_at > r.observed_at
                   and s.observed_at < began.observed_at)"
        );
        let begun: Vec<ItemId> = self.fetch_over(&rows, &sql).await?;
        Ok(begun.into_iter().map(|row| row.id).collect())
    }

    /// What is stored of these items, by their ids.
    async fn stored(
        &mut self,
        shape: &Shape,
        ids: impl Iterator<Item = &String>,
    ) -> Result<HashMap<String, Stored>> {
        let Shape { table, id, .. } = shape;
        let mut rows = Rows::new(&["id text"]);
        ids.for_each(|id| rows.push(vec![Cell::Text(id.clone())]));
        // Differs by necessity: searches overlap, and two that save the same KOLs must not wait for
        // each other in turn. In SQLite a transaction that may write is alone already.
        let lock = match self {
            Self::Postgres(_) if *table == "kols" => " order by t.kol_id for update of t",
            _ => "",
        };
        // A cross join keeps SQLite from going through the whole table.
        let sql = format!(
            "select t.{id} as id, t.fingerprint as fingerprint, t.first_seen_at as first_seen_at,
                    t.last_seen_at as last_seen_at
             from {{rows}} cross join {table} t where t.{id} = r.id{lock}"
        );
        let stored: Vec<Stored> = self.fetch_over(&rows, &sql).await?;
        Ok(stored.into_iter().map(|row| (row.id.clone(), row)).collect())
    }

    /// Writes items that are new or changed.
    async fn put_changed(&mut self, shape: &Shape, rows: &Rows) -> Result<()> {
        let Shape { table, id, .. } = shape;
        let is_item = |name: &&str| !matches!(*name, "observed_at" | "first_seen_at");
        let columns: Vec<_> = rows.names().iter().copied().filter(is_item).collect();
        let update: Vec<_> = columns
            .iter()
            .chain(&["last_seen_at"])
            .filter(|column| *column != id)
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let columns = columns.join(", ");
        let template = format!(
            "insert into {table} ({columns}, first_seen_at, last_seen_at)
             select {columns}, first_seen_at, observed_at from {{rows}} where true
             on conflict ({id}) do update set {}
             where {table}.last_seen_at <= excluded.last_seen_at",
            update.join(", ")
        );
        self.execute_over(rows, &template).await?;
        Ok(())
    }
}
