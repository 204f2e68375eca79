//! A SQLite file on its disk: which one it is, where it lies, and who may open it.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};

/// The device and the number of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(u64, u64);

impl Identity {
    pub(super) fn new(device: u64, number: u64) -> Self {
        Self(device, number)
    }

    /// Both numbers.
    pub(super) fn text(self) -> String {
        format!("{} {}", self.0, self.1)
    }

    /// That of the file at a path.
    pub(super) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let it = path.metadata().ok()?;
        Some(Self(it.dev(), it.ino()))
    }
}

/// Refuses what is no file, a file of somebody else, of which SQLite says only that it cannot open
/// it, and one with several names. Opens nothing: closing it would drop the locks of this process.
pub(super) fn require_usable(path: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let it = path.metadata()?;
    ensure!(it.is_file(), "{} is not a file", path.display());
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::Access;
        let asked = rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK);
        asked
            .map_err(std::io::Error::from)
            .with_context(|| format!("cannot open {}", path.display()))?;
    }
    let (file, names) = (path.display(), it.nlink());
    ensure!(
        names == 1,
        "{file} has {names} names (hard links): a second process could open it by another name, with \
         a lock file of its own; keep one of them"
    );
    Ok(())
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
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

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
