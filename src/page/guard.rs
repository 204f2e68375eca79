//! Access control: accepted host names, read-only methods, and the password if one is set; and
//! response headers that prevent stored texts from running in a browser.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use super::view::{COOKIE, Visit, tag};
use crate::ops::health::is_this_machine;

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
    /// resolves here is refused.
    fn answers_to(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host();
        let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        is_this_machine(host)
            || ip.is_ok_and(|ip| ip == self.address.ip())
            || self.hosts.iter().any(|it| it.eq_ignore_ascii_case(name))
    }

    /// Whether the password is right, if one is set; in constant time.
    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let Some(password) = &self.password else { return true };
        let given = headers.get(header::AUTHORIZATION).and_then(basic_password);
        let expected = tag_of(password.expose_secret().as_bytes()).finalize().into_bytes();
        tag_of(given.unwrap_or_default().as_bytes()).verify_slice(&expected).is_ok()
    }

    /// The response to a refused request.
    async fn refuses(&self, method: &Method, headers: &HeaderMap) -> Option<Response> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        if !host.is_some_and(|host| self.answers_to(host)) {
            let why = "unknown host name: allow it with `--host`\n";
            return Some((StatusCode::MISDIRECTED_REQUEST, why).into_response());
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            let allow = [(header::ALLOW, "GET, HEAD")];
            let why = "this page is read-only\n";
            return Some((StatusCode::METHOD_NOT_ALLOWED, allow, why).into_response());
        }
        if self.lets_in(headers) {
            return None;
        }
        if headers.contains_key(header::AUTHORIZATION) {
            tokio::time::sleep(WRONG_PASSWORD).await;
        }
        let ask = [(header::WWW_AUTHENTICATE, "Basic realm=\"tidewatch\", charset=\"UTF-8\"")];
        Some((StatusCode::UNAUTHORIZED, ask, "a password is required\n").into_response())
    }
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
    State(guard): State<std::sync::Arc<Guard>>,
    visit: Visit,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match guard.refuses(request.method(), request.headers()).await {
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
            assert!(guard.answers_to(host), "{host}");
        }
        for host in ["evil.test", "watch.example.evil.test", "192.168.1.3", "", "a b", "0.0.0.0"] {
            assert!(!guard.answers_to(host), "{host}");
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
