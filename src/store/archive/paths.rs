//! Statements about the paths of answers and their drift.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::store::db::{Tx, execute, fetch_all};
use crate::store::sql::Rows;
use crate::time::Time;

/// How long a drift is listed.
const DRIFT_SHOWN: Duration = Duration::from_secs(30 * 24 * 3600);

/// A row of `answer_paths`; the migration explains the columns.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, Serialize)]
pub(crate) struct AnswerPath {
    pub(crate) endpoint: String,
    pub(crate) path: String,
    pub(crate) json_type: Option<String>,
    pub(crate) first_seen_at: Time,
    pub(crate) first_document_id: i64,
    pub(crate) answers: i64,
    pub(crate) longest_gap: i64,
    pub(crate) gap: i64,
    pub(crate) gap_at: Option<Time>,
    pub(crate) gap_document_id: Option<i64>,
    pub(crate) is_vanished: bool,
    pub(crate) old_type: Option<String>,
    pub(crate) retyped_at: Option<Time>,
    pub(crate) retyped_document_id: Option<i64>,
    pub(crate) is_new: bool,
}

/// A drift of one path.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, Serialize)]
pub struct PathDrift {
    /// The endpoint's name.
    pub endpoint: String,
    /// The path.
    pub path: String,
    /// `vanished`, `type` or `new`.
    pub change: String,
    /// Types before; `None` if new.
    pub old_type: Option<String>,
    /// Types after; `None` if vanished.
    pub new_type: Option<String>,
    /// Fetch time of the first such answer.
    pub since: Time,
    /// Its document.
    pub document_id: i64,
}

/// Number of drifted paths of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DriftCount {
    /// The endpoint's name.
    pub endpoint: String,
    /// `vanished`, `type` or `new`.
    pub change: String,
    /// Number of paths.
    pub paths: i64,
}

impl Tx {
    /// Locks the paths of an endpoint until the end of the transaction: its root row, which is
    /// inserted with this first answer if it is missing.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn lock_answer_paths(
        &mut self,
        endpoint: &str,
        first_seen_at: Time,
        first_document_id: i64,
    ) -> Result<()> {
        execute!(
            self,
            "insert into answer_paths (endpoint, path, first_seen_at, first_document_id,
                                       answers, longest_gap, gap, is_vanished, is_new)
             values ($1, '', $2, $3, 0, 0, 0, $4, $4)
             on conflict (endpoint, path) do update set answers = answer_paths.answers",
            endpoint,
            first_seen_at,
            first_document_id,
            false
        );
        Ok(())
    }

    /// The paths of an endpoint.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn answer_paths(&mut self, endpoint: &str) -> Result<Vec<AnswerPath>> {
        Ok(fetch_all!(self, AnswerPath, "select * from answer_paths where endpoint = $1", endpoint))
    }

    /// Writes rows.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn put_answer_paths(&mut self, paths: &[AnswerPath]) -> Result<()> {
        let rows = Rows::of(
            "endpoint text, path text, json_type text, first_seen_at time, first_document_id int,
             answers int, longest_gap int, gap int, gap_at time, gap_document_id int,
             is_vanished bool, old_type text, retyped_at time, retyped_document_id int, is_new bool",
            paths,
        )?;
        self.execute_over(
            &rows,
            "insert into answer_paths (endpoint, path, json_type, first_seen_at, first_document_id,
                                       answers, longest_gap, gap, gap_at, gap_document_id,
                                       is_vanished, old_type, retyped_at, retyped_document_id, is_new)
             select endpoint, path, json_type, first_seen_at, first_document_id, answers, longest_gap,
                    gap, gap_at, gap_document_id, is_vanished, old_type, retyped_at,
                    retyped_document_id, is_new
             from {rows} where true
             on conflict (endpoint, path) do update set
                 json_type = excluded.json_type, answers = excluded.answers,
                 longest_gap = excluded.longest_gap, gap = excluded.gap, gap_at = excluded.gap_at,
                 gap_document_id = excluded.gap_document_id, is_vanished = excluded.is_vanished,
                 old_type = excluded.old_type, retyped_at = excluded.retyped_at,
                 retyped_document_id = excluded.retyped_document_id",
        )
        .await?;
        Ok(())
    }

    /// Recent drifts: vanished, then types, then new; the latest of each first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drift(&mut self, now: Time, limit: i64) -> Result<Vec<PathDrift>> {
        Ok(fetch_all!(
            self,
            PathDrift,
            "select endpoint, path, change, old_type, new_type, since, document_id
             from drift where since >= $1
             order by case change when 'vanished' then 1 when 'type' then 2 else 3 end,
                      since desc, endpoint, path
             limit $2",
            now.minus(DRIFT_SHOWN),
            limit
        ))
    }

    /// Number of recent drifts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_drift(&mut self, now: Time) -> Result<Vec<DriftCount>> {
        Ok(fetch_all!(
            self,
            DriftCount,
            "select endpoint, change, count(*) as paths from drift where since >= $1
             group by endpoint, change",
            now.minus(DRIFT_SHOWN)
        ))
    }
}
