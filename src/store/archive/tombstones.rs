//! Tombstones: the record of what was erased.

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::model::Platform;
use crate::store::db::{Overtaken, Tx, execute, fetch_all, fetch_optional};
use crate::store::sql::Rows;
use crate::time::Time;

/// The record of an erased subject.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, Serialize)]
pub struct Tombstone {
    /// Its platform.
    pub platform: String,
    /// `note`, `work` or `author`.
    pub kind: String,
    /// Its id on the platform, or a short link.
    pub id: String,
    /// The id of the subject that it was erased with: its author, or the item behind a link.
    pub because: Option<String>,
    /// When it was erased.
    pub forgotten_at: Time,
    /// Why.
    pub note: Option<String>,
    /// Rows deleted with it.
    pub rows_deleted: i64,
    /// Documents deleted with it.
    pub documents_deleted: i64,
    /// Documents redacted with it.
    pub documents_redacted: i64,
}

impl Tombstone {
    /// The tombstone of a subject that was erased for its own sake.
    pub fn new(kind: &str, platform: Platform, id: &str, forgotten_at: Time) -> Self {
        Self {
            platform: platform.as_str().to_owned(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            because: None,
            forgotten_at,
            note: None,
            rows_deleted: 0,
            documents_deleted: 0,
            documents_redacted: 0,
        }
    }
}

/// A version of the set of tombstones: it grows with every erasure and every permission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct TombstoneVersion {
    version: i64,
}

impl Tx {
    /// Every tombstone, latest first.
    pub async fn tombstones(&mut self) -> Result<Vec<Tombstone>> {
        Ok(fetch_all!(
            self,
            Tombstone,
            "select platform, kind, id, because, forgotten_at, note, rows_deleted,
                    documents_deleted, documents_redacted
             from forgotten order by forgotten_at desc, kind, id"
        ))
    }

    /// The current version. In a write transaction it cannot change until the end.
    pub async fn tombstone_version(&mut self) -> Result<TombstoneVersion> {
        let sql = "select version from erasure";
        Ok(fetch_optional!(self, TombstoneVersion, sql).unwrap_or_default())
    }

    /// Requires that nothing was erased or permitted since it had this version.
    ///
    /// # Errors
    /// A conflict where something was.
    pub async fn require_tombstones(&mut self, version: TombstoneVersion) -> Result<()> {
        ensure!(self.tombstone_version().await? == version, Overtaken("what is erased"));
        Ok(())
    }

    pub(in crate::store) async fn increase_tombstone_version(&mut self) -> Result<()> {
        execute!(self, "update erasure set version = version + 1");
        Ok(())
    }

    /// Since when deleted rows have not been cleared away from the files; `None`: all of them are.
    pub async fn uncleared_since(&mut self) -> Result<Option<Time>> {
        let sql = "select uncleared_since from erasure where uncleared_since is not null";
        Ok(fetch_optional!(self, (Time,), sql).map(|row| row.0))
    }

    /// Records that rows were deleted which are not cleared away yet.
    pub async fn leave_uncleared(&mut self, now: Time) -> Result<()> {
        execute!(self, "update erasure set uncleared_since = coalesce(uncleared_since, $1)", now);
        Ok(())
    }

    pub(in crate::store) async fn end_uncleared(&mut self) -> Result<()> {
        execute!(self, "update erasure set uncleared_since = null");
        Ok(())
    }

    /// When a subject was erased, if it was.
    pub async fn forgotten_at(
        &mut self,
        kind: &str,
        platform: Platform,
        id: &str,
    ) -> Result<Option<Time>> {
        let sql = "select forgotten_at from forgotten
                   where id = $3 and kind = $1 and platform = $2";
        Ok(fetch_optional!(self, (Time,), sql, kind, platform.as_str(), id).map(|row| row.0))
    }

    /// Records tombstones. Existing ones stay; but a subject that was erased because of another
    /// one, and is now erased for its own sake, is detached from that one.
    pub async fn put_tombstones(&mut self, tombstones: &[Tombstone]) -> Result<()> {
        if tombstones.is_empty() {
            return Ok(());
        }
        self.increase_tombstone_version().await?;
        let rows = Rows::of(
            "platform text, kind text, id text, because text, forgotten_at time, note text,
             rows_deleted int, documents_deleted int, documents_redacted int",
            tombstones,
        )?;
        self.execute_over(
            &rows,
            "update forgotten set because = null, note = coalesce(r.note, forgotten.note)
             from {rows} where r.because is null and forgotten.because is not null
                 and forgotten.id = r.id and forgotten.kind = r.kind
                 and forgotten.platform = r.platform",
        )
        .await?;
        self.execute_over(
            &rows,
            "insert into forgotten (platform, kind, id, because, forgotten_at, note, rows_deleted,
                                    documents_deleted, documents_redacted)
             select platform, kind, id, because, forgotten_at, note, rows_deleted,
                    documents_deleted, documents_redacted
             from {rows} where true on conflict (id, kind, platform) do nothing",
        )
        .await?;
        Ok(())
    }
}
