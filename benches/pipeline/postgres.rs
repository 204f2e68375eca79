//! A private PostgreSQL: its databases, and the CPU of its processes.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::processes::cpu_of;

/// A running cluster.
pub(crate) struct Cluster {
    url: String,
    folder: PathBuf,
    postmaster: u32,
}

impl Cluster {
    pub(crate) fn new(url: &str, folder: &Path) -> Result<Self> {
        let file = std::fs::read_to_string(folder.join("data/postmaster.pid"))?;
        let postmaster = file.lines().next().and_then(|line| line.trim().parse().ok());
        Ok(Self {
            url: url.to_owned(),
            folder: folder.to_owned(),
            postmaster: postmaster.context("no postmaster")?,
        })
    }

    /// A folder writable by its server.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// CPU seconds of all its processes since its start, including exited ones.
    pub(crate) fn cpu(&self) -> Result<f64> {
        let children = format!("/proc/{0}/task/{0}/children", self.postmaster);
        let children = std::fs::read_to_string(children)?;
        let living = children.split_whitespace().filter_map(|pid| cpu_of(pid.parse().ok()?).ok());
        Ok(cpu_of(self.postmaster)? + living.sum::<f64>())
    }

    /// Creates an empty database and returns its URL.
    pub(crate) fn fresh(&self, name: &str) -> Result<String> {
        self.execute(
            &self.url,
            &[
                &format!("drop database if exists {name} with (force)"),
                &format!("create database {name}"),
                "checkpoint",
            ],
        )?;
        let (server, _) = self.url.rsplit_once('/').context("a URL of a database")?;
        Ok(format!("{server}/{name}"))
    }

    /// Runs a checkpoint, so that the next part does not pay for it.
    pub(crate) fn checkpoint(&self) -> Result<()> {
        self.execute(&self.url, &["checkpoint"])
    }

    /// Runs statements in order on a new connection.
    pub(crate) fn execute(&self, url: &str, statements: &[&str]) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut connection = PgConnection::connect(url).await?;
            for statement in statements {
                let text = AssertSqlSafe((*statement).to_owned());
                connection.execute(text).await.with_context(|| (*statement).to_owned())?;
            }
            Ok(connection.close().await?)
        })
    }
}
