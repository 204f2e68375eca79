//! A SQLite file on its disk: whether it is still there, where it lies, and who may open it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::connect::Store;

/// Interval between two looks at the file while a daemon rests.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The SQLite file is no longer the one that is open: what is written to it is lost.
#[derive(Debug, thiserror::Error)]
#[error("{what} while it was in use: nothing more can be kept in it")]
pub struct FileGone {
    what: String,
}

/// Several names lead to one SQLite file, which has one lock file for each.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} has {names} names (hard links): a second process could open it by another name; keep one of \
     them", path.display()
)]
pub(super) struct ManyNames {
    path: PathBuf,
    names: u64,
}

impl Store {
    /// Checks that the open SQLite file is still the one at its path.
    ///
    /// # Errors
    /// [`FileGone`], when it or its write-ahead log was deleted or replaced.
    pub fn require_file(&self) -> Result<(), FileGone> {
        let Self::Sqlite { path, identity, .. } = self else { return Ok(()) };
        let gone = |what: &str| FileGone { what: format!("{} was {what}", path.display()) };
        match Identity::of(path) {
            None => Err(gone("deleted or moved")),
            now if now != *identity => Err(gone("replaced")),
            _ if has_deleted_wal(path) => {
                Err(FileGone { what: format!("{}-wal was deleted", path.display()) })
            }
            _ => Ok(()),
        }
    }

    /// Waits until the open SQLite file is gone; for ever on PostgreSQL. Cancel safe.
    pub async fn file_gone(&self) -> FileGone {
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            if let Err(gone) = self.require_file() {
                return gone;
            }
        }
    }
}

/// The device and the number of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(u64, u64);

impl Identity {
    /// That of the file at a path.
    pub(super) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let it = path.metadata().ok()?;
        Some(Self(it.dev(), it.ino()))
    }
}

/// Refuses a file with several names.
pub(super) fn require_one_name(path: &Path) -> Result<(), ManyNames> {
    use std::os::unix::fs::MetadataExt as _;
    match path.metadata() {
        Ok(it) if it.nlink() > 1 => Err(ManyNames { path: path.to_owned(), names: it.nlink() }),
        _ => Ok(()),
    }
}

/// Whether this process has the write-ahead log of a file open that no path leads to any more.
fn has_deleted_wal(path: &Path) -> bool {
    let mut deleted = path.as_os_str().to_owned();
    deleted.push("-wal (deleted)");
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else { return false };
    open.flatten().any(|it| std::fs::read_link(it.path()).is_ok_and(|to| to.as_os_str() == deleted))
}

/// Network file systems, by their magic numbers in Linux.
#[cfg(target_os = "linux")]
const REMOTE: [(u64, &str); 5] = [
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x517b, "SMB"),
    (0x0102_1997, "9P"),
];

/// Warns about an existing SQLite file that others may read, or that is on a network file system.
pub(in crate::store) fn warn(path: &Path) {
    let file = path.display();
    #[cfg(unix)]
    if let Some(mode) = loose_mode(path) {
        tracing::warn!(
            "other users of this machine may open {file} (mode {mode:o}): chmod 600 it, and its \
             -wal and -shm"
        );
    }
    #[cfg(target_os = "linux")]
    if let Some(system) = remote(path) {
        tracing::warn!(
            "{file} lies on {system}: locks do not hold there, and SQLite may lose what it \
             has written; keep it on a disk of this machine, or use PostgreSQL"
        );
    }
}

/// The mode of a file that its group or others may access.
#[cfg(unix)]
fn loose_mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

/// The network file system that a file is on.
#[cfg(target_os = "linux")]
fn remote(path: &Path) -> Option<&'static str> {
    named(u64::try_from(rustix::fs::statfs(path).ok()?.f_type).ok()?)
}

#[cfg(target_os = "linux")]
fn named(kind: u64) -> Option<&'static str> {
    // Some magic numbers have their upper bit set and are sign-extended.
    let kind = kind & 0xffff_ffff;
    REMOTE.iter().find(|(remote, _)| *remote == kind).map(|(_, name)| *name)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use crate::store::Store;

    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    async fn open(folder: &Path) -> (PathBuf, Store) {
        let path = folder.join("test.db");
        let store = Store::connect(&format!("sqlite:{}", path.display())).await.expect("it opens");
        store.migrate().await.expect("the migrations run");
        (path, store)
    }

    #[tokio::test]
    async fn file_that_goes_away_under_a_process_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let side = |path: &Path, end: &str| path.with_added_extension(end);
        let said = |store: &Store| store.require_file().expect_err("it is gone").to_string();
        let (path, store) = open(folder.path()).await;
        store.require_file().expect("it is there");
        let wal = PathBuf::from(format!("{}-wal", path.display()));
        std::fs::remove_file(&wal).expect("it was there");
        assert!(said(&store).contains("test.db-wal was deleted"));
        store.close().await;

        let (path, store) = open(folder.path()).await;
        store.require_file().expect("another log");
        std::fs::copy(&path, side(&path, "copy")).expect("a copy");
        std::fs::rename(side(&path, "copy"), &path).expect("it takes its place");
        assert!(said(&store).contains("was replaced"));
        std::fs::remove_file(&path).expect("it was there");
        assert!(said(&store).contains("was deleted"));
    }

    #[tokio::test]
    async fn file_with_several_names_is_not_locked() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, store) = open(folder.path()).await;
        let other = path.with_added_extension("other");
        std::fs::hard_link(&path, &other).expect("a link");
        let error = store.lock_process(1).await.expect_err("it has two names");
        assert!(error.to_string().contains("2 names"), "{error}");
        std::fs::remove_file(&other).expect("it was there");
        assert!(store.lock_process(1).await.expect("it answers").is_some());
    }

    #[test]
    fn a_file_that_others_may_open_is_told() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let set = |mode| file.as_file().set_permissions(Permissions::from_mode(mode));
        set(0o600).expect("a mode");
        assert_eq!(loose_mode(file.path()), None);
        set(0o640).expect("a mode");
        assert_eq!(loose_mode(file.path()), Some(0o640));
    }

    #[test]
    fn a_file_system_of_another_machine_is_told_from_a_disk() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert_eq!(remote(file.path()), None);
        assert_eq!(remote(Path::new("/proc/self")), None);
        assert_eq!(named(0x6969), Some("NFS"));
    }
}
