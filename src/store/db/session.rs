//! Sessions of PostgreSQL: their settings, which a pooler would not pass on from the start of a
//! connection, and whether they are sessions at all.

use std::time::Duration;

use anyhow::{Result, bail};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool, Row as _};

use super::errors::failed;

/// Lock and statement timeouts, and commits that outlast a crash of the server, whatever its
/// default: a call that is not on a durable ledger would be paid for twice.
const SETTINGS: &str = "select set_config('lock_timeout', '30s', false),
    set_config('statement_timeout', '60s', false),
    set_config('synchronous_commit', case when current_setting('synchronous_commit') in
        ('off', 'local') then 'on' else current_setting('synchronous_commit') end, false)";

/// No timeouts for statements that take as long as they need, such as a migration.
const NO_LIMITS: &str = "select set_config('lock_timeout', '0', false),
    set_config('statement_timeout', '0', false)";

/// Whether a session may write. One that was opened while the server was read-only, or whose server
/// became a replica, may never do so again.
const MAY_WRITE: &str = "select current_setting('transaction_read_only') = 'off'";

/// How long a pooler may let a statement wait for a connection before it counts as one that has no
/// sessions.
const POOLER_WAIT: Duration = Duration::from_secs(3);

const TAKEN_APART: &str = "the database is behind a pooler that gives each transaction another \
    session: tidewatch needs sessions of its own; use `pool_mode = session` in pgbouncer, or \
    PostgreSQL's own port";

/// A pool whose sessions have the settings. One that is cut or may not write is thrown away.
#[expect(clippy::disallowed_methods, reason = "outside any transaction")]
pub(super) fn pool() -> PgPoolOptions {
    PgPoolOptions::new()
        .after_connect(|session, _| {
            Box::pin(async move { sqlx::query(SETTINGS).execute(session).await.map(drop) })
        })
        .test_before_acquire(false)
        .before_acquire(|session, _| {
            let may_write = sqlx::query_scalar(MAY_WRITE);
            Box::pin(async move { Ok(may_write.fetch_one(session).await.unwrap_or(false)) })
        })
}

/// A connection without timeouts.
///
/// # Errors
/// When the database cannot be reached.
#[expect(clippy::disallowed_methods, reason = "outside any transaction")]
pub(in crate::store) async fn connect_without_limits(pool: &PgPool) -> Result<PgConnection> {
    let mut session = PgConnection::connect_with(&pool.connect_options()).await?;
    sqlx::query(NO_LIMITS).execute(&mut session).await.map_err(|it| failed(it, NO_LIMITS))?;
    Ok(session)
}

/// Requires that a connection is a session of its own: a second one must not be given the process
/// of the first, nor keep the first one waiting or make it change its process.
///
/// # Errors
/// When a pooler takes sessions apart.
pub(super) async fn require(first: &mut PgConnection, options: &PgConnectOptions) -> Result<()> {
    let own = process(first).await?;
    let second = async {
        let mut second = PgConnection::connect_with(options).await?;
        let mut transaction = second.begin().await?;
        let other = process(&mut transaction).await?;
        let still = tokio::time::timeout(POOLER_WAIT, process(first)).await;
        transaction.rollback().await?;
        second.close().await?;
        anyhow::Ok((other, still))
    };
    match tokio::time::timeout(POOLER_WAIT * 2, second).await {
        Ok(Ok((other, still))) if other == own || still.is_err() => bail!(TAKEN_APART),
        Ok(Ok((_, Ok(Ok(still))))) if still != own => bail!(TAKEN_APART),
        // Where there is no second connection, nothing is known.
        _ => Ok(()),
    }
}

/// The server's process of a connection. Not prepared: a pooler may not know it later.
async fn process(session: &mut PgConnection) -> sqlx::Result<i32> {
    sqlx::raw_sql("select pg_backend_pid()").fetch_one(session).await?.try_get(0)
}
