//! Drift of an endpoint's format over time: paths of its answers that vanish, change their type or
//! are new, stored in `answer_paths`.
//!
//! `documents.drift` is about one answer and the fields a normaliser reads; this is about all
//! fields and all answers of an endpoint.

mod outline;
mod paths;

use std::collections::BTreeMap;

use anyhow::Result;

use crate::api::Endpoint;
use crate::store::Store;
use paths::Paths;

pub use outline::Outline;
pub use paths::Sighting;

/// Answers of an endpoint between two exchanges with the database of gaps that only grew. Other
/// processes count too, and the first batch of a process is always written, so that short runs count.
const GAPS_EVERY: u64 = 256;

/// The paths of all endpoints, as known to this process.
#[derive(Debug, Default)]
pub struct Drift {
    endpoints: BTreeMap<Endpoint, Known>,
    /// Saved answers that are not counted yet.
    saved: Vec<Saved>,
}

/// The paths of an endpoint, and how many answers of this process they tell of.
#[derive(Debug, Default)]
struct Known {
    paths: Paths,
    answers: u64,
    /// As of the last exchange.
    exchanged: u64,
}

#[derive(Debug)]
struct Saved {
    endpoint: Endpoint,
    outline: Outline,
    json: String,
    at: Sighting,
}

impl Drift {
    /// Adds a saved answer, to be counted by [`Drift::keep`].
    pub fn saw(&mut self, endpoint: Endpoint, outline: Outline, json: String, at: Sighting) {
        self.saved.push(Saved { endpoint, outline, json, at });
    }

    /// Counts the answers added since the last call and writes the changes. Answers with the same
    /// paths as before them write nothing.
    ///
    /// # Errors
    /// When the database fails; some of these answers are then not counted.
    pub async fn keep(&mut self, store: &Store) -> Result<()> {
        let mut saved: BTreeMap<Endpoint, Vec<Saved>> = BTreeMap::new();
        // The result must not depend on the order of arrival.
        self.saved.sort_by_key(|it| (it.at.at, it.at.document_id));
        for answer in self.saved.drain(..) {
            saved.entry(answer.endpoint).or_default().push(answer);
        }
        for (endpoint, answers) in saved {
            let name = endpoint.as_str();
            let known = self.endpoints.entry(endpoint).or_default();
            let is_due = known.answers == 0 || known.answers - known.exchanged >= GAPS_EVERY;
            if is_due {
                known.exchanged = known.answers;
                known.paths.rebase(store.read_by_keys().await?.answer_paths(name).await?);
            }
            for Saved { outline, json, at, .. } in &answers {
                known.paths.count(name, outline, json, *at);
                known.answers += 1;
            }
            let paths = &mut known.paths;
            let Some(Saved { at: first, .. }) = answers.first() else { continue };
            if paths.changed(is_due).is_empty() {
                paths.settle(Vec::new());
                continue;
            }
            let mut tx = store.begin_by_keys().await?;
            tx.lock_answer_paths(name, first.at, first.document_id).await?;
            paths.rebase(tx.answer_paths(name).await?);
            let changed = paths.changed(is_due);
            tx.put_answer_paths(&changed).await?;
            tx.commit().await?;
            paths.settle(changed);
        }
        Ok(())
    }
}
