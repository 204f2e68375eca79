//! Whether the schema of a database is the one this program knows, and bringing it up to date.

use anyhow::{Context as _, Result, bail};
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection, PgPool};

use super::connect::Store;
use crate::text::things;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Where sqlx notes which migrations have run.
const MIGRATIONS_TABLE: &str = "_sqlx_migrations";

/// What has no such limits: a migration takes its time, and half of one is none.
const NO_LIMITS: [(&str, &str); 2] = [("lock_timeout", "0"), ("statement_timeout", "0")];

/// How the schema of a database stands to this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Everything has been applied.
    Current,
    /// This many migrations have not been applied yet.
    Behind(usize),
    /// A newer program has been here.
    Newer,
}

impl Store {
    /// How the schema stands to this program.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn schema(&self) -> Result<Schema> {
        let (applied, known) = match self {
            Self::Sqlite { writer, .. } => (applied(&mut *writer.acquire().await?).await?, &SQLITE),
            Self::Postgres(pool) => (applied(&mut *pool.acquire().await?).await?, &POSTGRES),
        };
        Ok(compare(&applied, known))
    }

    /// The same, of a database that has a schema, beside whoever writes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn schema_beside_work(&self) -> Result<Schema> {
        let (applied, known) = match self {
            Self::Sqlite { readers, .. } => {
                let mut reader = readers.acquire().await?;
                (reader.list_applied_migrations(MIGRATIONS_TABLE).await?, &SQLITE)
            }
            Self::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                (connection.list_applied_migrations(MIGRATIONS_TABLE).await?, &POSTGRES)
            }
        };
        Ok(compare(&applied.iter().map(|migration| migration.version).collect::<Vec<_>>(), known))
    }

    /// Applies the migrations that are missing.
    ///
    /// # Errors
    /// When a newer program has changed the schema, or a migration fails (and is undone).
    pub async fn migrate(&self) -> Result<()> {
        let result = match self {
            Self::Sqlite { writer, .. } => SQLITE.run(writer).await,
            Self::Postgres(pool) => {
                let mut connection = PgConnection::connect_with(&without_limits(pool)).await?;
                let result = POSTGRES.run(&mut connection).await;
                connection.close().await?;
                result
            }
        };
        match result {
            Err(MigrateError::VersionMissing(_)) => bail!(NEWER),
            other => other.context("cannot bring the database's schema up to date"),
        }
    }

    /// Makes sure that the schema is the one this program knows: brings SQLite up to date, and
    /// stops on a PostgreSQL that is behind, since others may be using it.
    ///
    /// # Errors
    /// When the schema is newer, or older in PostgreSQL.
    pub async fn require_schema(&self) -> Result<()> {
        match self.schema().await? {
            Schema::Current => Ok(()),
            Schema::Behind(_) if self.is_sqlite() => self.migrate().await,
            Schema::Behind(missing) => bail!(
                "the database's schema is older than this program ({} missing): run \
                 `tidewatch migrate` once, with no other tidewatch running",
                things(missing, "migration")
            ),
            Schema::Newer => bail!(NEWER),
        }
    }
}

/// How to connect for a statement that takes as long as it needs.
pub(in crate::store) fn without_limits(pool: &PgPool) -> PgConnectOptions {
    PgConnectOptions::clone(&pool.connect_options()).options(NO_LIMITS)
}

/// What to say of a schema from the future.
pub(in crate::store) const NEWER: &str = "the database was made by a newer version of tidewatch: \
                     use that version, or another database";

async fn applied(connection: &mut impl Migrate) -> Result<Vec<i64>> {
    connection.ensure_migrations_table(MIGRATIONS_TABLE).await?;
    let applied = connection.list_applied_migrations(MIGRATIONS_TABLE).await?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}

/// How what was applied stands to what this program knows.
fn compare(applied: &[i64], known: &Migrator) -> Schema {
    if applied.iter().any(|version| !known.version_exists(*version)) {
        return Schema::Newer;
    }
    match known.iter().filter(|migration| !applied.contains(&migration.version)).count() {
        0 => Schema::Current,
        missing => Schema::Behind(missing),
    }
}
