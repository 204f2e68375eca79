//! `jobs.toml` and the environment, validated and resolved into [`Config`].
//!
//! The file is read section by section, so that all problems are reported at once, each with its
//! line. Secrets are refused in it and never shown.

mod alert;
mod budget;
mod environment;
mod firing;
mod health;
mod job;
mod lists;
mod load;
mod page;
mod problems;
mod provider;
mod schema;
mod secrets;
mod section;
mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::api::client::Server;
use crate::api::{Endpoint, Provider};
use crate::model::{Kind, Target};
use crate::schedule::{Misfire, Overlap, Schedule};

pub use alert::{Alert, AlertUrlMissing, Condition, Language, Webhook};
pub(crate) use budget::named;
pub use budget::{Budget, PriceMissing};
pub use environment::Environment;
pub(crate) use health::loopback;
pub(crate) use job::{kind_name, kind_named};
pub use lists::Positions;
use load::Reader;
pub use page::PageRefused;
pub use problems::ConfigError;
pub(crate) use provider::decimal_micros;
pub use schema::schema;

/// The validated settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Path of the file, for messages.
    pub path: PathBuf,
    /// Default zone of schedules, and zone of displayed times.
    pub timezone: Tz,
    /// Settings of JustOneAPI.
    pub justoneapi: ProviderSettings,
    /// Settings of amagi.
    pub amagi: ProviderSettings,
    /// How long a process keeps its slots after its last heartbeat.
    pub lease: Duration,
    /// The token of JustOneAPI, if set. Cannot be printed.
    pub token: Option<SecretString>,
    /// The endpoint of note details.
    pub note_detail: Endpoint,
    /// The endpoint of Douyin works.
    pub work_detail: Endpoint,
    /// Daily limits over all jobs.
    pub budget: Budget,
    /// Enabled jobs in file order.
    pub jobs: Vec<Job>,
    /// Jobs with `enabled = false`: validated, but never fired.
    pub disabled_jobs: Vec<Job>,
    /// Loopback address of the health checks, if any.
    pub listen: Option<SocketAddr>,
    /// Receivers of alerts in file order.
    pub alerts: Vec<Alert>,
    /// Warnings about valid but unlikely settings.
    pub warnings: Vec<String>,
    /// The files read: `jobs.toml`, those it names, and those with secrets.
    pub files: Vec<PathBuf>,
}

/// Settings of one provider.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Base URL of its paths, without a trailing slash.
    pub base_url: Url,
    /// Maximum calls in flight.
    pub concurrency: usize,
    /// Maximum calls per second and endpoint.
    pub rate_per_second: u32,
    /// Timeout of one call.
    pub timeout: Duration,
    /// Price of a call in millionths of a yuan; an absent endpoint has an unknown price.
    pub price_micros: BTreeMap<Endpoint, i64>,
}

/// An entry of `jobs.toml`.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its unique name.
    pub name: String,
    /// Kind of its targets.
    pub kind: Kind,
    /// When it fires.
    pub schedule: Schedule,
    /// Misfire policy.
    pub misfire: Misfire,
    /// Policy for a fire while an older slot of the same target is open.
    pub overlap: Overlap,
    /// Spread of one fire's slots in whole seconds.
    pub spread: Duration,
    /// Maximum calls per day; `None`: no limit of its own.
    pub max_calls_per_day: Option<i64>,
    /// Its distinct targets in file order.
    pub targets: Vec<Target>,
    /// Source positions of the targets.
    pub positions: Positions,
}

impl ProviderSettings {
    /// Connection settings for the client.
    pub fn server(&self) -> Server {
        Server { base_url: self.base_url.clone(), timeout: self.timeout }
    }
}

impl Config {
    /// Settings of a provider.
    pub fn provider(&self, provider: Provider) -> &ProviderSettings {
        match provider {
            Provider::JustOneApi => &self.justoneapi,
            Provider::Amagi => &self.amagi,
        }
    }

    /// The endpoint of a kind of target.
    pub fn endpoint(&self, kind: Kind) -> Endpoint {
        match kind {
            Kind::Note => self.note_detail,
            Kind::Keyword => Endpoint::SearchSuggestions,
            Kind::KolSearch => Endpoint::KolSearch,
            Kind::Work => self.work_detail,
        }
    }

    /// Price of a call in millionths of a yuan; `None` if unknown. amagi is free.
    pub fn price_micros(&self, endpoint: Endpoint) -> Option<i64> {
        match endpoint.provider() {
            Provider::JustOneApi => self.justoneapi.price_micros.get(&endpoint).copied(),
            Provider::Amagi => Some(0),
        }
    }

    /// Whether `other` calls JustOneAPI at the same address with the same token.
    pub fn asks_as(&self, other: &Self) -> bool {
        let token = |it: &Self| it.token.as_ref().map(|token| token.expose_secret().to_owned());
        self.justoneapi.base_url == other.justoneapi.base_url && token(self) == token(other)
    }

    /// Whether fetching a target takes JustOneAPI's token.
    pub fn needs_token(&self, target: &Target) -> bool {
        match self.endpoint(target.kind) {
            // Takes links, so that short links need no resolution.
            Endpoint::AmagiWorkByUrl => false,
            Endpoint::AmagiWorkById => target.is_short_link(),
            endpoint => endpoint.provider() == Provider::JustOneApi,
        }
    }

    /// Checks that a daemon has its token and the addresses of its alerts.
    /// Says what is missing.
    pub fn require_means(&self) -> anyhow::Result<()> {
        self.require_token()?;
        Ok(self.require_alert_urls()?)
    }

    /// Checks that there is a token if any job needs one; for commands that call.
    pub fn require_token(&self) -> Result<(), TokenMissing> {
        self.require_token_for(self.jobs.iter().flat_map(|job| &job.targets))
    }

    /// Checks that there is a token if any of these targets needs one.
    pub fn require_token_for<'a>(
        &self,
        targets: impl IntoIterator<Item = &'a Target>,
    ) -> Result<(), TokenMissing> {
        if self.token.is_some() {
            return Ok(());
        }
        let needing = targets.into_iter().filter(|target| self.needs_token(target));
        let (links, others): (Vec<&Target>, Vec<&Target>) =
            needing.partition(|it| self.endpoint(it.kind).provider() == Provider::Amagi);
        match (others.is_empty(), links.is_empty()) {
            (false, _) => Err(TokenMissing::Calls),
            (true, false) => Err(TokenMissing::ShortLinks),
            (true, true) => Ok(()),
        }
    }
}

/// JustOneAPI's token is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenMissing {
    /// JustOneAPI is needed.
    #[error(
        "JustOneAPI needs a token: set \
         JUSTONEAPI_TOKEN, or JUSTONEAPI_TOKEN_FILE to the path of a file that holds it"
    )]
    Calls,
    /// Only short links of works need it.
    #[error(
        "JustOneAPI resolves short links of works and needs a token: write full links \
         (https://www.douyin.com/video/…) instead, or set `parameter = \"url\"` under `[amagi]` \
         (amagi 3.2 to 4.0), or set JUSTONEAPI_TOKEN"
    )]
    ShortLinks,
}

#[cfg(test)]
mod tests;
