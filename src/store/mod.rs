//! The only room that knows SQL: one archive in SQLite or PostgreSQL.
//!
//! [`Store`] is the open database, [`Tx`] a short transaction in it. Every statement is a method
//! of `Tx`, written once for both databases; where the text must differ, a comment there begins
//! "Differs by necessity:". No transaction is ever open during an HTTP call.

mod alerts;
mod archive;
mod availability;
mod backfill;
mod body;
mod budget;
mod bulk;
mod candidates;
mod cells;
mod claim;
mod columns;
mod config_loads;
mod connect;
mod edits;
mod endpoints;
mod file;
mod forget;
mod forgotten;
mod import;
mod jobs;
mod known;
mod ledger;
mod metrics;
pub mod page;
mod pauses;
mod plan;
mod presence;
mod processes;
mod progress;
mod query;
mod queue;
mod replay;
mod report;
mod reports;
mod rows;
mod run_report;
mod runs;
mod schema;
mod shapes;
mod table;
mod time;
mod traces;
mod upsert;
mod value;
mod watchlists;
mod zone;

pub use alerts::{AlertRow, Finding};
pub use archive::{Answer, Document, NORMALISER, Resolved};
pub use availability::{Asked, Unavailable};
pub use backfill::{BackfillRow, Limits, NewBackfill};
pub use body::{Body, REFUSED};
pub use budget::{Spent, Wanted};
pub use claim::{Claim, Wish};
pub use columns::{Holds, tables};
pub use config_loads::{ConfigLoad, ConfigState};
pub use connect::{Store, in_time};
pub use endpoints::EndpointRow;
pub use forget::Redacted;
pub use forgotten::{Extent, TELLING, Tombstone};
pub use import::Import;
pub use jobs::{JobEntry, JobRow};
pub use ledger::{CallEnd, CallStart};
pub use metrics::{CallCount, FIRES_SEARCHED, JobSight, LookCount, RunState, StateCount};
pub use pauses::PauseRow;
pub use plan::Fires;
pub use presence::Presence;
pub use processes::{ProcessRow, Silence};
pub use progress::Looks;
pub use query::{Column, Query, QueryError, Span};
pub use queue::{Next, Settlement};
pub use replay::{Kept, Place, Replayed};
pub use report::{CallTotals, JobReport, Point, Problem, SlotTotals};
pub use reports::Metric;
pub use run_report::{Counts, KolFigures, Observation, Suggested};
pub use runs::RunSummary;
pub use schema::Schema;
pub use table::Table;
pub use traces::Traces;
pub use value::Value;

use anyhow::{Context as _, Result};

/// A transaction in either database. Dropping it without [`Tx::commit`] undoes it.
#[derive(Debug)]
pub enum Tx {
    /// In SQLite.
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    /// In PostgreSQL.
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Tx {
    /// Lets its statements take as long as they need: for reports, for which somebody waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_time(&mut self) -> Result<()> {
        // Differs by necessity: SQLite limits no statement.
        if let Self::Postgres(_) = self {
            execute!(self, "set local statement_timeout = 0");
        }
        Ok(())
    }

    /// Undoes everything done in it, at once.
    ///
    /// # Errors
    /// When the database fails; then it is undone as well.
    pub async fn undo(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.rollback().await?,
            Self::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }

    /// Makes everything done in it permanent.
    ///
    /// # Errors
    /// When the database cannot.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
        .context("the database could not commit")
    }
}

/// The number of a row.
#[derive(sqlx::FromRow)]
struct Id {
    id: i64,
}

/// How many there are.
#[derive(sqlx::FromRow)]
struct Count {
    count: i64,
}

/// Whether an error says that the database refuses the data itself, however often it is tried:
/// text or numbers that it cannot hold. Anything else may pass.
pub fn is_refused(error: &anyhow::Error) -> bool {
    let Some(sqlx::Error::Database(error)) = error.downcast_ref::<sqlx::Error>() else {
        return false;
    };
    let code = error.code().unwrap_or_default();
    match code.parse::<u32>() {
        // SQLite: a generic error in a statement that is known to be right, a value that is too
        // big, or a constraint. The upper bits say more than is asked here.
        Ok(code) if code < 10_000 => matches!(code & 0xff, 1 | 18 | 19),
        // PostgreSQL: classes 22, data exception; 23, constraint; 54, program limit.
        _ => ["22", "23", "54"].iter().any(|class| code.starts_with(class)),
    }
}

/// Whether an error says that the database undid a transaction because another one stood in its
/// way: nothing is wrong with either, and doing it again goes through.
pub fn is_conflict(error: &anyhow::Error) -> bool {
    let Some(sqlx::Error::Database(error)) = error.downcast_ref::<sqlx::Error>() else {
        return false;
    };
    // PostgreSQL: a deadlock, or a failure to serialise.
    error.code().is_some_and(|code| matches!(code.as_ref(), "40P01" | "40001"))
}

/// Runs a statement; the number of rows it touched.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $tx {
            #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
            $crate::store::Tx::Sqlite(tx) => {
                sqlx::query($sql)$(.bind($bind))*.execute(&mut **tx).await?.rows_affected()
            }
            #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
            $crate::store::Tx::Postgres(tx) => {
                sqlx::query($sql)$(.bind($bind))*.execute(&mut **tx).await?.rows_affected()
            }
        }
    };
}

/// Runs a query; all its rows, each as a `FromRow` type.
macro_rules! fetch_all {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $tx {
            #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
            $crate::store::Tx::Sqlite(tx) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(&mut **tx).await?
            }
            #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
            $crate::store::Tx::Postgres(tx) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(&mut **tx).await?
            }
        }
    };
}

/// Runs a query; its one row if there is one, as a `FromRow` type.
macro_rules! fetch_optional {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $tx {
            #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
            $crate::store::Tx::Sqlite(tx) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(&mut **tx).await?
            }
            #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
            $crate::store::Tx::Postgres(tx) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(&mut **tx).await?
            }
        }
    };
}

use {execute, fetch_all, fetch_optional};
