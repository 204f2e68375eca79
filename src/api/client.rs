//! The one client that calls the providers. The HTTP library is known to this file and to the
//! sender of alerts, which is set up by the same function.
//!
//! The token travels in the query, because upstream takes it nowhere else. It leaves this file
//! in no other way: not in an error, not in a redirect, not in a body that repeats it.

mod scrub;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Certificate, ClientBuilder, redirect, retry};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

pub(crate) use self::scrub::Scrubber;
use super::{Provider, Request};

/// How long reaching a server may take, within the time of the whole call.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer that is read, decoded: a bomb of zeros ends here. Answers have been
/// seen up to a tenth of a mebibyte.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// What is kept of a larger one, as evidence.
const KEPT_OF_TOO_LARGE: usize = 64 * 1024;

/// An answer beyond this is large: its rows take many times its memory.
const LARGE_BYTES: usize = 1024 * 1024;

/// Large answers at once, from their reading until they are saved.
const LARGE_AT_ONCE: usize = 2;

/// How long a large answer waits for its turn: it may have been paid for, and is read in any case.
const LONGEST_TURN: Duration = Duration::from_secs(60);

/// Longest time of a call beyond the provider's timeout, which does not count the wait for a turn.
const BEYOND_TIMEOUT: Duration = Duration::from_secs(120);

/// What a call that missed its deadline says.
const TIMED_OUT: &str = "operation timed out";

/// Who asks.
const USER_AGENT: &str = concat!("tidewatch/", env!("CARGO_PKG_VERSION"));

/// Sends to every provider. One for the whole process: connections are shared.
pub struct Client {
    servers: BTreeMap<Provider, (Server, reqwest::Client)>,
    scrubber: Scrubber,
    large: Arc<Semaphore>,
}

/// Where a provider is, and how it is called.
#[derive(Clone, Debug)]
pub struct Server {
    /// What the paths of its endpoints are appended to.
    pub base_url: Url,
    /// For a call as a whole.
    pub timeout: Duration,
    /// The token, if it takes one and it is set.
    pub token: Option<SecretString>,
    /// The proxy on the way, if any.
    pub proxy: Option<Proxy>,
}

/// A proxy: http, https, socks5, or socks5h, which resolves names itself.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Its address, without credentials.
    pub url: Url,
    /// `user:password`. Cannot be printed.
    pub auth: Option<SecretString>,
}

/// What came back.
#[derive(Debug, Default)]
pub struct Received {
    /// The HTTP status, if any answer began.
    pub http_status: Option<u16>,
    /// The decoded body without the token: whole, or what came of it before an error.
    pub body: Vec<u8>,
    /// Decoded bytes that came.
    pub bytes: u64,
    /// Whether the answer is larger than is read: `body` is its beginning.
    pub cut: bool,
    /// Whether the question may have reached the provider.
    pub sent: bool,
    /// Whether this machine failed, such as for want of file descriptors: it says nothing about the
    /// provider.
    pub own_fault: bool,
    /// The turn of a large answer; the next one is read once this is dropped.
    pub turn: Option<OwnedSemaphorePermit>,
    /// How long the call took.
    pub duration: Duration,
    /// How long upstream asks to wait before the next call.
    pub retry_after: Option<Duration>,
    /// Why no whole answer came; without the token.
    pub error: Option<String>,
}

