//! Rows affected by an erasure, and their deletion.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;
use sqlx::AssertSqlSafe;

use crate::model::{Kind, Platform};
use crate::store::archive::{FLAT_TABLES, SHAPES, Tombstone};
use crate::store::db::{Tx, execute};
use crate::store::sql::array;

/// The subjects of rows to delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AffectedRows {
    /// Notes by id, with their child rows.
    pub notes: BTreeSet<String>,
    /// KOLs.
    pub kols: BTreeSet<String>,
    /// Works.
    pub works: BTreeSet<String>,
    /// Authors.
    pub authors: BTreeSet<(Platform, String)>,
    /// Hashtags.
    pub hashtags: BTreeSet<(Platform, String)>,
    /// Music.
    pub music: BTreeSet<String>,
    /// Documents with search results or suggestions.
    pub documents: BTreeSet<i64>,
}

impl AffectedRows {
    /// Adds the subjects of tombstones.
    pub fn add(&mut self, tombstones: &[Tombstone]) {
        for Tombstone { platform, kind, id, .. } in tombstones {
            match (Kind::parse(kind), Platform::parse(platform)) {
                (Some(Kind::Note), _) => drop(self.notes.insert(id.clone())),
                (Some(Kind::Work), _) => drop(self.works.insert(id.clone())),
                (_, Some(platform)) => {
                    self.authors.insert((platform, id.clone()));
                    self.kols.extend((platform == Platform::Xiaohongshu).then(|| id.clone()));
                }
                (_, None) => {}
            }
        }
    }
}

#[derive(Serialize)]
struct Number {
    document_id: i64,
}

impl Tx {
    /// Deletes the rows of these subjects.
    pub async fn delete_rows(&mut self, traces: &AffectedRows) -> Result<()> {
        let AffectedRows { notes, kols, works, authors, hashtags, music, documents } = traces;
        let listed = self.listed(1);
        for (shape, ids) in SHAPES.into_iter().zip([notes, kols, works]) {
            let ids = array(&ids.iter().collect::<Vec<_>>())?;
            let (table, item, id) = (shape.table, shape.item, shape.id);
            let kept = ["_snapshots", "_latest", "_days"].map(|kept| format!("{item}{kept}"));
            for kept in kept.iter().filter(|kept| FLAT_TABLES.contains(&kept.as_str())) {
                let sql = format!(
                    "delete from {kept} where {item}_key in (
                         select {item}_key from {table} where {id} in {listed})"
                );
                execute!(self, AssertSqlSafe(sql), ids.as_str());
            }
            for (table, _) in shape.children.iter().chain([&(table, "")]) {
                let sql = format!("delete from {table} where {id} in {listed}");
                execute!(self, AssertSqlSafe(sql), ids.as_str());
            }
        }
        for (ids, platform) in [(notes, Platform::Xiaohongshu), (works, Platform::Douyin)] {
            let ids = array(&ids.iter().collect::<Vec<_>>())?;
            let sql = format!("delete from edits where platform = $2 and item_id in {listed}");
            execute!(self, AssertSqlSafe(sql), ids, platform.as_str());
        }
        let sql = format!("delete from music where music_id in {listed}");
        execute!(self, AssertSqlSafe(sql), array(&music.iter().collect::<Vec<_>>())?);
        self.delete_names("authors", "author_id", authors).await?;
        self.delete_names("hashtags", "hashtag_id", hashtags).await?;
        let documents = numbers(&documents.iter().copied().collect::<Vec<_>>())?;
        for table in ["kol_search_results", "keyword_suggestions"] {
            let sql = format!(
                "delete from {table} where document_id in (select r.document_id from {{rows}})"
            );
            let sql = self.over_rows("document_id int", &sql);
            execute!(self, sql, documents.as_str());
        }
        Ok(())
    }

    /// Deletes rows by platform and id.
    async fn delete_names(
        &mut self,
        table: &str,
        column: &str,
        names: &BTreeSet<(Platform, String)>,
    ) -> Result<()> {
        for platform in Platform::ALL {
            let of_it = names.iter().filter(|(it, _)| *it == platform);
            let ids = array(&of_it.map(|(_, id)| id).collect::<Vec<_>>())?;
            let listed = self.listed(1);
            let sql = format!("delete from {table} where platform = $2 and {column} in {listed}");
            execute!(self, AssertSqlSafe(sql), ids, platform.as_str());
        }
        Ok(())
    }
}

/// Document ids as rows.
pub(in crate::store) fn numbers(documents: &[i64]) -> Result<String> {
    array(&documents.iter().map(|id| Number { document_id: *id }).collect::<Vec<_>>())
}
