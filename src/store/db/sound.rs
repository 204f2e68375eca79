//! Whether a SQLite file is sound, checked before any call is paid for: an answer that a damaged page
//! keeps from being saved is paid for in vain.

use anyhow::{Context as _, Result, ensure};

use super::connect::Store;

/// Larger files are not checked, in bytes: reading them would delay the start.
const LARGEST: i64 = 64 << 20;

/// The same after a process that did not end in order, perhaps because of a damaged page.
const LARGEST_AFTER_CRASH: i64 = 4 << 30;

impl Store {
    /// Reads a SQLite file for damaged pages, if it is small or a process has crashed. Nothing to do on
    /// PostgreSQL. Its writer must be this process.
    ///
    /// # Errors
    /// When the file is damaged or cannot be read.
    #[expect(clippy::disallowed_methods, reason = "in SQLite alone")]
    pub async fn require_sound(&self) -> Result<()> {
        let Self::Sqlite { readers, .. } = self else { return Ok(()) };
        let damaged = "the archive is damaged, and nothing is fetched into it: restore a copy, or rescue \
                       its rows with `sqlite3 OLD .recover | sqlite3 NEW`";
        let bytes: i64 = sqlx::query_scalar(
            "select page_count * page_size from pragma_page_count(), pragma_page_size()",
        )
        .fetch_one(readers)
        .await?;
        let crashed: bool = sqlx::query_scalar(
            "select exists (
                 select 1 from processes
                 where stopped_at is null and verb <> 'import' and started_at = (
                     select max(started_at) from processes where verb <> 'import'))",
        )
        .fetch_one(readers)
        .await
        .context(damaged)?;
        if bytes > if crashed { LARGEST_AFTER_CRASH } else { LARGEST } {
            return Ok(());
        }
        let found: Vec<String> = sqlx::query_scalar("pragma quick_check(1)")
            .fetch_all(readers)
            .await
            .context(damaged)?;
        ensure!(found == ["ok"], "{damaged}: {}", found.join("; "));
        Ok(())
    }
}
