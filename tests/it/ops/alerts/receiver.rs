//! A local webhook.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// Records requests and gives configured answers until dropped.
pub(crate) struct Receiver {
    port: u16,
    state: Shared,
    server: AbortHandle,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    answer: (u16, String),
    received: Vec<(String, Value)>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Shared::default();
        state.0.lock().unwrap().answer = (200, String::new());
        let router = Router::new().fallback(receive).with_state(state.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, state, server: server.abort_handle() }
    }

    /// Its address, with a secret in the path and in the query.
    pub(crate) fn url(&self, secret: &str) -> String {
        format!("http://127.0.0.1:{}/hook/{secret}?access_token={secret}", self.port)
    }

    pub(crate) fn answers(&self, status: u16, body: &str) {
        self.state.0.lock().unwrap().answer = (status, body.to_owned());
    }

    /// The bodies received.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.state.0.lock().unwrap().received.iter().map(|(_, body)| body.clone()).collect()
    }

    /// The paths and queries received.
    pub(crate) fn uris(&self) -> Vec<String> {
        self.state.0.lock().unwrap().received.iter().map(|(uri, _)| uri.clone()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn receive(State(state): State<Shared>, request: Request) -> (StatusCode, String) {
    assert_eq!(request.method(), "POST");
    assert_eq!(request.headers()["content-type"], "application/json; charset=utf-8");
    let uri = request.uri().to_string();
    let bytes = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let mut inner = state.0.lock().unwrap();
    inner.received.push((uri, serde_json::from_slice(&bytes).unwrap()));
    let (status, body) = inner.answer.clone();
    (StatusCode::from_u16(status).unwrap(), body)
}
