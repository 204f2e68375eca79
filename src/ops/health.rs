//! The health server: `/healthz`, `/readyz` and `/metrics`, for clients on this machine.

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
use crate::ops::health_state::HealthState;
use crate::ops::listener::Bounded;
use crate::ops::metrics::Metrics;
use crate::store::{Schema, Store};
use crate::time::Clock;

/// A loop without a heartbeat for this long is stuck; it beats every few seconds, and at least
/// twice a minute while the database fails.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// Connections at once.
const CONNECTIONS: usize = 16;

/// Timeout of the schema query behind `/readyz`.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(5);

/// Timeout of a health check asked by [`ask`].
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes read of the answer to a health check.
const LONGEST_ANSWER: u64 = 16 * 1024;

/// What the endpoints answer from.
#[derive(Clone, Debug)]
pub struct HealthServer {
    /// The health that the loop reports.
    pub state: HealthState,
    /// The archive.
    pub store: Store,
    /// The daemon's clock.
    pub clock: Clock,
    /// The metrics of this process.
    pub metrics: Metrics,
    /// The settings in force.
    pub settings: watch::Receiver<Arc<Config>>,
}

/// Binds the port. Done before anything else, so that a port in use is reported at startup.
///
/// # Errors
/// When the port cannot be bound.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        anyhow!(
            "cannot serve health checks on {address}: {error}; choose another port, or stop the program that \
             uses it"
        )
    })
}

/// Answers for a daemon that has no archive yet, until dropped: it is alive, and not ready.
///
/// # Errors
/// When the server fails.
pub async fn serve_start(state: HealthState, listener: TcpListener) -> Result<()> {
    // Without keep-alive: the next request is for the daemon.
    let answer = |answer: Answer| ([(header::CONNECTION, "close")], answer);
    let router = Router::new()
        .route("/healthz", get(async move |_: Local| answer(Answer::yes())))
        .route(
            "/readyz",
            get(async move |_: Local, State(state): State<HealthState>| {
                let why = state.snapshot().waits_for;
                answer(Answer::no(why.unwrap_or_else(|| "the daemon is starting".to_owned())))
            }),
        )
        .with_state(state);
    axum::serve(Bounded::new(listener, CONNECTIONS), router)
        .await
        .context("the health server failed")
}

impl HealthServer {
    /// Serves until an error occurs.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn serve(self, listener: TcpListener) -> Result<()> {
        let router = Router::new()
            .route("/healthz", get(async |_: Local, State(health): State<Self>| health.alive()))
            .route(
                "/readyz",
                get(async |_: Local, State(health): State<Self>| health.ready().await),
            )
            .route(
                "/metrics",
                get(async |_: Local, State(health): State<Self>| health.metrics().await),
            )
            .with_state(self);
        axum::serve(Bounded::new(listener, CONNECTIONS), router)
            .await
            .context("the health server failed")
    }

    /// `/metrics` alone, for a server that controls access itself.
    pub fn metrics_router(self) -> Router {
        let metrics = get(async |State(health): State<Self>| health.metrics().await);
        Router::new().route("/metrics", metrics).with_state(self)
    }

    /// Liveness: whether the loop advances.
    fn alive(&self) -> Answer {
        let Some(beat_at) = self.state.snapshot().beat_at else {
            return Answer::no("the daemon is starting");
        };
        let now = self.clock.now();
        // In both directions: a clock set back would make a stuck loop look alive.
        let silence = now.since(beat_at).max(beat_at.since(now));
        if silence > STUCK_AFTER {
            return Answer::no(format!("no heartbeat of the loop since {beat_at} UTC"));
        }
        Answer::yes()
    }

    /// Readiness: the database answers, with the schema of this version.
    async fn ready(&self) -> Answer {
        let now = self.state.snapshot();
        if now.is_stopping {
            return Answer::no("the daemon is stopping");
        }
        if let Some(why) = now.database_error {
            return Answer::no(format!("the database fails: {why}"));
        }
        if let Some(what) = now.waits_for {
            return Answer::no(what);
        }
        if now.ticked_at.is_none() {
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

    /// The metrics in the text format of Prometheus.
    async fn metrics(&self) -> Response {
        let config = self.settings.borrow().clone();
        match self.metrics.scrape(&self.state, &config).await {
            Ok(text) => {
                ([(header::CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response()
            }
            Err(error) => {
                Answer::no(format!("cannot write the metrics: {error:#}")).into_response()
            }
        }
    }
}

/// The answer to a health check.
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

/// A request meant for this machine. Guards against DNS rebinding: a foreign site that resolves
/// its name to a loopback address sends that name in `Host`.
struct Local;

impl<S: Sync> FromRequestParts<S> for Local {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        if host.is_some_and(is_this_machine) {
            return Ok(Self);
        }
        Err((StatusCode::MISDIRECTED_REQUEST, "the Host must be 127.0.0.1, [::1] or localhost\n"))
    }
}

/// Whether a `Host` names this machine.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Sends a health check to a daemon on this machine; whether it answered 200, and the text.
///
/// # Errors
/// When no daemon answers there.
pub async fn ask(address: SocketAddr, path: &str) -> Result<(bool, String)> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.take(LONGEST_ANSWER).read_to_string(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let answer = tokio::time::timeout(ASK_TIMEOUT, exchange)
        .await
        .context("timed out")
        .and_then(|answer| answer)
        .with_context(|| format!("no daemon answers health checks on {address}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    ensure!(head.starts_with("HTTP/1.1 "), "{address} does not speak HTTP/1.1");
    Ok((head.starts_with("HTTP/1.1 200 "), body.trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::is_this_machine;

    #[test]
    fn host_must_name_this_machine() {
        for host in ["127.0.0.1:9464", "127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:9464"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["evil.test", "evil.test:9464", "localhost.evil.test", "10.0.0.1", "", "a b"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
