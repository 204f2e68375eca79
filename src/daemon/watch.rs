//! Reloads the settings on SIGHUP or when one of their files changes.
//!
//! The files are polled: editors replace files and containers mount them, and polling a few files
//! misses neither.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::config::{Config, Environment};

/// Polling interval. A change counts once the files are unchanged for a whole interval, so that a
/// half-written file is not read.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Reloaded settings, or their problems as `check` prints them.
pub type Reload = Result<Arc<Config>, String>;

/// The task that reloads the settings.
pub struct Watch {
    reloads: mpsc::Receiver<Reload>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Watches the files that `config` was read from.
    ///
    /// # Errors
    /// When the signal handler cannot be installed.
    pub fn begin(config: &Config, environment: Environment) -> Result<Self> {
        let mut hangup =
            signal(SignalKind::hangup()).context("cannot install the signal handler")?;
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

    /// Waits for the next reload; `None` when the task died.
    pub async fn next(&mut self) -> Option<Reload> {
        self.reloads.recv().await
    }

    /// A reload that is there already.
    pub fn try_next(&mut self) -> Option<Reload> {
        self.reloads.try_recv().ok()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Distinguishes two states of a file; `None`: its metadata cannot be read.
type Stamp = Option<(u64, u64, u64, i64, i64, i64, i64)>;

/// Files, and their stamps of when they were last read.
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

    /// Waits until a file has changed and stays unchanged for one interval.
    async fn change(&self) {
        let mut last = None;
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            let now: Vec<_> = self.paths.iter().map(|path| stamp(path)).collect();
            if now != self.seen && last.as_ref() == Some(&now) {
                return;
            }
            last = Some(now);
        }
    }

    /// Reads the settings; returns the files to watch from then on.
    fn read(self, path: &Path, environment: &Environment) -> (Reload, Self) {
        // Stamped before reading, so that a change meanwhile is noticed.
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
