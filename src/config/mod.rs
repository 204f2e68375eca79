//! `jobs.toml` and the environment, checked and resolved into [`Config`].

pub(crate) mod suggest;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use secrecy::SecretString;
use url::Url;

use crate::api::{Endpoint, Provider};
use crate::model::{Kind, Target};
use crate::schedule::Schedule;

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
    /// The token of JustOneAPI, if one was given. Cannot be printed.
    pub token: Option<SecretString>,
    /// Which version of the note detail to ask for.
    pub note_detail: Endpoint,
    /// Who answers for Douyin works, and in which form.
    pub work_detail: Endpoint,
    /// The jobs, in the order of the file.
    pub jobs: Vec<Job>,
}

/// How to call one provider.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// What its paths are appended to; no trailing slash.
    pub base_url: Url,
    /// Whether plain http to another machine is allowed.
    pub allow_insecure_http: bool,
    /// Calls in flight at once at the most.
    pub concurrency: usize,
    /// Calls a second to each endpoint at the most.
    pub rate_per_second: u32,
    /// How long one call may take as a whole.
    pub timeout: Duration,
    /// Price of a call in millionths of the account's currency; endpoints not named cost 0.
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
    /// What it looks at, each once, in the order of the file.
    pub targets: Vec<Target>,
}

impl Config {
    /// How to call a provider.
    pub fn provider(&self, provider: Provider) -> &ProviderSettings {
        match provider {
            Provider::JustOneApi => &self.justoneapi,
            Provider::Amagi => &self.amagi,
        }
    }

    /// What a call to an endpoint costs, in millionths of the account's currency.
    pub fn price_micros(&self, endpoint: Endpoint) -> i64 {
        let prices = &self.provider(endpoint.provider()).price_micros;
        prices.get(&endpoint).copied().unwrap_or(0)
    }
}
