//! The rows of many answers, made ready to be saved by a few statements.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::rows::hex;
use super::shapes::SHAPES;
use crate::model::Batch;
use crate::time::Time;

/// Columns whose values are signed and change with every answer though nothing else did.
const SIGNED: [&str; 6] = ["url", "live_url", "video_url", "cover_url", "image_url", "avatar_url"];

/// Rows of one table, each under its key: of several for a key the newest stays.
pub(super) type Keyed = BTreeMap<String, Value>;

/// The rows of many answers, in a shape that a few statements can save.
#[derive(Default)]
pub(super) struct Known {
    pub(super) items: [BTreeMap<String, Item>; 3],
    pub(super) authors: Keyed,
    pub(super) hashtags: Keyed,
    pub(super) music: Keyed,
    pub(super) note_metrics: Vec<Value>,
    pub(super) work_metrics: Vec<Value>,
    pub(super) kol_metrics: Vec<Value>,
    pub(super) suggestions: Vec<Value>,
    pub(super) search_results: Vec<Value>,
}

/// An item with its children, as one answer has it.
pub(super) struct Item {
    pub(super) observed_at: Time,
    pub(super) first_seen_at: Time,
    pub(super) fingerprint: String,
    pub(super) row: Value,
    pub(super) children: Vec<Vec<Value>>,
}

impl Item {
    /// Takes in the same item from another answer: the newer facts stay, and the earlier beginning.
    fn meet(&mut self, other: Self) {
        let first_seen_at = self.first_seen_at.min(other.first_seen_at);
        if other.observed_at >= self.observed_at {
            *self = other;
        }
        self.first_seen_at = first_seen_at;
        if let Value::Object(row) = &mut self.row {
            row.insert("first_seen_at".into(), first_seen_at.to_string().into());
        }
    }
}

impl Known {
    /// Adds the rows of one answer.
    pub(super) fn add(&mut self, batch: &Batch, document_id: i64, at: Time) -> Result<()> {
        // Without `..`: a new kind of row must not be forgotten.
        let Batch {
            authors,
            notes,
            note_images,
            hashtags,
            note_hashtags,
            note_mentions,
            note_metrics,
            kols,
            kol_tags,
            kol_notes,
            kol_metrics,
            kol_search_results,
            works,
            work_images,
            work_hashtags,
            work_mentions,
            work_creators,
            work_metrics,
            music,
            keyword_suggestions,
        } = batch;
        let stamp = Stamp { document_id, at };
        self.add_items(
            0,
            &stamp,
            notes,
            &[stamp.rows(note_images)?, stamp.rows(note_hashtags)?, stamp.rows(note_mentions)?],
        )?;
        self.add_items(1, &stamp, kols, &[stamp.rows(kol_tags)?, stamp.rows(kol_notes)?])?;
        self.add_items(
            2,
            &stamp,
            works,
            &[
                stamp.rows(work_images)?,
                stamp.rows(work_hashtags)?,
                stamp.rows(work_mentions)?,
                stamp.rows(work_creators)?,
            ],
        )?;
        stamp.keyed(&mut self.authors, authors, &["platform", "author_id"])?;
        stamp.keyed(&mut self.hashtags, hashtags, &["platform", "hashtag_id"])?;
        stamp.keyed(&mut self.music, music, &["music_id"])?;
        self.note_metrics.extend(stamp.rows(note_metrics)?);
        self.work_metrics.extend(stamp.rows(work_metrics)?);
        self.kol_metrics.extend(stamp.rows(kol_metrics)?);
        self.suggestions.extend(stamp.rows(keyword_suggestions)?);
        self.search_results.extend(stamp.rows(kol_search_results)?);
        Ok(())
    }

    fn add_items<T: Serialize, const N: usize>(
        &mut self,
        shape: usize,
        stamp: &Stamp,
        items: &[T],
        children: &[Vec<Value>; N],
    ) -> Result<()> {
        let id_column = SHAPES[shape].id;
        for mut row in stamp.rows(items)? {
            let id = text(&row, id_column);
            let mine = |rows: &Vec<Value>| -> Vec<Value> {
                rows.iter().filter(|row| text(row, id_column) == id).cloned().collect()
            };
            let children: Vec<Vec<Value>> = children.iter().map(mine).collect();
            let fingerprint = fingerprint(&row, &children);
            if let Value::Object(row) = &mut row {
                row.insert("fingerprint".into(), fingerprint.clone().into());
            }
            let item =
                Item { observed_at: stamp.at, first_seen_at: stamp.at, fingerprint, row, children };
            match self.items[shape].entry(id) {
                Entry::Vacant(new) => {
                    new.insert(item);
                }
                Entry::Occupied(mut known) => known.get_mut().meet(item),
            }
        }
        Ok(())
    }
}

/// The answer that rows come from.
struct Stamp {
    document_id: i64,
    at: Time,
}

impl Stamp {
    fn rows<T: Serialize>(&self, rows: &[T]) -> Result<Vec<Value>> {
        rows.iter().map(|row| self.row(row)).collect()
    }

    fn row<T: Serialize>(&self, row: &T) -> Result<Value> {
        let mut value = serde_json::to_value(row)?;
        if let Value::Object(fields) = &mut value {
            fields.insert("document_id".into(), self.document_id.into());
            fields.insert("observed_at".into(), self.at.to_string().into());
            fields.insert("first_seen_at".into(), self.at.to_string().into());
            fields.insert("observed_us".into(), self.at.micros().into());
        }
        Ok(value)
    }

    fn keyed<T: Serialize>(&self, into: &mut Keyed, rows: &[T], key: &[&str]) -> Result<()> {
        for mut row in self.rows(rows)? {
            let key = key.iter().map(|column| text(&row, column)).collect::<Vec<_>>().join(" ");
            if let Some(known) = into.remove(&key) {
                let first = text(&row, "first_seen_at").min(text(&known, "first_seen_at"));
                if text(&known, "observed_at") > text(&row, "observed_at") {
                    row = known;
                }
                if let Value::Object(row) = &mut row {
                    row.insert("first_seen_at".into(), first.into());
                }
            }
            into.insert(key, row);
        }
        Ok(())
    }
}

pub(super) fn text(row: &Value, column: &str) -> String {
    row.get(column).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A digest of an item and its children without what is signed or stamped: the same as long as
/// nothing changed.
fn fingerprint(row: &Value, children: &[Vec<Value>]) -> String {
    let stamped = ["document_id", "observed_at", "observed_us", "first_seen_at"];
    let lasting = |row: &Value| -> Map<String, Value> {
        let fields = row.as_object().into_iter().flatten();
        fields
            .filter(|(name, _)| {
                !SIGNED.contains(&name.as_str()) && !stamped.contains(&name.as_str())
            })
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let children: Vec<Vec<_>> =
        children.iter().map(|rows| rows.iter().map(lasting).collect()).collect();
    let text = serde_json::json!([lasting(row), children]).to_string();
    hex(Sha256::digest(text).get(..16).unwrap_or_default())
}
