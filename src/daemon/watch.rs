//! Reads the settings again when SIGHUP comes or a file of theirs has changed.
//!
//! The files are looked at, not listened to: editors replace files, containers mount them, and a
//! glance at a handful of files every other second costs nothing and misses none of that.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::config::{Config, Environment};

/// How often the files are looked at. A change counts once the file has kept still for as long:
/// half a file is no file.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Settings that were read again; or what is wrong with them, in the words of `check`.
pub type Reload = Result<Arc<Config>, String>;

/// A task that reads the settings again when there is reason to.
pub struct Watch {
    reloads: mpsc::Receiver<Reload>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Watches over the files that `config` was read from.
    ///
    /// # Errors
    /// When no signals can be listened for.
    pub fn begin(config: &Config, environment: Environment) -> Result<Self> {
        let mut hangup = signal(SignalKind::hangup()).context("cannot listen for signals")?;
        let (send, reloads) = mpsc::channel(1);
        let path = config.path.clone();
        let mut files = Files::new(config.files.clone());
        let task = tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = hangup.recv() => {}
                    () = files.change() => {}
                }
                let (path, environment) = (path.clone(), environment.clone());
                let read = tokio::task::spawn_blocking(move || files.read(&path, &environment));
                let Ok((reload, again)) = read.await else { return };
                files = again;
                if send.send(reload).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self { reloads, task })
    }

    /// Waits for the next reading; `None` when there will be none any more.
    pub async fn next(&mut self) -> Option<Reload> {
        self.reloads.recv().await
    }

    /// A reading that has come already.
    pub fn heard(&mut self) -> Option<Reload> {
        self.reloads.try_recv().ok()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What tells two states of a file apart; `None`: it cannot be looked at.
type Stamp = Option<(u64, u64, u64, i64, i64, i64, i64)>;

/// Files, and how they looked when they were last read.
#[derive(Debug)]
struct Files {
    paths: Vec<PathBuf>,
    seen: Vec<Stamp>,
}

impl Files {
    fn new(paths: Vec<PathBuf>) -> Self {
        let seen = paths.iter().map(|path| stamp(path)).collect();
        Self { paths, seen }
    }

    /// Waits until a file has changed and keeps still.
    async fn change(&self) {
        let mut last = None;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now: Vec<_> = self.paths.iter().map(|path| stamp(path)).collect();
            if now != self.seen && last.as_ref() == Some(&now) {
                return;
            }
            last = Some(now);
        }
    }

    /// Reads the settings, and tells which files to watch over from then on.
    fn read(self, path: &Path, environment: &Environment) -> (Reload, Self) {
        // Before they are read: what changes meanwhile is seen afterwards.
        let before = Self::new(self.paths);
        let (reload, paths) = match Config::load(path, environment) {
            Ok(config) => {
                let paths = config.files.clone();
                let usable = config.require_means().map_err(|missing| format!("error: {missing}"));
                (usable.map(|()| Arc::new(config)), paths)
            }
            Err(error) => (Err(error.to_string()), error.files().to_vec()),
        };
        let seen = paths.iter().map(|path| {
            let known = before.paths.iter().position(|it| it == path);
            known.and_then(|at| before.seen.get(at).copied()).unwrap_or_else(|| stamp(path))
        });
        let seen = seen.collect();
        (reload, Self { paths, seen })
    }
}

fn stamp(path: &Path) -> Stamp {
    let it = path.metadata().ok()?;
    let (modified, changed) = ((it.mtime(), it.mtime_nsec()), (it.ctime(), it.ctime_nsec()));
    Some((it.dev(), it.ino(), it.size(), modified.0, modified.1, changed.0, changed.1))
}
