//! Recovery of calls whose outcome is unknown.

use anyhow::{Result, anyhow};

use super::Crawler;

impl Crawler {
    /// The panic of a call's task, if one panicked: a bug that the process cannot continue from.
    pub fn died(&mut self) -> Option<anyhow::Error> {
        self.died.take().map(|error| anyhow!("a call was lost inside the program: {error}"))
    }

    /// Releases the slots of a commit whose outcome is unknown: if it succeeded, their calls were never
    /// sent, and no other process would claim them while this one lives.
    pub(super) async fn release_unsent(&mut self) -> Result<()> {
        if !self.commit_unknown {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        let in_hand = self.pending_calls.keys().copied().collect();
        let calls = tx.release_unsent(self.owner, &in_hand).await?;
        tx.commit().await?;
        self.commit_unknown = false;
        if calls > 0 {
            tracing::warn!(calls, "released unsent claims of a commit whose outcome was unknown");
        }
        Ok(())
    }
}
