//! The stamp of a SQLite file: a random number in its header that each process at work sets anew. By
//! it another file that was copied into its place is noticed, and a write-ahead log that belongs to
//! another file: SQLite would write that over the file.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::{Context as _, Result, bail, ensure};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::file::Identity;

/// Where `user_version` is in the header of a SQLite file.
const OFFSET: u64 = 60;

/// A random stamp.
pub(super) fn new_stamp() -> u32 {
    let random = RandomState::new().hash_one(0).to_le_bytes();
    u32::from_le_bytes([random[0], random[1], random[2], random[3] & 0x7f]).max(1)
}

/// The header of a SQLite file that this process has open. Closing a file drops every lock that the
/// process has on it, those of SQLite, too: so all that read the header share one handle, and it
/// stays open as long as one of them has the archive open.
#[derive(Debug)]
pub struct Header {
    file: File,
    /// The stamps that it may have; none until this process is at work.
    stamps: Mutex<Vec<u32>>,
}

/// The headers that are open.
static OPEN: Mutex<Vec<(Identity, Weak<Header>)>> = Mutex::new(Vec::new());

impl Header {
    /// That of an existing file.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(in crate::store) fn of(path: &Path) -> Result<Arc<Self>> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, header)| header.strong_count() > 0);
        let known = Identity::of(path);
        let shared = open.iter().find(|(of, _)| Some(*of) == known);
        if let Some(shared) = shared.and_then(|(_, header)| header.upgrade()) {
            return Ok(shared);
        }
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let of = identity(&file)?;
        let header = Arc::new(Self { file, stamps: Mutex::default() });
        open.push((of, Arc::downgrade(&header)));
        Ok(header)
    }

    /// Its stamp, without what is in the write-ahead log; 0: none.
    fn stamp(&self) -> u32 {
        let mut bytes = [0; 4];
        let read = self.file.read_exact_at(&mut bytes, OFFSET);
        if read.is_ok() { u32::from_be_bytes(bytes) } else { 0 }
    }

    /// Whether it has none of the stamps that it may have.
    pub(super) fn is_foreign(&self) -> bool {
        let stamps = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        !stamps.is_empty() && !stamps.contains(&self.stamp())
    }

    /// Gives the database at `path` a new stamp. Its lock file keeps on record which ones the header
    /// may have from then on.
    #[expect(clippy::disallowed_methods, reason = "in SQLite alone")]
    pub(super) async fn renew(
        &self,
        writer: &mut SqliteConnection,
        path: &Path,
        lock: &mut File,
    ) -> Result<()> {
        let in_log: u32 = sqlx::query_scalar("pragma user_version").fetch_one(&mut *writer).await?;
        let new = new_stamp();
        let record = Record {
            own: identity(lock)?,
            of: Identity::of(path).context("the archive is gone")?,
            stamps: vec![self.stamp(), in_log, new],
        };
        record.write(lock)?;
        put_stamp(writer, new).await?;
        *self.stamps.lock().unwrap_or_else(PoisonError::into_inner) = record.stamps;
        Ok(())
    }
}

/// Sets the stamp of a database.
#[expect(clippy::disallowed_methods, reason = "in SQLite alone")]
pub(super) async fn put_stamp(connection: &mut SqliteConnection, stamp: u32) -> Result<()> {
    let sql = format!("pragma user_version = {stamp}");
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

/// What a lock file says of its archive.
struct Record {
    /// The lock file itself, which is another one where the folder was copied.
    own: Identity,
    /// The archive.
    of: Identity,
    /// The stamps that its header may have.
    stamps: Vec<u32>,
}

impl Record {
    fn write(&self, file: &mut File) -> Result<()> {
        let stamps: Vec<_> = self.stamps.iter().map(ToString::to_string).collect();
        let text = format!("{} {} {}\n", self.own.text(), self.of.text(), stamps.join(" "));
        file.set_len(0)?;
        file.write_all(text.as_bytes())?;
        // Before the stamp is in the file: a power loss must not leave an older record.
        file.sync_all().context("cannot write the lock file")
    }

    /// That of a lock file; `None` where there is none, or another program wrote it.
    fn read(lock: &Path) -> Option<(Self, Identity)> {
        let mut file = File::open(lock).ok()?;
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        let numbers: Vec<u64> = text.split_whitespace().map_while(|it| it.parse().ok()).collect();
        let [a, b, c, d, stamps @ ..] = &numbers[..] else { return None };
        let stamps = stamps.iter().filter_map(|it| u32::try_from(*it).ok()).collect();
        let record = Self { own: Identity::new(*a, *b), of: Identity::new(*c, *d), stamps };
        Some((record, identity(&file).ok()?))
    }
}

fn identity(file: &File) -> Result<Identity> {
    let it = file.metadata()?;
    Ok(Identity::new(it.dev(), it.ino()))
}

/// Refuses to open a SQLite file beside a write-ahead log of another one, and to create a file where
/// the log, or a process at work, says that one is missing.
pub(in crate::store) fn require_own_log(path: &Path) -> Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (log, lock) = (beside(&path, "-wal"), beside(&path, ".lock"));
    let has_log = log.metadata().is_ok_and(|it| it.len() > 0);
    let (file, log) = (path.display(), log.display());
    if !path.exists() {
        let is_in_use = || File::open(&lock).is_ok_and(|it| it.try_lock_shared().is_err());
        if has_log || is_in_use() {
            bail!(
                "{file} was deleted or moved while it was in use, and {log} has its latest rows: put it \
                 back, or move that away, too; nothing is created beside it"
            );
        }
        return Ok(());
    }
    let Some((record, own)) = Record::read(&lock).filter(|_| has_log) else { return Ok(()) };
    let is_replaced = record.own == own && Identity::of(&path).is_some_and(|it| it != record.of);
    ensure!(
        !is_replaced && record.stamps.contains(&Header::of(&path)?.stamp()),
        "{file} is another file than the one that {log} belongs to, which would overwrite it: after a \
         restore, move the -wal and the -shm away; or put the former file back"
    );
    Ok(())
}

/// The file whose name has this end in addition.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}
