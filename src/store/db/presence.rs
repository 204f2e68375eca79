//! Whether the open SQLite file is still the one at its path.

use std::path::Path;
use std::time::Duration;

use super::connect::Store;
use super::file::Identity;

/// Interval between two looks at the file while a daemon rests.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The SQLite file is no longer the one that is open: what is written to it is lost.
#[derive(Debug, thiserror::Error)]
#[error("{what} while it was in use: nothing more can be kept in it")]
pub struct FileGone {
    what: String,
}

impl Store {
    /// Checks that the open SQLite file is still the one at its path.
    ///
    /// # Errors
    /// [`FileGone`], when it or its write-ahead log was deleted or replaced.
    pub fn require_file(&self) -> Result<(), FileGone> {
        let Self::Sqlite { path, identity, header, .. } = self else { return Ok(()) };
        let gone = |what: &str| FileGone { what: format!("{} was {what}", path.display()) };
        match Identity::of(path) {
            None => Err(gone("deleted or moved")),
            now if now != *identity => Err(gone("replaced")),
            _ if header.is_foreign() => Err(gone("overwritten by another file")),
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

/// Whether this process has the write-ahead log of a file open that no path leads to any more.
fn has_deleted_wal(path: &Path) -> bool {
    let mut deleted = path.as_os_str().to_owned();
    deleted.push("-wal (deleted)");
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else { return false };
    open.flatten().any(|it| std::fs::read_link(it.path()).is_ok_and(|to| to.as_os_str() == deleted))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::PathBuf;

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
}
