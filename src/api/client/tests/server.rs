//! Small servers that answer as told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request as Asked, State};
use axum::http::HeaderMap as Headers;
use axum::response::Response;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

/// What a server was asked.
pub(super) type Log = Arc<Mutex<Vec<(String, Headers)>>>;

/// A server that answers everything with one answer, and remembers what it was asked.
pub(super) async fn serve(
    answer: impl Fn() -> Response + Clone + Send + Sync + 'static,
) -> (Url, Log) {
    let log = Log::default();
    let app = Router::new()
        .fallback(move |State(log): State<Log>, asked: Asked| async move {
            let entry = (asked.uri().to_string(), asked.headers().clone());
            log.lock().unwrap().push(entry);
            answer()
        })
        .with_state(Arc::clone(&log));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of(listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, log)
}

/// A server that says these bytes to the first caller, waits, and hangs up.
pub(super) async fn serve_raw(answer: &'static [u8], wait: Duration) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of(listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut asked = [0; 4096];
        let _ = socket.read(&mut asked).await;
        let _ = socket.write_all(answer).await;
        tokio::time::sleep(wait).await;
    });
    url
}

pub(super) fn url_of(address: SocketAddr) -> Url {
    Url::parse(&format!("http://{address}")).unwrap()
}
