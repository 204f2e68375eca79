//! A transaction in either database, and the macros that run a statement in it.

use anyhow::{Context as _, Result};

use super::errors::failed;

/// A transaction in either database. Dropping it without [`Tx::commit`] rolls it back.
///
/// Every statement of the store is a method of it. Each of them fails when the database fails,
/// which is not repeated there; only other errors are documented.
#[derive(Debug)]
pub enum Tx {
    /// In SQLite.
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    /// In PostgreSQL.
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Tx {
    /// Removes the statement timeout for the rest of the transaction, for reports that somebody
    /// waits for.
    pub async fn disable_timeout(&mut self) -> Result<()> {
        // Differs by necessity: SQLite has no statement timeout.
        if let Self::Postgres(_) = self {
            execute!(self, "set local statement_timeout = 0");
        }
        Ok(())
    }

    /// Rolls it back.
    pub async fn rollback(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.rollback().await?,
            Self::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }

    /// Commits it.
    pub async fn commit(self) -> Result<()> {
        let done = match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        };
        done.map_err(|error| failed(error, "commit")).context("the database could not commit")
    }
}

/// A row's id.
#[derive(sqlx::FromRow)]
pub(in crate::store) struct Id {
    pub(in crate::store) id: i64,
}

/// A number of rows.
#[derive(sqlx::FromRow)]
pub(in crate::store) struct Count {
    pub(in crate::store) count: i64,
}

/// Runs a statement; returns the number of affected rows.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        {
            let sql = sqlx::SqlSafeStr::into_sql_str($sql);
            let told = |error| $crate::store::db::failed(error, sql.as_str());
            match $tx {
                #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
                $crate::store::db::Tx::Sqlite(tx) => {
                    sqlx::query(sql.clone())$(.bind($bind))*.execute(&mut **tx).await.map_err(told)?.rows_affected()
                }
                #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
                $crate::store::db::Tx::Postgres(tx) => {
                    sqlx::query(sql.clone())$(.bind($bind))*.execute(&mut **tx).await.map_err(told)?.rows_affected()
                }
            }
        }
    };
}

/// Runs a query; returns all rows as a `FromRow` type.
macro_rules! fetch_all {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        {
            let sql = sqlx::SqlSafeStr::into_sql_str($sql);
            let told = |error| $crate::store::db::failed(error, sql.as_str());
            match $tx {
                #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
                $crate::store::db::Tx::Sqlite(tx) => {
                    sqlx::query_as::<_, $row>(sql.clone())$(.bind($bind))*.fetch_all(&mut **tx).await.map_err(told)?
                }
                #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
                $crate::store::db::Tx::Postgres(tx) => {
                    sqlx::query_as::<_, $row>(sql.clone())$(.bind($bind))*.fetch_all(&mut **tx).await.map_err(told)?
                }
            }
        }
    };
}

/// Runs a query; returns its row, if there is one, as a `FromRow` type.
macro_rules! fetch_optional {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        {
            let sql = sqlx::SqlSafeStr::into_sql_str($sql);
            let told = |error| $crate::store::db::failed(error, sql.as_str());
            match $tx {
                #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
                $crate::store::db::Tx::Sqlite(tx) => {
                    sqlx::query_as::<_, $row>(sql.clone())$(.bind($bind))*.fetch_optional(&mut **tx).await.map_err(told)?
                }
                #[expect(clippy::disallowed_methods, reason = "the store's own macro")]
                $crate::store::db::Tx::Postgres(tx) => {
                    sqlx::query_as::<_, $row>(sql.clone())$(.bind($bind))*.fetch_optional(&mut **tx).await.map_err(told)?
                }
            }
        }
    };
}

pub(in crate::store) use {execute, fetch_all, fetch_optional};
