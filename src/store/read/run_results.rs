//! Results of a manual run.

use anyhow::Result;

use crate::model::{MissedReason, SlotOutcome};
use crate::store::db::{Tx, fetch_all};
use crate::store::ledger::{CallTotals, call_totals};
use crate::time::Time;

/// The result of one slot.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct SlotResult {
    /// The target's kind.
    pub kind: String,
    /// The target's key.
    pub key: String,
    /// The item behind it.
    pub item_id: Option<String>,
    /// `None`: it is open.
    pub outcome: Option<SlotOutcome>,
    /// Why it was missed, or why the last attempt failed.
    pub reason: Option<MissedReason>,
    /// The message of the last call, or the drift of its answer.
    pub message: Option<String>,
    /// The last call; its document has the same id.
    pub call_id: Option<i64>,
}

/// Counts of an item at one observation.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct ItemCounts {
    /// `xiaohongshu` or `douyin`.
    pub platform: String,
    /// The platform's id.
    pub item_id: String,
    /// Its title, or the beginning of its body.
    pub title: Option<String>,
    /// When it was observed.
    pub observed_at: Time,
    /// Likes; each count is `None` where the answer lacks it.
    pub likes: Option<i64>,
    /// Comments.
    pub comments: Option<i64>,
    /// Collects.
    pub collects: Option<i64>,
    /// Shares.
    pub shares: Option<i64>,
    /// Views, or plays.
    pub views: Option<i64>,
    /// The document they come from.
    pub document_id: i64,
}

/// Figures of a KOL at one observation.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow, serde::Serialize)]
pub struct KolFigures {
    /// Its id.
    pub kol_id: String,
    /// Its name.
    pub nickname: Option<String>,
    /// Followers.
    pub followers: Option<i64>,
    /// Median reads of a note.
    pub read_median: Option<i64>,
    /// In yuan; `None` when not for sale.
    pub picture_price: Option<f64>,
    /// In yuan; `None` when not for sale.
    pub video_price: Option<f64>,
    /// The document they come from.
    pub document_id: i64,
}

/// A suggestion for a keyword.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct SuggestionRow {
    /// The keyword.
    pub keyword: String,
    /// Its rank, from 1.
    pub rank: i64,
    /// The suggestion.
    pub suggestion: String,
    /// The document it comes from.
    pub document_id: i64,
}

/// Slots with what their last calls said.
macro_rules! slot_results {
    () => {
        "select t.kind, t.key, t.item_id, s.outcome, s.reason,
                coalesce(d.drift, c.message) as message, s.call_id
         from slots s join targets t on t.target_id = s.target_id
         left join calls c on c.call_id = s.call_id
         left join documents d on d.document_id = s.call_id"
    };
}

impl Tx {
    /// Results of the slots of one run.
    pub async fn slot_results(&mut self, run_id: i64) -> Result<Vec<SlotResult>> {
        Ok(fetch_all!(
            self,
            SlotResult,
            concat!(slot_results!(), " where s.run_id = $1 order by t.target_id"),
            run_id
        ))
    }

    /// Missed slots of one run, in the order of its targets, at the most `most`.
    pub async fn missed_slots(&mut self, run_id: i64, most: i64) -> Result<Vec<SlotResult>> {
        Ok(fetch_all!(
            self,
            SlotResult,
            concat!(
                slot_results!(),
                " where s.run_id = $1 and s.outcome = $2 order by t.target_id limit $3"
            ),
            run_id,
            SlotOutcome::Missed,
            most
        ))
    }

    /// Counts that one run has added.
    pub async fn counts_of_run(&mut self, run_id: i64) -> Result<Vec<ItemCounts>> {
        Ok(fetch_all!(
            self,
            ItemCounts,
            "select e.platform, e.item_id, coalesce(n.title, w.title, n.body, w.body) as title,
                    e.observed_at, e.likes, e.comments, e.collects, e.shares, e.views, e.document_id
             from engagement e
             join calls c on c.call_id = e.document_id
             join targets t on t.target_id = c.target_id and t.item_id = e.item_id
             join slots s on s.target_id = c.target_id and s.due_at = c.due_at
             left join notes n on n.note_id = e.item_id and e.platform = 'xiaohongshu'
             left join works w on w.work_id = e.item_id and e.platform = 'douyin'
             where s.run_id = $1 order by e.document_id",
            run_id
        ))
    }

    /// KOLs that one run has observed.
    pub async fn kols_of_run(&mut self, run_id: i64) -> Result<Vec<KolFigures>> {
        Ok(fetch_all!(
            self,
            KolFigures,
            "select m.kol_id, k.nickname, m.followers, m.read_median, m.picture_price,
                    m.video_price, m.document_id
             from slots s
             join calls c on c.target_id = s.target_id and c.due_at = s.due_at
             join kol_search_results r on r.document_id = c.call_id
             join kols k on k.kol_id = r.kol_id
             join kol_metrics m on m.kol_id = r.kol_id and m.document_id = r.document_id
             where s.run_id = $1 order by m.document_id, r.position",
            run_id
        ))
    }

    /// Suggestions that one run has observed.
    pub async fn suggestions_of_run(&mut self, run_id: i64) -> Result<Vec<SuggestionRow>> {
        Ok(fetch_all!(
            self,
            SuggestionRow,
            "select k.keyword, k.rank, k.suggestion, k.document_id
             from keyword_suggestions k
             join calls c on c.call_id = k.document_id
             join slots s on s.target_id = c.target_id and s.due_at = c.due_at
             where s.run_id = $1 order by k.document_id, k.rank",
            run_id
        ))
    }

    /// Totals of the calls of one run, by endpoint.
    pub async fn call_totals_of_run(&mut self, run_id: i64) -> Result<Vec<CallTotals>> {
        Ok(fetch_all!(
            self,
            CallTotals,
            concat!(
                call_totals!(),
                " from calls c join slots s on s.target_id = c.target_id and s.due_at = c.due_at
                 where s.run_id = $1 group by c.endpoint order by c.endpoint"
            ),
            run_id
        ))
    }
}
