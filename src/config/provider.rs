//! The sections of the providers, resolved.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use secrecy::SecretString;
use toml::{Spanned, Value};
use url::{Host, Url};

use super::problems::{Problem, quoted};
use super::wire::{Daemon, Pairs, ProviderSection};
use super::{ProviderSettings, Reader};
use crate::api::{Endpoint, Provider};
use crate::suggest;

/// Default timeout of a call: failing collections take up to 50 s.
pub(super) const TIMEOUT_SECONDS: u32 = 60;

/// Default balance that counts as low.
pub(super) const LOW_BALANCE: u32 = 10;

/// Maximum calls in flight.
pub(super) const MOST_CONCURRENCY: u32 = 256;

/// Maximum calls per second.
pub(super) const MOST_RATE: u32 = 1000;

/// Maximum timeout in seconds.
pub(super) const MOST_TIMEOUT_SECONDS: u32 = 600;

/// Default lease in seconds: long enough for a busy database, short enough for fast recovery.
pub(super) const LEASE_SECONDS: u32 = 60;

/// Accepted leases in seconds.
pub(super) const LEASES: RangeInclusive<u32> = 5..=600;

/// Decimal digits of a price in millionths.
const PRICE_DIGITS: usize = 6;

impl Reader<'_> {
    /// The settings of a provider, and its token.
    pub(super) fn provider(
        &mut self,
        provider: Provider,
        wire: &ProviderSection,
        token: Option<SecretString>,
    ) -> ProviderSettings {
        let profile = provider.profile();
        let concurrency = self.number(&wire.concurrency, profile.concurrency, MOST_CONCURRENCY);
        let timeout = self.number(&wire.timeout_seconds, TIMEOUT_SECONDS, MOST_TIMEOUT_SECONDS);
        let base_url = self.base_url(provider, wire);
        let may_see = profile.token.is_none() || base_url.scheme() == "https";
        ProviderSettings {
            base_url,
            proxy: self.proxy(&wire.proxy, &wire.proxy_auth_env, &wire.proxy_auth_file, may_see),
            concurrency: usize::try_from(concurrency).unwrap_or(1),
            rate_per_second: self.number(&wire.rate_per_second, profile.rate_per_second, MOST_RATE),
            timeout: Duration::from_secs(u64::from(timeout)),
            low_balance_micros: self.low_balance(wire.low_balance.as_ref()),
            price_micros: self.prices(provider, &wire.price),
            token,
        }
    }

    pub(super) fn lease(&mut self, wire: &Daemon) -> Duration {
        let seconds = self.number_in(&wire.lease_seconds, LEASE_SECONDS, LEASES);
        Duration::from_secs(u64::from(seconds))
    }

    /// An integer from 1 to `most`; 0 and below would silently stop everything.
    pub(super) fn number(&mut self, wire: &Option<Spanned<i64>>, default: u32, most: u32) -> u32 {
        self.number_in(wire, default, 1..=most)
    }

    /// An integer in a range.
    pub(super) fn number_in(
        &mut self,
        wire: &Option<Spanned<i64>>,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> u32 {
        let Some(wire) = wire else { return default };
        match u32::try_from(*wire.get_ref()) {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (least, most) = (range.start(), range.end());
                let help = format!(
                    "a whole number from {least} to {most}; without this line it is {default}"
                );
                self.problem(wire.span(), Problem::new("the number is out of range", help));
                default
            }
        }
    }

    fn base_url(&mut self, provider: Provider, wire: &ProviderSection) -> Url {
        let (default, allow) = (provider.profile().base_url, wire.allow_insecure_http);
        let read = match (self.environment.base_url(provider), &wire.base_url) {
            (Some((name, text)), _) => base_url(text.trim(), default, allow).map_err(|problem| {
                let Problem { title, help } = problem;
                self.problems.anywhere(Problem::new(format!("{name}: {title}"), help));
            }),
            (None, Some(text)) => base_url(text.get_ref(), default, allow)
                .map_err(|problem| self.problem(text.span(), problem)),
            (None, None) => Ok(address(default)),
        };
        // An invalid one is refused when all is read.
        let Ok(url) = read else { return address(default) };
        self.warn_of_plain_http(&url);
        url
    }

    fn low_balance(&mut self, wire: Option<&Spanned<Value>>) -> i64 {
        let default = i64::from(LOW_BALANCE) * 1_000_000;
        let Some(wire) = wire else { return default };
        micros(wire.get_ref()).unwrap_or_else(|_| {
            let help = "an amount, such as low_balance = 20";
            self.problem(wire.span(), Problem::new("invalid amount", help));
            default
        })
    }

    fn warn_of_plain_http(&mut self, url: &Url) {
        if url.scheme() == "http" && !is_this_machine(url) {
            let host = url.host_str().unwrap_or_default();
            self.warnings.push(format!(
                "plain http to {host}: anyone on the network path can read the traffic, token included; \
                 use a token of its own with a small balance"
            ));
        }
    }

    fn prices(&mut self, provider: Provider, wire: &Pairs) -> BTreeMap<Endpoint, i64> {
        let mut prices = BTreeMap::new();
        let mut exact = BTreeMap::new();
        for (name, value) in wire {
            let micros = match micros(value.get_ref()) {
                Ok(micros) => micros,
                Err(problem) => {
                    self.problem(value.span(), problem);
                    continue;
                }
            };
            match endpoints_named(provider, name.get_ref()) {
                Ok(endpoints) => {
                    let is_exact = Endpoint::parse(name.get_ref()).is_some();
                    let into = if is_exact { &mut exact } else { &mut prices };
                    into.extend(endpoints.into_iter().map(|endpoint| (endpoint, micros)));
                }
                Err(problem) => self.problems.at_key(&self.source, name.span(), problem),
            }
        }
        // A name with a version wins.
        prices.extend(exact);
        prices
    }

    /// Reports a problem at a range of `jobs.toml`.
    pub(super) fn problem(&mut self, at: Range<usize>, problem: Problem) {
        self.problems.at(&self.source, at, problem);
    }
}

