//! A cheap upstream: the simulator's notes, each under many ids.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use secrecy::SecretString;
use tidewatch::api::client::{Client, Server};
use tidewatch::api::{Ask, Endpoint, Provider};
use tidewatch::simulator::{self, Options};
use tidewatch::time::Clock;
use tokio::net::TcpListener;

/// Number of different notes.
const NOTES: usize = 1_000;

/// Token of the simulator.
const TOKEN: &str = "of-the-benchmark";

/// The upstream as a separate process.
pub(crate) struct Upstream {
    process: Child,
    url: String,
}

impl Upstream {
    pub(crate) fn start() -> Result<Self> {
        let mut process = crate::itself("upstream")?.stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().context("no standard output")?;
        let mut url = String::new();
        BufReader::new(output).read_line(&mut url)?;
        Ok(Self { process, url: url.trim().to_owned() })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.process.kill();
    }
}

/// An answer, and the positions of its note's id.
struct Answer {
    body: Vec<u8>,
    ids: Vec<usize>,
}

/// Serves until it is killed.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn serve() -> Result<()> {
    let answers = Arc::new(answers().await?);
    let router =
        Router::new().route("/api/xiaohongshu/get-note-detail/v1", get(answer)).with_state(answers);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    note_id: String,
}

async fn answer(
    State(answers): State<Arc<Vec<Answer>>>,
    Query(asked): Query<Asked>,
) -> impl IntoResponse {
    let id = asked.note_id.as_bytes();
    let number = id.iter().fold(7_usize, |sum, byte| sum.wrapping_mul(31) + usize::from(*byte));
    let answer = &answers[number % answers.len()];
    let mut body = answer.body.clone();
    for at in &answer.ids {
        body[*at..*at + id.len()].copy_from_slice(id);
    }
    ([(CONTENT_TYPE, "application/json")], body)
}

/// The simulator's answers.
async fn answers() -> Result<Vec<Answer>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    // Measurements on any date have the same answers.
    let clock = Clock::standing("2026-03-02 00:00:00".parse()?);
    let simulator = simulator::start(Options::new(1, TOKEN, clock), listener).await?;
    let server = Server {
        base_url: simulator.base_url(Provider::JustOneApi).parse()?,
        timeout: Duration::from_secs(10),
        token: Some(SecretString::from(TOKEN)),
        proxy: None,
    };
    let client = Client::new([(Provider::JustOneApi, server)])?;
    let mut answers = Vec::new();
    for id in simulator.world().notes(NOTES) {
        let request = Endpoint::NoteDetailV1.request(&Ask { key: id.clone(), page: 1 });
        let received = client.send(Provider::JustOneApi, &request).await;
        ensure!(received.error.is_none(), "the simulator does not answer");
        let windows = received.body.windows(id.len()).enumerate();
        let ids = windows.filter(|(_, window)| *window == id.as_bytes()).map(|(at, _)| at);
        let ids: Vec<_> = ids.collect();
        // The answer about a deleted note contains no id.
        if !ids.is_empty() {
            answers.push(Answer { body: received.body, ids });
        }
    }
    simulator.stop().await;
    Ok(answers)
}
