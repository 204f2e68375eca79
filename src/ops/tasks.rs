//! Supervises the background tasks of a daemon: none may die unnoticed.

use std::future::Future;

use anyhow::{Error, Result, anyhow};
use tokio::task::JoinSet;

/// Tasks that must not end. Dropping this aborts them.
#[derive(Debug, Default)]
pub struct Tasks(JoinSet<(&'static str, Result<()>)>);

impl Tasks {
    /// Spawns a task; `name` is its name in the error when it dies.
    pub fn start(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        self.0.spawn(async move {
            // In a task of its own, so that a panic is named as well.
            let ended = tokio::task::JoinSet::from_iter([task]).join_next().await;
            let ended = match ended {
                Some(Ok(ended)) => ended,
                Some(Err(error)) => Err(Error::new(error)),
                None => Ok(()),
            };
            (name, ended)
        });
    }

    /// Waits until a task dies; the error names it. Cancel safe.
    pub async fn died(&mut self) -> Error {
        match self.0.join_next().await {
            Some(Ok((name, Ok(())))) => anyhow!("{name} ended, which it must not do"),
            Some(Ok((name, Err(error)))) => error.context(format!("{name} died")),
            Some(Err(error)) => Error::new(error).context("a task died"),
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ended_task_is_named_with_the_reason() {
        for (task, why) in [(0, "which it must not"), (1, "lost"), (2, "panicked")] {
            let mut tasks = Tasks::default();
            tasks.start("the other", std::future::pending());
            tasks.start("this one", async move {
                assert!(task != 2, "on purpose");
                if task == 1 { Err(anyhow!("lost")) } else { Ok(()) }
            });
            let error = format!("{:#}", tasks.died().await);
            assert!(error.starts_with("this one") && error.contains(why), "{error}");
        }
    }
}
