//! `jobs.toml` and the environment, validated and resolved into [`Config`].
//!
//! The file is read section by section, so that all problems are reported at once, each with its
//! line. Secrets are refused in it and never shown.

mod alert;
mod archive;
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
mod proxy;
mod schema;
mod secrets;
mod section;
mod toml_signs;
mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::api::client::{Proxy, Server};
use crate::api::{Endpoint, Provider};
use crate::model::{Kind, Target};
use crate::schedule::{Misfire, Overlap, Schedule};

pub use alert::{Alert, AlertUrlMissing, Condition, Language, Webhook};
pub(crate) use archive::SHORTEST_COLD_AFTER;
pub use budget::{Budget, PriceMissing};
pub(crate) use budget::{named, price_sections};
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
    /// Settings of each provider, in the order of [`Provider::ALL`].
    providers: [ProviderSettings; Provider::ALL.len()],
    /// The endpoint of each kind of target, in the order of [`Kind::ALL`].
    endpoints: [Endpoint; Kind::ALL.len()],
    /// How long a process keeps its slots after its last heartbeat.
    pub lease: Duration,
    /// Daily limits over all jobs.
    pub budget: Budget,
    /// Age at which answers go cold; `None`: none does.
    pub cold_after: Option<Duration>,
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
    /// Balance of the account that counts as low, in millionths of its currency.
    pub low_balance_micros: i64,
    /// Price of a call in millionths of a yuan; an absent endpoint has an unknown price.
    pub price_micros: BTreeMap<Endpoint, i64>,
    /// The token, if it takes one and it is set. Cannot be printed.
    pub token: Option<SecretString>,
    /// The proxy on the way, if any.
    pub proxy: Option<Proxy>,
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
        let Self { base_url, timeout, token, proxy, .. } = self.clone();
        Server { base_url, timeout, token, proxy }
    }

    /// Whether `other` is the same account: the same address with the same token.
    pub fn asks_as(&self, other: &Self) -> bool {
        let token = |it: &Self| it.token.as_ref().map(|token| token.expose_secret().to_owned());
        self.base_url == other.base_url && token(self) == token(other)
    }
}

impl Config {
    /// Settings of a provider.
    pub fn provider(&self, provider: Provider) -> &ProviderSettings {
        &self.providers[provider as usize]
    }

    /// The same to change.
    pub fn provider_mut(&mut self, provider: Provider) -> &mut ProviderSettings {
        &mut self.providers[provider as usize]
    }

    /// The tokens that are set.
    pub fn tokens(&self) -> impl Iterator<Item = &SecretString> {
        self.providers.iter().filter_map(|it| it.token.as_ref())
    }

    /// The providers that targets are fetched from.
    pub fn providers_in_use(&self) -> impl Iterator<Item = Provider> {
        let in_use = |it: &Provider| self.endpoints.iter().any(|at| at.provider() == *it);
        Provider::ALL.into_iter().filter(in_use)
    }

    /// The endpoint of a kind of target.
    pub fn endpoint(&self, kind: Kind) -> Endpoint {
        self.endpoints[kind as usize]
    }

    /// Price of a call in millionths of a yuan; `None` if unknown.
    pub fn price_micros(&self, endpoint: Endpoint) -> Option<i64> {
        let provider = endpoint.provider();
        if !provider.profile().paid {
            return Some(0);
        }
        self.provider(provider).price_micros.get(&endpoint).copied()
    }

    /// What fetching a target lacks, if anything.
    fn missing_token(&self, target: &Target) -> Option<TokenMissing> {
        let lacks = |it: &Endpoint| {
            it.provider().profile().token.is_some() && self.provider(it.provider()).token.is_none()
        };
        let endpoint = self.endpoint(target.kind);
        if lacks(&endpoint) {
            return Some(TokenMissing::Calls(endpoint.provider()));
        }
        let resolver = self.resolver(target).filter(lacks)?;
        Some(TokenMissing::ShortLinks(resolver.provider(), endpoint))
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
        // A provider that cannot be called at all matters more than links.
        match targets.into_iter().filter_map(|target| self.missing_token(target)).min() {
            Some(missing) => Err(missing),
            None => Ok(()),
        }
    }
}

/// The token of a provider is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum TokenMissing {
    /// Every call to it needs one.
    #[error("{} needs a token: {}", .0.profile().title, .0.token_help())]
    Calls(Provider),
    /// Only short links of targets of this endpoint need it, to be resolved.
    #[error("{}", without_resolver(*.0, *.1))]
    ShortLinks(Provider, Endpoint),
}

/// What to do about short links that cannot be resolved.
fn without_resolver(resolver: Provider, endpoint: Endpoint) -> String {
    let (title, token) = (resolver.profile().title, resolver.variable("TOKEN"));
    let (provider, items) = (endpoint.provider(), kind_name(endpoint.kind()));
    let takes_links = provider.profile().choice.as_ref().and_then(|choice| {
        let (value, _, remark) = choice.values.iter().find(|it| it.1.resolver().is_none())?;
        Some(format!("set `{} = \"{value}\"` under `[{provider}]` ({remark}), or ", choice.key))
    });
    format!(
        "{title} resolves short links of {items} and needs a token: write full links instead, or \
         {}set {token}",
        takes_links.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests;