/// A provider's endpoint of a name; without a version, all versions.
fn endpoints_named(provider: Provider, name: &str) -> Result<Vec<Endpoint>, Problem> {
    let mut endpoints = Endpoint::named(name);
    endpoints.retain(|endpoint| endpoint.provider() == provider);
    if !endpoints.is_empty() {
        return Ok(endpoints);
    }
    let title = format!("{} is not a paid endpoint", quoted(name));
    let names = || provider.endpoints().map(Endpoint::as_str);
    let families = names().filter_map(|name| name.rsplit_once('/').map(|(family, _)| family));
    let help = suggest::nearest(name, names().chain(families)).map_or_else(
        || format!("the endpoints are {}", names().collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean \"{near}\"?"),
    );
    Err(Problem::new(title, help))
}

/// A price in millionths, exactly as written.
pub(super) fn micros(value: &Value) -> Result<i64, Problem> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        // The shortest decimal that parses to this number, as it was written.
        Value::Float(number) => number.to_string(),
        Value::Integer(number) => number.to_string(),
        _ => String::new(),
    };
    let help = "yuan a call, at most 6 digits after the point, such as 0.15";
    decimal_micros(&text).ok_or_else(|| Problem::new("invalid price", help))
}

/// An amount of yuan in millionths, exactly as written; `None` if invalid.
pub(crate) fn decimal_micros(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > PRICE_DIGITS {
        return None;
    }
    format!("{whole}{fraction:0<PRICE_DIGITS$}").parse().ok()
}

fn base_url(text: &str, example: &str, allow_insecure_http: bool) -> Result<Url, Problem> {
    let mut url = Url::parse(text)
        .map_err(|error| Problem::new(format!("invalid address: {error}"), example))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(Problem::new("the address must start with https or http", example));
    }
    let bare = url.username().is_empty() && url.password().is_none();
    if !bare || url.query().is_some() || url.fragment().is_some() {
        let help = "only scheme, host, port and path; the token comes from the environment";
        return Err(Problem::new("the address may not contain user name, query or fragment", help));
    }
    if url.scheme() == "http" && !allow_insecure_http && !is_this_machine(&url) {
        let help = "use https; or, if the network path is trusted, add `allow_insecure_http = true` \
                    beside it: anyone in between could read what is sent, token included";
        return Err(Problem::new("plain http to another machine", help));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => {
            ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
        }
        None => false,
    }
}

/// A provider's default address.
#[expect(clippy::unwrap_used, reason = "it is an address, as a test of every provider shows")]
fn address(default: &str) -> Url {
    Url::parse(default).unwrap()
}
