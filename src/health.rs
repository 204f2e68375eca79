//! `/healthz`, `/readyz` and `/metrics`: how the daemon is, for whoever watches over it on this
//! machine.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::prometheus_text;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::config::Config;
use crate::metrics::Metrics;
use crate::store::{Schema, Store};
use crate::time::Clock;
use crate::vitals::Vitals;

/// The loop comes round every few seconds, and while the database fails at least this often.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// How long the database may take to say which schema it has.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a daemon may take to answer a health check.
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer to a health check that is read, in bytes.
const LONGEST_ANSWER: u64 = 16 * 1024;

/// What health checks are answered from.
#[derive(Clone, Debug)]
pub struct Health {
    /// What the loop says of itself.
    pub vitals: Vitals,
    /// The archive.
    pub store: Store,
    /// The daemon's clock.
    pub clock: Clock,
    /// What it counts.
    pub metrics: Metrics,
    /// The settings that it works by.
    pub settings: watch::Receiver<Arc<Config>>,
}

/// Takes the port. Done before anything else, so that a port in use is told at the start.
///
/// # Errors
/// When the port cannot be had.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        anyhow!(
            "cannot serve health checks on {address}: {error}; choose another port, or end the program that \
             has it"
        )
    })
}

impl Health {
    /// Answers health checks for ever.
    ///
    /// # Errors
    /// When the port is lost.
    pub async fn serve(self, listener: TcpListener) -> Result<()> {
        let router = Router::new()
            .route("/healthz", get(async |_: Local, State(health): State<Self>| health.alive()))
            .route(
                "/readyz",
                get(async |_: Local, State(health): State<Self>| health.ready().await),
            )
            .route(
                "/metrics",
                get(async |_: Local, State(health): State<Self>| health.figures().await),
            )
            .with_state(self);
        axum::serve(listener, router).await.context("health checks are not served any more")
    }

    /// Whether the loop advances.
    fn alive(&self) -> Answer {
        let Some(beat_at) = self.vitals.snapshot().beat_at else {
            return Answer::no("the daemon is starting");
        };
        let now = self.clock.now();
        // Both ways: a clock that was put back would make a stuck loop look alive.
        let silent = now.since(beat_at).max(beat_at.since(now));
        if silent > STUCK_AFTER {
            return Answer::no(format!("the loop has not come round since {beat_at} UTC"));
        }
        Answer::yes()
    }

    /// Whether it can do its work: the database answers, and its schema is the one it knows.
    async fn ready(&self) -> Answer {
        let now = self.vitals.snapshot();
        if now.is_stopping {
            return Answer::no("the daemon is stopping");
        }
        if let Some(why) = now.database_error {
            return Answer::no(format!("the database cannot be worked with: {why}"));
        }
        if now.turned_at.is_none() {
            return Answer::no("the daemon is starting");
        }
        match tokio::time::timeout(DATABASE_TIMEOUT, self.store.schema_beside_work()).await {
            Ok(Ok(Schema::Current)) => Answer::yes(),
            Ok(Ok(Schema::Behind(_))) => Answer::no("the database's schema is too old"),
            Ok(Ok(Schema::Newer)) => Answer::no("the database's schema is too new"),
            Ok(Err(error)) => Answer::no(format!("the database does not answer: {error:#}")),
            Err(_) => Answer::no("the database does not answer in time"),
        }
    }

    /// How it is, in numbers.
    async fn figures(&self) -> Response {
        let config = self.settings.borrow().clone();
        match self.metrics.scrape(&self.vitals, &config).await {
            Ok(text) => {
                ([(header::CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response()
            }
            Err(error) => {
                Answer::no(format!("the figures cannot be written: {error:#}")).into_response()
            }
        }
    }
}

/// What a health check is told.
struct Answer(StatusCode, String);

impl Answer {
    fn yes() -> Self {
        Self(StatusCode::OK, "ok".to_owned())
    }

    fn no(why: impl Into<String>) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, why.into())
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Self(status, text) = self;
        let no_store = [(header::CACHE_CONTROL, "no-store")];
        (status, no_store, format!("{text}\n")).into_response()
    }
}

/// A question that was meant for this machine: a page of another site that resolves its own name
/// to a loopback address names itself in `Host`.
struct Local;

impl<S: Sync> FromRequestParts<S> for Local {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        if host.is_some_and(is_this_machine) {
            return Ok(Self);
        }
        Err((StatusCode::MISDIRECTED_REQUEST, "ask for 127.0.0.1, [::1] or localhost\n"))
    }
}

/// Whether a `Host` names this machine.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Asks a daemon on this machine: whether it says yes, and what it says.
///
/// # Errors
/// When nobody answers there.
pub async fn ask(address: SocketAddr, path: &str) -> Result<(bool, String)> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        let question =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(question.as_bytes()).await?;
        let mut answer = String::new();
        stream.take(LONGEST_ANSWER).read_to_string(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let answer = tokio::time::timeout(ASK_TIMEOUT, exchange)
        .await
        .context("no answer in time")
        .and_then(|answer| answer)
        .with_context(|| format!("no daemon answers health checks on {address}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    ensure!(head.starts_with("HTTP/1.1 "), "what answers on {address} is no daemon");
    Ok((head.starts_with("HTTP/1.1 200 "), body.trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::is_this_machine;

    #[test]
    fn only_names_of_this_machine_are_answered_for() {
        for host in ["127.0.0.1:9464", "127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:9464"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["evil.test", "evil.test:9464", "localhost.evil.test", "10.0.0.1", "", "a b"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
