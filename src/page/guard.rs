//! Access control: accepted host names, read-only methods, and the password if one is set; and
//! response headers that prevent stored texts from running in a browser.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use super::attempts::Attempts;
use super::view::{COOKIE, Visit, tag};
use crate::ops::health::is_this_machine;
use crate::ops::listener::Peer;

/// Delay after a wrong password.
const WRONG_PASSWORD: Duration = Duration::from_secs(1);

/// Time limit of a page.
const IN_TIME: Duration = Duration::from_secs(20);

/// Only the page's own scripts and styles; nothing is loaded from or sent elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// Headers of every response.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The access rules.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The listen address, which is an accepted host.
    pub address: SocketAddr,
    /// Accepted host names besides those of this machine.
    pub hosts: Vec<String>,
    /// The required password. Cannot be printed.
    pub password: Option<SecretString>,
}

impl Guard {
    /// Whether the `Host` header is accepted. Prevents DNS rebinding: another site's name that
    /// resolves here is refused. With a password any address is accepted, and a name that begins
    /// with the machine's: an address cannot be rebound, and no browser sends the password to
    /// another site's name.
    fn answers_to(&self, host: &str, machine: Option<&str>) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host();
        let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let machine = machine.filter(|_| self.password.is_some());
        let label = name.split('.').next().unwrap_or_default();
        is_this_machine(host)
            || ip.is_ok_and(|ip| ip == self.address.ip() || self.password.is_some())
            || self.hosts.iter().any(|it| it.eq_ignore_ascii_case(name))
            || machine
                .is_some_and(|it| it.eq_ignore_ascii_case(name) || it.eq_ignore_ascii_case(label))
    }

    /// Whether the password is right, if one is set; in constant time.
    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let Some(password) = &self.password else { return true };
        let given = headers.get(header::AUTHORIZATION).and_then(basic_password);
        let expected = tag_of(password.expose_secret().as_bytes()).finalize().into_bytes();
        tag_of(given.unwrap_or_default().as_bytes()).verify_slice(&expected).is_ok()
    }
}

/// The access rules at work.
#[derive(Debug)]
pub(super) struct Watch {
    guard: Guard,
    /// The name of this machine.
    machine: Option<String>,
    attempts: Attempts,
}

impl Watch {
    pub(super) fn new(guard: Guard) -> Self {
        Self { guard, machine: machine_name(), attempts: Attempts::default() }
    }

    /// The response to a refused request.
    async fn refuses(
        &self,
        peer: IpAddr,
        method: &Method,
        headers: &HeaderMap,
    ) -> Option<Response> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        if !host.is_some_and(|host| self.guard.answers_to(host, self.machine.as_deref())) {
            let why = "unknown host name: allow it with `--host`\n";
            return Some((StatusCode::MISDIRECTED_REQUEST, why).into_response());
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            let allow = [(header::ALLOW, "GET, HEAD")];
            let why = "this page is read-only\n";
            return Some((StatusCode::METHOD_NOT_ALLOWED, allow, why).into_response());
        }
        let tries = self.guard.password.is_some() && headers.contains_key(header::AUTHORIZATION);
        if let Some(wait) = self.attempts.wait(peer).filter(|_| tries) {
            let wait = [(header::RETRY_AFTER, wait.as_secs().max(1).to_string())];
            let why = "too many wrong passwords\n";
            return Some((StatusCode::TOO_MANY_REQUESTS, wait, why).into_response());
        }
        if self.guard.lets_in(headers) {
            return None;
        }
        if tries {
            self.attempts.count(peer);
            tokio::time::sleep(WRONG_PASSWORD).await;
        }
        let ask = [(header::WWW_AUTHENTICATE, "Basic realm=\"tidewatch\", charset=\"UTF-8\"")];
        Some((StatusCode::UNAUTHORIZED, ask, "a password is required\n").into_response())
    }
}

/// The name of this machine, where the system says it.
fn machine_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The password of `Basic …`; any user name is accepted.
fn basic_password(value: &HeaderValue) -> Option<String> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| password.to_owned())
}

/// A digest of fixed length, for a comparison in constant time.
fn tag_of(password: &[u8]) -> Hmac<Sha256> {
    let mut tag = Hmac::<Sha256>::new_from_slice(b"tidewatch page")
        .unwrap_or_else(|_| unreachable!("a key may have any length"));
    tag.update(password);
    tag
}

/// Middleware around every page.
pub(super) async fn watch(
    State(watch): State<std::sync::Arc<Watch>>,
    visit: Visit,
    request: Request,
    next: Next,
) -> Response {
    // Without the address all count as one.
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.0.ip());
    let mut response = match watch.refuses(peer, request.method(), request.headers()).await {
        Some(refusal) => refusal,
        None => match tokio::time::timeout(IN_TIME, next.run(request)).await {
            Ok(response) => response,
            Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the archive does not answer in time\n")
                .into_response(),
        },
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if visit.asks(COOKIE).is_some() {
        let language = tag(visit.language);
        let cookie =
            format!("{COOKIE}={language}; Path=/; Max-Age=31536000; SameSite=Strict; HttpOnly");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.insert(header::SET_COOKIE, cookie);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(address: &str, password: Option<&str>) -> Guard {
        Guard {
            address: address.parse().expect("an address"),
            hosts: vec!["watch.example".into()],
            password: password.map(SecretString::from),
        }
    }

    #[test]
    fn only_allowed_hosts_are_accepted() {
        let guard = guard("192.168.1.2:8080", None);
        for host in ["127.0.0.1:8080", "localhost", "[::1]:1", "192.168.1.2:8080", "Watch.example"]
        {
            assert!(guard.answers_to(host, Some("box")), "{host}");
        }
        for host in
            ["evil.test", "watch.example.evil.test", "192.168.1.3", "", "a b", "0.0.0.0", "box"]
        {
            assert!(!guard.answers_to(host, Some("box")), "{host}");
        }
    }

    #[test]
    fn addresses_and_names_of_the_machine_are_accepted_with_a_password() {
        let guard = guard("0.0.0.0:8080", Some("correct horse"));
        for host in ["192.168.1.3:8080", "[2001:db8::1]:8080", "Box", "box.local", "box.corp.test"]
        {
            assert!(guard.answers_to(host, Some("box")), "{host}");
        }
        for host in ["evil.test", "box-2", "boxer.local", "x.box"] {
            assert!(!guard.answers_to(host, Some("box")), "{host}");
            assert!(!guard.answers_to(host, None), "{host}");
        }
    }

    #[test]
    fn only_the_password_grants_access() {
        let guard = guard("127.0.0.1:8080", Some("correct horse"));
        let with = |text: &str| {
            let value = format!("Basic {}", BASE64_STANDARD.encode(text));
            let value = HeaderValue::from_str(&value).expect("a header");
            HeaderMap::from_iter([(header::AUTHORIZATION, value)])
        };
        assert!(guard.lets_in(&with("anybody:correct horse")));
        for wrong in ["anybody:correct hors", "anybody:", "correct horse", "anybody:correct horse "]
        {
            assert!(!guard.lets_in(&with(wrong)), "{wrong}");
        }
        assert!(!guard.lets_in(&HeaderMap::new()));
        assert!(!format!("{guard:?}").contains("correct"));
    }
}
