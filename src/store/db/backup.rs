//! Backups of a SQLite archive beside whoever works on it, and the record of the last one.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use super::connect::Store;
use super::schema::Schema;
use super::stamp::{new_stamp, put_stamp};
use super::tx::{Tx, execute, fetch_optional};
use crate::time::Time;

/// Interval between two reports of the progress.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);

#[derive(sqlx::FromRow)]
struct BackedUp {
    at: Option<Time>,
}

impl Store {
    /// Writes the archive as it is now, the write-ahead log included, into a new file of mode 0600,
    /// checks that and puts it on record. Holds up no writer. `progress` receives the bytes written
    /// and about how many there will be. Until it is complete the file has the ending `.part`.
    /// Returns its size in bytes.
    ///
    /// # Errors
    /// On PostgreSQL, with the command that does it there; when the file exists, another backup is
    /// writing it, the disk is full, or the copy is damaged. Then nothing is left of it.
    pub async fn backup(
        &self,
        to: &Path,
        now: Time,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<u64> {
        self.require_sqlite(to)?;
        ensure!(!to.exists(), "{} exists and is not overwritten: name another file", to.display());
        let part = Part::create(to)?;
        let total = self.used_bytes().await?;
        {
            let mut copying = std::pin::pin!(self.vacuum_into(&part.part));
            loop {
                tokio::select! {
                    done = &mut copying => break done?,
                    () = tokio::time::sleep(REPORT_INTERVAL) => progress(part.bytes()?, total),
                }
            }
        }
        // An older schema may be backed up before it is migrated, and has no record.
        let is_current = self.schema_beside_work().await? == Schema::Current;
        finish_copy(&part.part, is_current.then_some(now)).await.context("the copy is damaged")?;
        let bytes = part.keep()?;
        if is_current {
            self.record_backup(now).await?;
        }
        Ok(bytes)
    }

    /// Puts a backup on record that shows the archive as it was at `at`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_backup(&self, at: Time) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.put_backup(at).await?;
        tx.commit().await
    }

    fn require_sqlite(&self, to: &Path) -> Result<()> {
        let Self::Postgres(pool) = self else { return Ok(()) };
        let options = pool.connect_options();
        bail!(
            "this makes backups of SQLite; for PostgreSQL: `pg_dump --format=custom --host={} --port={} \
             --username={} --file={} {} && tidewatch backup --record`",
            options.get_host(),
            options.get_port(),
            options.get_username(),
            to.display(),
            options.get_database().unwrap_or("tidewatch")
        )
    }

    /// The bytes of the pages in use.
    #[expect(clippy::disallowed_methods, reason = "in SQLite alone")]
    async fn used_bytes(&self) -> Result<u64> {
        let Self::Sqlite { readers, .. } = self else { return Ok(0) };
        let sql = "select (page_count - freelist_count) * page_size
                   from pragma_page_count(), pragma_freelist_count(), pragma_page_size()";
        let bytes: i64 = sqlx::query_scalar(sql).fetch_one(readers).await?;
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    #[expect(clippy::disallowed_methods, reason = "in SQLite alone, outside any transaction")]
    async fn vacuum_into(&self, part: &Path) -> Result<()> {
        let Self::Sqlite { readers, .. } = self else { return Ok(()) };
        let name = part.to_str().context("the file's name is not UTF-8")?;
        let copied = sqlx::query("vacuum into ?").bind(name).execute(readers).await;
        copied.map(drop).with_context(|| format!("cannot copy the archive to {name}"))
    }
}

impl Tx {
    /// When the archive looked as its last backup does; `None`: none is on record.
    pub async fn backed_up_at(&mut self) -> Result<Option<Time>> {
        let row = fetch_optional!(self, BackedUp, "select backed_up_at as at from archive");
        Ok(row.and_then(|row| row.at))
    }

    async fn put_backup(&mut self, at: Time) -> Result<()> {
        let sql = "update archive set backed_up_at = $1
                   where backed_up_at is null or backed_up_at < $1";
        execute!(self, sql, at);
        Ok(())
    }
}

/// Gives a copy a stamp and the record of itself, and reads it for damaged pages.
#[expect(clippy::disallowed_methods, reason = "the copy is not an open archive")]
async fn finish_copy(path: &Path, backed_up_at: Option<Time>) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    let mut copy = SqliteConnection::connect_with(&options).await?;
    // Beside the write-ahead log of the archive it is another file.
    put_stamp(&mut copy, new_stamp()).await?;
    if let Some(at) = backed_up_at {
        let sql = "update archive set backed_up_at = ?";
        sqlx::query(sql).bind(at).execute(&mut copy).await?;
    }
    let found: Vec<String> =
        sqlx::query_scalar("pragma quick_check(3)").fetch_all(&mut copy).await?;
    copy.close().await?;
    ensure!(found == ["ok"], "{}", found.join("; "));
    Ok(())
}

/// The copy under construction, locked against another backup to the same file; deleted on failure.
struct Part {
    file: File,
    part: PathBuf,
    path: PathBuf,
}

impl Part {
    fn create(path: &Path) -> Result<Self> {
        let part = path.with_added_extension("part");
        let mut options = File::options();
        options.create(true).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let cannot_write = || format!("cannot write {}", part.display());
        let file = options.open(&part).with_context(cannot_write)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => bail!("another backup is writing {}", part.display()),
            locked => locked.with_context(cannot_write)?,
        }
        // Of a backup that was killed.
        file.set_len(0)?;
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(Self { file, part, path: path.to_owned() })
    }

    fn bytes(&self) -> Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Gives it its name, which nothing else has.
    fn keep(self) -> Result<u64> {
        self.file.sync_all()?;
        let named = std::fs::hard_link(&self.part, &self.path).or_else(|error| {
            // A file system without hard links.
            match error.kind() == ErrorKind::AlreadyExists || self.path.exists() {
                true => Err(error),
                false => std::fs::rename(&self.part, &self.path),
            }
        });
        named.with_context(|| format!("cannot write {}", self.path.display()))?;
        let bytes = self.bytes()?;
        let _ = std::fs::remove_file(&self.part);
        let folder = self.path.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(bytes)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.part);
    }
}