impl Client {
    /// A client of these providers.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(servers: impl IntoIterator<Item = (Provider, Server)>) -> anyhow::Result<Self> {
        let direct = http_client(None)?;
        let mut of = BTreeMap::new();
        for (provider, server) in servers {
            let http = match &server.proxy {
                Some(proxy) => http_client(Some(proxy))?,
                None => direct.clone(),
            };
            of.insert(provider, (server, http));
        }
        let secrets = of.values().flat_map(|(server, _)| {
            let auth = server.proxy.as_ref().and_then(|proxy| proxy.auth.as_ref());
            [server.token.as_ref(), auth].into_iter().flatten()
        });
        let scrubber = Scrubber::of(secrets.map(SecretString::expose_secret));
        let large = Arc::new(Semaphore::new(LARGE_AT_ONCE));
        Ok(Self { servers: of, scrubber, large })
    }

    /// Sends a request once and receives what comes, within the provider's timeout.
    /// Never retries, and never follows a redirect: each call is one entry on the ledger.
    pub async fn send(&self, provider: Provider, request: &Request) -> Received {
        let started = Instant::now();
        let mut received = self.exchange(provider, request).await;
        received.duration = started.elapsed();
        received
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that sends")]
    async fn exchange(&self, provider: Provider, request: &Request) -> Received {
        let Some((server, http)) = self.servers.get(&provider) else {
            let error = Some(format!("no address of {provider}"));
            return Received { error, ..Received::default() };
        };
        let url = server.url(provider, request);
        let deadline = Instant::now() + server.timeout;
        let request = http.get(url).timeout(server.timeout + BEYOND_TIMEOUT);
        match timeout_at(deadline, request.send()).await {
            Ok(Ok(response)) => self.receive(response, deadline).await,
            Err(_) => Received {
                sent: true,
                error: Some(format!("{}: {TIMED_OUT}", server.place())),
                ..Received::default()
            },
            Ok(Err(error)) => Received {
                own_fault: is_own_fault(&error),
                sent: !error.is_connect() && !error.is_builder(),
                // Which one it is says who is to be looked after.
                error: Some(format!("{}: {}", server.failed(&error), self.describe(error))),
                ..Received::default()
            },
        }
    }

    /// Reads a body to its end, because a connection with an unread body is not used again.
    async fn receive(&self, mut response: reqwest::Response, mut deadline: Instant) -> Received {
        let http_status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let mut body: Vec<u8> = Vec::new();
        let mut bytes: u64 = 0;
        let (mut cut, mut turn) = (false, None);
        let error = loop {
            if body.len() > LARGE_BYTES && turn.is_none() {
                let waits = Instant::now();
                let permit = self.large.clone().acquire_owned();
                turn = Some(timeout(LONGEST_TURN, permit).await.ok().and_then(Result::ok));
                deadline += waits.elapsed();
            }
            match timeout_at(deadline, response.chunk()).await {
                Err(_) => break Some(TIMED_OUT.to_owned()),
                Ok(Ok(Some(chunk))) => {
                    bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                    if body.len() + chunk.len() > MAX_BODY_BYTES {
                        body.truncate(KEPT_OF_TOO_LARGE);
                        cut = true;
                        break None;
                    }
                    body.extend_from_slice(&chunk);
                }
                Ok(Ok(None)) => break None,
                Ok(Err(error)) => break Some(self.describe(error)),
            }
        };
        Received {
            http_status: Some(http_status),
            body: self.scrubber.body(body),
            bytes,
            cut,
            sent: true,
            own_fault: false,
            turn: turn.flatten(),
            duration: Duration::ZERO,
            retry_after,
            error,
        }
    }

    fn describe(&self, error: reqwest::Error) -> String {
        self.scrubber.text(&describe(error))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Server {
    /// Where it listens, without anything secret that its address may hold.
    fn place(&self) -> String {
        let url = &self.base_url;
        let port = url.port_or_known_default().unwrap_or_default();
        format!("{}:{port}", url.host_str().unwrap_or_default())
    }

    /// Who failed: where it listens, or the proxy on the way.
    fn failed(&self, error: &reqwest::Error) -> String {
        let said: Vec<_> = causes(error).map(ToString::to_string).collect();
        let says = |words: &str| said.iter().any(|it| it.contains(words));
        match &self.proxy {
            Some(proxy) if says("authorization required") => format!(
                "the proxy {} asks for credentials, or for others (proxy_auth_env, \
                 proxy_auth_file)",
                proxy.url
            ),
            Some(proxy) if says("tunnel") || says("socks") || says("SOCKS") => {
                format!("the proxy {} fails", proxy.url)
            }
            _ => self.place(),
        }
    }

    /// The address to ask: what is asked for only ever stands in the query, encoded.
    fn url(&self, provider: Provider, request: &Request) -> Url {
        let mut url = self.base_url.clone();
        url.set_path(&format!("{}{}", self.base_url.path().trim_end_matches('/'), request.path));
        url.set_fragment(None);
        url.set_query(None);
        let token = self.token.as_ref().map(SecretString::expose_secret);
        let token = provider.profile().token.zip(token);
        let asked = request.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        url.query_pairs_mut().extend_pairs(token.into_iter().chain(asked));
        url
    }
}

/// Errors of this machine alone, as Linux and others number them: no file descriptors, here (24) or
/// on the machine (23), no memory (12), no buffers (105, 55). No local address (99, 49) is none: so
/// says a machine without IPv6 of a host that is down.
const OWN_FAULTS: [i32; 5] = [12, 23, 24, 55, 105];

/// What an error comes from, the nearest cause first.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

/// Whether a call failed for want of something on this machine.
fn is_own_fault(error: &reqwest::Error) -> bool {
    let is_own = |error: &std::io::Error| {
        error.raw_os_error().is_some_and(|number| OWN_FAULTS.contains(&number))
    };
    // The resolver of names tells no number: without file descriptors it fails like one whose server
    // is down.
    let is_without_files = || std::fs::File::open("/dev/null").is_err_and(|error| is_own(&error));
    causes(error).any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(is_own)
            || (cause.to_string() == "dns error" && is_without_files())
    })
}

/// What went wrong, with its causes. The library's own text holds the whole URL.
pub(crate) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let said = std::iter::once(error.to_string()).chain(causes(&error).map(ToString::to_string));
    said.collect::<Vec<_>>().join(": ")
}

/// A client that trusts the machine's authorities or, on a machine that has none, Mozilla's. It
/// follows no redirect, uses no other proxy, and tries nothing twice.
pub(crate) fn http_client(proxy: Option<&Proxy>) -> anyhow::Result<reqwest::Client> {
    // Fails when it was done before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = builder(proxy).and_then(ClientBuilder::build);
    client.or_else(|_| with_bundled_roots(proxy)).context("cannot set up the HTTP client")
}

fn with_bundled_roots(proxy: Option<&Proxy>) -> Result<reqwest::Client, reqwest::Error> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
    let roots: Result<Vec<Certificate>, reqwest::Error> =
        roots.iter().map(|root| Certificate::from_der(root)).collect();
    builder(proxy)?.tls_certs_only(roots?).build()
}

fn builder(proxy: Option<&Proxy>) -> Result<ClientBuilder, reqwest::Error> {
    let builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        // A proxy of the environment would see the token.
        .no_proxy();
    let Some(Proxy { url, auth }) = proxy else { return Ok(builder) };
    let mut proxy = reqwest::Proxy::all(url.clone())?;
    if let Some(auth) = auth {
        let auth = auth.expose_secret();
        let (user, password) = auth.split_once(':').unwrap_or((auth, ""));
        proxy = proxy.basic_auth(user, password);
    }
    Ok(builder.proxy(proxy))
}

/// `Retry-After`, in seconds or as a date, which is measured against the answer's own.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let wait = text(RETRY_AFTER)?;
    if let Ok(seconds) = wait.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(wait).ok()?;
    let from = DateTime::parse_from_rfc2822(text(DATE)?).ok()?;
    (until - from).to_std().ok()
}

#[cfg(test)]
mod tests;
