//! What to do about calls of which nobody can say what became.

use anyhow::{Result, anyhow};

use super::Crawler;

impl Crawler {
    /// Why a call was lost inside the program, if one was: a mistake that nobody can go on from.
    pub fn died(&mut self) -> Option<anyhow::Error> {
        self.died.take().map(|error| anyhow!("a call was lost inside the program: {error}"))
    }

    /// A commit may have gone through though nobody heard of it: what it claimed was never sent,
    /// and nobody else would take it for as long as this process lives.
    pub(super) async fn release_unsent(&mut self) -> Result<()> {
        if !self.commit_unknown {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        let calls = tx.release_unsent(self.owner, &self.in_hand).await?;
        tx.commit().await?;
        self.commit_unknown = false;
        if calls > 0 {
            tracing::warn!(calls, "claims whose commit was in doubt are given back unsent");
        }
        Ok(())
    }
}
