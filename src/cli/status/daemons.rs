//! Daemons in `tidewatch status`: running ones, expired ones, and their settings.

use std::time::Duration;

use anyhow::Result;
use chrono_tz::Tz;
use serde::Serialize;

use super::super::format::{local, safe};
use crate::process::{self, DaemonStatus, State};
use crate::store::{ConfigState, Store, Tx};
use crate::text::first_problem;
use crate::time::Time;

/// A daemon, and the state of its settings.
#[derive(Serialize)]
pub(super) struct Daemon {
    #[serde(flatten)]
    seen: DaemonStatus,
    settings: ConfigState,
}

/// The running daemons, and those that expired since `since`.
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

/// One line per running daemon, and one for all expired ones.
pub(super) fn shown(daemons: &[Daemon], zone: Tz) -> String {
    let is = |state| move |daemon: &&Daemon| daemon.seen.state == state;
    let mut text: String =
        daemons.iter().filter(is(State::AtWork)).map(|it| it.at_work(zone)).collect();
    if text.is_empty() {
        text += "no daemon is running\n";
    }
    for daemon in daemons.iter().filter(is(State::Silent)) {
        let (since, beat) = (local(daemon.seen.row.started_at, zone), daemon.beat(zone));
        text += &format!(
            "a daemon started {since} has no heartbeat since {beat}: suspended or disconnected\n"
        );
    }
    let dead: Vec<_> = daemons.iter().filter(is(State::Dead)).collect();
    if let Some(last) = dead.iter().max_by_key(|daemon| daemon.seen.row.beat_at) {
        let (count, beat) = (dead.len(), last.beat(zone));
        text += &format!("expired daemons: {count}, last heartbeat {beat}\n");
    }
    text
}

impl Daemon {
    /// Whether it is at work and has rejected the newest settings.
    pub(super) fn refuses_settings(&self) -> bool {
        self.seen.state == State::AtWork && self.settings.error.is_some()
    }

    fn beat(&self, zone: Tz) -> String {
        local(self.seen.row.beat_at.unwrap_or(self.seen.row.started_at), zone)
    }

    /// Start, providers, and whether its settings are outdated.
    fn at_work(&self, zone: Tz) -> String {
        let (row, settings) = (&self.seen.row, &self.settings);
        let (since, beat) = (local(row.started_at, zone), self.beat(zone));
        let asks: Vec<_> = settings.providers.iter().map(|it| it.base_url.as_str()).collect();
        let asks = asks.join(", ");
        let mut text =
            format!("a daemon is running since {since}, last heartbeat {beat}, providers {asks}\n");
        if let Some(clock) = &row.clock {
            text += &format!("its clock: {}\n", safe(clock, 200));
        }
        if let (Some(error), Some(refused_at)) = (&settings.error, settings.refused_at) {
            let taken_over = local(settings.taken_over_at.unwrap_or(row.started_at), zone);
            let refused = local(refused_at, zone);
            let what = safe(first_problem(error), 200);
            text += &format!(
                "it uses the jobs.toml of {taken_over}; the one of {refused} was rejected: {what}; \
                 see `tidewatch check`\n"
            );
        }
        text
    }
}
