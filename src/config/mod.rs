//! `jobs.toml` and the environment, checked and resolved into [`Config`].
//!
//! The file is read section by section, so that everything that is wrong with it is reported at
//! once, each with its line. Secrets have no place in it and are never shown.

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
pub use lists::Places;
use load::Reader;
pub use page::PageRefused;
pub use problems::ConfigError;
pub(crate) use provider::decimal_micros;
pub use schema::schema;

/// Everything the program was told, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it came from, for messages.
    pub path: PathBuf,
    /// The zone for schedules that do not say otherwise, and for showing times.
    pub timezone: Tz,
    /// JustOneAPI's settings.
    pub justoneapi: ProviderSettings,
    /// amagi's settings.
    pub amagi: ProviderSettings,
    /// How long what a process is at stays its own after its last sign of life.
    pub lease: Duration,
    /// The token of JustOneAPI, if one was given. Cannot be printed.
    pub token: Option<SecretString>,
    /// Which version of the note detail to ask for.
    pub note_detail: Endpoint,
    /// Who answers for Douyin works, and in which form.
    pub work_detail: Endpoint,
    /// What may be spent a day, over all jobs.
    pub budget: Budget,
    /// The jobs, in the order of the file.
    pub jobs: Vec<Job>,
    /// The jobs with `enabled = false`: checked like the others, and not to fire.
    pub disabled_jobs: Vec<Job>,
    /// Where health checks are answered, if anywhere: an address of this machine.
    pub listen: Option<SocketAddr>,
    /// Whom to tell what goes wrong, in the order of the file.
    pub alerts: Vec<Alert>,
    /// What is allowed and yet probably not meant.
    pub warnings: Vec<String>,
    /// The files it was read from: `jobs.toml`, those that it names, and those of secrets.
    pub files: Vec<PathBuf>,
}

/// How to call one provider.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// What its paths are appended to; no trailing slash.
    pub base_url: Url,
    /// Calls in flight at once at the most.
    pub concurrency: usize,
    /// Calls a second to each endpoint at the most.
    pub rate_per_second: u32,
    /// How long one call may take as a whole.
    pub timeout: Duration,
    /// Price of a call in millionths of a yuan; of an endpoint not named here it is not known.
    pub price_micros: BTreeMap<Endpoint, i64>,
}

/// An entry of `jobs.toml`.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its unique name.
    pub name: String,
    /// What its targets are.
    pub kind: Kind,
    /// When it fires.
    pub schedule: Schedule,
    /// What becomes of fires that nobody decided in time.
    pub misfire: Misfire,
    /// What becomes of a fire while an older look at the same target is not done.
    pub overlap: Overlap,
    /// Over how long the looks of one fire are spread; whole seconds.
    pub spread: Duration,
    /// Calls a day at the most; `None`: no limit of its own.
    pub max_calls_per_day: Option<i64>,
    /// What it looks at, each once, in the order of the file.
    pub targets: Vec<Target>,
    /// Where each of these stands.
    pub places: Places,
}

impl ProviderSettings {
    /// Where the client finds it.
    pub fn server(&self) -> Server {
        Server { base_url: self.base_url.clone(), timeout: self.timeout }
    }
}

impl Config {
    /// How to call a provider.
    pub fn provider(&self, provider: Provider) -> &ProviderSettings {
        match provider {
            Provider::JustOneApi => &self.justoneapi,
            Provider::Amagi => &self.amagi,
        }
    }

    /// What answers for a kind of target.
    pub fn endpoint(&self, kind: Kind) -> Endpoint {
        match kind {
            Kind::Note => self.note_detail,
            Kind::Keyword => Endpoint::SearchSuggestions,
            Kind::KolSearch => Endpoint::KolSearch,
            Kind::Work => self.work_detail,
        }
    }

    /// What a call to an endpoint costs, in millionths of a yuan; `None` when
    /// nobody said. amagi costs nothing.
    pub fn price_micros(&self, endpoint: Endpoint) -> Option<i64> {
        match endpoint.provider() {
            Provider::JustOneApi => self.justoneapi.price_micros.get(&endpoint).copied(),
            Provider::Amagi => Some(0),
        }
    }

    /// Whether JustOneAPI is asked at the same address and with the same token as by `other`.
    pub fn asks_as(&self, other: &Self) -> bool {
        let token = |it: &Self| it.token.as_ref().map(|token| token.expose_secret().to_owned());
        self.justoneapi.base_url == other.justoneapi.base_url && token(self) == token(other)
    }

    /// Whether looking at a target takes JustOneAPI's token.
    pub fn needs_token(&self, target: &Target) -> bool {
        match self.endpoint(target.kind) {
            // This one is asked by link, so short links need nobody to resolve them.
            Endpoint::AmagiWorkByUrl => false,
            Endpoint::AmagiWorkById => target.is_short_link(),
            endpoint => endpoint.provider() == Provider::JustOneApi,
        }
    }

    /// That everything is there which a daemon needs: the token, and the addresses of alerts.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn require_means(&self) -> anyhow::Result<()> {
        self.require_token()?;
        Ok(self.require_alert_urls()?)
    }

    /// That there is a token if any of the jobs needs one. For everything that calls.
    pub fn require_token(&self) -> Result<(), TokenMissing> {
        self.require_token_for(self.jobs.iter().flat_map(|job| &job.targets))
    }

    /// That there is a token if any of these targets needs one.
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

/// Why nothing can be fetched without JustOneAPI's token, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenMissing {
    /// JustOneAPI is to be asked.
    #[error(
        "there is no token for JustOneAPI, and nothing can be fetched there without one: set \
         JUSTONEAPI_TOKEN, or JUSTONEAPI_TOKEN_FILE to the path of a file that holds it"
    )]
    Calls,
    /// Only short links of works need it.
    #[error(
        "short links of works are resolved by JustOneAPI, and it wants a token: write full links \
         (https://www.douyin.com/video/…) instead, or set `parameter = \"url\"` under `[amagi]` \
         (amagi 3.2 to 4.0), or set JUSTONEAPI_TOKEN"
    )]
    ShortLinks,
}

#[cfg(test)]
mod tests;
