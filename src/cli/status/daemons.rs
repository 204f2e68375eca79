//! The daemons in `tidewatch status`: which are there, which died, and what they work by.

use std::time::Duration;

use anyhow::Result;
use chrono_tz::Tz;
use serde::Serialize;

use super::super::show::{local, safe};
use crate::process::{self, Seen, State};
use crate::store::{ConfigState, Store, Tx};
use crate::text::first_problem;
use crate::time::Time;

/// A daemon, and how it stands to its settings.
#[derive(Serialize)]
pub(super) struct Daemon {
    #[serde(flatten)]
    seen: Seen,
    settings: ConfigState,
}

/// The daemons at work, and those found dead from `since` on.
pub(super) async fn daemons(
    store: &Store,
    tx: &mut Tx,
    now: Time,
    since: Time,
    lease: Duration,
) -> Result<Vec<Daemon>> {
    let mut daemons = Vec::new();
    for seen in process::daemons(store, now, since, lease).await? {
        let settings = tx.config_state(seen.row.owner).await?;
        daemons.push(Daemon { seen, settings });
    }
    Ok(daemons)
}

/// A line for each daemon that is there, and one for all that died.
pub(super) fn shown(daemons: &[Daemon], zone: Tz) -> String {
    let is = |state| move |daemon: &&Daemon| daemon.seen.state == state;
    let mut text: String =
        daemons.iter().filter(is(State::AtWork)).map(|it| it.at_work(zone)).collect();
    if text.is_empty() {
        text += "no daemon is running\n";
    }
    for daemon in daemons.iter().filter(is(State::Silent)) {
        let (since, beat) = (local(daemon.seen.row.started_at, zone), daemon.beat(zone));
        text +=
            &format!("a daemon that began {since} is silent since {beat}: suspended, or cut off\n");
    }
    let dead: Vec<_> = daemons.iter().filter(is(State::Dead)).collect();
    if let Some(last) = dead.iter().max_by_key(|daemon| daemon.seen.row.beat_at) {
        let (count, beat) = (dead.len(), last.beat(zone));
        text += &format!("daemons that died: {count}, the last one after its beat of {beat}\n");
    }
    text
}

impl Daemon {
    fn beat(&self, zone: Tz) -> String {
        local(self.seen.row.beat_at.unwrap_or(self.seen.row.started_at), zone)
    }

    /// Since when it runs, whom it asks, and whether it does so by older settings.
    fn at_work(&self, zone: Tz) -> String {
        let (row, settings) = (&self.seen.row, &self.settings);
        let (since, beat) = (local(row.started_at, zone), self.beat(zone));
        let asks = settings.justoneapi_url.as_deref().unwrap_or_default();
        let mut text = format!("a daemon runs since {since}, last beat {beat}, and asks {asks}\n");
        if let (Some(error), Some(refused_at)) = (&settings.error, settings.refused_at) {
            let taken_over = local(settings.taken_over_at.unwrap_or(row.started_at), zone);
            let refused = local(refused_at, zone);
            let what = safe(first_problem(error), 200);
            text += &format!(
                "it works by the jobs.toml of {taken_over}; the one of {refused} is refused: {what}; \
                 `tidewatch check` says more\n"
            );
        }
        text
    }
}
