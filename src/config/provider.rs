//! The sections of the providers, resolved.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::{Spanned, Value};
use url::{Host, Url};

use super::environment::BASE_URL;
use super::problems::{Problem, quoted};
use super::wire::{Amagi, Daemon, JustOneApi, Pairs};
use super::{ProviderSettings, Reader};
use crate::api::{Endpoint, Provider};
use crate::suggest;

/// Default address of JustOneAPI.
pub(super) const JUSTONEAPI_BASE_URL: &str = "https://api.justoneapi.com";

/// Default address of amagi: this machine.
pub(super) const AMAGI_BASE_URL: &str = "http://127.0.0.1:4567/api";

/// Default calls in flight to JustOneAPI.
pub(super) const JUSTONEAPI_CONCURRENCY: u32 = 8;

/// Default calls per second and endpoint of JustOneAPI; its limit is not published.
pub(super) const JUSTONEAPI_RATE: u32 = 5;

/// Default calls in flight to amagi: one browser behind one cookie.
pub(super) const AMAGI_CONCURRENCY: u32 = 2;

/// Default calls per second to amagi.
pub(super) const AMAGI_RATE: u32 = 2;

/// Default timeout of a call: failing collections take up to 50 s.
pub(super) const TIMEOUT_SECONDS: u32 = 60;

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
    pub(super) fn justoneapi(&mut self, wire: &JustOneApi) -> ProviderSettings {
        let allow = wire.allow_insecure_http;
        let base_url = match self.environment.base_url.clone() {
            Some(text) => self.base_url_of_environment(&text, allow),
            None => self.base_url(wire.base_url.as_ref(), JUSTONEAPI_BASE_URL, allow),
        };
        let concurrency = self.number(&wire.concurrency, JUSTONEAPI_CONCURRENCY, MOST_CONCURRENCY);
        let timeout = self.number(&wire.timeout_seconds, TIMEOUT_SECONDS, MOST_TIMEOUT_SECONDS);
        ProviderSettings {
            base_url,
            concurrency: usize::try_from(concurrency).unwrap_or(1),
            rate_per_second: self.number(&wire.rate_per_second, JUSTONEAPI_RATE, MOST_RATE),
            timeout: Duration::from_secs(u64::from(timeout)),
            price_micros: self.prices(&wire.price),
        }
    }

    pub(super) fn amagi(&mut self, wire: &Amagi) -> ProviderSettings {
        let allow = wire.allow_insecure_http;
        let concurrency = self.number(&wire.concurrency, AMAGI_CONCURRENCY, MOST_CONCURRENCY);
        let timeout = self.number(&wire.timeout_seconds, TIMEOUT_SECONDS, MOST_TIMEOUT_SECONDS);
        ProviderSettings {
            base_url: self.base_url(wire.base_url.as_ref(), AMAGI_BASE_URL, allow),
            concurrency: usize::try_from(concurrency).unwrap_or(1),
            rate_per_second: self.number(&wire.rate_per_second, AMAGI_RATE, MOST_RATE),
            timeout: Duration::from_secs(u64::from(timeout)),
            price_micros: BTreeMap::new(),
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

    fn base_url(&mut self, wire: Option<&Spanned<String>>, default: &str, allow: bool) -> Url {
        let written = wire.map(|wire| (wire.get_ref().as_str(), wire.span()));
        let (text, span) = written.unwrap_or((default, 0..0));
        match base_url(text, allow) {
            Ok(url) => {
                self.warn_of_plain_http(&url);
                url
            }
            Err(problem) => {
                self.problem(span, problem);
                somewhere()
            }
        }
    }

    fn base_url_of_environment(&mut self, text: &str, allow: bool) -> Url {
        match base_url(text.trim(), allow) {
            Ok(url) => {
                self.warn_of_plain_http(&url);
                url
            }
            Err(Problem { title, help }) => {
                self.problems.anywhere(Problem::new(format!("{BASE_URL}: {title}"), help));
                somewhere()
            }
        }
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

    fn prices(&mut self, wire: &Pairs) -> BTreeMap<Endpoint, i64> {
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
            match endpoints_named(name.get_ref()) {
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

/// The paid endpoints.
pub(super) fn paid() -> impl Iterator<Item = Endpoint> {
    Endpoint::ALL.into_iter().filter(|endpoint| endpoint.provider() == Provider::JustOneApi)
}

/// The endpoint of a name; without a version, all versions.
fn endpoints_named(name: &str) -> Result<Vec<Endpoint>, Problem> {
    let mut endpoints = Endpoint::named(name);
    endpoints.retain(|endpoint| endpoint.provider() == Provider::JustOneApi);
    if !endpoints.is_empty() {
        return Ok(endpoints);
    }
    let title = format!("{} is not a paid endpoint", quoted(name));
    let names = || paid().map(Endpoint::as_str);
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

fn base_url(text: &str, allow_insecure_http: bool) -> Result<Url, Problem> {
    let mut url = Url::parse(text)
        .map_err(|error| Problem::new(format!("invalid address: {error}"), JUSTONEAPI_BASE_URL))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(Problem::new("the address must start with https or http", JUSTONEAPI_BASE_URL));
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

/// A placeholder for an invalid address until the problems are reported.
#[expect(clippy::unwrap_used, reason = "the constant is an address, as every test of it shows")]
fn somewhere() -> Url {
    Url::parse(JUSTONEAPI_BASE_URL).unwrap()
}
