//! A short transaction in either database, and the macros that run a statement in it.

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
    pub async fn disable_timeout(&mut self) -> Result<()> {
        // Differs by necessity: SQLite limits no statement.
        if let Self::Postgres(_) = self {
            execute!(self, "set local statement_timeout = 0");
        }
        Ok(())
    }

    /// Undoes everything done in it, at once.
    pub async fn rollback(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.rollback().await?,
            Self::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }

    /// Makes everything done in it permanent.
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
pub(in crate::store) struct Id {
    pub(in crate::store) id: i64,
}

/// How many there are.
#[derive(sqlx::FromRow)]
pub(in crate::store) struct Count {
    pub(in crate::store) count: i64,
}

/// Runs a statement; the number of rows it touched.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $tx {
            #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
            $crate::store::db::Tx::Sqlite(tx) => {
                sqlx::query($sql)$(.bind($bind))*.execute(&mut **tx).await?.rows_affected()
            }
            #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
            $crate::store::db::Tx::Postgres(tx) => {
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
            $crate::store::db::Tx::Sqlite(tx) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(&mut **tx).await?
            }
            #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
            $crate::store::db::Tx::Postgres(tx) => {
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
            $crate::store::db::Tx::Sqlite(tx) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(&mut **tx).await?
            }
            #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
            $crate::store::db::Tx::Postgres(tx) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(&mut **tx).await?
            }
        }
    };
}

pub(in crate::store) use {execute, fetch_all, fetch_optional};
