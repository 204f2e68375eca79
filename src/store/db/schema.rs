//! The version of a database's schema, and its migration.

use anyhow::{Context as _, Result, bail};
use sqlx::Connection as _;
use sqlx::migrate::{Migrate, MigrateError, Migrator};

use super::connect::Store;
use super::errors::failed;
use super::session::connect_without_limits;
use crate::text::things;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Where sqlx records applied migrations.
const MIGRATIONS_TABLE: &str = "_sqlx_migrations";

/// The schema of a database compared with that of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Every migration is applied.
    Current,
    /// This many migrations are missing.
    Behind(usize),
    /// A newer program has migrated it.
    Newer,
}

impl Store {
    /// Compares the schema with that of this program.
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

    /// Compares the schema of a migrated database; does not block a writer.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn schema_beside_work(&self) -> Result<Schema> {
        let (applied, known) = match self {
            Self::Sqlite { readers, .. } => {
                let mut reader = readers.acquire().await?;
                (reader.list_applied_migrations(MIGRATIONS_TABLE).await.map_err(told)?, &SQLITE)
            }
            Self::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                (
                    connection.list_applied_migrations(MIGRATIONS_TABLE).await.map_err(told)?,
                    &POSTGRES,
                )
            }
        };
        Ok(compare(&applied.iter().map(|migration| migration.version).collect::<Vec<_>>(), known))
    }

    /// Applies the missing migrations.
    ///
    /// # Errors
    /// When a newer program has changed the schema, or a migration fails (and is undone).
    pub async fn migrate(&self) -> Result<()> {
        let result = match self {
            Self::Sqlite { writer, .. } => SQLITE.run(writer).await,
            Self::Postgres(pool) => {
                let mut connection = connect_without_limits(pool).await?;
                let result = POSTGRES.run(&mut connection).await;
                connection.close().await?;
                result
            }
        };
        match result {
            Err(MigrateError::VersionMissing(_)) => bail!(NEWER),
            other => other.map_err(told).context("cannot bring the database's schema up to date"),
        }
    }

    /// Requires the schema of this program: migrates SQLite, refuses an older PostgreSQL, which
    /// others may be using.
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

/// The error for a schema from a newer program.
pub(in crate::store) const NEWER: &str = "the database was made by a newer version of tidewatch: \
                     use that version, or another database";

async fn applied(connection: &mut impl Migrate) -> Result<Vec<i64>> {
    // Creating the table takes a right that only migrations need.
    let applied = match connection.list_applied_migrations(MIGRATIONS_TABLE).await {
        Ok(applied) => applied,
        Err(_) => {
            connection.ensure_migrations_table(MIGRATIONS_TABLE).await.map_err(told)?;
            connection.list_applied_migrations(MIGRATIONS_TABLE).await.map_err(told)?
        }
    };
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}

/// The error of a migration.
fn told(error: MigrateError) -> anyhow::Error {
    match error {
        MigrateError::Execute(error) => failed(error, MIGRATIONS_TABLE),
        MigrateError::ExecuteMigration(error, version) => {
            failed(error, &format!("migration {version}"))
        }
        other => other.into(),
    }
}

/// Compares the applied migrations with the known ones.
fn compare(applied: &[i64], known: &Migrator) -> Schema {
    if applied.iter().any(|version| !known.version_exists(*version)) {
        return Schema::Newer;
    }
    match known.iter().filter(|migration| !applied.contains(&migration.version)).count() {
        0 => Schema::Current,
        missing => Schema::Behind(missing),
    }
}
